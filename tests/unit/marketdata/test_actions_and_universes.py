import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import talib

from quantrail.domain.identity import universe_version
from quantrail.errors import Conflict, DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import Adjust, MarketStore, Membership, StoredBasis, Universe

DAYS = [date(2020, 1, d) for d in (6, 7, 8, 9, 10)]


def raw_bars(**columns: list[float]) -> pl.DataFrame:
    """A stock that stands at 100, splits 2:1 on the third day and pays 1.5 on the fourth."""
    close = [100.0, 102.0, 51.0, 50.0, 50.5]
    base = {"symbol": ["AAA"] * 5, "date": DAYS, "open": close, "high": close, "low": close, "close": close}
    return pl.DataFrame({**base, "volume": [10.0, 10.0, 20.0, 20.0, 20.0], **columns})


def actions() -> pl.DataFrame:
    return pl.DataFrame(
        {"symbol": ["AAA"] * 2, "date": [DAYS[2], DAYS[3]], "split": [2.0, 1.0], "dividend": [0.0, 1.5]}
    )


def test_raw_prices_are_adjusted_backwards_and_stay_as_they_are_in_the_store(store: MarketStore) -> None:
    store.import_bars(raw_bars(), basis=StoredBasis.RAW, check=False)
    store.import_actions(actions(), source="desk")
    stored = store.bars(["AAA"])
    split = store.bars(["AAA"], adjust=Adjust.SPLIT)
    total = store.bars(["AAA"], adjust=Adjust.TOTAL_RETURN)
    assert stored.close[0].tolist() == [100.0, 102.0, 51.0, 50.0, 50.5]
    assert split.close[0].tolist() == [50.0, 51.0, 51.0, 50.0, 50.5]
    assert split.volume[0].tolist() == [20.0] * 5
    # The dividend of 1.5 after a close of 51 is worth 1 - 1.5/51 on everything before.
    step = 1 - 1.5 / 51
    assert total.close[0] == pytest.approx([50 * step, 51 * step, 51 * step, 50.0, 50.5])
    assert total.data_version == stored.data_version


def test_a_reinvested_dividend_gives_the_total_return(store: MarketStore) -> None:
    """Independent: a holder of one share buys more of it with each dividend at the close before."""
    rng = np.random.default_rng(4)
    days = pl.date_range(date(2020, 1, 1), date(2020, 7, 1), "1d", eager=True)
    n = len(days)
    close = 80 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    dividend, split = np.zeros(n), np.ones(n)
    dividend[[30, 90, 120]] = [0.7, 0.6, 0.8]
    split[[60, 120]] = [3.0, 0.5]
    price = close / np.cumprod(split)
    frame = pl.DataFrame(
        {"date": days, "open": price, "high": price, "low": price, "close": price, "volume": 1.0}
    )
    frame = frame.with_columns(dividend=dividend, split=split)
    store.import_bars(frame, symbol="AAA", basis=StoredBasis.RAW, check=False)
    adjusted = store.bars(["AAA"], adjust=Adjust.TOTAL_RETURN).close[0]
    shares = 1.0
    for t in range(1, n):
        # dividends are per share after the day's split; reinvested at the close before, in those shares
        before = price[t - 1] / split[t]
        shares *= split[t] * before / (before - dividend[t])
    assert adjusted[-1] / adjusted[0] == pytest.approx(shares * price[-1] / price[0], rel=1e-12)


def test_a_factor_tells_nothing_of_actions_after_the_slice(store: MarketStore) -> None:
    store.import_bars(raw_bars(), basis=StoredBasis.RAW, check=False)
    store.import_actions(actions(), source="desk")
    before = store.bars(["AAA"], before=DAYS[2], adjust=Adjust.TOTAL_RETURN)
    assert before.close[0].tolist() == [100.0, 102.0]


def test_bars_of_unknown_basis_are_not_adjusted(store: MarketStore) -> None:
    store.import_bars(raw_bars(), check=False)
    with pytest.raises(InvalidInput, match="basis of these bars is unknown"):
        store.bars(["AAA"], adjust=Adjust.SPLIT)


