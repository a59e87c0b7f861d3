"""The Parquet files: bars of one year (daily) or one month (intraday), sorted by symbol and time.

A file is named after its content and never rewritten. ``import_no`` says which import each row came
from; the leaves of a file lie beside it, so that an import need not hash what it did not touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from quantrail.errors import BackendCorrupt
from quantrail.marketdata import durable
from quantrail.marketdata.canonical import VALUE_COLUMNS, leaves
from quantrail.marketdata.manifest import FileEntry
from quantrail.marketdata.records import DAILY

KEY = ("symbol", "ts")
COLUMNS = (*KEY, *VALUE_COLUMNS, "import_no")


def parts(frame: pl.DataFrame, interval: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """``frame`` cut into the parts its rows belong to, in time order."""
    unit = "1y" if interval == DAILY else "1mo"
    starts = frame["ts"].dt.truncate(unit)
    for start in starts.unique().sort():
        yield start.strftime("%Y" if interval == DAILY else "%Y-%m"), frame.filter(starts == start)


def write(root: Path, frame: pl.DataFrame, interval: str, part: str) -> tuple[FileEntry, pl.DataFrame]:
    """Store ``frame`` (columns ``COLUMNS``, sorted by ``KEY``, keys unique)."""
    temp = durable.temporary(root)
    # Prices are decimals that repeat: dictionaries beat any encoding of their bits, in size and time.
    frame.select(COLUMNS).write_parquet(temp, compression="zstd", compression_level=1, row_group_size=32_768)
    digest = durable.digest_of(temp)
    path = f"bars/{interval}/{part}/{digest[:20]}.parquet"
    found = leaves(frame)
    _write_leaves(root, path, found)
    durable.settle(temp, root / path)
    first, last = _day(frame["ts"].min()), _day(frame["ts"].max())
    return FileEntry(interval, part, path, digest, frame.height, first, last), found


def read(root: Path, entry: FileEntry, symbols: Sequence[str] | None = None) -> pl.DataFrame:
    """All rows of one file, or those of ``symbols``."""
    scan = pl.scan_parquet(root / entry.path, glob=False)
    if symbols is not None:
        scan = scan.filter(pl.col("symbol").is_in(list(symbols)))
    try:
        return scan.collect()
    except FileNotFoundError as error:
        raise BackendCorrupt(
            f"{entry.path} of the market store is gone; restore it from a backup or import its source again"
        ) from error
    except (pl.exceptions.ComputeError, OSError) as error:
        raise BackendCorrupt(f"{entry.path} of the market store cannot be read: {error}") from error


def verify(root: Path, entry: FileEntry) -> None:
    """BackendCorrupt when the bytes on disk are not those that were written."""
    path = root / entry.path
    if not path.exists() or durable.digest_of(path) != entry.digest:
        raise BackendCorrupt(
            f"{entry.path} of the market store is missing or was changed after it was written",
            path=entry.path,
        )


def leaves_of(root: Path, entry: FileEntry) -> pl.DataFrame:
    """The leaves stored beside the file; worked out again when they are not there."""
    path = _leaves_path(root, entry.path)
    if not path.exists():
        return leaves(read(root, entry))
    return pl.read_parquet(path)


def _leaves_path(root: Path, path: str) -> Path:
    return root / "leaves" / Path(path).relative_to("bars")


def _write_leaves(root: Path, path: str, found: pl.DataFrame) -> None:
    temp = durable.temporary(root)
    found.write_parquet(temp)
    durable.settle(temp, _leaves_path(root, path))


def _day(value: object) -> date:
    # datetime is a date too; only its day is wanted.
    if not isinstance(value, date):
        raise BackendCorrupt(f"a bar file without dates: {value!r}")
    return date(value.year, value.month, value.day)
