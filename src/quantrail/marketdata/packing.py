"""How values lie in the files: decimals as whole numbers, wherever that loses nothing.

A price of 12.3456 is kept as 123456 in a column named ``open_e4``: half the bytes and half the work of the
same number as a double. A file in which any value of a column would not come back to the bit (adjusted
prices, say) holds that column as doubles under its own name. A file without any dividend or split has no
column for them. Readers go by the names.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Decimal places that are tried; everything else stays a double.
_PLACES = {"open": 4, "high": 4, "low": 4, "close": 4, "volume": 0}
_PACKED = {f"{column}_e{places}": column for column, places in _PLACES.items()}
_INT32, _EXACT = 2**31 - 1, 2**53
# What a column says that is not there: nothing happened.
_SILENT = {"dividend": 0.0, "split": 1.0}


def packed(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` as it is written, columns in the same order."""
    spoken = (column for column in frame if not _is_silent(column))
    return pl.DataFrame([_packed(column) if column.name in _PLACES else column for column in spoken])


def unpacked(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` as it was before it was packed; columns that were left out come last."""
    columns = [_unpacked(column) if column.name in _PACKED else column for column in frame]
    left_out = [pl.lit(value).alias(name) for name, value in _SILENT.items() if name not in frame.columns]
    return pl.DataFrame(columns).with_columns(left_out)


def sql_columns(names: Collection[str]) -> str:
    """The select list that unpacks the columns of a file, the same numbers to the bit."""
    held = [
        f"{name} / {_scale(_PACKED[name])!r}::double as {_PACKED[name]}" if name in _PACKED else name
        for name in names
    ]
    left_out = [f"{value!r}::double as {name}" for name, value in _SILENT.items() if name not in names]
    return ", ".join(held + left_out)


def _is_silent(column: pl.Series) -> bool:
    return column.name in _SILENT and bool((column == _SILENT[column.name]).all())


def _scale(column: str) -> float:
    return float(10 ** _PLACES[column])


def _packed(column: pl.Series) -> pl.Series:
    values = column.to_numpy()
    scale = _scale(column.name)
    whole = np.rint(values * scale)
    if not np.array_equal(_divided(whole, scale), values):
        return column
    largest = float(np.abs(whole).max(initial=0.0))
    if largest > _EXACT:
        return column
    return pl.Series(
        f"{column.name}_e{_PLACES[column.name]}", whole.astype(np.int32 if largest <= _INT32 else np.int64)
    )


def _unpacked(column: pl.Series) -> pl.Series:
    name = _PACKED[column.name]
    return pl.Series(name, _divided(column.to_numpy(), _scale(name)))


def _divided(values: NDArray[np.float64] | NDArray[np.integer], scale: float) -> NDArray[np.float64]:
    # A true division is rounded once, so that 123456 / 10000 is the double nearest to 12.3456. Polars
    # multiplies by the reciprocal, which is not always that.
    found: NDArray[np.float64] = values / scale if scale != 1.0 else values.astype(np.float64)
    return found
