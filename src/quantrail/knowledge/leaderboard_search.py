"""Leaderboards whose filters or order no walk along one index answers at once.

The first rows of an index in the order asked for often suffice. If not, the blocks of scores and metrics
name all that can be meant, in order. Every backtest that is shown was tested against the exact values.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.knowledge.leaderboard_blocks import in_order, may_meet
from quantrail.knowledge.leaderboard_walks import (
    Clause,
    Place,
    Search,
    after_clause,
    best_first,
    bounded,
    conditions,
    engine_clause,
    in_run,
    metric_bounds,
    row_of,
    scores_by,
    template_of,
    walks,
)
from quantrail.knowledge.session import Session

INDEXED_METRICS = ("max_drawdown_net", "sharpe_net")
FEW = 2_000  # so many are quicker looked up than put in order
_FIRST_LOOKS = (32, 128, 512)


def applies(where: LeaderboardFilter, order: LeaderboardOrder) -> bool:
    """Something is asked that no index is made for, and nothing that leads to few backtests by itself."""
    if where.strategy_id is not None or where.tier not in (None, Tier.T0):
        return False
    asked = any(map(bounded, where.metrics.values())) or where.passed is not None
    return asked or order is not LeaderboardOrder.SCORE


def places_found(search: Search) -> list[Place]:
    """At least ``count`` places if there are so many, in no order."""
    for few in few_by_index(search.session, search.where):
        rows = search.session.rows(f"{few.sql} LIMIT ?", (*few.params, FEW + 1))
        if len(rows) <= FEW:
            return _verified(search, [row[0] for row in rows])
    looks = [_first_looks(search, walk) for walk in first_walks(search)]
    if looks and all(done for _, done in looks):
        found = [place for places, _ in looks for place in places]
    else:
        found = _from_blocks(search)
    return list({*found, *_met_again(search)})  # looks and few candidates hold those met again, too


def _from_blocks(search: Search) -> list[Place]:
    meeting = None
    if any(map(bounded, search.where.metrics.values())):
        meeting = may_meet(search)
        if np.count_nonzero(meeting) <= FEW:
            return _verified(search, np.flatnonzero(meeting).tolist())
    found: list[Place] = []
    for pks in in_order(search, meeting):
        found += _verified(search, pks.tolist())
        if len(found) >= search.count:
            break
    return found


def few_by_index(session: Session, where: LeaderboardFilter) -> Iterator[Clause]:
    """Who meets the bounds on a metric that has an index of its own."""
    for name in INDEXED_METRICS:
        limits = list(metric_bounds(session, name, where.metrics.get(name, (None, None))))
        if limits:
            among = " AND ".join(one.sql for one in limits)
            params = tuple(param for one in limits for param in one.params)
            yield Clause(f"SELECT m.backtest_pk FROM metrics m WHERE {among}", params)


def _met_again(search: Search) -> list[Place]:
    """With a run asked for, what earlier runs had produced, which its own index does not lead to."""
    if search.where.run_id is None:
        return []
    _, walk = walks(search.session, search.where, search.order, search.policy, search.after)
    rows = search.session.rows(f"{walk.sql} LIMIT ?", (*walk.params, search.count))
    return [(row[0], row[1]) for row in rows]


def first_walks(search: Search) -> Iterator[Clause]:
    """Walks along one index in the order asked for; what the filters say is tested later."""
    session, where = search.session, search.where
    if search.order is not LeaderboardOrder.SCORE:
        yield from _by_metric(search)
    elif where.run_id is not None:
        run = row_of(session, where.run_id)
        yield _by_score(search, "ix_scores_run", Clause("sc.run_pk = ?", (run,)))
    elif where.template_id is not None and where.engine_mode is not EngineMode.B:
        template = Clause("sc.template_pk = ?", (template_of(session, where.template_id),))
        yield _by_score(search, "ix_scores_template", template)
    else:
        for mode in EngineMode:
            if where.engine_mode in (None, mode):
                yield _by_score(search, "ix_scores_engine", Clause(f"sc.engine_mode = '{mode.value}'"))


def _by_score(search: Search, index: str, one: Clause) -> Clause:
    clauses = [one, Clause("sc.policy_pk = ?", (search.policy,))]
    clauses += [] if search.after is None else [after_clause("sc.score_total", search.after)]
    return Clause(
        f"SELECT sc.backtest_pk FROM {scores_by(search.session, index)} "
        f"WHERE {' AND '.join(clause.sql for clause in clauses)} "
        "ORDER BY sc.score_total DESC, sc.backtest_pk",
        tuple(param for clause in clauses for param in clause.params),
    )


def _by_metric(search: Search) -> Iterator[Clause]:
    """Of those where the metric is defined."""
    column = f"m.{search.order.value}"
    if search.order.value not in INDEXED_METRICS or (search.after and search.after[0] is None):
        return
    clause = Clause(f"{column} IS NOT NULL")
    if search.after is not None:
        value, pk = search.after
        clause = Clause(f"{column} <= ? AND ({column} < ? OR m.backtest_pk > ?)", (value, value, pk))
    nulls = "" if search.session.dialect == "sqlite" else " NULLS LAST"
    yield Clause(
        f"SELECT m.backtest_pk FROM metrics m WHERE {clause.sql} "
        f"ORDER BY {column} DESC{nulls}, m.backtest_pk",
        clause.params,
    )


def _first_looks(search: Search, walk: Clause) -> tuple[list[Place], bool]:
    """What the first stretches show, and whether no more need be looked for."""
    found: list[Place] = []
    seen = 0
    for look in _FIRST_LOOKS:
        rows = search.session.rows(f"{walk.sql} LIMIT ? OFFSET ?", (*walk.params, look, seen))
        found += _verified(search, [row[0] for row in rows])
        if len(found) >= search.count:
            return found, True
        if len(rows) < look:  # the undefined follow, if a metric orders
            return found, search.order is LeaderboardOrder.SCORE
        seen += look
    return found, False


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
