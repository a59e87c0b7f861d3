"""Removing what nothing rests on any more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from quantrail.domain.ids import DataVersion
from quantrail.marketdata import durable, manifest, segments
from quantrail.marketdata.manifest import Manifest

# Readers hold a manifest for the length of one read; nothing this young is removed under them.
GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed, or with ``dry_run`` would be.

    ``bytes``: on disk, caches included. ``cache_bytes``: of caches alone, which reads make again.
    """

    snapshots: tuple[DataVersion, ...]
    files: tuple[str, ...]
    bytes: int
    cache_bytes: int


def remember_slice(home: Path, version: DataVersion, snapshot: DataVersion) -> None:
    """Write down, once, which snapshot a slice was read from, so that its files can be kept for it."""
    target = home / "slices" / f"{version}.json"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temp = target.with_suffix(f".{snapshot[:12]}")
        temp.write_text(json.dumps({"snapshot": snapshot}))
        temp.replace(target)


def snapshot_of_slice(home: Path, version: DataVersion) -> DataVersion | None:
    """The snapshot a slice was first read from; a snapshot's own version leads to itself; else None."""
    target = home / "slices" / f"{version}.json"
    if target.exists():
        return DataVersion(json.loads(target.read_text())["snapshot"])
    return version if version in manifest.versions(home) else None


def collect(
    home: Path, keep: Collection[DataVersion] | None, now: datetime, *, dry_run: bool, wait: float
) -> Collected:
    """Remove snapshots but the current one, those of ``keep`` and the young, then files no snapshot names.

    ``keep`` holds versions of snapshots or of slices that stored results rest on; None: all ever read.
    """
    with durable.writer_lock(home, wait):
        held = [manifest.load(home, version) for version in manifest.versions(home)]
        keep = _ever_read(home) if keep is None else keep
        wanted = {snapshot_of_slice(home, version) for version in keep} | {manifest.current_version(home)}
        young = {m.snapshot.version for m in held if now - m.snapshot.created_at < GRACE}
        gone = [m for m in held if m.snapshot.version not in wanted | young]
        stays = [m for m in held if m not in gone]
        files = _unreferenced(home, stays)
        folders = _caches(home, gone)
        cached = sum(map(_size_of, folders))
        size = sum((home / name).stat().st_size for name in files) + cached
        if not dry_run:
            _remove(home, gone, files, folders)
        return Collected(tuple(m.snapshot.version for m in gone), tuple(files), size, cached)


def _ever_read(home: Path) -> list[DataVersion]:
    return [DataVersion(path.stem) for path in (home / "slices").glob("*.json")]


def _unreferenced(home: Path, stays: list[Manifest]) -> list[str]:
    named = {entry.path for m in stays for entry in m.files}
    named |= {segments.leaves_path(path) for path in named}
    found = [p for folder in ("bars", "leaves") for p in (home / folder).rglob("*") if p.is_file()]
    names = {str(path.relative_to(home)) for path in found}
    return sorted(names - named)


def _caches(home: Path, gone: list[Manifest]) -> list[Path]:
    """Laid-out slices, which any later read makes again, and the indicators of what goes."""
    indicators = [home / "cache" / "indicators" / m.snapshot.version for m in gone]
    return [folder for folder in (home / "cache" / "slices", *indicators) if folder.exists()]


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _remove(home: Path, gone: list[Manifest], files: list[str], folders: list[Path]) -> None:
    # Manifests first: a manifest without its files would be a lie, files without one are only litter.
    versions = {m.snapshot.version for m in gone}
    for version in versions:
        (home / "snapshots" / f"{version}.json").unlink()
    # A slice that led to one of them is free to be remembered with the next snapshot that holds it.
    for path in (home / "slices").glob("*.json"):
        if json.loads(path.read_text())["snapshot"] in versions:
            path.unlink()
    for name in files:
        (home / name).unlink()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
