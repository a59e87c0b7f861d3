"""Metrics by column, so that a bound on any of them is tested on a million backtests within milliseconds.

Stored metrics never change, so a block of backtests is sealed once it is complete: each metric as one
array of float32. Rounding keeps the order, so whatever meets a bound meets the rounded one too; who asks
tests the few that are named against the exact values. What is not sealed is read as rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from quantrail.errors import BackendError
from quantrail.knowledge.backend import Backend
from quantrail.knowledge.schema import METRIC_BLOCK, METRIC_COLUMNS
from quantrail.knowledge.session import Session

_SEALED = ""  # the metric of a row without floats that says: this block is sealed
Bounds = tuple[float | None, float | None]
Pks = NDArray[np.int64]


class Sealer:
    """Seals blocks as they become complete; to be told of every commit, which stands whatever happens."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._done = -1

    def after(self, next_backtest: int | None) -> None:
        """``next_backtest``: the key the next backtest will get, None if this commit stored none."""
        complete = -1 if next_backtest is None else (next_backtest - 1) // METRIC_BLOCK
        if complete <= max(self._done, 0):
            return
        with suppress(BackendError):  # busy or full: the next commit tries again
            while self._seal_one():
                pass
            self._done = complete

    def _seal_one(self) -> bool:
        with self._backend.writing() as session:
            due = open_blocks(session)
            for first in due[:1]:
                seal(session, first)
            session.commit()
        return len(due) > 1


def seal_all(session: Session) -> None:
    for first in open_blocks(session):
        seal(session, first)


def open_blocks(session: Session) -> list[int]:
    """First keys of the complete blocks that are not sealed."""
    (last,) = session.rows("SELECT max(backtest_pk) FROM metrics")[0]
    sealed = set(sealed_blocks(session))
    complete = range(0, 0 if last is None else last - METRIC_BLOCK + 1, METRIC_BLOCK)
    return [first for first in complete if first not in sealed]


def sealed_blocks(session: Session) -> list[int]:
    """First keys of the sealed blocks, ascending."""
    sql = "SELECT first_pk FROM metric_blocks WHERE metric = ? ORDER BY first_pk"
    return [row[0] for row in session.rows(sql, [_SEALED])]


def seal(session: Session, first: int) -> None:
    session.insert("metric_blocks", [(first, name, floats) for name, floats in columns_of(session, first)])


def columns_of(session: Session, first: int) -> list[tuple[str, bytes]]:
    """What a sealed block holds: the metrics that any of its backtests has, and the mark of being sealed."""
    source = "FROM metrics WHERE backtest_pk >= ? AND backtest_pk < ?"
    span = [first, first + METRIC_BLOCK]
    # Most metrics have a value for all backtests or for none.
    (counts,) = session.rows(
        f"SELECT {', '.join(f'count({name})' for name in METRIC_COLUMNS)} {source}", span
    )
    names = [name for name, count in zip(METRIC_COLUMNS, counts, strict=True) if count]
    rows = session.rows(f"SELECT {', '.join(['backtest_pk', *names])} {source}", span)
    table = np.array(rows, dtype=np.float64).reshape(-1, 1 + len(names))
    block = np.full((len(names), METRIC_BLOCK), np.nan, dtype="<f4")
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which keeps the order
        block[:, table[:, 0].astype(np.int64) - first] = table[:, 1:].T
    return [(_SEALED, b""), *((name, one.tobytes()) for name, one in zip(names, block, strict=True))]


def sealed_meeting(session: Session, bounds: Mapping[str, Bounds]) -> Pks:
    """Ascending keys of those backtests in sealed blocks that may meet all ``bounds``: each that does,
    and few others. Names must be among the columns."""
    with np.errstate(over="ignore"):
        rounded = {
            name: [None if x is None else np.float32(x) for x in both] for name, both in bounds.items()
        }
    blocks = sealed_blocks(session)
    masks = {first: np.ones(METRIC_BLOCK, dtype=bool) for first in blocks}
    for name, (low, high) in rounded.items():
        rows = session.rows("SELECT first_pk, floats FROM metric_blocks WHERE metric = ?", [name])
        floats = {first: np.frombuffer(raw, dtype="<f4") for first, raw in rows}
        for first in blocks:
            masks[first] &= _within(floats.get(first), low, high)
    found = [first + np.flatnonzero(mask) for first, mask in masks.items()]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _within(
    values: NDArray[np.float32] | None, low: np.float32 | None, high: np.float32 | None
) -> NDArray[np.bool_]:
    if values is None:
        return np.zeros(METRIC_BLOCK, dtype=bool)
    found = np.ones(METRIC_BLOCK, dtype=bool)
    if low is not None:
        found &= values >= low
    if high is not None:
        found &= values <= high
    return found


def unsealed(session: Session) -> Sequence[tuple[int, int | None]]:
    """Ranges of keys, first and past the last, that no sealed block covers; the last one is open."""
    edges: list[tuple[int, int | None]] = []
    at = 0
    for first in sealed_blocks(session):
        if first > at:
            edges.append((at, first))
        at = first + METRIC_BLOCK
    return [*edges, (at, None)]
