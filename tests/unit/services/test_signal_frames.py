"""Frames of signals as arrays: which day a date is, and which symbols there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from quantrail.errors import DataInvalid
from quantrail.services.signals import read_weights, weights_of_entries

EVENINGS = ["2015-03-06 20:00", "2015-03-09 20:00", "2015-03-10 00:30"]  # the clocks change in between
DAYS = ["2015-03-06", "2015-03-09", "2015-03-10"]


def in_zone(zone: str) -> pd.DataFrame:
    when = pd.to_datetime(EVENINGS).tz_localize(zone)
    return pd.DataFrame({"date": when, "AAPL": [0.1, 0.2, 0.3]})


def with_offsets(zone: str) -> pd.DataFrame:
    """One offset per cell, as dates with offsets in text are parsed."""
    frame = in_zone(zone)
    fixed = [pd.Timestamp(when.isoformat()) for when in frame["date"]]
    return frame.assign(date=pd.Series(fixed, dtype=object))


SHAPES: dict[str, Any] = {
    "pandas": in_zone,
    "pandas index": lambda zone: in_zone(zone).set_index("date").rename_axis(index=None),
    "pandas offsets": with_offsets,
    "polars": lambda zone: pl.from_pandas(in_zone(zone)),
    "polars lazy": lambda zone: pl.from_pandas(in_zone(zone)).lazy(),
    "arrow": lambda zone: pa.Table.from_pandas(in_zone(zone)),
}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize("shape", [*SHAPES, "parquet"])
def test_a_date_with_a_time_zone_is_the_day_on_its_own_clock(shape: str, zone: str, tmp_path: Path) -> None:
    frame: Any = tmp_path / "weights.parquet"
    if shape == "parquet":
        in_zone(zone).to_parquet(frame)
    else:
        frame = SHAPES[shape](zone)
    assert [str(day) for day in read_weights(frame).sessions] == DAYS


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_two_columns_that_are_one_symbol_are_refused(library: Any) -> None:
    frame = library({"date": ["2015-03-03"], "AAPL": [0.1], "KO": [0.1], "AAPL ": [0.5]})
    with pytest.raises(DataInvalid, match="the column 'AAPL' comes twice"):
        read_weights(frame)


def test_a_symbol_without_any_weight_is_not_among_the_signals() -> None:
    frame = pd.DataFrame({"date": DAYS, "AAPL": [0.5, None, 0.1], "KO": [None] * 3, "XOM": [0.0, None, 0.2]})
    found = read_weights(frame, "hold")
    assert found.symbols == ("AAPL", "XOM")
    assert found.weights.tolist() == [[0.5, 0.1], [0.0, 0.2]]
    assert [str(day) for day in found.sessions] == [DAYS[0], DAYS[2]]


def test_a_symbol_that_never_enters_still_counts_in_the_shares_of_the_others() -> None:
    entry = pd.DataFrame({"date": DAYS, "AAPL": [1, 0, 0], "KO": [0, 0, 0]})
    found = weights_of_entries({"entry": entry})
    assert (found.symbols, found.weights.tolist()) == (("AAPL",), [[0.5]])
