"""The Parquet files: any reader reads them, and those of before; and the rows that are let into them."""

import io
import math
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrail.marketdata import MarketStore
from quantrail.marketdata.canonical import by_key
from quantrail.marketdata.encoding import columns_of, encoded
from quantrail.marketdata.intake import Reading, read
from quantrail.marketdata.packing import unpacked

Make = Callable[..., pl.DataFrame]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
# Written by the release whose files polars wrote: prices of AAA packed, of BBB doubles, one dividend.
FORMER = Path(__file__).with_name("former_store.zip")
FORMER_VERSION = "535f83bee8a52decb593bd5f5b8e37099cb9b70807c15842eebd6ac04f9c0b25"


def rows_of(symbols: int, count: int, *, daily: bool = True, actions: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    size = symbols * count
    whole = rng.integers(1, 10**6, (4, size)) / 10_000
    whole[3] = whole[3] / 3  # closes that are no short decimals
    prices = dict(zip(("open", "high", "low", "close"), whole, strict=True))
    days = np.tile(np.arange(count), symbols)
    ts = pl.Series(days.astype(np.int32)).cast(pl.Date) if daily else pl.Series(days * 60_000_000)
    return pl.DataFrame(
        {
            "symbol": np.repeat([f"S{i:05d}" for i in range(symbols)], count),
            "ts": ts if daily else ts.cast(pl.Datetime("us", "UTC")),
            **prices,
            "volume": rng.integers(0, 10**10, size).astype(float),
            "dividend": np.where(days % 7 == 3, 0.25, 0.0) if actions else np.zeros(size),
            "split": np.ones(size),
            "import_no": np.full(size, 3, dtype=np.int32),
        }
    )


@pytest.mark.parametrize("daily", [True, False])
@pytest.mark.parametrize(("symbols", "count", "actions"), [(3, 5, True), (1, 1, False), (900, 200, True)])
def test_three_readers_read_the_same_rows(symbols: int, count: int, actions: bool, daily: bool) -> None:
    frame = rows_of(symbols, count, daily=daily, actions=actions)
    content = encoded(columns_of(frame))
    by_polars = unpacked(pl.read_parquet(io.BytesIO(content))).select(frame.columns)
    assert by_polars.equals(frame)
    assert by_polars.schema == frame.schema
    by_arrow = pl.DataFrame(pl.from_arrow(pq.read_table(io.BytesIO(content))))
    assert unpacked(by_arrow).select(frame.columns).equals(frame)


def test_duckdb_reads_files_of_one_and_of_several_groups(tmp_path: Path) -> None:
    for symbols in (4, 900):
        frame = rows_of(symbols, 200)
        (tmp_path / "x.parquet").write_bytes(encoded(columns_of(frame)))
        found = duckdb.read_parquet(str(tmp_path / "x.parquet")).to_arrow_table()
        rows = pl.DataFrame(pl.from_arrow(found))
        assert rows["symbol"].to_list() == frame["symbol"].to_list()
        assert rows["ts"].to_list() == frame["ts"].to_list()
        assert rows["close"].to_numpy().tobytes() == frame["close"].to_numpy().tobytes()
        assert (rows["open_e4"].to_numpy() / 10_000).tobytes() == frame["open"].to_numpy().tobytes()
        assert rows["volume_e0"].to_list() == frame["volume"].cast(pl.Int64).to_list()


def test_files_keep_what_readers_pass_them_over_by() -> None:
    one, several = (pq.ParquetFile(io.BytesIO(encoded(columns_of(rows_of(n, 200))))) for n in (4, 900))
    days = one.metadata.row_group(0).column(1).statistics
    assert (days.min, days.max) == (date(1970, 1, 1), date(1970, 7, 19))
    assert one.metadata.num_row_groups == 1
    spans = [several.metadata.row_group(i).column(0).statistics for i in range(several.num_row_groups)]
    assert len(spans) == 2
    assert (spans[0].min, spans[1].max) == ("S00000", "S00899")


def test_a_store_of_before_is_read_and_imported_into(tmp_path: Path, make_bars: Make) -> None:
    with zipfile.ZipFile(FORMER) as former:
        former.extractall(tmp_path / "market")
    store = MarketStore(tmp_path / "market", lambda: NOW)
    assert store.bars(["AAA", "BBB"], recompute=True).data_version == FORMER_VERSION
    held = store.rows(["AAA", "BBB"])
    assert held.height == 183
    fresh = make_bars(["AAA", "CCC"], date(2020, 1, 27), 30)
    version = store.import_bars(fresh, check=False).snapshot.version
    assert store.bars(["AAA", "BBB", "CCC"], recompute=True).data_version == version
    # The file of January is written anew, those of before it are as they were.
    assert store.sql("select count(*) as n, count(distinct id) as d from market_data").row(0) == (238, 238)
    unsaid = {"dividend": pl.lit(0.0), "split": pl.lit(1.0)}
    sent = fresh.with_columns(pl.col("volume").cast(pl.Float64), **unsaid).rename({"date": "ts"})
    held = held.drop("import_no")
    whole = pl.concat([held, sent.select(held.columns)])
    at_once = MarketStore(tmp_path / "other", lambda: NOW)
    kept = whole.unique(["symbol", "ts"], keep="last")
    assert at_once.import_bars(kept, check=False).snapshot.version == version


PRICES = st.sampled_from([0.0, -1.0, 1.0, 1 + 5e-7, 1 + 2e-6, 2.0, math.inf, math.nan])
ACTIONS = st.sampled_from([None, None, 0.0, 0.5, -0.5, 1.0])
ROW = st.tuples(PRICES, PRICES, PRICES, PRICES, st.sampled_from([0.0, 7.0, -1.0, math.inf]), ACTIONS, ACTIONS)


def refused_alone(row: tuple[Any, ...]) -> bool:
    """The rules of the page on market data, for one row."""
    opened, high, low, close, volume, dividend, split = row
    if not all(math.isfinite(v) for v in (opened, high, low, close, volume)):
        return True
    split = 1.0 if split == 0 else split
    return (
        min(opened, high, low, close) <= 0
        or volume < 0
        or (dividend is not None and dividend < 0)
        or (split is not None and split <= 0)
        or high < max(opened, low, close) * (1 - 1e-6)
        or low > min(opened, high, close) * (1 + 1e-6)
    )


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(ROW, max_size=4), good=st.integers(0, 4))
def test_rows_are_refused_for_what_they_say_whoever_stands_beside_them(rows: list[Any], good: int) -> None:
    rows = [*rows[:good], (1.0, 2.0, 1.0, 1.5, 9.0, None, None), *rows[good:]]
    names = ("open", "high", "low", "close", "volume", "dividend", "split")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row")
    days = pl.date_range(date(2020, 1, 1), date(2020, 1, 31), eager=True).head(frame.height)
    found, _ = read(frame.with_columns(date=days), Reading(symbol="AAA"), NOW)
    expected = [i + 1 for i, row in enumerate(rows) if refused_alone(row)]
    assert found.refused["line"].to_list() == expected
    assert found.rows.height == len(rows) - len(expected)


