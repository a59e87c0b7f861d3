"""Leaderboards whose filters or order no walk along one index answers at once.

The first rows of an index in the order asked for often suffice. If not, the blocks of scores and metrics
name all that can be meant, in order. Every backtest that is shown was tested against the exact values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.knowledge.leaderboard_blocks import first_size, in_order
from quantrail.knowledge.leaderboard_conditions import (
    Clause,
    Place,
    after_clause,
    bounded,
    conditions,
    engine_clause,
    metric_bounds,
    row_of,
    template_of,
)
from quantrail.knowledge.leaderboard_masks import Mask, named, standing
from quantrail.knowledge.leaderboard_walks import (
    Search,
    best_first,
    met_again,
    of_tier,
    on_tier,
    ordered_by,
    scores_by,
    tier_scores,
)
from quantrail.knowledge.session import Session

INDEXED_METRICS = ("max_drawdown_net", "sharpe_net")
FEW = 2_000  # so many are quicker looked up than put in order
_FIRST_LOOKS = (32, 128, 512)


def led_by_its_run(search: Search) -> Search:
    """With ``run`` set if a run is asked for that met no more than a few of what earlier ones had done."""
    session, run_id = search.session, search.where.run_id
    if run_id is None or not _few(session, met_again(session, run_id)):
        return search
    return replace(search, run=row_of(session, run_id))


def applies(search: Search) -> bool:
    """Something is asked that no index is made for, and nothing that leads to few backtests by itself."""
    where = search.where
    if where.strategy_id is not None:
        return False
    led = [where.run_id is not None, where.template_id is not None, on_tier(where)]
    asked = (
        search.order is not LeaderboardOrder.SCORE
        or where.passed is not None
        or where.market is not None
        or where.tier is Tier.T0
        or any(map(bounded, where.metrics.values()))
        or sum(led) > 1
        or (where.engine_mode is not None and any(led[:2]))
        or (where.run_id is not None and search.run is None)
    )
    return asked and not _few_on_tier(search)


def _few_on_tier(search: Search) -> bool:
    tier = search.where.tier
    return tier is not None and on_tier(search.where) and _few(search.session, of_tier(search, tier))


def _few(session: Session, rows: Clause) -> bool:
    """Counted in the database: to hand over two thousand rows takes a millisecond."""
    sql = f"SELECT count(*) FROM ({rows.sql} LIMIT ?) AS found"
    return bool(session.rows(sql, (*rows.params, FEW + 1))[0][0] <= FEW)


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
    return list({*found, *_verified(search, _met(search))})


def _met(search: Search) -> list[int]:
    """The few that the run met and earlier ones had done, which its own index does not lead to."""
    if search.run is None or search.where.run_id is None:
        return []
    met = met_again(search.session, search.where.run_id)
    return [row[0] for row in search.session.rows(met.sql, met.params)]


def few_by_index(session: Session, where: LeaderboardFilter) -> Iterator[Clause]:
    """Who meets the bounds on a metric that has an index of its own."""
    for name in INDEXED_METRICS:
        limits = list(metric_bounds(session, name, where.metrics.get(name, (None, None))))
        if limits:
            among = " AND ".join(one.sql for one in limits)
            params = tuple(param for one in limits for param in one.params)
            yield Clause(f"SELECT m.backtest_pk FROM metrics m WHERE {among}", params)


def _from_blocks(search: Search) -> list[Place]:
    where, among = search.where, named(search)
    sets = where.tier is not None or (where.run_id is not None and search.run is None)
    found = _best(search, among, first_size(search) if sets else None)
    if found is None:  # those on the tier or met in the run are not among the best: so look among them
        wanted = standing(search)
        found = _best(search, wanted if among is None or wanted is None else among & wanted, None)
    return found or []


def _best(search: Search, among: Mask | None, most: int | None) -> list[Place] | None:
    """The first places among those; None once ``most`` were tested in vain."""
    if among is not None and np.count_nonzero(among) <= FEW:
        return _verified(search, np.flatnonzero(among).tolist())
    found: list[Place] = []
    tested = 0
    for pks in in_order(search, among):
        found += _verified(search, pks.tolist())
        tested += len(pks)
        if len(found) >= search.count:
            break
        if most is not None and tested >= most:
            return None
    return found


def first_walks(search: Search) -> Iterator[Clause]:
    """Walks along one index in the order asked for; what the filters say is tested later."""
    session, where = search.session, search.where
    if search.order is not LeaderboardOrder.SCORE:
        yield from _by_metric(search)
    elif where.tier is not None and on_tier(where):
        stands = Clause("sc.tier = ?", (where.tier.value,))
        yield from _by_engine(search, tier_scores(session), stands)
    elif search.run is not None:
        yield _by_score(search, scores_by(session, "ix_scores_run"), Clause("sc.run_pk = ?", (search.run,)))
    elif where.template_id is not None and where.engine_mode is not EngineMode.B:
        template = Clause("sc.template_pk = ?", (template_of(session, where.template_id),))
        yield _by_score(search, scores_by(session, "ix_scores_template"), template)
    else:
        yield from _by_engine(search, scores_by(session, "ix_scores_engine"))


def _by_engine(search: Search, table: str, *also: Clause) -> Iterator[Clause]:
    for mode in EngineMode:
        if search.where.engine_mode in (None, mode):
            yield _by_score(search, table, *also, Clause(f"sc.engine_mode = '{mode.value}'"))


def _by_score(search: Search, table: str, *also: Clause) -> Clause:
    clauses = [*also, Clause("sc.policy_pk = ?", (search.policy,))]
    clauses += [] if search.after is None else [after_clause("sc.score_total", search.after)]
    return Clause(
        f"SELECT sc.backtest_pk FROM {table} "
        f"WHERE {' AND '.join(clause.sql for clause in clauses)} "
        "ORDER BY sc.score_total DESC, sc.backtest_pk",
        tuple(param for clause in clauses for param in clause.params),
    )


def _by_metric(search: Search) -> Iterator[Clause]:
    """Of those where the metric is defined."""
    column = ordered_by(search.order)
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
    session, where, column = search.session, search.where, ordered_by(search.order)
    join = "CROSS JOIN" if session.dialect == "sqlite" else "JOIN"
    clauses = [
        Clause("sc.policy_pk = ?", (search.policy,)),
        Clause(engine_clause(where)),
        *conditions(session, where),
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
