import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from quantrail.errors import DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import ImportReport, MarketStore

HEADER = "symbol,date,open,high,low,close,volume\n"
Make = Callable[..., pl.DataFrame]


def load(
    store: MarketStore, folder: Path, text: str | bytes, name: str = "bars.csv", **options
) -> ImportReport:  # type: ignore[no-untyped-def]
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return store.import_bars(path, check=False, **options)


def refused(report: ImportReport) -> set[tuple[int | None, str]]:
    return {(f.line, f.kind) for f in report.findings if f.quarantined}


def test_semicolons_are_understood_and_said(store: MarketStore, tmp_path: Path) -> None:
    text = (HEADER + "AAA,2020-01-06,10,11,9,10.5,100\n").replace(",", ";")
    report = load(store, tmp_path, text)
    assert report.added == 1
    assert [f.kind for f in report.findings] == ["delimiter"]


def test_a_file_with_one_field_per_line_is_refused(store: MarketStore, tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="line 1 is one field"):
        load(store, tmp_path, "symbol date open high low close volume\nAAA 2020-01-06 10 11 9 10.5 100\n")


def test_rows_in_another_date_format_are_refused_by_line(store: MarketStore, tmp_path: Path) -> None:
    rows = ["2020-01-06", "2020-01-07", "01/08/2020", "2020-01-09", "10.01.2020"]
    text = HEADER + "".join(f"AAA,{d},10,11,9,10.5,100\n" for d in rows)
    report = load(store, tmp_path, text)
    assert refused(report) == {(4, "bad_date"), (6, "bad_date")}
    assert report.added == 3


def test_dates_that_can_be_read_two_ways_are_not_guessed(store: MarketStore, tmp_path: Path) -> None:
    text = HEADER + "AAA,01/02/2020,10,11,9,10.5,100\n"
    with pytest.raises(DataInvalid, match="name the date format"):
        load(store, tmp_path, text)
    report = load(store, tmp_path, text, date_format="%d/%m/%Y")
    assert report.changes[0].first == date(2020, 2, 1)


def test_duplicates_that_disagree_are_all_refused_and_equal_ones_counted(
    store: MarketStore, tmp_path: Path
) -> None:
    text = HEADER + (
        "AAA,2020-01-06,10,11,9,10.5,100\n"
        "AAA,2020-01-06,10,11,9,10.6,100\n"
        "AAA,2020-01-07,10,11,9,10.5,100\n"
        "AAA,2020-01-07,10,11,9,10.5,100\n"
    )
    report = load(store, tmp_path, text)
    assert refused(report) == {(2, "duplicate_disagrees"), (3, "duplicate_disagrees")}
    assert [(f.kind, f.line) for f in report.findings if not f.quarantined] == [("duplicate", 5)]
    assert (report.added, report.rejected) == (1, 2)


def test_a_byte_order_mark_does_no_harm(store: MarketStore, tmp_path: Path) -> None:
    report = load(store, tmp_path, b"\xef\xbb\xbf" + (HEADER + "AAA,2020-01-06,10,11,9,10.5,100\n").encode())
    assert (report.added, report.findings) == (1, ())


