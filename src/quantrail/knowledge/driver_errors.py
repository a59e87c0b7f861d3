"""Errors of the drivers, translated into our tree at the store's edge."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from quantrail.errors import (
    BackendBusy,
    BackendCorrupt,
    BackendError,
    Conflict,
    InvalidInput,
    NotFound,
    QuantrailError,
)

_SQLITE: dict[str, tuple[type[QuantrailError], str]] = {
    "SQLITE_BUSY": (BackendBusy, "another process is writing; try again"),
    "SQLITE_LOCKED": (BackendBusy, "another connection is writing; try again"),
    "SQLITE_FULL": (BackendError, "the disk is full; free some space, nothing was half-written"),
    "SQLITE_READONLY": (BackendError, "the database cannot be written; check its permissions"),
    "SQLITE_CANTOPEN": (BackendError, "the database file cannot be opened; check path and permissions"),
    "SQLITE_IOERR": (BackendError, "the disk failed; check it, nothing was half-written"),
    "SQLITE_CORRUPT": (BackendCorrupt, "the database file is damaged; restore a backup"),
    "SQLITE_NOTADB": (BackendCorrupt, "the file is not a database; restore a backup"),
    "SQLITE_CONSTRAINT_FOREIGNKEY": (NotFound, "a row refers to something that is not there"),
    "SQLITE_CONSTRAINT_UNIQUE": (Conflict, "a row with that key is there already"),
    "SQLITE_CONSTRAINT_PRIMARYKEY": (Conflict, "a row with that key is there already"),
    "SQLITE_CONSTRAINT": (InvalidInput, "the database refused a value"),
    "SQLITE_TOOBIG": (InvalidInput, "a value is too large to store"),
}

_TAKEN = "stored rows cannot be replaced"

# By SQLSTATE, longest prefix first.
_POSTGRES: dict[str, tuple[type[QuantrailError], str]] = {
    "23503": (NotFound, "a row refers to something that is not there"),
    "23505": (Conflict, "a row with that key is there already"),
    "23": (InvalidInput, "the database refused a value"),
    "22": (InvalidInput, "the database refused a value"),
    "55P03": (BackendBusy, "another process is writing; try again"),
    "40": (BackendBusy, "another process was writing the same rows; try again"),
    "57014": (BackendBusy, "the statement took too long; try again"),
    "53100": (BackendError, "the server's disk is full; nothing was half-written"),
    "XX001": (BackendCorrupt, "the database is damaged; restore a backup"),
    "XX002": (BackendCorrupt, "the database is damaged; restore a backup"),
    "25006": (BackendError, "the database cannot be written; check its permissions"),
}


def translate(error: Exception) -> QuantrailError | None:
    """Our error for a driver's, or None when it is not a driver's."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        return translate(error.orig)
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error)
    if isinstance(error, UnicodeDecodeError):  # stored text, or the driver's own message quoting some
        return BackendCorrupt(f"the database is damaged; restore a backup ({error})")
    if isinstance(error, OverflowError):
        return InvalidInput(f"an integer does not fit into 64 bits: {error}")
    if type(error).__module__.split(".")[0] == "psycopg":
        return _from_postgres(error)
    return None


# What Python raises inside a call when a value it was handed is of no type that the call knows.
_MISFITS = (AttributeError, TypeError, RecursionError, UnicodeError)


def misfit(call: str, error: Exception) -> InvalidInput | None:
    """The caller's error when a value's type does not fit. Chain ``error``: it may be a fault of our own."""
    if not isinstance(error, _MISFITS):
        return None
    said = f"{type(error).__name__}: {error}"
    return InvalidInput(f"{call} was handed a value of a type that it cannot take ({said:.300})", call=call)


def _from_sqlite(error: sqlite3.Error) -> QuantrailError:
    name: str = getattr(error, "sqlite_errorname", None) or ""
    if _TAKEN in str(error):  # said by a trigger, before the key itself could speak
        return Conflict(f"a row with that key is there already ({error})", driver=name)
    while name:
        if name in _SQLITE:
            kind, advice = _SQLITE[name]
            return kind(f"{advice} ({error})", driver=name)
        name = name.rpartition("_")[0]
    if str(error).startswith("Could not decode to UTF-8"):  # the module's own words, without a code
        return BackendCorrupt(f"the database file is damaged; restore a backup ({error})")
    return BackendError(f"the database failed: {error}", driver=type(error).__name__)


def _from_postgres(error: Exception) -> QuantrailError:
    state: str = getattr(error, "sqlstate", None) or ""
    for size in (5, 2):
        if state[:size] in _POSTGRES:
            kind, advice = _POSTGRES[state[:size]]
            return kind(f"{advice} ({_first_line(error)})", driver=state)
    if type(error).__name__ == "DataError":
        return InvalidInput(f"the database refused a value ({_first_line(error)})", driver=state)
    return BackendError(
        f"the database server failed or went away: {_first_line(error)}; nothing was half-written",
        driver=state,
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextmanager
def translated(where: str = "") -> Iterator[None]:
    """Every driver error inside leaves as one of ours; failures of the medium name ``where``."""
    try:
        yield
    except QuantrailError:
        raise
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        if where and isinstance(ours, BackendError):
            ours = type(ours)(f"{where}: {ours.message}", **ours.context)
        raise ours from error
