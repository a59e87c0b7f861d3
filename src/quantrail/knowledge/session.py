"""One open transaction, spoken to in plain SQL with ``?`` marks on both backends.

Writers hold the store's only write lock (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock), so
that a key looked up stays free until the commit, and integer keys can be handed out in blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy.dialects import postgresql

from quantrail.knowledge.schema import metadata, table_columns

Row = tuple[Any, ...]
_COLUMNS = table_columns()
_CHUNK = 500
# Rows of one INSERT. Where a table has triggers, SQLite copies each page that a statement touches, to be
# able to undo it; for many rows at once it does so once.
_TOGETHER = 64
_PG = postgresql.dialect()  # type: ignore[no-untyped-call]
_PG_ARRAY = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "BYTEA": "bytea",
    "DOUBLE PRECISION": "double precision",
    "JSONB": "text",
    "TEXT": "text",
}


class Session:
    """SQL on one DBAPI cursor. Not for sharing between threads."""

    def __init__(self, cursor: Any, dialect: str, next_keys: dict[str, int] | None = None) -> None:
        self._cursor = cursor
        self.dialect = dialect
        self.next_keys: dict[str, int] = {} if next_keys is None else next_keys
        self.written = 0
        self.committed = False

    def commit(self) -> None:
        self._cursor.execute("COMMIT")
        self.committed = True

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        self._cursor.execute(self._spelt(sql), params)
        found: list[Row] = self._cursor.fetchall()
        return found

    def one(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        self._cursor.execute(self._spelt(sql), params)
        found: Row | None = self._cursor.fetchone()
        return found

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Number of rows touched."""
        self._cursor.execute(self._spelt(sql), params)
        return int(self._cursor.rowcount)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Whole rows, values in the order of the table's columns."""
        if not rows:
            return
        self.written += len(rows)
        if self.dialect == "sqlite":
            self._insert_sqlite(table, rows)
        else:
            self._cursor.execute(
                _postgres_insert(table), [list(column) for column in zip(*rows, strict=True)]
            )

    def _insert_sqlite(self, table: str, rows: Sequence[Row]) -> None:
        whole = len(rows) - len(rows) % _TOGETHER
        for start in range(0, whole, _TOGETHER):
            values = tuple(chain.from_iterable(rows[start : start + _TOGETHER]))
            self._cursor.execute(_sqlite_insert(table, _TOGETHER), values)
        if whole < len(rows):
            self._cursor.executemany(_sqlite_insert(table), rows[whole:] if whole else rows)

    def reserve(self, table: str, count: int) -> int:
        """First of ``count`` consecutive free keys."""
        if table not in self.next_keys:
            found = self.one(f"SELECT coalesce(max(pk), 0) + 1 FROM {table}")
            self.next_keys[table] = 1 if found is None else int(found[0])
        first = self.next_keys[table]
        self.next_keys[table] = first + count
        return first

    def pks(self, table: str, column: str, keys: Iterable[Any]) -> dict[Any, int]:
        """Integer keys of those rows whose unique ``column`` is among ``keys``."""
        return {row[0]: row[1] for row in self.among(f"SELECT {column}, pk FROM {table}", column, keys)}

    def among(
        self, select: str, column: str, keys: Iterable[Any], also: str = "", params: Sequence[Any] = ()
    ) -> list[Row]:
        """Rows of ``select … WHERE column IN keys [AND also]``, without an order."""
        wanted = sorted(set(keys))  # SQLite looks up neighbours for less
        if not wanted:
            return []
        tail = f" AND {also}" if also else ""
        if self.dialect != "sqlite":
            return self.rows(f"{select} WHERE {column} = ANY(?){tail}", [wanted, *params])
        found: list[Row] = []
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(part))
            found += self.rows(f"{select} WHERE {column} IN ({marks}){tail}", [*part, *params])
        return found

    def among_each(self, select: str, wanted: Mapping[str, Sequence[Any]]) -> list[Row]:
        """Rows of ``select`` with each column among its values, at most 30 000 of them, without an order."""
        if self.dialect == "sqlite":
            tests = [f"{column} IN ({','.join('?' * len(keys))})" for column, keys in wanted.items()]
            params = [key for keys in wanted.values() for key in keys]
        else:
            tests, params = [f"{column} = ANY(?)" for column in wanted], list(wanted.values())
        return self.rows(f"{select} WHERE {' AND '.join(tests)}", params)

    def _spelt(self, sql: str) -> str:
        return sql if self.dialect == "sqlite" else sql.replace("?", "%s")


_statements: dict[tuple[str, str], str] = {}


def _sqlite_insert(table: str, rows: int = 1) -> str:
    key = (f"sqlite {rows}", table)
    if key not in _statements:
        names = _COLUMNS[table]
        marks = ", ".join([f"({', '.join('?' * len(names))})"] * rows)
        _statements[key] = f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks}"
    return _statements[key]


def _postgres_insert(table: str) -> str:
    """One statement for a whole batch, columns as arrays: triggers then run once per batch."""
    key = ("postgresql", table)
    if key not in _statements:
        names = _COLUMNS[table]
        kinds = [_postgres_kind(table, name) for name in names]
        arrays = ", ".join(f"%s::{_PG_ARRAY[kind]}[]" for kind in kinds)
        values = ", ".join(f"c{i}::jsonb" if kind == "JSONB" else f"c{i}" for i, kind in enumerate(kinds))
        marks = ", ".join(f"c{i}" for i in range(len(names)))
        _statements[key] = (
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM unnest({arrays}) AS t({marks})"
        )
    return _statements[key]


def _postgres_kind(table: str, column: str) -> str:
    return str(metadata.tables[table].c[column].type.compile(dialect=_PG))
