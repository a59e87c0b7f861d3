"""Slices laid out once as dense arrays on disk, and memory-mapped by every worker."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import numpy as np

from quantrail.domain.identity import content_hash
from quantrail.domain.market import BAR_COLUMNS, Bars
from quantrail.marketdata.arrays import SliceRequest, build, frozen, rows_of, version_of
from quantrail.marketdata.collecting import remember_slice
from quantrail.marketdata.manifest import Manifest

_FORMAT = 2
# Beyond this many slices the older half goes; whoever still maps one keeps it until done.
_KEPT = 256


def mapped(home: Path, manifest: Manifest, request: SliceRequest) -> Bars:
    """The slice as read-only maps of files under ``cache/slices``, made on first use.

    A store that may only be read, or a full disk, gives the same arrays from memory.
    """
    folder = home / "cache" / "slices" / _key(manifest, request)
    try:
        return _open(folder, request)
    except (FileNotFoundError, NotADirectoryError):
        rows = rows_of(home, manifest, request, verify=True)
        bars = build(manifest, request, rows, version_of(manifest, request, rows))
        _lay_out(home, manifest, folder, bars)
    try:
        return _open(folder, request)
    except (FileNotFoundError, NotADirectoryError):
        return bars


def _open(folder: Path, request: SliceRequest) -> Bars:
    meta = json.loads((folder / "meta.json").read_text())
    block = np.asarray(np.load(folder / "block.npy", mmap_mode="r"))
    return frozen(request.symbols, np.load(folder / "sessions.npy"), block, meta["data_version"])


def _key(manifest: Manifest, request: SliceRequest) -> str:
    return content_hash(
        [
            _FORMAT,
            manifest.snapshot.version,
            request.interval,
            list(request.symbols),
            request.first and request.first.isoformat(),
            request.before and request.before.isoformat(),
            request.adjust,
        ]
    )[:32]


def _lay_out(home: Path, manifest: Manifest, folder: Path, bars: Bars) -> None:
    temp = folder.parent / f"tmp-{uuid.uuid4().hex}"
    try:
        temp.mkdir(parents=True)
        remember_slice(home, bars.data_version, manifest.snapshot.version)
        np.save(temp / "block.npy", np.stack([getattr(bars, name) for name in BAR_COLUMNS]))
        np.save(temp / "sessions.npy", bars.sessions)
        (temp / "meta.json").write_text(json.dumps({"data_version": bars.data_version}))
        temp.rename(folder)
        _prune(folder.parent)
    except OSError:
        # Read-only, full, or laid out by somebody else in the meantime: the caller looks again.
        shutil.rmtree(temp, ignore_errors=True)


def _prune(parent: Path) -> None:
    found = [path for path in parent.iterdir() if not path.name.startswith("tmp-")]
    if len(found) > _KEPT:
        for path in sorted(found, key=lambda p: p.stat().st_mtime)[: len(found) // 2]:
            shutil.rmtree(path, ignore_errors=True)
