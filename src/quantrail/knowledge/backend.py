"""Where the database lives and how a connection to it must behave."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from quantrail.errors import BackendBusy, BackendCorrupt, ConfigInvalid, Unsupported
from quantrail.knowledge.driver_errors import translate, translated
from quantrail.knowledge.session import Session

BUSY_SECONDS = 60.0
BUSY_SLICE_SECONDS = 5.0  # SQLite's own wait, after which patience is asked again
_KEPT_READERS = 2
T = TypeVar("T")
_Kept = tuple[Any, Any]  # connection and cursor
WRITE_LOCK = 7_261_853_911  # the advisory lock all quantrail writers share on one PostgreSQL database


def parse_url(url: str | Path) -> URL:
    """A file path, ``sqlite:///file`` or ``postgresql://…``; ConfigInvalid for anything else."""
    if not isinstance(url, (str, Path)) or not str(url).strip():
        raise ConfigInvalid(f"not a database: {url!r}; write a file, sqlite:///file or postgresql://…")
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigInvalid(f"not a database URL: {url!r}; write sqlite:///file or postgresql://…") from error
    kind = parsed.get_backend_name()
    if kind in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigInvalid(f"no store can live at {url!r}; write sqlite:///file or postgresql://…")
    return parsed


def masked(url: URL) -> str:
    """The URL as it may be shown: no password, wherever in it one stands."""
    if "password" in url.query:
        url = url.update_query_dict({"password": "***"})
    return url.render_as_string(hide_password=True).replace("password=%2A%2A%2A", "password=***")


def sqlite_path(url: URL) -> Path | None:
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


class Backend:
    """A pool of connections; ``reading`` and ``writing`` lend a session inside one transaction."""

    def __init__(self, url: str | Path) -> None:
        self.url = parse_url(url)
        self.dialect = self.url.get_backend_name()
        self.engine = _engine(self.url)
        # Connections that reads and writes on SQLite go on using, each with a cursor: to check one out of
        # the pool takes as long as a small read. So few that the pool always has some left.
        self._readers: deque[_Kept] = deque()
        self._writers: deque[_Kept] = deque()
        # The URL without its password; worked out once, since every transaction may have to name it.
        self.shown = masked(self.url)
        self._process, self._forked = os.getpid(), threading.Lock()

    def close(self) -> None:
        self._leave_to_parent()
        self._close_all()

    def _close_all(self) -> None:
        for kept in (self._readers, self._writers):
            while kept:
                kept.pop()[0].close()
        self.engine.dispose()

    def _leave_to_parent(self) -> None:
        """In a forked process, part with the connections it inherited.

        SQLite's locks stay with the parent. Where it believes that it still holds them, the parent takes
        itself for the last one and deletes the log that the child writes to: what was committed is gone.
        """
        if os.getpid() == self._process:
            return
        with self._forked:
            if os.getpid() == self._process:  # another thread was first
                return
            if self.dialect == "sqlite":
                self._close_all()
            else:  # to close one would end the parent's session
                self.engine.dispose(close=False)
            self._process = os.getpid()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view: all reads inside see the same committed state."""
        self._leave_to_parent()
        if self.dialect == "sqlite":
            with translated(self.shown), self._reader() as cursor:
                yield Session(cursor, self.dialect)
            return
        with translated(self.shown), self._cursor() as (cursor, _):
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield Session(cursor, self.dialect)
            finally:
                _end(cursor, "COMMIT")

    def raise_if_damaged(self, error: Exception) -> None:
        """BackendCorrupt where ``error``, which no sound file can cause, comes of a damaged one.

        SQLite tells only some damage by itself: a row that an index promises may just be missing.
        """
        try:
            self.require_sound("integrity_check")
        except BackendCorrupt as damage:
            raise damage from error

    def require_sound(self, look: str = "quick_check") -> None:
        """BackendCorrupt for a damaged SQLite file; ``quick_check`` passes over what only indexes repeat."""
        if self.dialect != "sqlite":
            return
        with self.reading() as session:
            (found,) = session.rows(f"PRAGMA {look}(1)")[0]
        if found != "ok":
            raise BackendCorrupt(
                f"{self.shown}: the database file is damaged ({damage_in_short(found)}); restore a backup"
            )

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with self._kept(self._readers, _KEPT_READERS) as (_, cursor):
            try:
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                _end(cursor, "ROLLBACK")
                raise

    @contextmanager
    def _kept(self, pool: deque[_Kept], size: int) -> Iterator[_Kept]:
        """A connection with a cursor and no transaction; kept for the next one unless anything failed."""
        try:
            connection, cursor = pool.pop()
        except IndexError:
            connection = self._connect()
            cursor = connection.cursor()
        try:
            yield connection, cursor
        except BaseException:
            connection.close()
            raise
        if len(pool) < size:
            pool.append((connection, cursor))
        else:
            connection.close()

    @contextmanager
    def writing(self, durable: bool = False) -> Iterator[Session]:
        """The only writer. Rolled back unless the session's owner ran COMMIT itself."""
        self._leave_to_parent()
        with translated(self.shown), self._writer() as (cursor, notes):
            self._begin(cursor, durable, notes)
            seen = self._commits_of_others(cursor)
            known, keys = notes.pop("next_keys", (None, {}))
            session = Session(cursor, self.dialect, keys if seen is not None and seen == known else {})
            try:
                yield session
            finally:
                _end(cursor, "ROLLBACK")
            if session.committed:
                notes["next_keys"] = (seen, session.next_keys)

    def _commits_of_others(self, cursor: Any) -> int | None:
        """A number that changes when another connection commits; None where there is no such number.

        Asked under the write lock. While it stays, the free keys this connection remembers are free.
        """
        if self.dialect != "sqlite":
            return None
        return int(cursor.execute("PRAGMA data_version").fetchone()[0])

    def _begin(self, cursor: Any, durable: bool, notes: dict[Any, Any]) -> None:
        if self.dialect == "sqlite":
            wanted = "FULL" if durable else "NORMAL"
            if notes.get("synchronous") != wanted:
                cursor.execute(f"PRAGMA synchronous = {wanted}")
                notes["synchronous"] = wanted
            patiently(lambda: cursor.execute("BEGIN IMMEDIATE"))
        else:
            begin_as_only_writer(cursor.execute)

    @contextmanager
    def _writer(self) -> Iterator[tuple[Any, dict[Any, Any]]]:
        if self.dialect != "sqlite":
            with self._cursor() as found:
                yield found
            return
        with self._kept(self._writers, 1) as (connection, cursor):
            yield cursor, connection.info

    @contextmanager
    def _cursor(self) -> Iterator[tuple[Any, dict[Any, Any]]]:
        """A cursor, and the notes kept with its connection."""
        connection = self._connect()
        try:
            cursor = connection.cursor()
            try:
                yield cursor, connection.info
            finally:
                with suppress(*_driver_errors(self.dialect)):
                    cursor.close()
        except BaseException as error:
            if _is_lost(error, connection):
                connection.invalidate()
            raise
        finally:
            connection.close()

    def _connect(self) -> Any:
        try:
            return self.engine.raw_connection()
        except ModuleNotFoundError as error:
            raise Unsupported(
                f"{self.shown} needs the package {error.name!r}: pip install 'quantrail[postgres]'"
            ) from error


