"""What lies in the files and in which: exact, hashed as ever, and by month only where it is young."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrail.errors import NotFound
from quantrail.marketdata import MarketStore, manifest
from quantrail.marketdata.packing import packed, sql_columns, unpacked

Make = Callable[..., pl.DataFrame]
# Of the bundled bars, as every version of this package has worked it out.
SAMPLE_VERSION = "977001550a677a4c5d833f754fa2251ff0f5147715c3525cc05a706013ff2ca7"


def one(name: str, values: list[float]) -> pl.DataFrame:
    return pl.DataFrame({name: values}, schema={name: pl.Float64})


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.integers(1, 10**11).map(lambda k: k / 10_000), min_size=1, max_size=20))
def test_decimals_are_kept_as_whole_numbers_and_come_back_to_the_bit(values: list[float]) -> None:
    frame = one("close", values)
    kept = packed(frame)
    assert kept.columns == ["close_e4"]
    assert kept["close_e4"].dtype.is_integer()
    assert unpacked(kept)["close"].to_numpy().tobytes() == np.array(values).tobytes()


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=20))
def test_whatever_is_kept_comes_back_to_the_bit(values: list[float]) -> None:
    for name in ("close", "volume"):
        assert unpacked(packed(one(name, values)))[name].to_numpy().tobytes() == np.array(values).tobytes()


@pytest.mark.parametrize("value", [1 / 3, 123.45600128173828, 2.0**60, 1e-5])
def test_a_value_that_is_no_short_decimal_keeps_its_column_as_doubles(value: float) -> None:
    assert packed(one("close", [1.25, value])).columns == ["close"]


def test_sql_divides_to_the_same_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(3).integers(1, 10**9, 20_000) / 10_000
    kept = packed(one("close", values.tolist()))
    kept.write_parquet(tmp_path / "x.parquet")
    rows = duckdb.sql(f"select {sql_columns(kept.columns)} from '{tmp_path / 'x.parquet'}'").fetchnumpy()
    assert rows["close"].tobytes() == values.tobytes()


def test_actions_that_never_happened_take_no_column_and_are_read_back_by_both_readers(tmp_path: Path) -> None:
    frame = pl.DataFrame({"close": [1.5, 2.5], "dividend": [0.0, -0.0], "split": [1.0, 1.0]})
    kept = packed(frame)
    assert kept.columns == ["close_e4"]
    assert unpacked(kept).equals(frame)
    kept.write_parquet(tmp_path / "x.parquet")
    rows = duckdb.sql(f"select {sql_columns(kept.columns)} from '{tmp_path / 'x.parquet'}'")
    assert rows.fetchall() == [(1.5, 0.0, 1.0), (2.5, 0.0, 1.0)]


def test_one_dividend_keeps_the_column_of_all_rows() -> None:
    frame = pl.DataFrame({"close": [1.5, 2.5], "dividend": [0.0, 0.25], "split": [1.0, 1.0]})
    assert packed(frame).columns == ["close_e4", "dividend"]
    assert unpacked(packed(frame)).equals(frame)


def test_the_bundled_bars_have_the_version_they_always_had(store: MarketStore) -> None:
    assert store.import_sample().snapshot.version == SAMPLE_VERSION


def test_a_large_import_has_the_version_of_its_pieces(tmp_path: Path) -> None:
    days = pl.date_range(date(2000, 1, 3), date(2019, 12, 31), eager=True)
    names = [f"S{i:02d}" for i in range(70)]
    price = 50 + np.random.default_rng(1).integers(-9999, 9999, len(days) * len(names)) / 1000
    bars = pl.DataFrame({"symbol": names}).join(days.to_frame("date"), how="cross")
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    bars = bars.with_columns(**{name: pl.Series(values) for name, values in prices.items()}, volume=pl.lit(7))
    assert bars.height > 500_000
    whole, pieces = (
        MarketStore(tmp_path / name, lambda: datetime(2026, 11, 21, tzinfo=UTC)) for name in ("a", "b")
    )
    expected = whole.import_bars(bars, check=False).snapshot.version
    for some in (names[:40], names[40:]):
        last = pieces.import_bars(bars.filter(pl.col("symbol").is_in(some)), check=False)
    assert last.snapshot.version == expected


def parts_of(root: Path) -> list[str]:
    current = manifest.current_version(root)
    assert current is not None
    return sorted(manifest.load(root, current).parts("1d"))


def test_the_newest_two_months_lie_apart_and_join_their_year_later(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    bars = make_bars(["AAA", "BBB"], date(2018, 1, 1), 800)
    seen = []
    versions = []
    for end in [date(2019, 12, 20) + timedelta(days=21 * k) for k in range(16)]:
        versions.append(store.import_bars(bars.filter(pl.col("date") <= end), check=False).snapshot.version)
        seen.append(parts_of(tmp_path / "market"))
    assert seen[0] == ["2018", "2019", "2019-11", "2019-12"]
    assert all(len([p for p in found if len(p) > 4]) <= 4 for found in seen)
    assert seen[-1][:3] == ["2018", "2019", "2020"]
    at_once = MarketStore(tmp_path / "other", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    upto = bars.filter(pl.col("date") <= end)
    assert at_once.import_bars(upto, check=False).snapshot.version == versions[-1]
    for version in versions:
        assert store.bars(["AAA", "BBB"], version=version, recompute=True).data_version == version
    # The layouts differ, the rows do not.
    assert store.diff(versions[0], versions[-1])["change"].unique().to_list() == ["added"]
    total = store.sql("select count(*) n, count(distinct id) d from market_data").row(0)
    assert total == (upto.height, upto.height)


def test_rows_of_a_month_that_already_lies_in_a_year_go_there(store: MarketStore, make_bars: Make) -> None:
    bars = make_bars(["AAA"], date(2020, 1, 1), 90)
    store.import_bars(bars.filter(pl.col("date") < date(2020, 2, 15)), check=False)
    store.import_bars(bars.filter(pl.col("date") >= date(2020, 2, 15)), check=False)
    late = make_bars(["BBB"], date(2019, 6, 3), 200)
    store.import_bars(late, check=False)
    rows = store.rows(["AAA", "BBB"])
    assert rows.height == 290
    assert rows.select(pl.struct("symbol", "ts").is_duplicated().any()).item() is False
    whole = store.bars(["AAA", "BBB"], recompute=True)
    current = store.current()
    assert current is not None
    assert whole.data_version == current.version


def test_an_upsert_rewrites_only_the_files_of_its_months(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    bars = make_bars(["AAA", "BBB"], date(2018, 1, 1), 500)
    store.import_bars(bars, check=False)
    before = set((tmp_path / "market" / "bars").rglob("*.parquet"))
    last = bars.filter(pl.col("date") >= bars["date"].unique().sort()[-3]).with_columns(volume=pl.lit(1))
    report = store.import_bars(last, check=False)
    new = set((tmp_path / "market" / "bars").rglob("*.parquet")) - before
    assert report.changed == 6
    assert [p.parent.name for p in new] == ["2019-11"]


def test_a_store_without_leaf_files_works_them_out_again(
    store: MarketStore, make_bars: Make, tmp_path: Path
) -> None:
    bars = make_bars(["AAA", "BBB"], date(2019, 1, 1), 300)
    store.import_bars(bars.head(500), check=False)
    found = [p for p in (tmp_path / "market" / "leaves").rglob("*") if p.is_file()]
    assert found
    for path in found:
        path.unlink()
    version = store.import_bars(bars, check=False).snapshot.version
    assert store.bars(["AAA", "BBB"], recompute=True).data_version == version


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "gone"])
def test_damaged_leaves_are_worked_out_again(
    store: MarketStore, make_bars: Make, tmp_path: Path, harm: str
) -> None:
    root = tmp_path / "market"
    bars = make_bars(["AAA", "BBB"], date(2018, 1, 1), 500)
    store.import_bars(bars.head(900), check=False)
    for path in (root / "leaves").rglob("*.bin"):
        content = path.read_bytes()
        path.write_bytes(
            {"flip": content[:-30] + bytes([content[-30] ^ 1]) + content[-29:], "cut": content[:-60]}.get(
                harm, b""
            )
        )
        if harm == "gone":
            path.unlink()
    after = store.import_bars(bars, check=False).snapshot.version
    clean = MarketStore(tmp_path / "clean", lambda: datetime(2026, 11, 21, tzinfo=UTC))
    assert after == clean.import_bars(bars, check=False).snapshot.version


def test_a_version_that_another_process_collected_is_not_believed_from_memory(
    tmp_path: Path, make_bars: Make
) -> None:
    now = [datetime(2026, 11, 21, tzinfo=UTC)]
    store = MarketStore(tmp_path / "market", lambda: now[0])
    bars = make_bars(["AAA"], count=20)
    old = store.import_bars(bars, check=False).snapshot.version
    store.import_bars(bars.with_columns(volume=pl.lit(3)), check=False)
    assert store.rows(version=old).height == 20
    code = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from quantrail.marketdata import MarketStore\n"
        "store = MarketStore(Path(sys.argv[1]), lambda: datetime(2026, 11, 22, tzinfo=UTC))\n"
        "assert len(store.collect([]).snapshots) == 1"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "market")], check=True)
    with pytest.raises(NotFound, match="not stored here"):
        store.rows(version=old)
    again = store.import_bars(bars, check=False).snapshot.version
    assert again == old
    assert store.rows(version=old)["volume"].to_list() == bars["volume"].to_list()
