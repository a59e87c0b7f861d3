"""Insert what is new, recognise what is known, refuse what differs: one rule for every table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from quantrail.domain.answers import Written
from quantrail.errors import Conflict
from quantrail.knowledge.schema import table_columns
from quantrail.knowledge.session import Row, Session

COLUMNS = table_columns()


class Put:
    """A table with its unique key, and the columns that must agree when the key is known.

    Rows are handed in without ``pk``, values in the order of the table's other columns. The first key
    column is the one looked up. Tables without a ``pk`` are known by their key alone.
    """

    def __init__(
        self, table: str, key: Sequence[str], content: Sequence[str] = (), show: Callable[[Any], str] = str
    ) -> None:
        names = COLUMNS[table]
        self.table = table
        self.has_pk = names[0] == "pk"
        self._names = names[1:] if self.has_pk else names
        self._key = [self._names.index(name) for name in key]
        self._content = [self._names.index(name) for name in content]
        self._lookup = key[0]
        picked = [*key, *(["pk"] if self.has_pk else []), *content]
        self._select = f"SELECT {', '.join(picked)} FROM {table}"
        self._show = show

    def __call__(
        self, session: Session, rows: Sequence[Row], fresh: Callable[[Row], bool] | None = None
    ) -> tuple[list[int], Written]:
        """Keys and newness of each row, in order. ``fresh`` rows cannot be there: no lookup for them."""
        known = self._stored(session, [row for row in rows if not (fresh and fresh(row))])
        pks: list[int] = []
        is_new: list[bool] = []
        to_insert: list[Row] = []
        first = session.reserve(self.table, len(rows)) if self.has_pk else 0
        for row in rows:
            key = tuple(row[i] for i in self._key)
            content = [row[i] for i in self._content]
            stored = known.get(key)
            if stored is None:
                known[key] = stored = (first + len(to_insert), content)
                to_insert.append((stored[0], *row) if self.has_pk else row)
                is_new.append(True)
            else:
                self._same(key, stored[1], content)
                is_new.append(False)
            pks.append(stored[0])
        session.insert(self.table, to_insert)
        return pks, Written(tuple(is_new))

    def _stored(self, session: Session, rows: Sequence[Row]) -> dict[Row, tuple[int, list[Any]]]:
        wanted = [row[self._key[0]] for row in rows]
        size = len(self._key)
        found = session.among(self._select, self._lookup, wanted)
        if not self.has_pk:
            return {row[:size]: (0, list(row[size:])) for row in found}
        return {row[:size]: (row[size], list(row[size + 1 :])) for row in found}

    def _same(self, key: Row, stored: list[Any], offered: list[Any]) -> None:
        if stored == offered:
            return
        for position, old, new in zip(self._content, stored, offered, strict=True):
            if old != new:
                raise Conflict(
                    f"{self.table}: {self._show(key[0])} is stored with {self._names[position]} "
                    f"{_short(old)}, now offered with {_short(new)}; nothing was changed",
                    table=self.table,
                    key=self._show(key[0]),
                    column=self._names[position],
                    stored=_short(old),
                    offered=_short(new),
                )


def _short(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 120 else text[:117] + "…"
