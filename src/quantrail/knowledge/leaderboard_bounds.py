"""Leaderboards with bounds on metrics, whatever the metric and however many backtests meet it.

The first rows in order often suffice. If not, the blocks of metrics say which backtests can meet the
bounds: few of them are looked up and sorted, many are met again while the index is walked. Every
backtest that is shown was tested against the exact values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.knowledge.leaderboard_walks import (
    Clause,
    Place,
    after_clause,
    best_first,
    conditions,
    engine_clause,
    in_run,
    metric_bounds,
    row_of,
    scores_by,
    walks,
)
from quantrail.knowledge.metric_blocks import Bounds, Pks, sealed_meeting, unsealed
from quantrail.knowledge.schema import METRIC_COLUMNS
from quantrail.knowledge.session import Session

INDEXED_METRICS = ("max_drawdown_net", "sharpe_net")
FEW = 5_000  # so many are quicker looked up and sorted than met on a walk
_FIRST_LOOKS = (128, 512)
_STRIDES = (4_096, 16_384, 65_536)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: the first ``count`` places after ``after``."""

    session: Session
    where: LeaderboardFilter
    order: LeaderboardOrder
    policy: int
    after: Place | None
    count: int


def applies(where: LeaderboardFilter) -> bool:
    """Bounds there are, and nothing that leads to few backtests by itself."""
    bounded = any(map(_bounded, where.metrics.values()))
    return bounded and where.strategy_id is None and where.tier in (None, Tier.T0)


def _bounded(bounds: Bounds) -> bool:
    return any(bound is not None for bound in bounds)


def places_within(search: Search) -> list[Place] | None:
    """At least ``count`` places if there are so many, in no order; None: walk without this module."""
    for few in few_by_index(search.session, search.where):
        rows = search.session.rows(f"{few.sql} LIMIT ?", (*few.params, FEW + 1))
        if len(rows) <= FEW:
            return _verified(search, [row[0] for row in rows])
    bare = list(_bare(search)) if search.order is LeaderboardOrder.SCORE else []
    looks = [_first_looks(search, walk) for walk in bare]
    if bare and all(done for _, done in looks):
        return [*(place for places, _ in looks for place in places), *_met_again(search)]
    found = _candidates(search)
    if len(found) <= FEW:
        return _verified(search, found.tolist())
    if not bare:
        return None
    return [*(place for walk in bare for place in _met_on(search, walk, found)), *_met_again(search)]


def few_by_index(session: Session, where: LeaderboardFilter) -> Iterator[Clause]:
    """Who meets the bounds on a metric that has an index of its own."""
    for name in INDEXED_METRICS:
        bounds = list(metric_bounds(session, name, where.metrics.get(name, (None, None))))
        if bounds:
            among = " AND ".join(bound.sql for bound in bounds)
            params = tuple(param for bound in bounds for param in bound.params)
            yield Clause(f"SELECT m.backtest_pk FROM metrics m WHERE {among}", params)


def _met_again(search: Search) -> list[Place]:
    """With a run asked for, what earlier runs had produced, which its own index does not lead to."""
    if search.where.run_id is None:
        return []
    _, walk = walks(search.session, search.where, search.order, search.policy, search.after)
    rows = search.session.rows(f"{walk.sql} LIMIT ?", (*walk.params, search.count))
    return [(row[0], row[1]) for row in rows]


def _bare(search: Search) -> Iterator[Clause]:
    """Covering walks in the order of the score; what the bounds and other filters say is tested later."""
    session, where = search.session, search.where
    if where.run_id is not None:
        run = row_of(session, where.run_id)
        yield Clause(f"{scores_by(session, 'ix_scores_run')} WHERE sc.run_pk = ?", (run,))
    elif where.template_id is not None and where.engine_mode is not EngineMode.B:
        template = "(SELECT pk FROM templates WHERE template_id = ?)"
        index = scores_by(session, "ix_scores_template")
        yield Clause(f"{index} WHERE sc.template_pk = {template}", (where.template_id,))
    else:
        for mode in EngineMode:
            if where.engine_mode in (None, mode):
                index = scores_by(session, "ix_scores_engine")
                yield Clause(f"{index} WHERE sc.engine_mode = '{mode.value}'")


