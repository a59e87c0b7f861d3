import hashlib
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantrail.domain.identity import universe_version
from quantrail.domain.market import Period
from quantrail.errors import BackendCorrupt, DataInvalid, NotFound
from quantrail.marketdata import (
    SAMPLE_ETFS,
    SAMPLE_SHA256,
    SAMPLE_STOCKS,
    MarketStore,
    sample_path,
)

Make = Callable[..., pl.DataFrame]


def _now() -> datetime:
    return datetime(2026, 11, 21, tzinfo=UTC)


def test_the_bundled_sample_has_its_original_bytes() -> None:
    assert hashlib.sha256(sample_path().read_bytes()).hexdigest() == SAMPLE_SHA256


def test_the_sample_imports_whole_and_a_second_time_changes_nothing(store: MarketStore) -> None:
    first = store.import_sample()
    again = store.import_sample()
    assert (first.added, first.changed, first.rejected) == (42_806, 0, 0)
    assert first.snapshot.names() == tuple(sorted(SAMPLE_STOCKS + SAMPLE_ETFS))
    assert (again.added, again.changed, again.unchanged) == (0, 0, 42_806)
    assert again.snapshot == first.snapshot


def test_bars_come_back_with_the_bits_that_went_in(store: MarketStore) -> None:
    store.import_sample()
    bars = store.bars(["SPY", "AAPL"])
    raw = pl.read_parquet(sample_path()).filter(pl.col("symbol") == "AAPL").sort("date")
    assert bars.symbols == ("AAPL", "SPY")
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(bars, name)[0], raw[name].cast(pl.Float64).to_numpy())
    assert np.array_equal(bars.sessions, raw["date"].to_numpy())


def test_rows_in_any_order_and_any_number_of_imports_give_one_version(
    tmp_path: Path, make_bars: Make
) -> None:
    frame = make_bars(["AAA", "BBB", "CCC"], start=date(2019, 11, 4), count=80)
    whole = MarketStore(tmp_path / "whole", _now).import_bars(frame, source="a", check=False)
    parts = MarketStore(tmp_path / "parts", _now)
    order = list(range(frame.height))
    random.Random(7).shuffle(order)
    for start in range(0, frame.height, 50):
        parts.import_bars(frame[order[start : start + 50]], source="b", check=False)
    current = parts.current()
    assert current is not None
    assert current.version == whole.snapshot.version


def test_a_slice_of_everything_has_the_version_of_the_snapshot(store: MarketStore, make_bars: Make) -> None:
    snapshot = store.import_bars(make_bars(["AAA", "BBB"])).snapshot
    assert store.bars(["AAA", "BBB"]).data_version == snapshot.version


def test_another_symbol_leaves_the_version_of_a_slice_alone(store: MarketStore, make_bars: Make) -> None:
    store.import_bars(make_bars(["AAA"]))
    before = store.bars(["AAA"])
    store.import_bars(make_bars(["AAA", "BBB"]))
    assert store.bars(["AAA"]).data_version == before.data_version


def test_a_slice_that_cuts_a_month_is_versioned_by_its_own_rows(tmp_path: Path, make_bars: Make) -> None:
    frame = make_bars(["AAA"], count=40)
    period = Period(date(2020, 1, 15), date(2020, 2, 12))
    long, short = MarketStore(tmp_path / "long", _now), MarketStore(tmp_path / "short", _now)
    long.import_bars(frame)
    short.import_bars(frame.filter(pl.col("date").is_between(period.start, period.end)))
    assert long.bars(["AAA"], period).data_version == short.bars(["AAA"]).data_version
    assert long.bars(["AAA"], period).data_version != long.bars(["AAA"]).data_version


def test_one_changed_price_changes_the_version_and_is_named(store: MarketStore, make_bars: Make) -> None:
    frame = make_bars(["AAA", "BBB"])
    before = store.import_bars(frame).snapshot
    day = frame["date"][30]
    hit = (pl.col("symbol") == "BBB") & (pl.col("date") == day)
    report = store.import_bars(
        frame.with_columns(close=pl.when(hit).then(pl.col("close") + 0.25).otherwise("close"))
    )
    assert (report.added, report.changed, report.unchanged) == (0, 1, frame.height - 1)
    assert [(c.symbol, c.first, c.last) for c in report.changes] == [("BBB", day, day)]
    assert report.snapshot.version != before.version
    assert report.snapshot.parent == before.version


def test_rows_on_or_after_the_cut_are_not_read(store: MarketStore, make_bars: Make) -> None:
    store.import_bars(make_bars(["AAA"]))
    cut = date(2020, 2, 3)
    bars = store.bars(["AAA"], Period(date(2020, 1, 20), date(2020, 3, 1)), before=cut)
    assert bars.sessions[-1] == np.datetime64("2020-01-31")
    assert bars.sessions[0] == np.datetime64("2020-01-20")


def test_warm_up_reaches_back_before_the_period(store: MarketStore, make_bars: Make) -> None:
    store.import_bars(make_bars(["AAA"]))
    period = Period(date(2020, 2, 3), date(2020, 2, 7))
    bars = store.bars(["AAA"], period, warmup_start=date(2020, 1, 27))
    assert bars.sessions.size == 10
    assert bars.sessions[bars.span(period)].size == 5


