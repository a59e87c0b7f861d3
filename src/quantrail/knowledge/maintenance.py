"""Figures about a store, room given back, and backups taken while a run writes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quantrail.errors import BackendCorrupt, BackendError, Conflict, SchemaOutdated
from quantrail.knowledge.backend import Backend, patiently, sqlite_path
from quantrail.knowledge.copying import copy_store, remove_database
from quantrail.knowledge.counts import counts
from quantrail.knowledge.driver_errors import translated
from quantrail.knowledge.migrations import HEAD, REVISIONS
from quantrail.knowledge.upgrade import require_store, upgrade_command


@dataclass(frozen=True, slots=True)
class StoreStats:
    """``bytes_per_backtest`` is None while there is none."""

    url: str
    backend: str
    schema_revision: str
    size_bytes: int
    bytes_per_backtest: float | None
    rows: dict[str, int]


def store_stats(backend: Backend) -> StoreStats:
    with backend.reading() as session:
        rows = counts(session)
        if backend.dialect == "sqlite":
            size = session.rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        else:
            size = session.rows("SELECT pg_database_size(current_database())")
    tests = rows["backtests"]
    total = int(size[0][0])
    return StoreStats(backend.shown, backend.dialect, HEAD, total, total / tests if tests else None, rows)


def vacuum_store(backend: Backend) -> tuple[int, int]:
    """Give unused room back and refresh the planner's statistics; size before and after, in bytes.

    SQLite waits for other writers and needs as much free disk as the file is large.
    """
    before = store_stats(backend).size_bytes
    with translated(backend.shown), backend.engine.connect() as connection:
        if backend.dialect == "sqlite":
            for statement in ("VACUUM", "PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)"):
                patiently(partial(connection.exec_driver_sql, statement))
        else:
            connection.exec_driver_sql("VACUUM ANALYZE")
    return before, store_stats(backend).size_bytes


def backup_store(backend: Backend, target: Path) -> int:
    """A consistent copy in one SQLite file, while others read and write; its size in bytes.

    From PostgreSQL the copy is a SQLite store with the same rows. A SQLite store of any revision can be
    backed up, so that there is something to go back to from an upgrade. Conflict when ``target`` is there.
    """
    found = require_store(backend)
    if backend.dialect != "sqlite" and found in REVISIONS[:-1]:
        raise SchemaOutdated(
            f"{backend.shown} is at schema {found}; keep it with pg_dump, then run: "
            f"{upgrade_command(backend.url)}",
            found=found,
            expected=HEAD,
        )
    if target.exists():
        raise Conflict(f"{target} is there already; a backup never overwrites, name another file")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        source = sqlite_path(backend.url)
        if source is None:
            copy_store(backend, part)
        else:
            _copy_file(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(target)
    except OSError as error:
        raise BackendError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        remove_database(part)
    return target.stat().st_size


def _copy_file(source: Path, target: Path) -> None:
    with (
        translated(f"backup of {source}"),
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        (answer,) = new.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise BackendCorrupt(f"the backup of {source} is damaged ({answer}); run: quantrail db check")
        new.execute("PRAGMA journal_mode = DELETE")
