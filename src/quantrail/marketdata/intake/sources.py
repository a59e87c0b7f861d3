"""Opening what a user points at: a file or a frame, as one raw table with line numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from quantrail.errors import DataInvalid, NotFound
from quantrail.marketdata.intake.columns import propose, require

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class RawRows:
    """``table``: our column names, the source's types, ``line``. ``mapping``: source name to ours."""

    table: pl.DataFrame
    mapping: dict[str, str]


def read_source(
    source: Path | str | pl.DataFrame | pd.DataFrame,
    *,
    symbol: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> RawRows:
    """Read one source. ``symbol`` names the rows of a source that has no symbol column.

    Raises NotFound for a path that is not there, DataInvalid for one that holds no bars.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        table, first_line = _read_file(path), 2 if path.suffix != ".parquet" else 1
        fallback = symbol
    else:
        table, first_line, fallback = _from_frame(source), 1, symbol
    mapping = propose(table.columns, columns)
    require(mapping, table.columns)
    named = table.select(pl.col(name).alias(ours) for name, ours in mapping.items())
    if "symbol" not in named.columns:
        if fallback is None:
            raise DataInvalid("the source has no symbol column; say whose bars these are with symbol=…")
        named = named.with_columns(symbol=pl.lit(fallback))
    return RawRows(named.with_row_index("line", offset=first_line), mapping)


def _read_file(path: Path) -> pl.DataFrame:
    if not path.exists():
        raise NotFound(f"no file {path}")
    if path.stat().st_size == 0:
        raise DataInvalid(f"{path} is empty")
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic == b"PAR1":
        return _read_parquet(path)
    return _read_csv(path)


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataInvalid(f"{path} is not readable as Parquet: {error}") from error


def _read_csv(path: Path) -> pl.DataFrame:
    # Everything as text: what a cell means is judged row by row, with its line, not guessed per column.
    try:
        return pl.read_csv(path, infer_schema=False, truncate_ragged_lines=False, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataInvalid(f"{path} is not readable as CSV: {error}") from error


def _from_frame(frame: pl.DataFrame | pd.DataFrame) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    flat = frame.reset_index() if frame.index.name or not frame.index.equals(_range(frame)) else frame
    return pl.from_pandas(flat.rename(columns=str))


def _range(frame: pd.DataFrame) -> pd.Index:
    import pandas as pd

    return pd.RangeIndex(len(frame))
