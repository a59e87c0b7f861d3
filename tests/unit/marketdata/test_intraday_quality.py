"""Faults set into made-up five-minute bars of real shape: busy bells, quiet noons, half days, night gaps."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from quantrail.domain.enums import Severity
from quantrail.errors import InvalidInput
from quantrail.marketdata import Finding, MarketStore
from quantrail.marketdata.quality import check_rows, hours_between

STEP = np.timedelta64(300, "s")
# Three weeks around Thanksgiving: 2023-11-24 closes at 18:00 UTC instead of 21:00.
FIRST, LAST = date(2023, 11, 13), date(2023, 12, 1)
SYMBOLS = tuple("ABCDEFGHIJ")


def times(calendar: str = "XNYS", step: np.timedelta64 = STEP) -> np.ndarray:
    hours = hours_between(calendar, FIRST, LAST)
    slots = [np.arange(opens, closes, step) for opens, closes in zip(hours.opens, hours.closes, strict=True)]
    return np.concatenate(slots).astype("datetime64[us]")


def made(symbols: tuple[str, ...] = SYMBOLS, seed: int = 5) -> pl.DataFrame:
    when, rng, frames = times(), np.random.default_rng(seed), []
    day = when.astype("datetime64[D]")
    into = np.concatenate([np.linspace(-1, 1, n) for n in np.unique(day, return_counts=True)[1]])
    busy = 0.6 + 1.4 * into**4
    market = rng.standard_t(4, when.size) * 0.0004 * busy
    for symbol in symbols:
        moves = market + rng.standard_t(4, when.size) * 0.0008 * busy
        night = np.where(np.diff(day, prepend=day[0]) > np.timedelta64(0), rng.normal(0, 0.01, when.size), 0)
        close = 40 * np.exp(np.cumsum(moves + night))
        opened = close * np.exp(-moves)
        wide = np.abs(rng.normal(0, 0.0006, when.size)) * busy
        frames.append(
            pl.DataFrame(
                {
                    "symbol": symbol,
                    "ts": pl.Series(when).dt.replace_time_zone("UTC"),
                    "open": opened.round(2),
                    "high": (np.maximum(opened, close) * (1 + wide)).round(2) + 0.01,
                    "low": (np.minimum(opened, close) * (1 - wide)).round(2) - 0.01,
                    "close": close.round(2),
                    "volume": np.round(rng.gamma(3, 9000, when.size) * busy),
                    "dividend": 0.0,
                    "split": 1.0,
                }
            )
        )
    return pl.concat(frames)


@pytest.fixture(scope="module")
def clean() -> pl.DataFrame:
    return made()


def found(bars: pl.DataFrame, calendar: str = "XNYS", interval: str = "5m") -> list[Finding]:
    return list(check_rows(bars, interval, calendar))


def at(day: int, hour: int, minute: int, month: int = 11) -> datetime:
    return datetime(2023, month, day, hour, minute, tzinfo=UTC)


def but(bars: pl.DataFrame, start: datetime, end: datetime, symbol: str = "C") -> pl.DataFrame:
    gone = (pl.col("symbol") == symbol) & pl.col("ts").is_between(start, end)
    return bars.filter(~gone)


def scaled(bars: pl.DataFrame, when: pl.Expr, factor: float, *columns: str) -> pl.DataFrame:
    hit = (pl.col("symbol") == "C") & when
    return bars.with_columns(pl.when(hit).then(pl.col(c) * factor).otherwise(c).alias(c) for c in columns)


def test_clean_bars_raise_no_alarm_half_days_included(clean: pl.DataFrame) -> None:
    assert found(clean) == []
    assert found(made(("A", "B"), seed=9)) == []


def test_a_gap_inside_a_session_is_named_by_its_bars(clean: pl.DataFrame) -> None:
    (gap,) = found(but(clean, at(20, 15, 0), at(20, 15, 20)))
    assert (gap.kind, gap.date, gap.until) == (
        "missing_bars",
        at(20, 15, 0),
        at(20, 15, 20),
    )
    assert gap.detail == "5 of 78 bars missing"
    assert gap.severity is Severity.WARN


def test_a_half_day_has_fewer_bars_and_a_gap_in_it_is_still_one(clean: pl.DataFrame) -> None:
    (gap,) = found(but(clean, at(24, 17, 55), at(24, 17, 55)))
    assert (gap.kind, gap.detail) == ("missing_bars", "1 of 42 bars missing")


def test_gaps_do_not_run_over_the_bell(clean: pl.DataFrame) -> None:
    gaps = found(but(clean, at(20, 20, 50), at(21, 14, 40)))
    assert [f.detail for f in gaps] == ["2 of 78 bars missing", "3 of 78 bars missing"]


def test_whole_sessions_that_are_missing_are_one_finding(clean: pl.DataFrame) -> None:
    (gap,) = found(but(clean, at(21, 0, 0), at(24, 23, 0)))
    assert (gap.kind, gap.detail) == ("missing_session", "3 sessions missing")
    assert (str(gap.date), str(gap.until)) == ("2023-11-21", "2023-11-24")


def test_nothing_is_missing_before_the_first_bar_or_after_the_last(clean: pl.DataFrame) -> None:
    cut = but(but(clean, at(13, 0, 0), at(14, 16, 0)), at(30, 18, 0), at(1, 23, 0, month=12))
    assert found(cut) == []


def test_a_symbol_that_trades_now_and_then_is_called_thin_once(clean: pl.DataFrame) -> None:
    rng = np.random.default_rng(3)
    kept = pl.Series(rng.random(clean.height) < 0.5) | (pl.col("symbol") != "C")
    thin = [f for f in found(clean.filter(kept)) if f.kind != "stale"]
    assert [(f.kind, f.symbol, f.severity) for f in thin] == [("thin", "C", Severity.INFO)]


def test_bars_dated_by_their_end_are_understood(clean: pl.DataFrame) -> None:
    by_end = clean.with_columns(pl.col("ts").dt.offset_by("5m"))
    assert found(by_end) == []
    (gap,) = found(but(by_end, at(20, 21, 0), at(20, 21, 0)))
    assert (gap.kind, gap.date) == ("missing_bars", at(20, 21, 0))


@pytest.mark.parametrize("by_end", [False, True])
def test_hours_that_begin_on_the_hour_make_seven_bars_of_a_session(by_end: bool) -> None:
    shift = "60m" if by_end else "0m"
    sums = (pl.col("volume", "dividend").sum(), pl.col("split").product())
    prices = (pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last())
    hour = pl.col("ts").dt.truncate("1h").dt.offset_by(shift)
    hourly = made(("C",)).group_by("symbol", hour, maintain_order=True).agg(*prices, *sums)
    assert found(hourly, interval="1h") == []
    (gap,) = found(hourly.filter(pl.col("ts") != at(20, 18, 0)), interval="1h")
    assert gap.detail == "1 of 7 bars missing"


def test_bars_after_an_early_close_or_on_a_holiday_cannot_be(clean: pl.DataFrame) -> None:
    one = clean.filter((pl.col("symbol") == "C") & (pl.col("ts") == at(22, 15, 0)))
    extra = [one.with_columns(ts=pl.lit(t)) for t in (at(24, 19, 0), at(24, 19, 5), at(23, 15, 0))]
    bars = pl.concat([clean, *(e.cast(clean.schema) for e in extra)]).sort("symbol", "ts")
    late = [f for f in found(bars) if f.kind == "not_a_session"]
    assert [(f.date, f.until) for f in late] == [
        (at(23, 15, 0), at(23, 15, 0)),
        (at(24, 19, 0), at(24, 19, 5)),
    ]


def test_extended_hours_on_most_days_are_no_finding(clean: pl.DataFrame) -> None:
    bell = clean.filter((pl.col("symbol") == "C") & (pl.col("ts").dt.time() == at(13, 20, 55).time()))
    after = bell.with_columns(pl.col("ts").dt.offset_by("30m"), volume=pl.col("volume") / 2)
    assert found(pl.concat([clean, after]).sort("symbol", "ts")) == []


def test_a_bar_between_the_grid_is_found(clean: pl.DataFrame) -> None:
    odd = pl.when((pl.col("symbol") == "C") & (pl.col("ts") == at(20, 16, 0)))
    bars = clean.with_columns(ts=odd.then(pl.col("ts").dt.offset_by("97s")).otherwise("ts"))
    assert [f.kind for f in found(bars)] == ["off_grid"]


def test_an_exchange_that_lunches_misses_no_bar_at_noon() -> None:
    hours = hours_between("XHKG", FIRST, LAST)
    when = times("XHKG")
    day = np.searchsorted(hours.closes, when)
    working = when[(when < hours.lunch[day]) | (when >= hours.back[day])]
    assert working.size < when.size
    price = 40 + np.random.default_rng(1).normal(0, 0.02, working.size).cumsum()
    bars = pl.DataFrame(
        {
            "symbol": "C",
            "ts": pl.Series(working).dt.replace_time_zone("UTC"),
            "open": price,
            "high": price + 0.05,
            "low": price - 0.05,
            "close": price,
            "volume": 10.0,
            "dividend": 0.0,
            "split": 1.0,
        }
    )
    assert found(bars, "XHKG") == []


@pytest.mark.parametrize(
    ("factor", "columns", "kind", "severity"),
    [
        (1.02, ("close", "high"), "bad_close", Severity.WARN),
        (0.97, ("close", "low"), "bad_close", Severity.WARN),
        (1.03, ("open", "high", "low", "close"), "bad_bar", Severity.WARN),
        (10.0, ("open", "high", "low", "close"), "factor_of_ten", Severity.CRITICAL),
        (0.1, ("open", "high", "low", "close"), "factor_of_ten", Severity.CRITICAL),
    ],
)
def test_ticks_that_revert_are_found_wherever_they_are(
    clean: pl.DataFrame, factor: float, columns: tuple[str, ...], kind: str, severity: Severity
) -> None:
    for moment in (at(15, 18, 0), at(20, 15, 0), at(24, 16, 30), at(28, 20, 0)):
        bars = scaled(clean, pl.col("ts") == moment, factor, *columns)
        assert [(f.kind, f.symbol, f.date, f.severity) for f in found(bars)] == [
            (kind, "C", moment, severity)
        ]


def test_a_split_over_night_is_found_at_the_first_bar_and_a_declared_one_is_not(clean: pl.DataFrame) -> None:
    before = pl.col("ts") < at(22, 14, 30)
    bars = scaled(scaled(clean, before, 2.0, "open", "high", "low", "close"), before, 0.5, "volume")
    (split,) = found(bars)
    assert (split.kind, split.date, split.severity) == (
        "split_like",
        at(22, 14, 30),
        Severity.CRITICAL,
    )
    first = (pl.col("symbol") == "C") & (pl.col("ts") == at(22, 14, 30))
    declared = bars.with_columns(split=pl.when(first).then(2.0).otherwise(1.0))
    assert found(declared) == []


def test_a_market_wide_move_is_left_alone(clean: pl.DataFrame) -> None:
    dip = pl.col("ts") == at(20, 15, 0)
    bars = clean.with_columns(
        pl.when(dip).then(pl.col(c) * 0.97).otherwise(c).alias(c) for c in ("close", "low")
    )
    assert [f for f in found(bars) if f.kind == "bad_close"] == []


def test_repeated_bars_are_stale_and_a_price_that_stands_is_not(clean: pl.DataFrame) -> None:
    names = ["open", "high", "low", "close", "volume"]
    bars = clean.with_columns(
        pl.when((pl.col("symbol") == "C") & (pl.col("ts") == at(20, 16, 0)))
        .then(pl.col(n).shift())
        .otherwise(n)
        .alias(n)
        for n in names
    )
    stale = [f for f in found(bars) if f.kind == "stale"]
    assert [(f.symbol, f.date, f.until) for f in stale] == [("C", at(20, 16, 0), at(20, 16, 0))]
    standing = (pl.col("symbol") == "C") & pl.col("ts").is_between(at(20, 16, 0), at(20, 16, 30))
    flat = clean.with_columns(close=pl.when(standing).then(40.0).otherwise("close"))
    assert [f for f in found(flat) if f.kind == "stale"] == []


def test_an_import_of_intraday_bars_reports_its_gaps(store: MarketStore, clean: pl.DataFrame) -> None:
    bars = but(clean, at(20, 15, 0), at(20, 15, 20)).drop("dividend", "split").rename({"ts": "timestamp"})
    report = store.import_bars(bars)
    assert [(f.kind, f.symbol) for f in report.findings] == [("missing_bars", "C")]
    assert [f.kind for f in store.check(["C"], interval="5m")] == ["missing_bars"]
    with pytest.raises(InvalidInput, match="30s, 5m or 1h"):
        check_rows(clean, "5 minutes", "XNYS")