def test_a_zip_archive_named_csv_is_called_one(store: MarketStore, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bars.csv", HEADER)
    with pytest.raises(DataInvalid, match="ZIP archive"):
        store.import_bars(path)


@pytest.mark.parametrize(
    ("garbage", "message"),
    [
        (np.random.default_rng(0).bytes(200_000), "line 2 is binary data"),
        (b"abcdefgh" * 20_000, "line 1 has no line end"),
        (b"lorem, ipsum\n" + b"dolor, sit amet\n" * 1000, "bars.csv, line 1: no column for"),
    ],
)
def test_garbage_is_refused(store: MarketStore, tmp_path: Path, garbage: bytes, message: str) -> None:
    with pytest.raises(DataInvalid, match=message):
        load(store, tmp_path, garbage, symbol="AAA")


def test_a_gigabyte_of_garbage_is_refused_from_its_first_bytes(store: MarketStore, tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as stream:
        stream.truncate(1_000_000_000)  # sparse: zeroes that take no room
    with pytest.raises(DataInvalid, match="line 1 is binary data"):
        store.import_bars(path)


def test_much_garbage_under_a_good_header_is_refused_from_its_first_lines(
    store: MarketStore, tmp_path: Path
) -> None:
    path = tmp_path / "big.csv"
    with path.open("w") as stream:
        stream.write(HEADER)
        for _ in range(40):
            stream.write("x,;y,9.9.9,,zz\n" * 20_000)
    began = time.process_time()
    with pytest.raises(DataInvalid, match="none of its 2000 rows can be used; line 2"):
        store.import_bars(path)
    assert time.process_time() - began < 2.0


def test_decimal_commas_are_named_and_readable_on_request(store: MarketStore, tmp_path: Path) -> None:
    text = (HEADER + "AAA,2020-01-06,10x5,11x5,9x5,10x25,1.000\n").replace(",", ";").replace("x", ",")
    with pytest.raises(DataInvalid, match=r"line 2.*decimal=','"):
        load(store, tmp_path, text)
    load(store, tmp_path, text, decimal=",")
    assert store.bars(["AAA"]).close[0, 0] == 10.25
    assert store.bars(["AAA"]).volume[0, 0] == 1000.0


def test_the_future_and_negative_prices_are_refused_by_line(store: MarketStore, tmp_path: Path) -> None:
    text = HEADER + (
        "AAA,2020-01-06,10,11,9,10.5,100\n"
        "AAA,2031-01-06,10,11,9,10.5,100\n"
        "AAA,2020-01-07,10,11,-9,10.5,100\n"
        "AAA,2020-01-08,10,11,9,10.5,-1\n"
        "AAA,2020-01-09,10,11,9,nan,100\n"
        ",2020-01-09,10,11,9,10,100\n"
    )
    assert refused(load(store, tmp_path, text)) == {
        (3, "future_date"),
        (4, "non_positive_price"),
        (5, "negative_volume"),
        (6, "not_a_number"),
        (7, "no_symbol"),
    }


def test_lines_with_too_many_fields_are_refused_and_the_others_read(
    store: MarketStore, tmp_path: Path
) -> None:
    text = HEADER + (
        "AAA,2020-01-06,10,11,9,10.5,100\nAAA,2020-01-07,10,11,9,10.5,1,000\n\nAAA,2020-01-08,10,11,9,10.5,100\n"
    )
    report = load(store, tmp_path, text)
    assert (report.added, report.rejected) == (2, 1)
    assert refused(report) == {(3, "wrong_field_count")}


def test_dates_written_in_two_ways_are_told_with_both(store: MarketStore, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    rows = ["X,2024-01-02,1,2,1,1.5,10", "X,01/23/2024,1,2,1,1.5,10"]
    path.write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]) + "\n")
    with pytest.raises(
        DataInvalid, match=r"two ways, '2024-01-02' \(.*, line 2\) and '01/23/2024' \(.*, line 3\)"
    ):
        store.import_bars(path)
    report = store.import_bars(path, date_format="%Y-%m-%d")
    assert (report.added, report.rejected) == (1, 1)
    assert [(f.kind, f.line) for f in report.findings if f.quarantined] == [("bad_date", 3)]


def test_mixed_time_zones_meet_in_utc_and_times_without_one_are_refused(
    store: MarketStore, tmp_path: Path
) -> None:
    text = HEADER + (
        "AAA,2020-01-06T09:30:00-05:00,10,11,9,10.5,100\n"
        "AAA,2020-01-06T14:35:00Z,10,11,9,10.5,100\n"
        "AAA,2020-01-06T14:40:00,10,11,9,10.5,100\n"
        "AAA,2020-01-06T14:45:00+0000,10,11,9,10.5,100\n"
    )
    report = load(store, tmp_path, text, interval="5m")
    assert refused(report) == {(4, "bad_date")}
    sessions = store.bars(["AAA"], interval="5m").sessions
    assert [str(s) for s in sessions] == ["2020-01-06T14:30:00", "2020-01-06T14:35:00", "2020-01-06T14:45:00"]


