"""Manifests: which immutable files make a snapshot, and the pointer to the current one.

``snapshots/<version>.json`` is written once; ``current`` is replaced by rename after everything it
leads to is on disk, so a reader sees the former snapshot or the next one, whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from quantrail.domain.ids import DataVersion
from quantrail.errors import BackendCorrupt, NotFound
from quantrail.marketdata import durable
from quantrail.marketdata.records import Snapshot, StoredBasis, SymbolInfo

FORMAT = 2


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file: ``part`` is a year (daily) or a month (intraday); ``path`` relative to the room."""

    interval: str
    part: str
    path: str
    digest: str
    rows: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Manifest:
    snapshot: Snapshot
    files: tuple[FileEntry, ...]

    def parts(self, interval: str) -> dict[str, FileEntry]:
        return {entry.part: entry for entry in self.files if entry.interval == interval}

    def infos(self, interval: str) -> dict[str, SymbolInfo]:
        return {info.symbol: info for info in self.snapshot.symbols if info.interval == interval}


def save(root: Path, manifest: Manifest) -> None:
    """Write the manifest once, then point ``current`` at it."""
    target = _path(root, manifest.snapshot.version)
    if not target.exists():
        durable.write_bytes(root, target, json.dumps(_to_json(manifest), sort_keys=True).encode())
    durable.write_bytes(root, root / "current", manifest.snapshot.version.encode())


def current_version(root: Path) -> DataVersion | None:
    try:
        return DataVersion((root / "current").read_text().strip())
    except FileNotFoundError:
        return None


def load(root: Path, version: DataVersion) -> Manifest:
    """The manifest of ``version``; NotFound names the way to list what there is."""
    path = _path(root, version)
    try:
        # Another process may have collected the version since it was read here, and imported it again.
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise NotFound(
            f"data version {version} is not stored here; `quantrail data list` shows what is", version=version
        ) from None


@lru_cache(maxsize=16)
def _read(path: Path, _written: int) -> Manifest:
    content = path.read_text()
    try:
        return _from_json(json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise BackendCorrupt(f"manifest of data version {path.stem} cannot be read: {error}") from error


def versions(root: Path) -> list[DataVersion]:
    return [DataVersion(path.stem) for path in sorted((root / "snapshots").glob("*.json"))]


def _path(root: Path, version: DataVersion) -> Path:
    return root / "snapshots" / f"{version}.json"


def _to_json(manifest: Manifest) -> dict[str, Any]:
    snapshot = manifest.snapshot
    return {
        "format": FORMAT,
        "version": snapshot.version,
        "parent": snapshot.parent,
        "created_at": snapshot.created_at.isoformat(),
        "symbols": [_dated(info) for info in snapshot.symbols],
        "files": [_dated(entry) for entry in manifest.files],
    }


def _dated(record: SymbolInfo | FileEntry) -> dict[str, Any]:
    # asdict copies deeply, which costs a tenth of an import of five hundred symbols.
    out = {name: getattr(record, name) for name in record.__slots__}
    return out | {"first": record.first.isoformat(), "last": record.last.isoformat()}


def _from_json(data: dict[str, Any]) -> Manifest:
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
    # A few days and bases are common to all symbols; each is read once.
    day, basis = cache(date.fromisoformat), cache(StoredBasis)

    def dated(record: dict[str, Any]) -> dict[str, Any]:
        return record | {"first": day(record["first"]), "last": day(record["last"])}

    symbols = tuple(SymbolInfo(**dated(r) | {"basis": basis(r["basis"])}) for r in data["symbols"])
    snapshot = Snapshot(data["version"], data["parent"], datetime.fromisoformat(data["created_at"]), symbols)
    return Manifest(snapshot, tuple(FileEntry(**dated(record)) for record in data["files"]))
