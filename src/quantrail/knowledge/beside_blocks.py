"""What else leaderboards ask of a backtest, by column: where it was run, and metrics without a column.

The blocks lie beside those of the metrics, in the same table, and are dropped by the same trigger.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.knowledge import values as v
from quantrail.knowledge.blocks import (
    BESIDE,
    Blocks,
    Parts,
    arrays,
    packed,
    packed_once,
    sealed_blocks,
    unpacked,
)
from quantrail.knowledge.metric_blocks import Bounds, within
from quantrail.knowledge.schema import BLOCK
from quantrail.knowledge.session import Session

_CONTEXT = " context"  # no metric is called that
_SPAN = "m.backtest_pk >= ? AND m.backtest_pk < ?"
# Metrics without a column are mostly those of a few backtests: place and value for each that has one.
_SPARSE = np.dtype([("place", "<u2"), ("value", "<f4")])


def _parts(session: Session, first: int) -> Parts:
    span = [first, first + BLOCK]
    contexts = session.floats(
        "SELECT m.backtest_pk, b.context_pk FROM metrics m JOIN backtests b ON b.pk = m.backtest_pk "
        f"WHERE {_SPAN}",
        span,
        2,
    ).astype(np.int64)
    return [] if not len(contexts) else [(_CONTEXT, _context(first, *contexts.T)), *_more(session, first)]


def _context(first: int, pks: NDArray[np.int64], contexts: NDArray[np.int64]) -> bytes:
    once = (contexts == contexts[0]).all()
    return packed_once(int(contexts[0])) if once else packed(pks - first, contexts)


def _more(session: Session, first: int) -> Parts:
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    rows = session.rows(
        f"SELECT m.backtest_pk, m.more_json FROM metrics m WHERE {_SPAN} AND m.more_json IS NOT NULL "
        "ORDER BY m.backtest_pk",
        [first, first + BLOCK],
    )
    for pk, more in rows:
        for name, value in v.from_json(more).items():
            if value is not None and name.isidentifier():  # no other name can be asked for
                found[name].append((pk - first, _number(value)))
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which keeps the order
        return [(name, np.array(pairs, dtype=_SPARSE).tobytes()) for name, pairs in found.items()]


def _number(value: Any) -> float:
    """As the database compares it; SQLite takes whatever is no number for more than any number."""
    try:
        return float(value) if isinstance(value, int | float) else math.inf
    except OverflowError:
        return math.inf if value > 0 else -math.inf


ALSO = Blocks("metric_blocks", "metric", "floats", "metrics", "backtest_pk", "backtests", _parts, BESIDE)


def sealed_in(session: Session, contexts: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """For each sealed block its first key, and which of its backtests were run in one of ``contexts``,
    which says so by the context's key."""
    for first, raw in arrays(session, ALSO, _CONTEXT).items():
        yield first, np.broadcast_to(contexts[unpacked(raw)], BLOCK)


def sealed_beside(session: Session, bounds: Mapping[str, Bounds]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """For each sealed block its first key, and which of its backtests may meet all ``bounds`` on metrics
    without a column: each that does, and few others."""
    masks = {first: np.ones(BLOCK, dtype=bool) for first in sealed_blocks(session, ALSO)}
    for name, both in bounds.items():
        held = arrays(session, ALSO, name)
        for first, mask in masks.items():
            pairs = np.frombuffer(held.get(first, b""), dtype=_SPARSE)
            met = np.zeros(BLOCK, dtype=bool)
            met[pairs["place"][within(pairs["value"], both)]] = True
            mask &= met
    yield from masks.items()