def damage_in_short(told: str) -> str:
    """SQLite's lines about damage on one; of many the first, since they come of the same few pages."""
    lines = [line for line in told.splitlines() if not line.startswith("***")]
    more = f"; {len(lines) - 3} more like it" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more


def _driver_errors(dialect: str) -> tuple[type[Exception], ...]:
    if dialect == "sqlite":
        return (sqlite3.Error,)
    import psycopg

    return (psycopg.Error,)


def _is_lost(error: BaseException, connection: Any) -> bool:
    """The connection itself broke, so the pool must not hand it out again."""
    inner = getattr(connection, "driver_connection", None)
    return isinstance(error, Exception) and bool(getattr(inner, "closed", False))


def _end(cursor: Any, word: str) -> None:
    """End a transaction that may be over already: after COMMIT, or after an error that ended it."""
    inner = cursor.connection
    if getattr(inner, "closed", False):
        return
    if isinstance(inner, sqlite3.Connection):
        if inner.in_transaction:
            cursor.execute(word)
    elif inner.info.transaction_status.name != "IDLE":
        cursor.execute("ROLLBACK" if inner.info.transaction_status.name == "INERROR" else word)


def begin_as_only_writer(execute: Callable[[str], object]) -> None:
    """Open a transaction on PostgreSQL that waits its turn among writers, up to ``BUSY_SECONDS``."""
    execute("BEGIN")
    execute(f"SET LOCAL lock_timeout = {int(BUSY_SECONDS * 1000)}")
    execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def patiently(act: Callable[[], T]) -> T:
    """``act`` again and again while SQLite finds another writer, for up to ``BUSY_SECONDS``."""
    # SQLite's own wait can starve one of many writers; short waits in a loop take turns better.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return act()
        except (sqlite3.OperationalError, DBAPIError) as error:
            if not isinstance(translate(error), BackendBusy) or time.monotonic() > deadline:
                raise


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_reset_on_return=None,  # every transaction is ended here
            connect_args={"isolation_level": None, "timeout": BUSY_SLICE_SECONDS},
        )
        event.listen(engine, "connect", lambda connection, _: prepare_sqlite(connection))
        return engine
    try:
        return create_engine(
            url, connect_args={"autocommit": True, "connect_timeout": 10}, pool_pre_ping=True
        )
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"PostgreSQL needs the package {error.name!r}: pip install 'quantrail[postgres]'"
        ) from error


def prepare_sqlite(connection: sqlite3.Connection) -> None:
    """The settings every connection to a store works under; bench/store.py gives them to its yardstick."""
    for pragma in (
        "foreign_keys = ON",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        # A batch at a million backtests touches 100 MB of pages; what does not fit is written at once and
        # read again.
        "cache_size = -262144",
        "temp_store = MEMORY",
        "mmap_size = 1073741824",
        # Pages that many commits touch are copied into the file once per 32 MB, not once per 4 MB.
        "wal_autocheckpoint = 8000",
    ):
        connection.execute(f"PRAGMA {pragma}")
