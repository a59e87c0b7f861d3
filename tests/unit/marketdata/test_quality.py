from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from quantrail.domain.enums import Severity
from quantrail.errors import InvalidInput, NotFound
from quantrail.marketdata import Finding, MarketStore, sample_path
from quantrail.marketdata.quality import check_rows, sessions_between

DAY = date(2016, 5, 10)


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    bars = pl.read_parquet(sample_path()).rename({"date": "ts"}).sort("symbol", "ts")
    return bars.with_columns(pl.col("volume").cast(pl.Float64), dividend=pl.lit(0.0), split=pl.lit(1.0))


def scale(bars: pl.DataFrame, when: pl.Expr, factor: float, *columns: str) -> pl.DataFrame:
    hit = (pl.col("symbol") == "KO") & when
    return bars.with_columns(pl.when(hit).then(pl.col(c) * factor).otherwise(c).alias(c) for c in columns)


def at_day(bars: pl.DataFrame) -> list[Finding]:
    return [f for f in check_rows(bars, "1d", "XNYS") if f.symbol == "KO" and f.date == DAY]


def test_the_bundled_bars_hold_a_bar_of_merck_that_stands_fifteen_percent_low(real: pl.DataFrame) -> None:
    found = [f for f in check_rows(real, "1d", "XNYS") if f.kind == "bad_bar" and f.symbol == "MRK"]
    assert [f.date for f in found] == [date(2017, 9, 14)]


def test_the_crash_of_august_2015_is_left_alone(real: pl.DataFrame) -> None:
    days = {date(2015, 8, d) for d in (20, 21, 24, 25, 26)}
    assert not [f for f in check_rows(real, "1d", "XNYS") if f.date in days]


def test_the_crash_is_left_alone_too_when_few_symbols_are_brought_up_to_date(
    real: pl.DataFrame, tmp_path: Path
) -> None:
    few = real.filter(pl.col("symbol").is_in(["AMZN", "BA"]))
    store = MarketStore(tmp_path, lambda: datetime(2020, 1, 1, tzinfo=UTC))
    store.import_bars(real, source="all", check=False)
    report = store.import_bars(few, source="few")
    whole = [f for f in store.check() if f.symbol in ("AMZN", "BA")]
    assert [f for f in report.findings if f.symbol] == whole == list(store.check(["AMZN", "BA"]))
    assert whole
    alone = store.check(["AMZN", "BA"], alone=True)
    assert {f.date for f in alone} > {f.date for f in whole}  # the crash, without a market beside it
    with pytest.raises(NotFound, match="NOBODY"):
        store.check(["AMZN", "NOBODY"])


def test_the_worst_real_earnings_gap_is_left_alone(real: pl.DataFrame) -> None:
    # Netflix fell by a fifth on 2014-10-16.
    assert not [
        f for f in check_rows(real, "1d", "XNYS") if f.symbol == "NFLX" and f.date == date(2014, 10, 16)
    ]


def test_a_close_that_reverts_is_found(real: pl.DataFrame) -> None:
    bars = scale(real, pl.col("ts") == DAY, 1.06, "close", "high")
    assert [f.kind for f in at_day(bars)] == ["bad_close"]


def test_a_bar_ten_times_too_high_is_found_once_and_stops_a_loop(real: pl.DataFrame) -> None:
    bars = scale(real, pl.col("ts") == DAY, 10.0, "open", "high", "low", "close")
    found = [f for f in check_rows(bars, "1d", "XNYS") if f.symbol == "KO" and f.kind != "stale"]
    assert [(f.kind, f.date, f.severity) for f in found] == [("factor_of_ten", DAY, Severity.CRITICAL)]


def test_an_unadjusted_split_is_found_and_a_declared_one_is_not(real: pl.DataFrame) -> None:
    bars = scale(real, pl.col("ts") < DAY, 2.0, "open", "high", "low", "close")
    bars = scale(bars, pl.col("ts") < DAY, 0.5, "volume")
    assert [f.kind for f in at_day(bars)] == ["split_like"]
    assert not at_day(bars.with_columns(split=pl.when(pl.col("ts") == DAY).then(2.0).otherwise(1.0)))


def test_a_spin_off_is_found(real: pl.DataFrame) -> None:
    bars = scale(real, pl.col("ts") < DAY, 1 / 0.88, "open", "high", "low", "close")
    assert [f.kind for f in at_day(bars)] == ["spin_off_like"]


def test_missing_sessions_are_one_finding_per_run(real: pl.DataFrame) -> None:
    gap = pl.col("ts").is_between(date(2016, 5, 10), date(2016, 5, 16))
    found = at_day(real.filter(~((pl.col("symbol") == "KO") & gap)))
    assert [(f.kind, f.date, f.until) for f in found] == [("missing_session", DAY, date(2016, 5, 16))]


def test_a_bar_on_a_holiday_is_found(real: pl.DataFrame) -> None:
    holiday = date(2016, 7, 4)
    day = (pl.col("symbol") == "KO") & (pl.col("ts") == date(2016, 7, 5))
    extra = real.filter(day).with_columns(ts=pl.lit(holiday))
    found = check_rows(pl.concat([real, extra]).sort("symbol", "ts"), "1d", "XNYS")
    assert "not_a_session" in {f.kind for f in found if f.date == holiday and f.symbol == "KO"}


def test_sessions_agree_with_the_published_count_of_trading_days() -> None:
    # NYSE: 252 trading days in each of 2013, 2014, 2015 and 2016, 251 in 2017.
    years = [sessions_between("XNYS", date(y, 1, 1), date(y, 12, 31)).size for y in range(2013, 2018)]
    assert years == [252, 252, 252, 252, 251]


def test_an_unknown_calendar_is_refused() -> None:
    with pytest.raises(InvalidInput, match="NOPE"):
        sessions_between("NOPE", date(2020, 1, 1), date(2020, 2, 1))
