from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from quantrail.errors import Conflict, InvalidInput, NotFound
from quantrail.marketdata import MarketStore

Make = Callable[..., pl.DataFrame]


def test_sql_sees_the_bars_under_the_names_of_the_data_model(store: MarketStore, make_bars: Make) -> None:
    store.import_bars(make_bars(["AAA", "BBB"], count=5), source="desk")
    rows = store.sql("select * from market_data order by symbol, date")
    assert rows.columns[:10] == [
        "id",
        "symbol",
        "date",
        "open_price",
        "high_price",
        "low_price",
        "close_price",
        "volume",
        "data_source",
        "created_at",
    ]
    assert rows.row(0, named=True) | {"dividend": 0.0, "split": 1.0} == {
        "id": "AAA|2020-01-06",
        "symbol": "AAA",
        "date": date(2020, 1, 6),
        "open_price": 50.0,
        "high_price": 51.0,
        "low_price": 49.0,
        "close_price": 50.5,
        "volume": 1000,
        "data_source": "desk",
        "created_at": datetime(2026, 11, 21, tzinfo=UTC),
        "dividend": 0.0,
        "split": 1.0,
    }


def test_findings_and_quarantine_are_tables(store: MarketStore, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "symbol,date,open,high,low,close,volume\nAAA,2020-01-06,1,2,1,1,5\nAAA,2020-01-07,1,2,1,-1,5\n"
    )
    store.import_bars(path)
    found = store.sql("select import_no, symbol, date, kind, severity, line, quarantined from findings")
    assert found.rows() == [(1, "AAA", "2020-01-07", "non_positive_price", "ERROR", 3, True)]
    kept = store.sql("select line, source_row from quarantine").rows()
    assert kept[0][0] == 3
    assert "close=-1" in kept[0][1]


def test_sql_reads_the_snapshot_it_is_asked_about(store: MarketStore, make_bars: Make) -> None:
    old = store.import_bars(make_bars(["AAA"], count=5)).snapshot.version
    store.import_bars(make_bars(["AAA", "BBB"], count=5))
    count = "select count(*) as n from market_data"
    assert store.sql(count)["n"][0] == 10
    assert store.sql(count, old)["n"][0] == 5


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_text('/etc/hostname')",
        "copy (select 1) to '/tmp/out.csv'",
        "install httpfs",
        "set enable_external_access = true",
        "select * frm market_data",
    ],
)
def test_sql_reaches_nothing_but_the_store(store: MarketStore, make_bars: Make, statement: str) -> None:
    store.import_bars(make_bars(["AAA"], count=5))
    with pytest.raises(InvalidInput):
        store.sql(statement)