def test_times_without_any_zone_need_one_named(store: MarketStore, tmp_path: Path) -> None:
    text = HEADER + "".join(f"AAA,2020-07-06 09:{m}:00,10,11,9,10.5,100\n" for m in (30, 35, 40))
    with pytest.raises(DataInvalid, match=r"no time zone .*'2020-07-06 09:30:00', line 2"):
        load(store, tmp_path, text)
    load(store, tmp_path, text, tz="America/New_York")
    assert store.bars(["AAA"], interval="5m").sessions[0] == np.datetime64("2020-07-06T13:30:00")


def test_utf_16_is_named(store: MarketStore, tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="UTF-16"):
        load(store, tmp_path, HEADER.encode("utf-16"))


def test_two_columns_for_one_meaning_are_not_guessed(store: MarketStore, tmp_path: Path) -> None:
    text = "date,open,high,low,close,last,volume\n2020-01-06,10,11,9,10.5,10.4,100\n"
    with pytest.raises(DataInvalid, match=r"line 1: .*both look like close"):
        load(store, tmp_path, text, symbol="AAA")


def test_missing_columns_are_named(store: MarketStore, tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="line 1: no column for low, close"):
        load(store, tmp_path, "date,open,high,volume\n2020-01-06,1,1,1\n", symbol="AAA")


def test_an_unknown_column_can_be_named(store: MarketStore, tmp_path: Path) -> None:
    text = "date,open,high,low,settle,volume\n2020-01-06,10,11,9,10.5,100\n"
    report = load(store, tmp_path, text, symbol="AAA", columns={"settle": "close"})
    assert report.mapping["settle"] == "close"
    with pytest.raises(InvalidInput, match="'nope' is not in the source"):
        load(store, tmp_path, text, symbol="AAA", columns={"nope": "close"})


