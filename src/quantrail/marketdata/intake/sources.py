"""Opening what a user points at: files, folders, patterns and frames, each as one raw table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.errors import DataInvalid, NotFound
from quantrail.marketdata.intake.columns import NOT_STORED, propose, require
from quantrail.marketdata.intake.shapes import flatten, melt
from quantrail.marketdata.intake.text import BROKEN_SCHEMA, read_text
from quantrail.marketdata.records import Finding

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = (".csv", ".txt", ".tsv", ".parquet")


@dataclass(frozen=True, slots=True)
class RawRows:
    """``table``: our column names, the source's types, ``line``. ``mapping``: source name to ours.

    ``broken``: lines that are no rows (line, source_row).
    """

    name: str
    table: pl.DataFrame
    mapping: dict[str, str]
    broken: pl.DataFrame
    notes: tuple[Finding, ...]


def expand(source: Path | str) -> list[Path]:
    """The files behind a path, folder or pattern, sorted by name. NotFound if there are none."""
    path = Path(source)
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES)
        if not found:
            raise NotFound(f"no {', '.join(_SUFFIXES)} file in {path}")
        return found
    if not path.exists() and any(sign in path.name for sign in "*?["):
        found = sorted(path.parent.glob(path.name))
        if not found:
            raise NotFound(f"no file matches {path}")
        return found
    if not path.exists():
        raise NotFound(f"no file {path}")
    return [path]


def read_file(
    path: Path, *, symbol: str | None, columns: Mapping[str, str] | None, limit: int | None = None
) -> RawRows:
    """One file, or its first ``limit`` rows. Raises DataInvalid when it holds no bars.

    A file without a symbol column is about ``symbol``, or the one its name spells in capitals (AAPL.csv).
    """
    if path.stat().st_size == 0:
        raise DataInvalid(f"{path} is empty")
    with path.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    if parquet:
        try:
            table = pl.read_parquet(path, glob=False, n_rows=limit).with_row_index("line", offset=1)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataInvalid(f"{path} is not readable as Parquet: {error}") from error
        long, notes = _long(table, symbol, columns)
        return _named(path.name, long, symbol or _spelt(path), columns, notes=notes)
    text = read_text(path, limit)
    try:
        long, notes = _long(text.table, symbol, columns)
        return _named(path.name, long, symbol or _spelt(path), columns, text.broken, (*text.notes, *notes))
    except DataInvalid as error:
        # What names of columns can be wrong about stands in the header.
        raise DataInvalid(f"{path.name}, line 1: {error.message}") from error


def read_frame(
    frame: pl.DataFrame | pd.DataFrame, *, symbol: str | None, columns: Mapping[str, str] | None
) -> RawRows:
    """A frame in any of the shapes of ``shapes``; lines count its long rows from 1."""
    long = flatten(frame, symbol, columns or ()).with_row_index("line", offset=1)
    return _named("frame", long, symbol, columns)


def _long(
    table: pl.DataFrame, symbol: str | None, columns: Mapping[str, str] | None
) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    """The table in long form, and a finding where symbols were read out of joined names (AAPL_open)."""
    long = melt(table, symbol, columns or ())
    if long is table or symbol is not None:
        return long, ()
    found = long["symbol"].unique(maintain_order=True).to_list()
    shown = ", ".join(found[:4]) + (" …" if len(found) > 4 else "")
    text = f"the columns' names are read as symbol and field: bars of {shown}; state the symbol if it is not"
    return long, (Finding("symbol_from_columns", Severity.INFO, text, line=1),)


def _spelt(path: Path) -> str | None:
    return path.stem if re.fullmatch(r"[A-Z][A-Z0-9.\-]{0,5}", path.stem) else None


def _named(
    name: str,
    table: pl.DataFrame,
    symbol: str | None,
    columns: Mapping[str, str] | None,
    broken: pl.DataFrame | None = None,
    notes: tuple[Finding, ...] = (),
) -> RawRows:
    names = [n for n in table.columns if n != "line"]
    mapping = propose(names, columns)
    require(mapping, names)
    named = table.select("line", *(pl.col(n).alias(ours) for n, ours in mapping.items()))
    if "symbol" not in named.columns:
        if symbol is None:
            raise DataInvalid("no symbol column; say whose bars these are with symbol=…")
        named = named.with_columns(symbol=pl.lit(symbol))
    left_out = [n for n in names if mapping.get(n) in (None, *NOT_STORED)]
    if left_out:
        text = f"columns not stored: {', '.join(left_out)}"
        notes = (*notes, Finding("columns_not_stored", Severity.INFO, text))
    return RawRows(
        name, named, mapping, pl.DataFrame(schema=BROKEN_SCHEMA) if broken is None else broken, notes
    )