def test_the_duckdb_export_has_keys_indexes_and_a_table_per_year(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    store.import_bars(make_bars(["AAA", "BBB"], start=date(2019, 12, 2), count=40))
    target = tmp_path / "market.duckdb"
    store.export_duckdb(target)
    with duckdb.connect(str(target), read_only=True) as file:
        indexes = dict(file.execute("select index_name, is_unique from duckdb_indexes()").fetchall())
        keys = file.execute(
            "select table_name, constraint_column_names from duckdb_constraints() "
            "where constraint_type = 'PRIMARY KEY'"
        ).fetchall()
        years = file.execute(
            "select (select count(*) from market_data_2019), (select count(*) from market_data_2020)"
        )
        counts = years.fetchone()
        total = file.execute("select count(*) from market_data").fetchone()
    assert indexes == {
        "idx_market_data_pk": True,
        "idx_market_data_symbol_date": False,
        "idx_market_data_date": False,
        "idx_tech_indicators": False,
    }
    assert ("market_data", ["id"]) in keys
    assert ("technical_indicators", ["id"]) in keys
    assert counts is not None
    assert total == (sum(counts),) == (80,)
    with pytest.raises(Conflict, match="exists"):
        store.export_duckdb(target)
    with duckdb.connect(str(target)) as file, pytest.raises(duckdb.ConstraintException):
        file.execute("insert into market_data select * from market_data limit 1")


def test_the_parquet_export_holds_one_file_per_year(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    store.import_bars(make_bars(["AAA"], start=date(2019, 12, 2), count=40))
    files = store.export_parquet(tmp_path / "out")
    assert [f.name for f in files] == ["market_data_2019.parquet", "market_data_2020.parquet"]
    assert sum(pl.read_parquet(f).height for f in files) == 40


def test_a_diff_names_every_bar_and_value_that_changed(store: MarketStore, make_bars: Make) -> None:
    bars = make_bars(["AAA"], count=10)
    old = store.import_bars(bars).snapshot.version
    hit = pl.col("date") == bars["date"][3]
    changed = bars.with_columns(
        close=pl.when(hit).then(pl.col("close") + 0.25).otherwise("close"),
        volume=pl.when(hit).then(7).otherwise("volume"),
    )
    new = store.import_bars(pl.concat([changed, make_bars(["BBB"], count=1)])).snapshot.version
    assert store.diff(old, new).rows() == [
        ("1d", "AAA", "2020-01-09", "changed", "close,volume"),
        ("1d", "BBB", "2020-01-06", "added", ""),
    ]
    assert store.diff(new, old)["change"].to_list() == ["changed", "removed"]
    assert store.diff(old, old).is_empty()


def test_collection_spares_what_a_result_rests_on(tmp_path: Path, make_bars: Make) -> None:
    now = [datetime(2026, 11, 21, tzinfo=UTC)]
    store = MarketStore(tmp_path / "market", lambda: now[0])
    bars = make_bars(["AAA"], count=10)
    versions = []
    for k in range(4):
        versions.append(store.import_bars(bars.with_columns(volume=pl.lit(k)), check=False).snapshot.version)
        now[0] += timedelta(hours=2)
    result_rests_on = store.bars(["AAA"], before=date(2020, 1, 10), version=versions[1]).data_version
    planned = store.collect([versions[0], result_rests_on], dry_run=True)
    assert store.snapshot(versions[2]).version == versions[2]
    done = store.collect([versions[0], result_rests_on])
    assert done == planned
    assert done.snapshots == (versions[2],)
    assert done.bytes > 0
    for version in (versions[0], versions[1], versions[3]):
        assert store.bars(["AAA"], version=version, recompute=True).data_version == version
    with pytest.raises(NotFound, match="not stored here"):
        store.bars(["AAA"], version=versions[2])
    assert store.snapshot_of(result_rests_on) == versions[1]


def test_a_slice_of_a_collected_snapshot_is_remembered_with_the_next_that_holds_it(
    tmp_path: Path, make_bars: Make
) -> None:
    now = [datetime(2026, 11, 21, tzinfo=UTC)]
    store = MarketStore(tmp_path / "market", lambda: now[0])
    for count in (10, 12, 14):
        newest = store.import_bars(make_bars(["AAA"], count=count), check=False).snapshot.version
        rests_on = store.bars(["AAA"], before=date(2020, 1, 10)).data_version
        now[0] += timedelta(hours=2)
    assert len(store.collect([]).snapshots) == 2
    assert store.snapshot_of(rests_on) is None
    store.bars(["AAA"], before=date(2020, 1, 10))
    assert store.snapshot_of(rests_on) == newest
    store.import_bars(make_bars(["AAA"], count=16), check=False)
    now[0] += timedelta(hours=2)
    assert store.collect([rests_on]).snapshots == ()


def test_collection_leaves_young_snapshots_to_their_readers(store: MarketStore, make_bars: Make) -> None:
    bars = make_bars(["AAA"], count=10)
    store.import_bars(bars)
    store.import_bars(bars.with_columns(volume=pl.lit(3)))
    assert store.collect([]).snapshots == ()


def test_prices_that_outgrow_their_files_first_type_are_read_together(tmp_path: Path) -> None:
    store = MarketStore(tmp_path / "m", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    prices = {date(2013, 6, 3): 170_000.0, date(2025, 6, 3): 720_000.0}
    ohlc = ("open", "high", "low", "close")
    rows = [
        {"symbol": "BRK-A", "date": d, **dict.fromkeys(ohlc, p), "volume": 300.0} for d, p in prices.items()
    ]
    store.import_bars(pl.DataFrame(rows), check=False)
    found = store.sql("select close_price from market_data order by date")
    assert found["close_price"].to_list() == list(prices.values())
    store.export_duckdb(tmp_path / "x.duckdb")
    store.export_parquet(tmp_path / "years")