def test_a_folder_and_a_pattern_import_every_file_under_its_name(store: MarketStore, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for symbol in ("AAA", "BBB"):
        text = "Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-06,10,11,9,10.5,10.1,100\n"
        (folder / f"{symbol}.csv").write_text(text)
    seen: list[tuple[str, int, int]] = []
    report = store.import_bars(folder, check=False, progress=lambda *step: seen.append(step))
    assert report.snapshot.names() == ("AAA", "BBB")
    assert seen == [("AAA.csv", 0, 2), ("BBB.csv", 1, 2)]
    assert store.import_bars(folder / "A*.csv", check=False).unchanged == 1
    with pytest.raises(NotFound, match="no file matches"):
        store.import_bars(folder / "Z*.csv")


def test_of_many_files_the_bad_one_is_named_and_nothing_is_stored(store: MarketStore, tmp_path: Path) -> None:
    (tmp_path / "AAA.csv").write_text("date,open,high,low,close,volume\n2020-01-06,10,11,9,10.5,100\n")
    (tmp_path / "BBB.csv").write_text("date,open,high,low,close,volume\n01/02/2020,10,11,9,10.5,100\n")
    with pytest.raises(DataInvalid, match=r"BBB.csv: dates like '01/02/2020', line 2 can"):
        store.import_bars(tmp_path / "*.csv")
    assert store.current() is None


def test_frames_in_every_usual_shape_give_one_data_version(tmp_path: Path, make_bars: Make) -> None:
    long = make_bars(["AAA", "BBB"], count=15)
    pandas = long.to_pandas().assign(date=lambda f: pd.to_datetime(f["date"]))
    yahoo = pandas.pivot_table(
        index="date", columns="symbol", values=["open", "high", "low", "close", "volume"]
    )
    yahoo.columns = yahoo.columns.set_levels(["Close", "High", "Low", "Open", "Volume"], level=0)
    joined = yahoo.copy()
    joined.columns = [f"{symbol}_{field}" for field, symbol in yahoo.columns]
    shapes = {
        "long": long,
        "indexed": pandas.set_index(["symbol", "date"]),
        "yahoo": yahoo,
        "swapped": yahoo.swaplevel(axis=1).sort_index(axis=1),
        "joined": joined,
        "named": long.rename({"date": "Date", "open": "open_price", "close": "Close", "symbol": "Ticker"}),
    }
    versions = set()
    for name, frame in shapes.items():
        store = MarketStore(tmp_path / name, lambda: datetime(2026, 11, 21, tzinfo=UTC))
        versions.add(store.import_bars(frame, check=False).snapshot.version)
    assert len(versions) == 1


def test_the_shape_of_backtesting_py_needs_only_a_symbol(store: MarketStore, make_bars: Make) -> None:
    frame = make_bars(["AAA"]).to_pandas().drop(columns="symbol").set_index("date")
    frame.columns = ["Open", "High", "Low", "Close", "Volume"]
    with pytest.raises(DataInvalid, match="no symbol column"):
        store.import_bars(frame)
    assert store.import_bars(frame, symbol="AAA").added == 60


def test_closes_alone_are_not_bars(store: MarketStore) -> None:
    frame = pd.DataFrame({"AAPL": [1.0], "MSFT": [2.0]}, index=pd.DatetimeIndex(["2020-01-06"], name="date"))
    with pytest.raises(DataInvalid, match="bars need open, high, low and close"):
        store.import_bars(frame)


def test_an_import_that_says_nothing_of_dividends_keeps_them(store: MarketStore, make_bars: Make) -> None:
    bars = make_bars(["AAA"], count=5)
    store.import_bars(bars.with_columns(dividend=pl.Series([0.0, 0.3, 0, 0, 0])))
    version = store.snapshots()[-1].version
    assert store.import_bars(bars).snapshot.version == version
    assert store.rows(["AAA"])["dividend"].to_list() == [0.0, 0.3, 0.0, 0.0, 0.0]


def test_the_history_of_one_yfinance_ticker_is_taken_as_it_comes(store: MarketStore) -> None:
    days = pd.date_range("2024-06-07", periods=3, freq="D", tz="America/New_York", name="Date")
    prices = {"Open": [1200.0, 120.0, 121.0], "High": 1250.0, "Low": 100.0, "Close": 121.0, "Volume": 10}
    frame = pd.DataFrame(prices, index=days).assign(**{"Dividends": [0.0, 0.0, 0.1]})
    frame["Stock Splits"] = [0.0, 10.0, 0.0]
    report = store.import_bars(frame, symbol="NVDA", check=False)
    assert (report.added, report.rejected) == (3, 0)
    rows = store.rows(["NVDA"])
    assert rows["ts"].to_list() == [date(2024, 6, 7), date(2024, 6, 8), date(2024, 6, 9)]
    assert rows["split"].to_list() == [1.0, 10.0, 1.0]
    assert rows["dividend"].to_list() == [0.0, 0.0, 0.1]


JOINED = (
    "Date,px_open,px_high,px_low,px_close,vol\n2020-01-06,10,11,9,10.5,100\n2020-01-07,10,11,9,10.5,100\n"
)


def test_a_stated_symbol_wins_over_what_stands_before_the_fields(store: MarketStore, tmp_path: Path) -> None:
    report = load(store, tmp_path, JOINED, symbol="X")
    assert report.snapshot.names() == ("X",)
    assert report.added == 2


def test_stated_columns_win_over_joined_names(store: MarketStore, tmp_path: Path) -> None:
    columns = {"px_open": "open", "px_high": "high", "px_low": "low", "px_close": "close"}
    assert load(store, tmp_path, JOINED, symbol="X", columns=columns).snapshot.names() == ("X",)
    frame = pl.read_csv(tmp_path / "bars.csv")
    assert store.import_bars(frame, symbol="Y", columns=columns).snapshot.names() == ("X", "Y")
    with pytest.raises(DataInvalid, match="no symbol column"):
        load(store, tmp_path, JOINED, columns=columns)


def test_symbols_read_out_of_column_names_are_said(store: MarketStore, tmp_path: Path) -> None:
    report = load(store, tmp_path, JOINED)
    said = [f.detail for f in report.findings if f.kind == "symbol_from_columns"]
    assert len(said) == 1
    assert "bars of px" in said[0]


def test_columns_of_several_symbols_are_not_all_of_the_one_stated(store: MarketStore, tmp_path: Path) -> None:
    fields = ("open", "high", "low", "close", "volume")
    text = "Date," + ",".join(f"{s}_{f}" for s in ("AAA", "BBB") for f in fields) + "\n"
    text += "2020-01-06,10,11,9,10.5,100,20,21,19,20.5,200\n"
    with pytest.raises(DataInvalid, match=r"several symbols \(AAA, BBB\), not of 'X' alone"):
        load(store, tmp_path, text, symbol="X")
    assert load(store, tmp_path, text).snapshot.names() == ("AAA", "BBB")


@pytest.mark.parametrize("word", ["date", "ts"])
def test_a_date_column_is_stated_by_either_word(store: MarketStore, tmp_path: Path, word: str) -> None:
    text = "symbol,Foo,open,high,low,close,volume\nAAA,2020-01-06,10,11,9,10.5,100\n"
    assert load(store, tmp_path, text, columns={"Foo": word}).added == 1


def test_an_unknown_meaning_is_named_with_the_known_ones(store: MarketStore, tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="'Foo' is mapped to 'when', which is none of symbol, date, open"):
        load(store, tmp_path, "symbol,Foo,open,high,low,close\n", columns={"Foo": "when"})
    with pytest.raises(DataInvalid, match="mapped to the same"):
        load(store, tmp_path, HEADER, columns={"open": "close", "close": "close"})


def volume(store: MarketStore) -> list[float]:
    return store.rows()["volume"].to_list()  # type: ignore[no-any-return]


def quoted(*rows: str) -> str:
    return HEADER + "".join(f"AAA,2020-01-{6 + at:02d},{row}\n" for at, row in enumerate(rows))


def test_thousands_separators_are_read_where_they_can_be_nothing_else(
    store: MarketStore, tmp_path: Path
) -> None:
    text = quoted('"1,010","1,011.5",900,"1,005","1,000"', '10,11.5,9,10,"2,345,678"')
    report = load(store, tmp_path, text)
    assert (report.added, report.rejected) == (2, 0)
    assert volume(store) == [1000.0, 2345678.0]
    assert store.rows()["high"].to_list() == [1011.5, 11.5]
    said = [f.detail for f in report.findings if f.kind == "thousands_separator"]
    assert said == ["commas in open, high, close, volume are read as thousands separators"]


def test_whole_volumes_alone_may_have_thousands_separators(store: MarketStore, tmp_path: Path) -> None:
    assert load(store, tmp_path, quoted('10,11,9,10,"1,000"')).rejected == 0
    assert volume(store) == [1000.0]


@pytest.mark.parametrize(
    "row", ['"10,500","11,000","9,000","10,250",100', '10,11.5,9,10,"1,00"', '10,11.5,9,10,"0,512"']
)
def test_commas_that_may_be_decimal_are_refused(store: MarketStore, tmp_path: Path, row: str) -> None:
    report = load(store, tmp_path, quoted("10,11,9,10,100", row))
    assert refused(report) == {(3, "not_a_number")}


def test_a_decimal_point_beside_decimal_commas_is_refused_not_dropped(
    store: MarketStore, tmp_path: Path
) -> None:
    text = quoted('"10,5","11,5","9,5","10,5","1.000"', "10.5,11.5,9.5,10.5,1000")
    report = load(store, tmp_path, text, decimal=",")
    assert refused(report) == {(3, "not_a_number")}
    assert volume(store) == [1000.0]
