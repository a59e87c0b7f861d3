"""Everything that is known about how to read a source, and the reading itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from quantrail.errors import DataInvalid
from quantrail.marketdata.canonical import by_key
from quantrail.marketdata.intake.sources import RawRows, expand, read_file, read_frame
from quantrail.marketdata.intake.strict import CleanRows, clean

if TYPE_CHECKING:
    import pandas as pd

_LARGE = 8_000_000
_PROBE = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a source. ``symbol``: whose bars these are when no column says so.

    ``columns``: source name to ours, where the aliases do not know it. ``tz``: zone of times without one.
    ``decimal``: sign between units and tenths in text. ``date_format``: as in strptime, where two fit.
    """

    symbol: str | None = None
    columns: Mapping[str, str] | None = None
    date_format: str | None = None
    tz: str | None = None
    decimal: str = "."


def read(
    data: Path | str | pl.DataFrame | pd.DataFrame,
    how: Reading,
    now: datetime,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[CleanRows, dict[str, str]]:
    """Rows of one source or of all files of a folder or pattern, and the column mapping.

    Of several files that hold the same bar the last by name wins. ``progress`` gets name, done, total.
    """
    if not isinstance(data, str | Path):
        return _read_one(read_frame(data, symbol=how.symbol, columns=how.columns), how, now)
    paths = expand(data)
    found = list(_read_all(paths, how, now, progress))
    if len(found) == 1:
        return found[0]
    return _joined(paths, [rows for rows, _ in found]), {k: v for _, m in found for k, v in m.items()}


def columns_of(source: Path | str, how: Reading) -> dict[str, str]:
    """How the columns of a file (of several, the first) would be understood, from its first rows."""
    return read_file(expand(source)[0], symbol=how.symbol, columns=how.columns, limit=100).mapping


def _read_all(
    paths: list[Path], how: Reading, now: datetime, progress: Callable[[str, int, int], None] | None
) -> Iterator[tuple[CleanRows, dict[str, str]]]:
    for done, path in enumerate(paths):
        if progress:
            progress(path.name, done, len(paths))
        try:
            if path.stat().st_size > _LARGE:
                # A gigabyte of garbage is told by its first lines; this raises what they deserve.
                _read_one(read_file(path, symbol=how.symbol, columns=how.columns, limit=_PROBE), how, now)
            yield _read_one(read_file(path, symbol=how.symbol, columns=how.columns), how, now)
        except DataInvalid as error:
            if path.name in error.message:
                raise
            raise DataInvalid(f"{path.name}: {error.message}") from error


def _read_one(raw: RawRows, how: Reading, now: datetime) -> tuple[CleanRows, dict[str, str]]:
    rows = clean(raw, now=now, date_format=how.date_format, tz=how.tz, decimal=how.decimal)
    return rows, raw.mapping


def _joined(paths: list[Path], found: list[CleanRows]) -> CleanRows:
    if len({rows.intraday for rows in found}) > 1:
        raise DataInvalid("some of the files hold days and some hold times; import them apart")
    rows = pl.concat(rows.rows for rows in found)
    rows = by_key(rows.unique(["symbol", "ts"], keep="last", maintain_order=True))
    refused = pl.concat(
        r.refused.with_columns(file=pl.lit(p.name)) for p, r in zip(paths, found, strict=True)
    )
    findings = tuple(
        replace(finding, detail=f"{path.name}: {finding.detail}")
        for path, one in zip(paths, found, strict=True)
        for finding in one.findings
    )
    return CleanRows(rows, refused, findings, found[0].intraday)
