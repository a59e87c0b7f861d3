"""One open transaction, spoken to in plain SQL with ``?`` marks on both backends.

Writers hold the store's only write lock (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock), so
that a key looked up stays free until the commit, and integer keys can be handed out in blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql

from quantrail.knowledge.schema import metadata, table_columns

Row = tuple[Any, ...]
_COLUMNS = table_columns()
_CHUNK = 500
# Rows of one INSERT. Where a table has triggers, SQLite copies each page that a statement touches, to be
# able to undo it; for many rows at once it does so once. No table has more columns than 32 766 / 500.
_TOGETHER = (500, 100, 10, 1)
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

    def floats(self, sql: str, params: Sequence[Any], width: int) -> NDArray[np.float64]:
        """Rows of ``width`` numbers, none of them NULL, as one table. No row is kept, so that thousands of
        them set off no search for garbage, which takes as long as reading them."""
        self._cursor.execute(self._spelt(sql), params)
        return np.fromiter(chain.from_iterable(self._cursor), dtype=np.float64).reshape(-1, width)

    def one(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        self._cursor.execute(self._spelt(sql), params)
        found: Row | None = self._cursor.fetchone()
        return found

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Number of rows touched."""
        self._cursor.execute(self._spelt(sql), params)
        return int(self._cursor.rowcount)

    def insert(self, table: str, rows: Sequence[Row], columns: Sequence[str] | None = None) -> None:
        """Values in the order of ``columns``, by default all of the table's; the others get NULL."""
        if not rows:
            return
        self.written += len(rows)
        names = _COLUMNS[table] if columns is None else tuple(columns)
        if self.dialect == "sqlite":
            self._insert_sqlite(table, names, rows)
        else:
            together = [list(column) for column in zip(*rows, strict=True)]
            self._cursor.execute(_postgres_insert(table, names), together)

    def _insert_sqlite(self, table: str, names: tuple[str, ...], rows: Sequence[Row]) -> None:
        start = 0
        for size in _TOGETHER:
            while len(rows) - start >= size:
                flat: list[Any] = []
                for row in rows[start : start + size]:
                    flat += row
                self._cursor.execute(_sqlite_insert(table, names, size), flat)
                start += size

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


@lru_cache(maxsize=256)
def _sqlite_insert(table: str, names: tuple[str, ...], rows: int) -> str:
    marks = ", ".join([f"({', '.join('?' * len(names))})"] * rows)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks}"


@lru_cache(maxsize=256)
def _postgres_insert(table: str, names: tuple[str, ...]) -> str:
    """One statement for a whole batch, columns as arrays: triggers then run once per batch."""
    kinds = [_postgres_kind(table, name) for name in names]
    arrays = ", ".join(f"%s::{_PG_ARRAY[kind]}[]" for kind in kinds)
    values = ", ".join(f"c{i}::jsonb" if kind == "JSONB" else f"c{i}" for i, kind in enumerate(kinds))
    marks = ", ".join(f"c{i}" for i in range(len(names)))
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM unnest({arrays}) AS t({marks})"


def _postgres_kind(table: str, column: str) -> str:
    return str(metadata.tables[table].c[column].type.compile(dialect=_PG))