@settings(max_examples=100, deadline=None)
@given(order=st.permutations(range(6)), clash=st.booleans())
def test_unsorted_rows_come_out_sorted_and_equal_keys_once(order: list[int], clash: bool) -> None:
    frame = pl.DataFrame({"symbol": ["A", "A", "B", "B", "C", "C"], "close": [1.0, 1.0, 2.0, 2.5, 3.0, 3.0]})
    days = pl.Series("date", [date(2020, 1, 2)] * 2 + [date(2020, 1, 2), date(2020, 1, 3)] * 2)
    prices = {name: pl.col("close") for name in ("open", "high", "low")}
    frame = frame.with_columns(days, volume=pl.lit(5), **prices)
    if clash:
        frame = frame.with_columns(volume=pl.int_range(6))
    found, _ = read(frame[order], Reading(), NOW)
    keys = list(found.rows.select("symbol", "ts").iter_rows())
    assert keys == sorted(set(keys))
    assert len(keys) == (4 if clash else 5)
    assert found.refused.height == (2 if clash else 0)


@settings(max_examples=200, deadline=None)
@given(
    keys=st.lists(
        st.tuples(st.sampled_from(["", "A", "a", "B", "é", "AA"]), st.dates(date(1700, 1, 1))), max_size=30
    ),
    timed=st.booleans(),
)
def test_rows_go_by_symbol_and_time_and_stay_in_order_where_both_are_equal(
    keys: list[tuple[str, date]], timed: bool
) -> None:
    frame = pl.DataFrame(keys, schema={"symbol": pl.String, "ts": pl.Date}, orient="row").with_row_index()
    if timed:
        frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC")))
    expected = sorted(frame.iter_rows(), key=lambda row: (row[1].encode(), row[2]))
    assert by_key(frame).rows() == expected


