from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantrail.domain.market import Period
from quantrail.errors import DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import MarketStore


def minutes(
    days: int = 3, step: int = 5, start: datetime = datetime(2024, 1, 30, 14, 30, tzinfo=UTC)
) -> pl.DataFrame:
    times = [start + timedelta(days=d, minutes=step * i) for d in range(days) for i in range(78)]
    price = pl.Series([100 + 0.01 * i for i in range(len(times))])
    return pl.DataFrame(
        {
            "symbol": "AAA",
            "time": times,
            "open": price,
            "high": price + 1,
            "low": price - 1,
            "close": price,
            "volume": 10,
        }
    )


def test_the_interval_is_read_off_the_times_and_files_are_by_month(
    store: MarketStore, tmp_path: Path
) -> None:
    report = store.import_bars(minutes())
    assert [(i.interval, i.rows) for i in report.snapshot.symbols] == [("5m", 234)]
    parts = sorted(p.parent.name for p in (tmp_path / "market" / "bars" / "5m").rglob("*.parquet"))
    assert parts == ["2024-01", "2024-02"]


def test_intraday_bars_read_back_by_day_with_their_times(store: MarketStore) -> None:
    store.import_bars(minutes())
    bars = store.bars(["AAA"], Period(date(2024, 1, 31), date(2024, 1, 31)), interval="5m")
    assert bars.sessions[0] == np.datetime64("2024-01-31T14:30:00")
    assert bars.close.shape == (1, 78)
    whole = store.bars(["AAA"], interval="5m")
    current = store.current()
    assert current is not None
    assert whole.data_version == current.version


def test_daily_and_intraday_bars_live_side_by_side(store: MarketStore) -> None:
    store.import_bars(minutes())
    daily = (
        minutes()
        .group_by("symbol", pl.col("time").dt.date().alias("date"), maintain_order=True)
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
    )
    store.import_bars(daily)
    assert store.bars(["AAA"]).close.shape == (1, 3)
    assert store.bars(["AAA"], interval="5m").close.shape == (1, 234)
    counts = store.sql("select (select count(*) from market_data) d, count(*) m from market_data_intraday")
    assert counts.rows() == [(3, 234)]
    with pytest.raises(NotFound, match="no 1h bars"):
        store.bars(["AAA"], interval="1h")


def test_a_later_import_changes_only_its_bars(store: MarketStore) -> None:
    old = store.import_bars(minutes()).snapshot.version
    revised = minutes().tail(10).with_columns(close=pl.col("close") + 0.5)
    report = store.import_bars(revised)
    assert (report.changed, report.unchanged) == (10, 0)
    assert report.changes[0].first == datetime(2024, 2, 1, 20, 10, tzinfo=UTC)
    assert store.diff(old, report.snapshot.version)["columns"].unique().to_list() == ["close"]


@pytest.mark.parametrize("interval", ["1d", "5min", "0m", "1w"])
def test_an_interval_that_the_rows_cannot_have_is_refused_before_anything_is_stored(
    store: MarketStore, interval: str
) -> None:
    with pytest.raises(InvalidInput, match=r"1d bars do not|30s, 5m or 1h"):
        store.import_bars(minutes(), interval=interval)
    assert store.current() is None


def test_one_bar_does_not_tell_its_interval(store: MarketStore) -> None:
    with pytest.raises(DataInvalid, match="interval="):
        store.import_bars(minutes().head(1))
    assert store.import_bars(minutes().head(1), interval="5m").added == 1
