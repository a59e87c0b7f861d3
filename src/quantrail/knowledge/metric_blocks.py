"""Metrics by column, so that a bound on any of them is tested on a million backtests within milliseconds.

Each metric of a block of backtests is one array. Most are rounded to float32, which keeps the order:
whatever meets a bound meets the rounded one too, and who asks tests the few that are named against the
exact values. Those that leaderboards are ordered by are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.answers import LeaderboardOrder
from quantrail.knowledge.blocks import Blocks, Parts, arrays, sealed_blocks
from quantrail.knowledge.schema import BLOCK, METRIC_COLUMNS
from quantrail.knowledge.session import Session

Bounds = tuple[float | None, float | None]
Floats = NDArray[np.float32] | NDArray[np.float64]
_EXACT = frozenset(order.value for order in LeaderboardOrder)


def _parts(session: Session, first: int) -> Parts:
    """The metrics that any of the block's backtests has; NaN where there is none."""
    source = "FROM metrics WHERE backtest_pk >= ? AND backtest_pk < ?"
    span = [first, first + BLOCK]
    # Most metrics have a value for all backtests or for none.
    (counts,) = session.rows(
        f"SELECT {', '.join(f'count({name})' for name in METRIC_COLUMNS)} {source}", span
    )
    names = [name for name, count in zip(METRIC_COLUMNS, counts, strict=True) if count]
    rows = session.rows(f"SELECT {', '.join(['backtest_pk', *names])} {source}", span)
    table = np.array(rows, dtype=np.float64).reshape(-1, 1 + len(names))
    block = np.full((len(names), BLOCK), np.nan)
    block[:, table[:, 0].astype(np.int64) - first] = table[:, 1:].T
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which keeps the order
        return [
            (name, one.astype("<f8" if name in _EXACT else "<f4").tobytes())
            for name, one in zip(names, block, strict=True)
        ]


METRICS = Blocks("metric_blocks", "metric", "floats", "metrics", "backtest_pk", "backtests", _parts)


def sealed_values(session: Session, name: str) -> dict[int, Floats]:
    """A metric of each sealed block that has it, by the block's first key."""
    return {
        first: np.frombuffer(raw, dtype="<f8" if name in _EXACT else "<f4")
        for first, raw in arrays(session, METRICS, name).items()
    }


def sealed_meeting(session: Session, bounds: Mapping[str, Bounds]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """For each sealed block its first key, and which of its backtests may meet all ``bounds``: each that
    does, and few others. Names must be among the columns."""
    masks = {first: np.ones(BLOCK, dtype=bool) for first in sealed_blocks(session, METRICS)}
    for name, both in bounds.items():
        floats = sealed_values(session, name)
        for first, mask in masks.items():
            mask &= within(floats[first], both) if first in floats else False
    yield from masks.items()


def within(values: Floats, bounds: Bounds) -> NDArray[np.bool_]:
    """Which may be within the bounds before they were rounded; NaN never is, if there is a bound."""
    found = np.ones(len(values), dtype=bool)
    with np.errstate(over="ignore"):
        low, high = (None if bound is None else values.dtype.type(bound) for bound in bounds)
    if low is not None:
        found &= values >= low
    if high is not None:
        found &= values <= high
    return found