def _steps(search: Search, walk: Clause, after: Place | None, sizes: Sequence[int]) -> Iterator[list[Place]]:
    """Stretches of the walk of the ``sizes`` given, the last size until its end."""
    step = 0
    while True:
        size = sizes[min(step, len(sizes) - 1)]
        clauses = [walk, Clause("sc.policy_pk = ?", (search.policy,))]
        clauses += [] if after is None else [after_clause("sc.score_total", after)]
        rows = search.session.rows(
            f"SELECT sc.score_total, sc.backtest_pk FROM {' AND '.join(one.sql for one in clauses)} "
            "ORDER BY sc.score_total DESC, sc.backtest_pk LIMIT ?",
            [*(param for one in clauses for param in one.params), size],
        )
        yield [(row[0], row[1]) for row in rows]
        if len(rows) < size:
            return
        after, step = (rows[-1][0], rows[-1][1]), step + 1


def _first_looks(search: Search, walk: Clause) -> tuple[list[Place], bool]:
    """What the first stretches show, and whether no more need be looked for."""
    found: list[Place] = []
    for look, places in enumerate(_steps(search, walk, search.after, _FIRST_LOOKS)):
        found += _verified(search, [pk for _, pk in places])
        if len(found) >= search.count or len(places) < _FIRST_LOOKS[look]:
            return found, True
        if look + 1 == len(_FIRST_LOOKS):
            break
    return found, False


def _met_on(search: Search, walk: Clause, candidates: Pks) -> list[Place]:
    among = np.zeros(int(candidates[-1]) + 2, dtype=bool)
    among[candidates] = True
    found: list[Place] = []
    for places in _steps(search, walk, search.after, _STRIDES):
        pks = np.array([pk for _, pk in places], dtype=np.int64)
        kept = pks[among[np.minimum(pks, len(among) - 1)]]  # the last cell stands for all beyond: False
        for start in range(0, len(kept), 1000):
            found += _verified(search, kept[start : start + 1000].tolist())
            if len(found) >= search.count:
                return found
    return found


def _candidates(search: Search) -> Pks:
    """Ascending keys of every backtest that can meet the bounds."""
    session, metrics = search.session, search.where.metrics
    columns = {name: both for name, both in metrics.items() if name in METRIC_COLUMNS and _bounded(both)}
    bounds = [one for name, both in metrics.items() for one in metric_bounds(session, name, both)]
    found = [sealed_meeting(session, columns)] if columns else []
    for first, past in unsealed(session) if columns else [(0, None)]:
        limits = [Clause("m.backtest_pk >= ?", (first,))]
        limits += [] if past is None else [Clause("m.backtest_pk < ?", (past,))]
        clauses = [*limits, *bounds]
        rows = session.rows(
            f"SELECT m.backtest_pk FROM metrics m WHERE {' AND '.join(one.sql for one in clauses)}",
            [param for one in clauses for param in one.params],
        )
        found.append(np.array([row[0] for row in rows], dtype=np.int64))
    return np.sort(np.concatenate(found))


def _verified(search: Search, pks: list[int]) -> list[Place]:
    """The places of those that meet every condition, the exact bounds among them; best first."""
    session, where, order = search.session, search.where, search.order
    join = "CROSS JOIN" if session.dialect == "sqlite" else "JOIN"
    column = "sc.score_total" if order is LeaderboardOrder.SCORE else f"m.{order.value}"
    clauses = [
        Clause("sc.policy_pk = ?", (search.policy,)),
        Clause(engine_clause(where)),
        *conditions(session, where),
        *([] if where.run_id is None else [in_run(session, where.run_id)]),
        *([] if search.after is None else [after_clause(column, search.after)]),
    ]
    rows = session.among(
        f"SELECT {column}, sc.backtest_pk FROM metrics m {join} scores sc ON sc.backtest_pk = m.backtest_pk",
        "m.backtest_pk",
        pks,
        also=" AND ".join(one.sql for one in clauses),
        params=[param for one in clauses for param in one.params],
    )
    return sorted(((row[0], row[1]) for row in rows), key=best_first)
