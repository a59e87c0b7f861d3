"""Rows that never change, repeated as arrays: a part of each for so many consecutive keys at once.

A block is sealed once it is complete: by the commit after which no more of its rows are due. A trigger
drops a block into whose range a row falls nevertheless, and what is not sealed is read as rows. So is, until
the next commit of a program that knows it, a kind of block that the store was written without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.errors import BackendError
from quantrail.knowledge.backend import Backend
from quantrail.knowledge.schema import BLOCK
from quantrail.knowledge.session import Session

BESIDE = "*"  # no name of a metric begins like that
Pks = NDArray[np.int64]
Parts = list[tuple[str, bytes]]
_KINDS = ("<i1", "<i2", "<i4", "<i8")


@dataclass(frozen=True, slots=True)
class Blocks:
    """A kind of block: its table, the table it repeats, and what a block of it holds."""

    table: str
    part: str  # the column that names an array
    array: str
    source: str
    key: str
    counter: str  # the table whose next free key tells how far the source has grown
    parts: Callable[[Session, int], Parts]
    # What the names of its parts begin with, where two kinds share a table. Alone it names the part without
    # an array that says: this block is sealed.
    mark: str = ""

    def holds(self, part: str) -> bool:
        return part.startswith(BESIDE) is (self.mark == BESIDE)


def parts_of(session: Session, blocks: Blocks, first: int) -> Parts:
    """What a sealed block holds, the mark of being sealed included."""
    return [
        (blocks.mark, b""),
        *((blocks.mark + name, array) for name, array in blocks.parts(session, first)),
    ]


def sealed_blocks(session: Session, blocks: Blocks) -> list[int]:
    """First keys of the sealed blocks, ascending."""
    sql = f"SELECT first_pk FROM {blocks.table} WHERE {blocks.part} = ? ORDER BY first_pk"
    return [row[0] for row in session.rows(sql, [blocks.mark])]


def open_blocks(session: Session, blocks: Blocks) -> list[int]:
    """First keys of the complete blocks that are not sealed."""
    (last,) = session.rows(f"SELECT max({blocks.key}) FROM {blocks.source}")[0]
    sealed = set(sealed_blocks(session, blocks))
    complete = range(0, 0 if last is None else last - BLOCK + 1, BLOCK)
    return [first for first in complete if first not in sealed]


def unsealed(session: Session, blocks: Blocks) -> Sequence[tuple[int, int | None]]:
    """Ranges of keys, first and past the last, that no sealed block covers; the last one is open."""
    edges: list[tuple[int, int | None]] = []
    at = 0
    for first in sealed_blocks(session, blocks):
        if first > at:
            edges.append((at, first))
        at = first + BLOCK
    return [*edges, (at, None)]


def arrays(session: Session, blocks: Blocks, part: str) -> dict[int, bytes]:
    """That part of each sealed block that has it, by the block's first key."""
    sql = f"SELECT first_pk, {blocks.array} FROM {blocks.table} WHERE {blocks.part} = ?"
    return dict(session.rows(sql, [blocks.mark + part]))


def packed(places: Pks, values: Pks) -> bytes:
    """A whole number for each key of a block, in the narrowest integers that hold them; 0 where there is
    none."""
    block = np.zeros(BLOCK, dtype=np.int64)
    block[places] = values
    for kind in _KINDS:
        if np.iinfo(kind).min <= block.min() and block.max() <= np.iinfo(kind).max:
            break
    return block.astype(kind).tobytes()


def packed_once(value: int) -> bytes:
    """The same whole number for all of a block."""
    return np.array([value], dtype="<i8").tobytes()


def unpacked(raw: bytes) -> NDArray[np.signedinteger[Any]]:
    """One number for all, or one each; the length tells how wide they are."""
    return np.frombuffer(raw, dtype=f"<i{len(raw) // BLOCK or 8}")


def seal(session: Session, blocks: Blocks, first: int) -> None:
    parts = parts_of(session, blocks, first)
    session.insert(blocks.table, [(first, name, array) for name, array in parts])


def seal_all(session: Session, blocks: Blocks) -> None:
    for first in open_blocks(session, blocks):
        seal(session, blocks, first)


def drifted(session: Session, blocks: Blocks) -> Iterator[int]:
    """First keys of the sealed blocks that differ from what they repeat."""
    sql = f"SELECT {blocks.part}, {blocks.array} FROM {blocks.table} WHERE first_pk = ?"
    for first in sealed_blocks(session, blocks):
        rows = session.rows(sql, [first])
        held = {(name, bytes(array)) for name, array in rows if blocks.holds(name)}
        if held != set(parts_of(session, blocks, first)):
            yield first


class Sealer:
    """Seals blocks as they become complete; to be told of every commit, which stands whatever happens."""

    def __init__(self, backend: Backend, *kinds: Blocks) -> None:
        self._backend = backend
        self._kinds = kinds
        self._done = dict.fromkeys(kinds, 0)

    def after(self, next_keys: Mapping[str, int]) -> None:
        """``next_keys``: the next free key of each table that has grown, and maybe of others."""
        for blocks in self._kinds:
            complete = (next_keys.get(blocks.counter, 0) - 1) // BLOCK
            if complete > self._done[blocks]:
                with suppress(BackendError):  # busy or full: the next commit tries again
                    while self._seal_one(blocks):
                        pass
                    self._done[blocks] = complete

    def _seal_one(self, blocks: Blocks) -> bool:
        with self._backend.writing() as session:
            due = open_blocks(session, blocks)
            for first in due[:1]:
                seal(session, blocks, first)
            session.commit()
        return len(due) > 1
