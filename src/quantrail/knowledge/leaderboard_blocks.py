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
from quantrail.knowledge.leaderboard_walks import Clause, Search, bounded, metric_bounds, row_of, template_of
from quantrail.knowledge.metric_blocks import METRICS, sealed_meeting, sealed_values
from quantrail.knowledge.schema import BLOCK, METRIC_COLUMNS
from quantrail.knowledge.score_blocks import Wanted, scored
from quantrail.knowledge.session import Row, Session

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
_HEAD = 4_096  # so many are sorted at first


def in_order(search: Search, among: Mask | None) -> Iterator[Pks]:
    """Stretches of ascending length that together hold each backtest that can be meant, best first;
    ``among`` says by key which may be, None for all."""
    pks, values = _candidates(search, among)
    size, step = _HEAD, max(64, search.count)
    while len(pks):
        head, rest = _split(pks, values, size)
        ordered = pks[head[np.lexsort((pks[head], -values[head]))]]
        while len(ordered):
            yield ordered[:step]
            ordered, step = ordered[step:], min(2 * step, 4_096)
        pks, values, size = pks[rest], values[rest], 4 * size


def _split(pks: Pks, values: Values, size: int) -> tuple[Pks, Mask]:
    """Places of the ``size`` best, not sorted, and a mask of all others."""
    rest = np.ones(len(pks), dtype=bool)
    if len(pks) <= size:
        head = np.arange(len(pks))
    else:
        edge = np.partition(values, len(values) - size)[len(values) - size]
        better, tied = np.flatnonzero(values > edge), np.flatnonzero(values == edge)
        missing = size - len(better)  # of those that tie, the first stored come first
        head = np.concatenate([better, tied[np.argpartition(pks[tied], missing - 1)[:missing]]])
    rest[head] = False
    return head, rest


def _candidates(search: Search, among: Mask | None) -> tuple[Pks, Values]:
    """Keys of those that can be meant, and what they are ordered by: -inf where it is undefined."""
    session, where = search.session, search.where
    wanted = Wanted(
        search.policy,
        where.engine_mode,
        where.passed,
        None if where.run_id is None else row_of(session, where.run_id),
        None if where.template_id is None else template_of(session, where.template_id),
    )
    pks, values = scored(session, wanted, among)
    if search.order is not LeaderboardOrder.SCORE:
        values = _ordering(session, search.order.value)[pks]
    if search.after is not None:
        value, pk = search.after
        edge = -np.inf if value is None else value
        kept = (values < edge) | ((values == edge) & (pks > pk))
        pks, values = pks[kept], values[kept]
    return pks, values


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
    rows = _rows(session, "m.backtest_pk", ranges, bounds)
    found[[row[0] for row in rows]] = True
    return found


def _ordering(session: Session, name: str) -> Values:
    """By backtest key: the metric, -inf where it is undefined."""
    found = np.full(_keys(session), -np.inf)
    for first, values in sealed_values(session, name).items():
        np.copyto(found[first : first + BLOCK], values, where=~np.isnan(values))
    defined = Clause(f"m.{name} IS NOT NULL")
    for pk, value in _rows(session, f"m.backtest_pk, m.{name}", unsealed(session, METRICS), [defined]):
        found[pk] = value
    return found


def _keys(session: Session) -> int:
    """More than any backtest key that has metrics."""
    (last,) = session.rows("SELECT max(backtest_pk) FROM metrics")[0]
    sealed = sealed_blocks(session, METRICS)
    return max(0 if last is None else last + 1, sealed[-1] + BLOCK if sealed else 0)


def _rows(
    session: Session, columns: str, ranges: Sequence[tuple[int, int | None]], also: Sequence[Clause]
) -> Iterator[Row]:
    for first, past in ranges:
        limits = [Clause("m.backtest_pk >= ?", (first,))]
        limits += [] if past is None else [Clause("m.backtest_pk < ?", (past,))]
        clauses = [*limits, *also]
        yield from session.rows(
            f"SELECT {columns} FROM metrics m WHERE {' AND '.join(one.sql for one in clauses)}",
            [param for one in clauses for param in one.params],
        )
