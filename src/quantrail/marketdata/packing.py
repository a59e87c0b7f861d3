"""How values lie in the files: decimals as whole numbers, wherever that loses nothing.

A price of 12.3456 is kept as 123456 in a column named ``open_e4``: half the bytes and half the work of the
same number as a double. A file in which any value of a column would not come back to the bit (adjusted
prices, say) holds that column as doubles under its own name. A file without any dividend or split has no
column for them. Readers go by the names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Decimal places that are tried; everything else stays a double.
_PLACES = {"open": 4, "high": 4, "low": 4, "close": 4, "volume": 0}
_PACKED = {f"{column}_e{places}": column for column, places in _PLACES.items()}
_INT32, _EXACT = 2**31 - 1, 2**53
# What a column says that is not there: nothing happened.
_SILENT = {"dividend": 0.0, "split": 1.0}
# So many values at a time stay in the processor's cache from one step to the next.
_AT_ONCE = 16_384


def packed_columns(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """``columns`` as they are written, under the names they are written by, in the same order."""
    spoken = {name: values for name, values in columns.items() if not is_silent(name, values)}
    return dict(_packed(name, values) for name, values in spoken.items())


def packed_part(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Columns of some of the rows of ``packed_columns``, as they are packed without the others."""
    doubles = packed_columns({name: values for name, values in columns.items() if name not in _PACKED})
    narrow = {name: _narrow(values) for name, values in columns.items() if name in _PACKED}
    return narrow | doubles


def packed(frame: pl.DataFrame) -> pl.DataFrame:
    """``packed_columns`` of a frame of doubles."""
    return pl.DataFrame(packed_columns({column.name: column.to_numpy() for column in frame}))


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


def is_silent(name: str, values: NDArray[np.float64]) -> bool:
    """Whether a column says nothing: no dividend, no split."""
    return name in _SILENT and bool((values == _SILENT[name]).all())


def _scale(column: str) -> float:
    return float(10 ** _PLACES[column])


def _packed(name: str, values: NDArray[np.float64]) -> tuple[str, NDArray[Any]]:
    if name not in _PLACES:
        return name, values
    scale = _scale(name)
    whole = _whole(values, scale, _INT32)
    if whole is None:
        whole = _whole(values, scale, _EXACT)
    return (name, values) if whole is None else (f"{name}_e{_PLACES[name]}", whole)


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype == np.int32 or max(values.max(), -values.min()) > _INT32:
        return values
    return values.astype(np.int32)


def _whole(values: NDArray[np.float64], scale: float, largest: int) -> NDArray[np.integer] | None:
    """``values`` times ``scale``; None where one of them is no whole number then, or beyond ``largest``."""
    out: NDArray[np.integer] = np.empty(values.size, dtype=np.int32 if largest <= _INT32 else np.int64)
    whole, back = np.empty(_AT_ONCE), np.empty(_AT_ONCE)
    for start in range(0, values.size, _AT_ONCE):
        given = values[start : start + _AT_ONCE]
        some, again = whole[: given.size], back[: given.size]
        with np.errstate(over="ignore"):  # what overflows does not come back, and stays a double
            np.rint(np.multiply(given, scale, out=some), out=some)
        if not (_divided(some, scale, again) == given).all() or max(some.max(), -some.min()) > largest:
            return None
        np.copyto(out[start : start + _AT_ONCE], some, casting="unsafe")
    return out


def _unpacked(column: pl.Series) -> pl.Series:
    name = _PACKED[column.name]
    return pl.Series(name, _divided(column.to_numpy(), _scale(name)))


def _divided(
    values: NDArray[np.float64] | NDArray[np.integer],
    scale: float,
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    # A true division is rounded once, so that 123456 / 10000 is the double nearest to 12.3456. Polars
    # multiplies by the reciprocal, which is not always that.
    if scale == 1.0:
        return values.astype(np.float64, copy=False)
    found: NDArray[np.float64] = np.divide(values, scale, out=out)
    return found
