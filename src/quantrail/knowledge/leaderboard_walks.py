"""The walks of the leaderboard: which index leads to the rows asked for.

Each filter that can be selective starts its own walk on an index made for it, so that no planner has
to guess: engine, run, template and tier never read more rows than they show, give or take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.domain.ids import RunId, StrategyId
from quantrail.knowledge import values as v
from quantrail.knowledge.leaderboard_conditions import (
    UNVERIFIED,
    Clause,
    Place,
    after_clause,
    conditions,
    engine_clause,
    row_of,
)
from quantrail.knowledge.session import Session


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: the first ``count`` places after ``after``."""

    session: Session
    where: LeaderboardFilter
    order: LeaderboardOrder
    policy: int
    after: Place | None
    count: int
    # The run whose own scores are looked for; what else it met is few, and is added. None: any run's, which
    # are tested for having been met.
    run: int | None = None


def best_first(place: Place) -> tuple[bool, float, int]:
    value, pk = place
    return value is None, 0.0 if value is None else -value, pk


def walk(search: Search, source: Clause, least: float | None = None) -> Clause:
    """Along the source's index, in the order asked for. ``least``: the lowest score that is still of use, if
    scores order."""
    column = ordered_by(search.order)
    clauses = [
        source,
        Clause("sc.policy_pk = ?", (search.policy,)),
        *conditions(search.session, search.where, _led_by(search.where)),
        *([] if search.after is None else [after_clause(column, search.after)]),
        *([] if least is None else [Clause("sc.score_total >= ?", (least,))]),
    ]
    return Clause(
        f"SELECT {column}, sc.backtest_pk FROM {' AND '.join(clause.sql for clause in clauses)} "
        f"ORDER BY {column} DESC{_nulls(search.session, search.order)}, sc.backtest_pk",
        tuple(param for clause in clauses for param in clause.params),
    )


def ordered_by(order: LeaderboardOrder) -> str:
    return "sc.score_total" if order is LeaderboardOrder.SCORE else f"m.{order.value}"


def _nulls(session: Session, order: LeaderboardOrder) -> str:
    # SQLite puts NULLs last on DESC by itself, and uses the index only when it is not told so. A score
    # is never NULL, and PostgreSQL uses its index only for the very same words.
    silent = session.dialect == "sqlite" or order is LeaderboardOrder.SCORE
    return "" if silent else " NULLS LAST"


def on_tier(where: LeaderboardFilter) -> bool:
    """Above T0, where every strategy stands that nobody promoted."""
    return where.tier is not None and where.tier is not Tier.T0


def _led_by(where: LeaderboardFilter) -> str | None:
    """The filter that its own index leads to, if that is not tested as well."""
    if where.strategy_id is not None:
        return None
    return "tier" if on_tier(where) else "run"


def sources(search: Search) -> Iterator[Clause]:
    """The tables to walk, down to the engine's condition; those that mostly lead to few come last."""
    session, where = search.session, search.where
    join = "CROSS JOIN" if session.dialect == "sqlite" else "JOIN"
    needed = bool(where.metrics) or search.order is not LeaderboardOrder.SCORE
    metrics = f" {join} metrics m ON m.backtest_pk = sc.backtest_pk" if needed else ""
    if where.strategy_id is not None:
        yield _by_strategy(where.strategy_id, where, join, metrics)
    elif on_tier(where):
        yield from _by_tier(session, where, metrics)
    elif where.run_id is not None:
        yield from _by_run(session, where.run_id, where, join, metrics)
    elif where.template_id is not None and where.engine_mode is not EngineMode.B:
        yield Clause(f"{scores_by(session, 'ix_scores_template')}{metrics} WHERE {engine_clause(where)}")
    else:
        yield from _by_engine(session, where, metrics)


def scores_by(session: Session, index: str) -> str:
    return f"scores sc INDEXED BY {index}" if session.dialect == "sqlite" else "scores sc"


def _by_engine(session: Session, where: LeaderboardFilter, metrics: str) -> Iterator[Clause]:
    """One walk per engine; verified results are few, so that any other filter on them is cheap."""
    table = f"{scores_by(session, 'ix_scores_engine')}{metrics}"
    if where.engine_mode is not EngineMode.B:
        unverified = "" if where.engine_mode is EngineMode.A else f" AND {UNVERIFIED}"
        yield Clause(f"{table} WHERE sc.engine_mode = 'A'{unverified}")
    if where.engine_mode is not EngineMode.A:
        yield Clause(f"{table} WHERE sc.engine_mode = 'B'")


def _by_run(
    session: Session, run_id: RunId, where: LeaderboardFilter, join: str, metrics: str
) -> Iterator[Clause]:
    """What the run produced first, and what it met again from earlier runs."""
    again, run = met_again(session, run_id), row_of(session, run_id)
    index = "ix_scores_engine" if where.engine_mode is EngineMode.B else "ix_scores_run"
    yield Clause(
        f"{scores_by(session, index)}{metrics} WHERE {engine_clause(where)} AND sc.run_pk = ?", (run,)
    )
    yield Clause(
        f"(SELECT DISTINCT pk FROM ({again.sql}) AS every) met {join} scores sc "
        f"ON sc.backtest_pk = met.pk{metrics} WHERE {engine_clause(where)} AND sc.run_pk <> ?",
        (*again.params, run),
    )


def met_again(session: Session, run_id: RunId) -> Clause:
    """The backtests that a run found done, each as often as it did."""
    sqlite = session.dialect == "sqlite"
    trials = "CROSS JOIN trials t INDEXED BY ix_trials_cached" if sqlite else "JOIN trials t"
    return Clause(
        f"SELECT t.backtest_pk AS pk FROM iterations i {trials} ON t.iteration_pk = i.pk "
        "AND t.outcome = 'cached' WHERE i.run_pk = ?",
        (row_of(session, run_id),),
    )


def _by_tier(session: Session, where: LeaderboardFilter, metrics: str) -> Iterator[Clause]:
    """One walk per engine along the scores of that tier's strategies, which have what ``scores`` has."""
    for mode in EngineMode:
        if where.engine_mode in (None, mode):
            shown = "" if where.engine_mode or mode is EngineMode.B else f" AND {UNVERIFIED}"
            yield Clause(
                f"{tier_scores(session)}{metrics} "
                f"WHERE sc.tier = ? AND sc.engine_mode = '{mode.value}'{shown}",
                (str(where.tier),),
            )


def tier_scores(session: Session) -> str:
    index = " INDEXED BY ix_tier_scores_best" if session.dialect == "sqlite" else ""
    return f"tier_scores sc{index}"


def of_tier(search: Search, tier: Tier) -> Clause:
    """The backtests whose strategies stand on a tier."""
    return Clause(
        f"SELECT sc.backtest_pk AS pk FROM {tier_scores(search.session)} "
        "WHERE sc.tier = ? AND sc.policy_pk = ?",
        (tier.value, search.policy),
    )


def _by_strategy(strategy_id: StrategyId, where: LeaderboardFilter, join: str, metrics: str) -> Clause:
    return Clause(
        f"strategies st {join} backtests bt ON bt.strategy_pk = st.pk {join} scores sc "
        f"ON sc.backtest_pk = bt.pk{metrics} WHERE {engine_clause(where)} AND st.strategy_id = ?",
        (v.hash32(strategy_id, "strategy_id"),),
    )
