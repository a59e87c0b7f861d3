"""What the market room hands out: findings, changes, snapshots, import reports."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape
from typing import Any

from quantrail.domain.enums import Severity
from quantrail.domain.ids import DataVersion

DAILY = "1d"
_SHOWN = 12  # symbols of a snapshot in a notebook


class StoredBasis(StrEnum):
    """What the vendor had already done to the prices of a symbol."""

    RAW = "raw"
    SPLIT = "split_adjusted"
    TOTAL = "total_return"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the quality gate or a reader noticed.

    ``line`` is the line (CSV, header = 1) or row (1 = first) of the file it came from, ``until`` the last
    session of a run. ``quarantined``: the row was kept out of the snapshot, and is kept with this reason.
    """

    kind: str
    severity: Severity
    detail: str
    symbol: str | None = None
    date: dt.date | None = None
    until: dt.date | None = None
    line: int | None = None
    quarantined: bool = False

    def to_json(self) -> dict[str, Any]:
        out = asdict(self)
        for key in ("date", "until"):
            out[key] = out[key].isoformat() if out[key] is not None else None
        return out


@dataclass(frozen=True, slots=True)
class SymbolInfo:
    """One symbol at one interval inside a snapshot. ``node`` is its Merkle hash, hex."""

    symbol: str
    interval: str
    rows: int
    first: dt.date
    last: dt.date
    source: str
    basis: StoredBasis
    node: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable state of all bars. ``parent`` is the version it was made from."""

    version: DataVersion
    parent: DataVersion | None
    created_at: dt.datetime
    symbols: tuple[SymbolInfo, ...]

    @property
    def rows(self) -> int:
        return sum(info.rows for info in self.symbols)

    def names(self, interval: str = DAILY) -> tuple[str, ...]:
        """Symbols that have bars at ``interval``, sorted."""
        return tuple(sorted(info.symbol for info in self.symbols if info.interval == interval))

    def __str__(self) -> str:
        first, last = min(s.first for s in self.symbols), max(s.last for s in self.symbols)
        size = f"{len(self.symbols)} symbols, {self.rows:,} bars"
        return f"snapshot {self.version[:12]}: {size}, {first} to {last}"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{escape(s.symbol)}</td><td>{s.interval}</td><td>{s.rows:,}</td><td>{s.first}</td>"
            f"<td>{s.last}</td><td>{s.basis}</td></tr>"
            for s in self.symbols[:_SHOWN]
        )
        left = len(self.symbols) - _SHOWN
        more = f"<p>and {left} more</p>" if left > 0 else ""
        head = "".join(
            f"<th>{name}</th>" for name in ("symbol", "interval", "bars", "first", "last", "basis")
        )
        return f"<p><b>{escape(str(self))}</b></p><table><tr>{head}</tr>{cells}</table>{more}"


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """What one import did to one symbol; ``first`` and ``last`` span the rows that differ."""

    symbol: str
    added: int
    changed: int
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class Preview:
    """What a source would bring. ``mapping`` leads from its column names to ours."""

    mapping: dict[str, str]
    symbols: tuple[str, ...]
    rows: int
    refused: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts are rows. ``mapping`` leads from the source's column names to ours."""

    snapshot: Snapshot
    source: str
    added: int
    changed: int
    unchanged: int
    rejected: int
    changes: tuple[SymbolChange, ...]
    findings: tuple[Finding, ...]
    mapping: dict[str, str]

    @property
    def version(self) -> DataVersion:
        """The version of the snapshot that holds the imported rows."""
        return self.snapshot.version

    @property
    def worst(self) -> Severity | None:
        """The gravest severity among the findings, None if there are none."""
        order = list(Severity)
        return max((f.severity for f in self.findings), key=order.index, default=None)