def test_an_import_of_a_file_does_not_load_pandas(tmp_path: Path) -> None:
    (tmp_path / "AAA.csv").write_text("date,open,high,low,close,volume\n2020-01-06,10,11,9,10.5,100\n")
    code = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from quantrail.marketdata import MarketStore\n"
        "store = MarketStore(Path(sys.argv[1]) / 'market', lambda: datetime.now(UTC))\n"
        "assert store.import_bars(Path(sys.argv[1]) / 'AAA.csv', check=False).added == 1\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0


def test_prices_too_large_to_be_packed_are_stored_as_they_are(tmp_path: Path) -> None:
    top = 1.7e308
    frame = pl.DataFrame({
        "symbol": ["A", "A"], "date": [date(1899, 12, 29), date(1900, 1, 2)], "open": [top, 1.0],
        "high": [top, 1.0], "low": [top, 1.0], "close": [top, 1.0], "volume": [2.0**53 + 2, 0.0],
    })  # fmt: skip
    store = MarketStore(tmp_path, lambda: NOW)
    assert store.import_bars(frame, source="odd", check=False).added == 2
    assert store.rows().sort("ts").select("open", "close", "volume").rows()[0] == (top, top, 2.0**53 + 2)


@pytest.mark.parametrize("action", ["dividend", "split"])
def test_an_infinite_action_is_refused_and_nan_states_nothing(tmp_path: Path, action: str) -> None:
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
    days = [date(2020, 1, 2), date(2020, 1, 3), date(2020, 1, 6)]
    frame = pl.DataFrame({"symbol": "A", "date": days, **prices, action: [1.0, math.inf, math.nan]})
    store = MarketStore(tmp_path, lambda: NOW)
    report = store.import_bars(frame, source="odd", check=False)
    assert (report.added, report.rejected) == (2, 1)
    assert [one.kind for one in report.findings] == ["bad_action"]
    rows = store.rows().sort("ts")
    assert rows["ts"].to_list() == [days[0], days[2]]
    nothing = {"dividend": 0.0, "split": 1.0}[action]
    assert rows[action].fill_null(nothing).to_list() == [1.0, nothing]


def test_a_file_may_say_that_no_action_is_stated_but_not_something_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "date,symbol,open,high,low,close,volume,dividend,split\n"
        "2020-01-02,A,1,1,1,1,1,NaN,nan\n2020-01-03,A,1,1,1,1,1,0.5,N/A\n"
        "2020-01-06,A,1,1,1,1,1,,2:1\n2020-01-07,A,1,1,1,1,1,none,\n"
    )
    store = MarketStore(tmp_path / "store", lambda: NOW)
    report = store.import_bars(path, check=False)
    assert (report.added, report.rejected) == (3, 1)
    assert [(one.kind, one.line) for one in report.findings] == [("bad_action", 4)]
    assert store.rows().sort("ts")["dividend"].fill_null(0).to_list() == [0.0, 0.5, 0.0]