def test_bars_that_come_split_adjusted_are_not_divided_again(store: MarketStore) -> None:
    store.import_bars(raw_bars(split=[1.0, 1, 2, 1, 1]), basis=StoredBasis.SPLIT, check=False)
    assert store.bars(["AAA"], adjust=Adjust.SPLIT).close[0].tolist() == [100.0, 102.0, 51.0, 50.0, 50.5]
    assert store.actions(["AAA"]).splits == {}


def test_another_basis_for_a_stored_symbol_is_a_conflict(store: MarketStore) -> None:
    store.import_bars(raw_bars(), basis=StoredBasis.RAW, check=False)
    with pytest.raises(Conflict, match="stored as raw"):
        store.import_bars(raw_bars(), basis=StoredBasis.SPLIT)


def test_a_basis_may_be_declared_later_and_makes_another_version(store: MarketStore) -> None:
    unknown = store.import_bars(raw_bars(), check=False).snapshot
    declared = store.import_bars(raw_bars(), basis=StoredBasis.RAW, check=False).snapshot
    assert declared.version != unknown.version
    assert declared.symbols[0].basis is StoredBasis.RAW
    assert store.bars(["AAA"], adjust=Adjust.SPLIT).data_version == declared.version


def test_actions_leave_the_source_of_the_prices_as_it_is(store: MarketStore) -> None:
    store.import_bars(raw_bars(), source="vendor", basis=StoredBasis.RAW, check=False)
    after = store.import_actions(actions(), source="desk")
    assert (after.snapshot.symbols[0].source, after.changed, after.findings) == ("vendor", 2, ())


def test_a_change_of_source_is_said_once_for_all_symbols(store: MarketStore) -> None:
    both = pl.concat([raw_bars(), raw_bars().with_columns(symbol=pl.lit("BBB"))])
    store.import_bars(both, source="one", check=False)
    findings = store.import_bars(both, source="two", check=False).findings
    assert [f.kind for f in findings] == ["source_changed"]
    assert "2 symbols (AAA, BBB) change from source one to two" in findings[0].detail


def test_engines_get_the_actions_as_tables(store: MarketStore) -> None:
    store.import_bars(raw_bars(), basis=StoredBasis.RAW, check=False)
    store.import_actions(actions(), source="desk")
    found = store.actions(["AAA"])
    assert found.splits == {("AAA", DAYS[2]): 2.0}
    assert found.dividends == {("AAA", DAYS[3]): 1.5}
    assert store.actions(["AAA"], before=DAYS[3]).dividends == {}


@pytest.mark.parametrize("what", ["split", "dividend"])
def test_actions_of_bars_of_unknown_basis_are_refused(store: MarketStore, what: str) -> None:
    store.import_bars(raw_bars(), check=False)
    store.import_actions(actions().select("symbol", "date", what), source="desk")
    with pytest.raises(InvalidInput, match=f"prices of AAA have {what}s worked in is not known"):
        store.actions(["AAA"])


def test_an_action_without_a_bar_is_reported_and_not_applied(store: MarketStore) -> None:
    store.import_bars(raw_bars(), basis=StoredBasis.RAW, check=False)
    lost = pl.DataFrame({"symbol": ["AAA"], "date": [date(2020, 1, 11)], "dividend": [1.0]})
    report = store.import_actions(lost, source="desk")
    assert [(f.kind, f.date) for f in report.findings] == [("action_without_bar", date(2020, 1, 11))]
    assert report.changed == 0
    with pytest.raises(NotFound, match="'BBB'"):
        store.import_actions(lost.with_columns(symbol=pl.lit("BBB")), source="desk")
    with pytest.raises(DataInvalid, match="dividend or split"):
        store.import_actions(lost.drop("dividend"), source="desk")


