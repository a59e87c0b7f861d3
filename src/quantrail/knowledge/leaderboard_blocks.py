"""Whole leaderboards out of sealed blocks: every backtest that can be meant, in the order asked for.

Bounds are met a little too widely by rounded metrics, and some conditions are not tested here at all, so
who asks tests the few that are shown. The order is exact: scores, and metrics that order, are not rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.answers import LeaderboardOrder
from quantrail.knowledge.blocks import Pks, sealed_blocks, unsealed
from quantrail.knowledge.leaderboard_walks import (
    Clause,
    Place,
    Search,
    bounded,
    metric_bounds,
    row_of,
    template_of,
)
from quantrail.knowledge.metric_blocks import METRICS, sealed_meeting, sealed_values
from quantrail.knowledge.schema import BLOCK, METRIC_COLUMNS
from quantrail.knowledge.score_blocks import Wanted, scored
from quantrail.knowledge.session import Session

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
_HEAD = 4_096  # so many are sorted at first


def in_order(search: Search, among: Mask | None) -> Iterator[Pks]:
    """Stretches of ascending length that together hold each backtest that can be meant, best first;
    ``among`` says by key which may be, None for all."""
    wanted, keys = _wanted(search), _keys(search.session)
    by = None if search.order is LeaderboardOrder.SCORE else _ordering(search.session, search.order.value)
    size, step, after = max(_HEAD, 2 * search.count), max(64, search.count), search.after
    while True:
        best = _Best(size, after)
        for pks, scores in scored(search.session, wanted):
            kept = pks < keys  # a block may name what plain SQL has deleted
            if among is not None:
                kept[kept] = among[pks[kept]]
            best.add(pks[kept], scores[kept] if by is None else by[pks[kept]])
        pks, values = best.sorted()
        at = 0
        while at < len(pks):
            yield pks[at : at + step]
            at, step = at + step, min(2 * step, max(_HEAD, search.count))
        if len(pks) < size:
            return
        # Found anew from there on: to test so many has taken longer than this will.
        after, size = (float(values[-1]), int(pks[-1])), 4 * size


class _Best:
    """Of many places, the ``size`` best after one; never holds many more."""

    def __init__(self, size: int, after: Place | None) -> None:
        value, self._pk = (np.inf, -1) if after is None else after
        self._value = -np.inf if value is None else value
        self._size = size
        self._edge = -np.inf  # none below is among the best
        self._held: list[tuple[Pks, Values]] = []
        self._count = 0

    def add(self, pks: Pks, values: Values) -> None:
        kept = (values < self._value) | ((values == self._value) & (pks > self._pk))
        kept &= values >= self._edge
        self._held.append((pks[kept], values[kept]))
        self._count += int(np.count_nonzero(kept))
        if self._count > 4 * self._size:
            self._trim()

    def sorted(self) -> tuple[Pks, Values]:
        pks, values = self._trim()
        order = np.lexsort((pks, -values))
        return pks[order], values[order]

    def _trim(self) -> tuple[Pks, Values]:
        pks = np.concatenate([np.empty(0, np.int64), *(pks for pks, _ in self._held)])
        values = np.concatenate([np.empty(0), *(values for _, values in self._held)])
        if len(pks) > self._size:
            at = len(values) - self._size
            self._edge = float(np.partition(values, at)[at])
            better, tied = np.flatnonzero(values > self._edge), np.flatnonzero(values == self._edge)
            missing = self._size - len(better)  # of those that tie, the first stored come first
            head = np.concatenate([better, tied[np.argpartition(pks[tied], missing - 1)[:missing]]])
            pks, values = pks[head], values[head]
        self._held, self._count = [(pks, values)], len(pks)
        return pks, values


def _wanted(search: Search) -> Wanted:
    session, where = search.session, search.where
    return Wanted(
        search.policy,
        where.engine_mode,
        where.passed,
        None if where.run_id is None else row_of(session, where.run_id),
        None if where.template_id is None else template_of(session, where.template_id),
    )


def may_meet(search: Search) -> Mask:
    """By backtest key: can it meet the bounds?"""
    session, metrics = search.session, search.where.metrics
    columns = {name: both for name, both in metrics.items() if name in METRIC_COLUMNS and bounded(both)}
    bounds = [one for name, both in metrics.items() for one in metric_bounds(session, name, both)]
    found = np.zeros(_keys(session), dtype=bool)
    if columns:
        for first, mask in sealed_meeting(session, columns):
            found[first : first + BLOCK] = mask
    ranges = unsealed(session, METRICS) if columns else [(0, None)]
    for table in _rows(session, ["m.backtest_pk"], ranges, bounds):
        found[table[:, 0].astype(np.int64)] = True
    return found


def _ordering(session: Session, name: str) -> Values:
    """By backtest key: the metric, -inf where it is undefined."""
    found = np.full(_keys(session), -np.inf)
    for first, values in sealed_values(session, name).items():
        np.copyto(found[first : first + BLOCK], values, where=~np.isnan(values))
    defined = Clause(f"m.{name} IS NOT NULL")
    for table in _rows(session, ["m.backtest_pk", f"m.{name}"], unsealed(session, METRICS), [defined]):
        found[table[:, 0].astype(np.int64)] = table[:, 1]
    return found


def _keys(session: Session) -> int:
    """More than any backtest key that has metrics."""
    (last,) = session.rows("SELECT max(backtest_pk) FROM metrics")[0]
    sealed = sealed_blocks(session, METRICS)
    return max(0 if last is None else last + 1, sealed[-1] + BLOCK if sealed else 0)


def _rows(
    session: Session,
    columns: Sequence[str],
    ranges: Sequence[tuple[int, int | None]],
    also: Sequence[Clause],
) -> Iterator[Values]:
    for first, past in ranges:
        limits = [Clause("m.backtest_pk >= ?", (first,))]
        limits += [] if past is None else [Clause("m.backtest_pk < ?", (past,))]
        clauses = [*limits, *also]
        yield session.floats(
            f"SELECT {', '.join(columns)} FROM metrics m WHERE {' AND '.join(one.sql for one in clauses)}",
            [param for one in clauses for param in one.params],
            len(columns),
        )
