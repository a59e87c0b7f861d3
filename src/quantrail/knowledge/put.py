"""Insert what is new, recognise what is known, refuse what differs: one rule for every table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import add, itemgetter
from typing import Any

from quantrail.domain.answers import Written
from quantrail.errors import Conflict
from quantrail.knowledge.public_ids import public_name, public_value, spelt
from quantrail.knowledge.schema import table_columns
from quantrail.knowledge.session import Row, Session

COLUMNS = table_columns()


class Put:
    """A table with its unique key, and the columns that must agree when the key is known.

    Rows are handed in without ``pk``, values in the order of the table's other columns. The first key
    column is the one looked up. Tables without a ``pk`` are known by their key alone. ``alike`` says of
    two values of a column that differ whether they mean the same.
    """

    def __init__(
        self,
        table: str,
        key: Sequence[str],
        content: Sequence[str] = (),
        alike: Mapping[str, Callable[[Session, Any, Any], bool]] | None = None,
    ) -> None:
        names = COLUMNS[table]
        self.table = table
        self.has_pk = names[0] == "pk"
        self._names = names[1:] if self.has_pk else names
        self._content = [self._names.index(name) for name in content]
        self._first = self._names.index(key[0])
        self._key_of: Callable[[Row], Any] = itemgetter(*(self._names.index(name) for name in key))
        self._content_of: Callable[[Row], Any] = itemgetter(*self._content) if content else _nothing
        self._lookup = key[0]
        self._select = f"SELECT {', '.join([*key, *(['pk'] if self.has_pk else []), *content])} FROM {table}"
        self._stored_key: Callable[[Row], Any] = itemgetter(*range(len(key)))
        first = len(key) + self.has_pk
        self._stored_content: Callable[[Row], Any] = (
            itemgetter(*range(first, first + len(content))) if content else _nothing
        )
        self._pk_at = len(key)
        self._alike = alike or {}

    def __call__(
        self, session: Session, rows: Sequence[Row], old: Sequence[Row] | None = None
    ) -> tuple[list[int], Written]:
        """Keys and newness of each row, in order. ``old`` are those of the rows that may be there, by
        default all: no lookup for the others."""
        known = self._stored(session, rows if old is None else old)
        keys = list(map(self._key_of, rows))
        if not known and len(set(keys)) == len(keys):
            return self._all_new(session, rows)
        new: dict[Any, tuple[int, Row]] = {}
        pk = session.reserve(self.table, len(rows)) if self.has_pk else 0
        pks: list[int] = []
        is_new: list[bool] = []
        for key, row in zip(keys, rows, strict=True):
            is_new.append(key not in known and key not in new)
            if is_new[-1]:
                new[key] = (pk, row)
                pks.append(pk)
                pk += self.has_pk
            else:
                held = known.get(key) or (new[key][0], self._content_of(new[key][1]))
                pks.append(self._meet(session, row, held))
        self._insert(session, list(new.values()))
        return pks, Written(tuple(is_new))

    def _all_new(self, session: Session, rows: Sequence[Row]) -> tuple[list[int], Written]:
        written = Written((True,) * len(rows))
        if not self.has_pk:
            session.insert(self.table, rows)
            return [0] * len(rows), written
        first = session.reserve(self.table, len(rows))
        pks = range(first, first + len(rows))
        session.insert(self.table, list(map(add, zip(pks), rows)))
        return list(pks), written

    def _meet(self, session: Session, row: Row, held: tuple[int, Any]) -> int:
        pk, content = held
        if (offered := self._content_of(row)) != content:
            self._compare(session, row[self._first], content, offered)
        return pk

    def _insert(self, session: Session, new: list[tuple[int, Row]]) -> None:
        session.insert(self.table, [(pk, *row) if self.has_pk else row for pk, row in new])

    def _stored(self, session: Session, rows: Sequence[Row]) -> dict[Any, tuple[int, Any]]:
        wanted = [row[self._first] for row in rows]
        found = session.among(self._select, self._lookup, wanted)
        return {
            self._stored_key(row): (row[self._pk_at] if self.has_pk else 0, self._stored_content(row))
            for row in found
        }

    def _compare(self, session: Session, key: Any, stored: Any, offered: Any) -> None:
        single = len(self._content) == 1
        pairs = [(stored, offered)] if single else list(zip(stored, offered, strict=True))
        for at, (old, new) in zip(self._content, pairs, strict=True):
            column = self._names[at]
            alike = self._alike.get(column)
            if old != new and not (alike and alike(session, old, new)):
                self._refuse(session, key, column, (old, new))

    def _refuse(self, session: Session, key: Any, column: str, pair: tuple[Any, Any]) -> None:
        shown = spelt(public_value(session, self.table, self._lookup, key))
        name = public_name(self.table, column)
        old, new = (_short(public_value(session, self.table, column, one)) for one in pair)
        raise Conflict(
            f"{self.table}: {shown} is stored with {name} {old}, now offered with {new}; nothing was changed",
            table=self.table,
            key=shown,
            column=name,
            stored=old,
            offered=new,
        )


def first_seen(keys: Sequence[bytes], new: Collection[bytes]) -> tuple[bool, ...]:
    """New ones count as new where they stand first."""
    left = set(new)
    found = []
    for key in keys:
        found.append(key in left)
        left.discard(key)
    return tuple(found)


def _nothing(_: Row) -> None:
    return None


def _short(value: Any) -> str:
    text = spelt(value) if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 120 else text[:117] + "…"
