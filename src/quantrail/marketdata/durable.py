"""Files that are there whole or not at all: temp, fsync, rename; and one writer at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quantrail.errors import BackendBusy


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def temporary(root: Path) -> Path:
    """A fresh name under ``root``'s scratch folder; what a crash leaves there is swept by the next writer."""
    folder = root / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / uuid.uuid4().hex


def settle(temp: Path, target: Path) -> None:
    """Move a finished temporary file to its place, durably."""
    with temp.open("rb") as stream:
        os.fsync(stream.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    temp.replace(target)
    sync_folder(target.parent)


def write_bytes(root: Path, target: Path, content: bytes | memoryview) -> None:
    temp = temporary(root)
    temp.write_bytes(content)
    settle(temp, target)


def digest(content: bytes | memoryview) -> str:
    """BLAKE2b-256: twice as fast as SHA-256 without hardware for the latter."""
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def digest_of(path: Path) -> str:
    """``digest`` of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def replace_text(target: Path, content: str) -> None:
    """Put ``content`` in the place of a small file, whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    temp.write_text(content)
    temp.replace(target)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file among threads and processes, waiting as long as it takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def writer_lock(root: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the only writer's place; BackendBusy after ``wait_seconds``. Freed by the kernel on a crash."""
    root.mkdir(parents=True, exist_ok=True)
    handle = os.open(root / "writer.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(handle, root, wait_seconds)
        _sweep(root)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, root: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BackendBusy(
                    f"another process has been importing into {root} for over {wait_seconds:g} s; try again"
                ) from None
            time.sleep(0.05)


def _sweep(root: Path) -> None:
    for leftover in (root / "tmp").glob("*"):
        if leftover.is_file():
            leftover.unlink()
