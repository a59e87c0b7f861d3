"""A whole store into an empty one on either backend: counts and hashes verified, all or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Table
from sqlalchemy.schema import sort_tables_and_constraints

from quantrail.errors import BackendCorrupt, Conflict
from quantrail.knowledge import values as v
from quantrail.knowledge.backend import Backend, sqlite_path
from quantrail.knowledge.bands import fill_bands
from quantrail.knowledge.beside_blocks import ALSO
from quantrail.knowledge.blocks import seal_all
from quantrail.knowledge.driver_errors import translated
from quantrail.knowledge.metric_blocks import METRICS
from quantrail.knowledge.schema import DERIVED, EARNED, described, metadata
from quantrail.knowledge.score_blocks import SCORES
from quantrail.knowledge.session import Row, Session
from quantrail.knowledge.statistics import Statistics
from quantrail.knowledge.upgrade import require_head, upgrade

_CHUNK = 2_000

_POINTERS = "SELECT constraint_set_pk, pk FROM iterations WHERE constraint_set_pk IS NOT NULL ORDER BY pk"


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """``sha256`` over all rows in key order, the same on both sides."""

    name: str
    rows: int
    sha256: str


def copy_store(source: Backend, to: str | Path) -> list[CopiedTable]:
    """Copy every row into ``to``, which is made or migrated first and must hold no run.

    Raises Conflict when it holds something, BackendCorrupt when a copied table hashes differently;
    the target is then as empty as before, and a file that was not there is removed again. A source that is
    damaged is named as such.
    """
    require_head(source)
    source.require_sound()  # rows of a lost page would just be missing
    target = Backend(to)
    file = sqlite_path(target.url)
    made = file is not None and not file.exists()
    try:
        upgrade(to)
        copied = _copy_all(source, target)
        Statistics(target).refresh()
    except BaseException:
        target.close()
        if file is not None and made:
            remove_database(file)
        raise
    target.close()
    return copied


def remove_database(file: Path) -> None:
    """A SQLite file and what SQLite keeps beside it, as far as they are there."""
    for leftover in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        leftover.unlink(missing_ok=True)


def _copy_all(source: Backend, target: Backend) -> list[CopiedTable]:
    with source.reading() as old, target.writing() as new:
        _must_be_empty(target, new)
        with _as_it_was(new):
            copied = [_copy(_from(source, old, table), new, table) for table in _tables()]
        with translated(source.shown):
            pointers = old.rows(_POINTERS)
        for pointer in pointers:
            new.run("UPDATE iterations SET constraint_set_pk = ? WHERE pk = ?", pointer)
        for one in copied:
            _verify(new, one)
        fill_bands(new)
        seal_all(new, METRICS)
        seal_all(new, ALSO)
        seal_all(new, SCORES)
        new.run("COMMIT")
    return copied


def _from(source: Backend, old: Session, table: Table) -> Iterator[list[Row]]:
    """The source's rows; an error in reading them names the source, around which the target's would be."""
    with translated(source.shown):
        yield from _chunks(old, table)


def _tables() -> list[Table]:
    ordered = sort_tables_and_constraints(metadata.sorted_tables)  # type: ignore[no-untyped-call]
    # The derived ones are filled by triggers, or worked out anew.
    return [table for table, _ in ordered if table is not None and table.name not in DERIVED]


@contextmanager
def _as_it_was(new: Session) -> Iterator[None]:
    """Promotions are copied as they stand, even those of before tiers had to be earned."""
    on = "" if new.dialect == "sqlite" else " ON promotion_records"
    new.run(f"DROP TRIGGER IF EXISTS {EARNED}{on}")
    yield
    (made,) = (one for one in described(new.dialect) if f"TRIGGER {EARNED} " in one)
    new.run(made)


def _must_be_empty(target: Backend, session: Session) -> None:
    for table in _tables():
        if session.rows(f"SELECT 1 FROM {table.name} LIMIT 1"):
            raise Conflict(f"{target.shown} holds rows already ({table.name}); copy into an empty database")


def _copy(chunks: Iterator[list[Row]], new: Session, table: Table) -> CopiedTable:
    digest = hashlib.sha256()
    count = 0
    for rows in chunks:
        digest.update(_bytes(rows))
        count += len(rows)
        new.insert(table.name, [_early(table, row) for row in rows])
    return CopiedTable(table.name, count, digest.hexdigest())


def _chunks(session: Session, table: Table) -> Iterator[list[Row]]:
    """All rows in key order, values as every backend would say them."""
    names = [column.name for column in table.columns]
    key = [column.name for column in table.primary_key.columns]
    flags = [i for i, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    listed, ordered = ", ".join(names), ", ".join(key)
    at = [names.index(name) for name in key]
    after: list[Any] = []
    while True:
        where = f"WHERE ({ordered}) > ({', '.join('?' * len(key))})" if after else ""
        rows = session.rows(
            f"SELECT {listed} FROM {table.name} {where} ORDER BY {ordered} LIMIT {_CHUNK}", after
        )
        if rows:
            yield [_plain(row, flags) for row in rows]
        if len(rows) < _CHUNK:
            return
        after = [rows[-1][i] for i in at]


def _plain(row: Row, flags: list[int]) -> Row:
    values = [v.json_text(value, "tags") if isinstance(value, list) else value for value in row]
    for i in flags:
        values[i] = None if values[i] is None else bool(values[i])
    return tuple(values)


def _bytes(rows: list[Row]) -> bytes:
    return repr(rows).encode()


def _early(table: Table, row: Row) -> Row:
    """Iterations come before the constraint sets they point to; the pointer follows later."""
    if table.name != "iterations":
        return row
    position = [column.name for column in table.columns].index("constraint_set_pk")
    return (*row[:position], None, *row[position + 1 :])


def _verify(new: Session, copied: CopiedTable) -> None:
    digest = hashlib.sha256()
    count = 0
    for rows in _chunks(new, metadata.tables[copied.name]):
        digest.update(_bytes(rows))
        count += len(rows)
    if (count, digest.hexdigest()) != (copied.rows, copied.sha256):
        raise BackendCorrupt(
            f"{copied.name}: {copied.rows} rows were read, {count} came back, or their hash differs; "
            "nothing was kept. Run: quantrail db check"
        )