def test_an_indicator_has_the_values_of_the_library_and_is_cached(
    store: MarketStore, make_bars: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    store.import_bars(make_bars(["AAA", "BBB"], count=40), check=False)
    rows = store.indicator(["AAA", "BBB"], "rsi", {"period": 5})
    bars = store.bars(["AAA", "BBB"])
    expected = talib.RSI(np.array(bars.close[1]), 5)
    mine = rows.filter(pl.col("symbol") == "BBB")
    assert mine["indicator_type"].unique().to_list() == ["rsi(close;period=5)"]
    assert [json.loads(v)["value"] for v in mine["values"]] == expected[~np.isnan(expected)].tolist()
    assert mine["date"][0] == bars.sessions[5].item()
    cached = list((tmp_path / "market" / "cache" / "indicators").rglob("*.parquet"))
    assert len(cached) == 1
    assert store.indicator(["AAA", "BBB"], "rsi", {"period": 5}).equals(rows)
    assert store.sql("select count(*) n from technical_indicators")["n"][0] == rows.height
    store.indicator(["AAA"], "rsi", {"period": 5})
    assert store.sql("select count(*) n from technical_indicators")["n"][0] == rows.height
    store.export_duckdb(tmp_path / "with_indicators.duckdb")
    with pytest.raises(InvalidInput, match="against each other"):
        store.indicator(["AAA"], "rs_percentile")
    with pytest.raises(InvalidInput, match="no indicator 'rsj'"):
        store.indicator(["AAA"], "rsj")
    with pytest.raises(InvalidInput, match="no parameter 'window'"):
        store.indicator(["AAA"], "rsi", {"window": 5})


def test_a_universe_knows_its_members_of_a_day() -> None:
    universe = Universe.of(
        "index",
        [
            {"symbol": "AAA", "start": "2015-01-01", "end": "2016-06-30"},
            {"symbol": "AAA", "start": "2018-01-01"},
            {"symbol": "BBB"},
        ],
    )
    assert universe.symbols == ("AAA", "BBB")
    assert universe.on(date(2016, 6, 30)) == ("AAA", "BBB")
    assert universe.on(date(2017, 1, 1)) == ("BBB",)
    assert universe.survivorship() is None


def test_a_universe_without_leavers_warns_of_survivorship() -> None:
    warning = Universe("today", (Membership("AAA"),)).survivorship()
    assert warning is not None
    assert "no leavers" in warning


def test_a_universe_version_is_its_stays_and_not_its_name() -> None:
    stays = (Membership("AAA", date(2015, 1, 1)), Membership("BBB"))
    assert Universe("x", stays).version == Universe("y", stays[::-1]).version
    assert Universe("x", stays).version != Universe("x", (Membership("AAA"), Membership("BBB"))).version
    assert Universe("x", (Membership("B"), Membership("A"))).version == universe_version(["A", "B", "A"])
    with pytest.raises(InvalidInput, match="before it joins"):
        Membership("AAA", date(2016, 1, 1), date(2015, 1, 1))


def paid_in(store: MarketStore) -> list[tuple[float, float]]:
    rows = store.rows().filter((pl.col("split") != 1) | (pl.col("dividend") != 0))
    return [(one["dividend"], one["split"]) for one in rows.iter_rows(named=True)]


def test_two_actions_of_one_day_count_together_whatever_their_order(
    tmp_path: Path, make_bars: Callable[..., pl.DataFrame]
) -> None:
    versions = set()
    for name, dividends in (("a", [0.5, 1.5]), ("b", [1.5, 0.5])):
        store = MarketStore(tmp_path / name, lambda: datetime(2026, 11, 21, tzinfo=UTC))
        bars = make_bars(["A"], count=10)
        store.import_bars(bars, basis=StoredBasis.RAW, check=False)
        day = bars["date"][4]
        paid = {"symbol": ["A", "A"], "date": [day, day], "dividend": dividends, "split": [2.0, 1.5]}
        after = store.import_actions(pl.DataFrame(paid), source="desk").snapshot
        assert store.rows().height == 10
        assert paid_in(store) == [(2.0, 3.0)]
        versions.add(after.version)
    assert len(versions) == 1


def test_an_action_that_is_not_stated_leaves_the_stored_one(
    tmp_path: Path, make_bars: Callable[..., pl.DataFrame]
) -> None:
    store = MarketStore(tmp_path / "m", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    bars = make_bars(["A"], count=10)
    store.import_bars(bars, basis=StoredBasis.RAW, check=False)
    first, second = bars["date"][4], bars["date"][6]
    store.import_actions(pl.DataFrame({"symbol": ["A"], "date": [first], "split": [2.0]}), source="desk")
    more = {"symbol": ["A", "A"], "date": [first, second], "dividend": [0.5, None], "split": [None, 3.0]}
    store.import_actions(pl.DataFrame(more), source="desk")
    assert paid_in(store) == [(0.5, 2.0), (0.0, 3.0)]