def test_a_missing_bar_is_nan_in_all_five_arrays(store: MarketStore, make_bars: Make) -> None:
    frame = make_bars(["AAA", "BBB"])
    day = frame["date"][10]
    store.import_bars(frame.filter((pl.col("symbol") != "BBB") | (pl.col("date") != day)))
    bars = store.bars(["AAA", "BBB"])
    at = int(np.searchsorted(bars.sessions, np.datetime64(day)))
    assert all(np.isnan(getattr(bars, n)[1, at]) for n in ("open", "high", "low", "close", "volume"))
    assert np.isnan(bars.close).sum() == 1


def test_the_arrays_may_not_be_written_to_whether_cached_or_not(store: MarketStore, make_bars: Make) -> None:
    store.import_bars(make_bars(["AAA"]))
    for recompute in (False, False, True):
        with pytest.raises(ValueError, match="read-only"):
            store.bars(["AAA"], recompute=recompute).close[0, 0] = 1.0


def test_a_price_changed_inside_a_stored_file_shows_as_another_version(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    store.import_bars(make_bars(["AAA"]))
    honest = store.bars(["AAA"]).data_version
    path = min((tmp_path / "market" / "bars").rglob("*.parquet"))
    frame = pl.read_parquet(path)
    close = next(name for name in frame.columns if name.startswith("close"))
    frame.with_columns(pl.col(close) + 1).write_parquet(path)
    assert store.bars(["AAA"], recompute=True).data_version != honest
    with pytest.raises(BackendCorrupt, match="changed after it was written"):
        store.bars(["AAA"], before=date(2020, 2, 1))


def test_slices_are_mapped_from_disk_and_only_so_many_are_kept(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    store.import_bars(make_bars(["AAA"], count=300), check=False)
    first = store.bars(["AAA"], before=date(2020, 1, 10))
    for day in range(300):
        store.bars(["AAA"], before=date(2020, 2, 1) + timedelta(days=day))
    assert len(list((tmp_path / "market" / "cache" / "slices").iterdir())) <= 256
    assert first.close.base is not None
    assert first.close[0, 0] == 50.5
    assert np.array_equal(store.bars(["AAA"], before=date(2020, 1, 10)).close, first.close)


def test_bars_are_read_where_nothing_can_be_written(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    store.import_bars(make_bars(["AAA"]))
    # A file in the place of the cache folder: not even the superuser can write below it.
    (tmp_path / "market" / "cache").write_text("")
    assert store.bars(["AAA"]).close.shape == (1, 60)


def test_an_unknown_symbol_is_answered_with_the_nearest_names(store: MarketStore) -> None:
    store.import_sample()
    with pytest.raises(NotFound, match="AAPL"):
        store.bars(["APPL"])


def test_an_empty_store_says_how_to_fill_it(store: MarketStore) -> None:
    assert store.current() is None
    with pytest.raises(NotFound, match="quantrail data import"):
        store.bars(["AAPL"])


def test_an_empty_file_is_refused_in_one_sentence(store: MarketStore, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    with pytest.raises(DataInvalid, match="is empty"):
        store.import_bars(path)
    path.write_text("date,open,high,low,close,volume\n")
    with pytest.raises(DataInvalid, match="no rows"):
        store.import_bars(path, symbol="AAA")


def test_a_period_without_bars_is_an_error(store: MarketStore, make_bars: Make) -> None:
    store.import_bars(make_bars(["AAA"]))
    with pytest.raises(DataInvalid, match="no bars of AAA"):
        store.bars(["AAA"], Period(date(1999, 1, 1), date(1999, 2, 1)))


def test_every_stored_version_can_be_read_back(store: MarketStore, make_bars: Make) -> None:
    frame = make_bars(["AAA"])
    first = store.import_bars(frame).snapshot.version
    kept = store.bars(["AAA"]).close.copy()
    store.import_bars(frame.with_columns(close=pl.col("close") + 0.25))
    assert np.array_equal(store.bars(["AAA"], version=first).close, kept)
    assert not np.array_equal(store.bars(["AAA"]).close, kept)
    assert len(store.snapshots()) == 2


def test_refused_rows_are_kept_with_their_line_and_reason(store: MarketStore, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "Date,Open,High,Low,Close,Volume\n"
        "2020-01-06,10,11,9,10.5,100\n"
        "2020-01-07,10,11,9,-10.5,100\n"
        "2020-01-08,10,9,11,10.5,100\n"
        "2020-01-09,10,11,9,abc,100\n"
    )
    report = store.import_bars(path, symbol="AAA", check=False)
    assert (report.added, report.rejected) == (1, 3)
    refused = {(f.line, f.kind) for f in report.findings if f.quarantined}
    assert refused == {(3, "non_positive_price"), (4, "ohlc_order"), (5, "not_a_number")}
    kept = pl.read_parquet(next((tmp_path / "market" / "quarantine").glob("*.parquet")))
    assert kept["line"].to_list() == [3, 4, 5]
    assert "close=-10.5" in kept["source_row"][0]


def test_the_version_of_a_universe_is_that_of_its_members() -> None:
    assert universe_version(["B", "A"]) == universe_version(["A", "B", "A"])
    assert universe_version(["A"]) != universe_version(["A", "B"])
