"""The Parquet files: bars of one year (daily) or one month (intraday), sorted by symbol and time.

A file is named after its content and never rewritten. ``import_no`` says which import each row came
from; the leaves of a file lie beside it, so that an import need not hash what it did not touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from quantrail.errors import BackendCorrupt
from quantrail.marketdata import durable
from quantrail.marketdata.canonical import VALUE_COLUMNS, days_of
from quantrail.marketdata.encoding import Columns, encoded
from quantrail.marketdata.leaves import Leaves, from_bytes, leaves
from quantrail.marketdata.manifest import FileEntry
from quantrail.marketdata.packing import unpacked

KEY = ("symbol", "ts")
COLUMNS = (*KEY, *VALUE_COLUMNS, "import_no")


def write(root: Path, rows: Columns, interval: str, part: str, found: Leaves) -> FileEntry:
    """Store ``rows``, keys unique, with their leaves ``found``."""
    content = encoded(rows)
    digest = durable.digest(content)
    path = f"bars/{interval}/{part}/{digest[:20]}.parquet"
    durable.write_bytes(root, root / leaves_path(path), found.to_bytes())
    durable.write_bytes(root, root / path, content)
    first, last = days_of(np.array([found.table["first"].min(), found.table["last"].max()]))
    return FileEntry(interval, part, path, digest, rows.ts.size, first, last)


def read(root: Path, entry: FileEntry, symbols: Sequence[str] | None = None) -> pl.DataFrame:
    """All rows of one file, or those of ``symbols``, columns ``COLUMNS``."""
    scan = pl.scan_parquet(root / entry.path, glob=False)
    if symbols is not None:
        scan = scan.filter(pl.col("symbol").is_in(list(symbols)))
    try:
        return unpacked(scan.collect()).select(COLUMNS)
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


def leaves_of(root: Path, entry: FileEntry) -> Leaves:
    """The leaves stored beside the file; worked out and written again when they are lost or damaged.

    For the one writer only.
    """
    target = root / leaves_path(entry.path)
    found = from_bytes(target.read_bytes()) if target.exists() else None
    if found is None:
        verify(root, entry)
        found = leaves(read(root, entry))
        durable.write_bytes(root, target, found.to_bytes())
    return found


def leaves_path(path: str) -> str:
    """Where the leaves of the file at ``path`` lie, both relative to the room."""
    return str(Path("leaves", *Path(path).parts[1:]).with_suffix(".bin"))
