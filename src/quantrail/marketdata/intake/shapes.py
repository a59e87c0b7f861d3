"""Frames in the shapes people have: long, one symbol, yfinance's column pairs, wide with joined names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import polars as pl

from quantrail.errors import DataInvalid
from quantrail.marketdata.intake.columns import meaning_of

if TYPE_CHECKING:
    import pandas as pd

_FIELDS = ("open", "high", "low", "close", "volume", "dividend", "split", "adj_close")


def flatten(
    frame: pl.DataFrame | pd.DataFrame, symbol: str | None = None, named: Collection[str] = ()
) -> pl.DataFrame:
    """``frame`` in long form with its own column names. An index becomes columns. As ``melt`` else."""
    if isinstance(frame, pl.DataFrame):
        return melt(frame, symbol, named)
    import pandas as pd

    if isinstance(frame.columns, pd.MultiIndex):
        return _from_pairs(frame)
    numbered = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
    flat = frame if numbered else frame.reset_index()
    return melt(pl.from_pandas(flat.rename(columns=str)), symbol, named)


def _from_pairs(frame: pd.DataFrame) -> pl.DataFrame:
    """Columns (field, symbol) or (symbol, field), as yfinance gives them."""
    fields = [
        level
        for level in range(frame.columns.nlevels)
        if all(meaning_of(str(v)) in _FIELDS for v in frame.columns.get_level_values(level))
    ]
    if len(fields) != 1 or frame.columns.nlevels != 2:
        raise DataInvalid(
            "columns come in pairs, but neither level holds only open, high, low, close, volume …"
        )
    symbols = 1 - fields[0]
    # melt cannot keep the fields apart, which is what a bar is made of.
    stacked = frame.rename_axis(index="date").stack(level=symbols, future_stack=True)  # noqa: PD013
    long = pl.from_pandas(stacked.rename_axis(["date", "symbol"]).reset_index().rename(columns=str))
    # Where one symbol has no bar that day, the pair table has a hole, which is not a row.
    values = [name for name in long.columns if name not in ("date", "symbol")]
    return long.filter(~pl.all_horizontal(pl.col(values).fill_nan(None).is_null()))


def melt(frame: pl.DataFrame, symbol: str | None = None, named: Collection[str] = ()) -> pl.DataFrame:
    """Wide columns such as ``AAPL_open`` or ``Close.AAPL`` as long rows; other frames as they are.

    What is stated wins over that guess. ``symbol``: what stands before the fields (px_open) is no symbol,
    the bars are of this one; DataInvalid where several things stand there. ``named``: columns whose meaning
    is stated; with a joined name among them nothing is joined.
    """
    pairs = {name: pair for name in frame.columns if (pair := _pair(name)) is not None}
    keys = [name for name in frame.columns if name not in pairs]
    fields = {field for _, field in pairs.values()}
    if not {"open", "high", "low", "close"} <= fields:
        _refuse_close_only(frame.columns, keys)
        return frame
    if not pairs.keys().isdisjoint(named):
        return frame
    spelt = list(dict.fromkeys(name for name, _ in pairs.values()))
    if symbol is not None and len(spelt) > 1:
        shown = ", ".join(spelt[:4]) + (" …" if len(spelt) > 4 else "")
        raise DataInvalid(
            f"the columns are of several symbols ({shown}), not of {symbol!r} alone; leave the symbol out, "
            "or say which columns are open, high, low and close"
        )
    parts = []
    for one in spelt:
        columns = [pl.col(name).alias(field) for name, (s, field) in pairs.items() if s == one]
        part = frame.select(*keys, pl.lit(symbol or one).alias("symbol"), *columns)
        holes = pl.all_horizontal(pl.col(column.meta.output_name()).is_null() for column in columns)
        parts.append(part.filter(~holes))
    return pl.concat(parts, how="diagonal")


def _pair(name: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"(.+)[_. /](.+)", name)
    if match is None or meaning_of(name) is not None:
        return None
    left, right = match.groups()
    for symbol, field in ((left, right), (right, left)):
        meaning = meaning_of(field)
        if meaning in _FIELDS and meaning_of(symbol) is None:
            return symbol, str(meaning)
    return None


def _refuse_close_only(names: Sequence[str], keys: list[str]) -> None:
    prices = [n for n in names if meaning_of(n) in ("open", "high", "low", "close")]
    dates = [n for n in names if meaning_of(n) == "ts"]
    rest = [n for n in keys if n not in dates and n != "line"]
    if (
        dates
        and not prices
        and len(rest) >= 2
        and all(re.fullmatch(r"[A-Z][A-Z0-9.\-]{0,5}", n) for n in rest)
    ):
        raise DataInvalid(
            f"this looks like one price per symbol ({', '.join(rest[:4])} …); bars need open, high, low and "
            "close, for example as columns AAPL_open, AAPL_high …"
        )
