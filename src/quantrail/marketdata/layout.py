"""Which file a row belongs to.

Intraday bars lie by month, daily bars by year, but for the newest two months: those are revised and added
to every day, and a file of one month is rewritten in a tenth of the time. They join their year later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from quantrail.marketdata.canonical import months
from quantrail.marketdata.manifest import FileEntry
from quantrail.marketdata.records import DAILY

# Months apart from their year before the older ones join it.
_LOOSE = 4


def parts_of(first: int, last: int, interval: str, held: Mapping[str, FileEntry]) -> dict[int, str]:
    """Where rows of each month from ``first`` to ``last``, the newest that comes, belong."""
    newest = max([last, *(_month_of(entry) for entry in held.values())])
    return {month: _part(month, newest, interval, held) for month in range(first, last + 1)}


def cut(frame: pl.DataFrame, parts: Mapping[int, str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """``frame`` in the ``parts`` its rows belong to, in time order, rows in the order they came."""
    if frame.is_empty():
        return
    month = months(frame)
    codes = {name: code for code, name in enumerate(dict.fromkeys(parts.values()))}
    first = min(parts)
    code = np.array([codes[parts[m]] for m in sorted(parts)], dtype=np.uint16)[month - first]
    # Sixteen bits are sorted by counting them.
    ordered = frame[np.argsort(code, kind="stable")]
    start = 0
    for name, count in zip(codes, np.bincount(code, minlength=len(codes)).tolist(), strict=True):
        if count:
            yield name, ordered.slice(start, count)
        start += count


def to_join(held: Mapping[str, FileEntry]) -> dict[str, list[FileEntry]]:
    """Year to the monthly files that should join it now; empty until there are too many."""
    loose = {part: entry for part, entry in held.items() if entry.interval == DAILY and len(part) > 4}
    if len(loose) <= _LOOSE:
        return {}
    out: dict[str, list[FileEntry]] = {}
    for part in sorted(loose)[:-2]:
        out.setdefault(part[:4], []).append(loose[part])
    return out


def years(held: Mapping[str, FileEntry]) -> list[str]:
    """Years that daily parts cover, ascending."""
    return sorted({part[:4] for part in held})


def _part(month: int, newest: int, interval: str, held: Mapping[str, FileEntry]) -> str:
    name = _spelt(month)
    if interval != DAILY or name in held:
        return name
    year = held.get(name[:4])
    inside = year is not None and np.datetime64(year.first, "M") <= np.datetime64(name) <= np.datetime64(
        year.last, "M"
    )
    return name if month >= newest - 1 and not inside else name[:4]


def _month_of(entry: FileEntry) -> int:
    return (entry.last.year - 1970) * 12 + entry.last.month - 1


def _spelt(month: int) -> str:
    return str(np.datetime64(month, "M"))
