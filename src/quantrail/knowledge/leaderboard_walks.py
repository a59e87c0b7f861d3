"""The walks of the leaderboard: which index leads to the rows asked for, and what each must meet.

Each filter that can be selective starts its own walk on an index made for it, so that no planner has
to guess: engine, run, template and tier never read more rows than they show, give or take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.domain.ids import RunId, StrategyId
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.metric_blocks import Bounds
from quantrail.knowledge.schema import METRIC_COLUMNS
from quantrail.knowledge.session import Session

Place = tuple[float | None, int]  # the value a row is ordered by, and its backtest's key


@dataclass(frozen=True, slots=True)
class Clause:
    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for: the first ``count`` places after ``after``."""

    session: Session
    where: LeaderboardFilter
    order: LeaderboardOrder
    policy: int
    after: Place | None
    count: int


def best_first(place: Place) -> tuple[bool, float, int]:
    value, pk = place
    return value is None, 0.0 if value is None else -value, pk


def bounded(bounds: Bounds) -> bool:
    return any(bound is not None for bound in bounds)


def walks(
    session: Session, where: LeaderboardFilter, order: LeaderboardOrder, policy: int, after: Place | None
) -> Iterator[Clause]:
    column = "sc.score_total" if order is LeaderboardOrder.SCORE else f"m.{order.value}"
    tail = f"ORDER BY {column} DESC{_nulls(session, order)}, sc.backtest_pk"
    for source in _sources(session, where, order):
        clauses = [
            source,
            Clause("sc.policy_pk = ?", (policy,)),
            *conditions(session, where),
            *([] if after is None else [after_clause(column, after)]),
        ]
        yield Clause(
            f"SELECT {column}, sc.backtest_pk FROM {' AND '.join(clause.sql for clause in clauses)} {tail}",
            tuple(param for clause in clauses for param in clause.params),
        )


# A strategy's screening result steps back once a verified one is there. Not spelt as NOT EXISTS, which
# PostgreSQL turns into a join over the whole table before it looks at the limit.
_UNVERIFIED = (
    "(SELECT 1 FROM scores vb WHERE vb.strategy_pk = sc.strategy_pk "
    "AND vb.policy_pk = sc.policy_pk AND vb.engine_mode = 'B' LIMIT 1) IS NULL"
)
_SHOWN = f"(sc.engine_mode = 'B' OR {_UNVERIFIED})"


def engine_clause(where: LeaderboardFilter) -> str:
    return _SHOWN if where.engine_mode is None else f"sc.engine_mode = '{where.engine_mode.value}'"


def _nulls(session: Session, order: LeaderboardOrder) -> str:
    # SQLite puts NULLs last on DESC by itself, and uses the index only when it is not told so. A score
    # is never NULL, and PostgreSQL uses its index only for the very same words.
    silent = session.dialect == "sqlite" or order is LeaderboardOrder.SCORE
    return "" if silent else " NULLS LAST"


def _sources(session: Session, where: LeaderboardFilter, order: LeaderboardOrder) -> Iterator[Clause]:
    """The tables to walk, the most selective index first, down to the engine's condition."""
    join = "CROSS JOIN" if session.dialect == "sqlite" else "JOIN"
    metrics = f" {join} metrics m ON m.backtest_pk = sc.backtest_pk" if _needs_metrics(where, order) else ""
    if where.strategy_id is not None:
        yield _by_strategy(where.strategy_id, where, join, metrics)
    elif where.tier is not None and where.tier is not Tier.T0:
        yield from _by_tier(session, where, metrics)
    elif where.run_id is not None:
        yield from _by_run(session, where.run_id, where, join, metrics)
    elif where.template_id is not None and where.engine_mode is not EngineMode.B:
        yield Clause(f"{scores_by(session, 'ix_scores_template')}{metrics} WHERE {engine_clause(where)}")
    elif order is not LeaderboardOrder.SCORE:
        yield Clause(
            f"metrics m {join} scores sc ON sc.backtest_pk = m.backtest_pk WHERE {engine_clause(where)}"
        )
    else:
        yield from _by_engine(session, where, metrics)


def scores_by(session: Session, index: str) -> str:
    return f"scores sc INDEXED BY {index}" if session.dialect == "sqlite" else "scores sc"


def _by_engine(session: Session, where: LeaderboardFilter, metrics: str) -> Iterator[Clause]:
    """One walk per engine; verified results are few, so that any other filter on them is cheap."""
    table = f"{scores_by(session, 'ix_scores_engine')}{metrics}"
    if where.engine_mode is not EngineMode.B:
        unverified = "" if where.engine_mode is EngineMode.A else f" AND {_UNVERIFIED}"
        yield Clause(f"{table} WHERE sc.engine_mode = 'A'{unverified}")
    if where.engine_mode is not EngineMode.A:
        yield Clause(f"{table} WHERE sc.engine_mode = 'B'")


def _by_run(
    session: Session, run_id: RunId, where: LeaderboardFilter, join: str, metrics: str
) -> Iterator[Clause]:
    """What the run produced first, and what it met again from earlier runs."""
    run = row_of(session, run_id)
    index = "ix_scores_engine" if where.engine_mode is EngineMode.B else "ix_scores_run"
    yield Clause(
        f"{scores_by(session, index)}{metrics} WHERE {engine_clause(where)} AND sc.run_pk = ?", (run,)
    )
    yield Clause(
        f"(SELECT DISTINCT t.backtest_pk FROM iterations i {join} trials t ON t.iteration_pk = i.pk "
        f"AND t.outcome = 'cached' WHERE i.run_pk = ?) met {join} scores sc "
        f"ON sc.backtest_pk = met.backtest_pk{metrics} WHERE {engine_clause(where)} AND sc.run_pk <> ?",
        (run, run),
    )


def _by_tier(session: Session, where: LeaderboardFilter, metrics: str) -> Iterator[Clause]:
    """One walk per engine along the scores of that tier's strategies, which have what ``scores`` has."""
    index = " INDEXED BY ix_tier_scores_best" if session.dialect == "sqlite" else ""
    for mode in EngineMode:
        if where.engine_mode in (None, mode):
            shown = "" if where.engine_mode or mode is EngineMode.B else f" AND {_UNVERIFIED}"
            yield Clause(
                f"tier_scores sc{index}{metrics} "
                f"WHERE sc.tier = ? AND sc.engine_mode = '{mode.value}'{shown}",
                (str(where.tier),),
            )


def _by_strategy(strategy_id: StrategyId, where: LeaderboardFilter, join: str, metrics: str) -> Clause:
    return Clause(
        f"strategies st {join} backtests bt ON bt.strategy_pk = st.pk {join} scores sc "
        f"ON sc.backtest_pk = bt.pk{metrics} WHERE {engine_clause(where)} AND st.strategy_id = ?",
        (v.hash32(strategy_id, "strategy_id"),),
    )


def _needs_metrics(where: LeaderboardFilter, order: LeaderboardOrder) -> bool:
    return bool(where.metrics) or order is not LeaderboardOrder.SCORE


def conditions(session: Session, where: LeaderboardFilter) -> Iterator[Clause]:
    if where.passed is not None:
        yield Clause("sc.passed = ?", (bool(where.passed),))
    if where.template_id is not None:
        yield Clause("sc.template_pk = ?", (template_of(session, where.template_id),))
    if where.run_id is not None and not _led_by_run(where):
        yield in_run(session, where.run_id)
    if where.tier is Tier.T0:
        yield Clause(
            "(SELECT 1 FROM strategy_tiers tt WHERE tt.strategy_pk = sc.strategy_pk "
            "AND tt.tier <> 'T0') IS NULL"
        )
    elif where.tier is not None and where.strategy_id is not None:
        yield Clause(
            "sc.strategy_pk IN (SELECT strategy_pk FROM strategy_tiers WHERE tier = ?)", (where.tier.value,)
        )
    if where.market is not None:
        yield Clause(
            "EXISTS (SELECT 1 FROM backtests mb JOIN contexts mc ON mc.pk = mb.context_pk JOIN universes mu "
            "ON mu.pk = mc.universe_pk WHERE mb.pk = sc.backtest_pk AND mu.market = ?)",
            (where.market,),
        )
    for name, bounds in where.metrics.items():
        yield from metric_bounds(session, name, bounds)


def _led_by_run(where: LeaderboardFilter) -> bool:
    return where.strategy_id is None and where.tier in (None, Tier.T0)


def in_run(session: Session, run_id: RunId) -> Clause:
    """Produced by the run, or met again in it."""
    run = row_of(session, run_id)
    met = (
        "EXISTS (SELECT 1 FROM trials rt JOIN iterations ri ON ri.pk = rt.iteration_pk "
        "WHERE rt.strategy_pk = sc.strategy_pk AND rt.backtest_pk = sc.backtest_pk AND ri.run_pk = ?)"
    )
    return Clause(f"(sc.run_pk = ? OR {met})", (run, run))


def template_of(session: Session, template_id: str) -> int:
    return _pk(session, "templates", "template_id", template_id, template_id)


def row_of(session: Session, run_id: RunId) -> int:
    return _pk(session, "runs", "run_id", v.uuid16(run_id, "run_id"), run_id)


def metric_bounds(session: Session, name: str, bounds: Bounds) -> Iterator[Clause]:
    column = f"m.{name}"
    if name not in METRIC_COLUMNS:
        if not name.isidentifier():
            raise InvalidInput(f"not a metric name: {name!r}")
        sqlite = session.dialect == "sqlite"
        column = f"json_extract(m.more_json, '$.{name}')"
        if not sqlite:
            column = f"(m.more_json::jsonb ->> '{name}')::double precision"
    for value, mark in zip(bounds, (">=", "<="), strict=True):
        if value is not None:
            yield Clause(f"{column} {mark} ?", (v.real(value, f"bound of {name}"),))


def _pk(session: Session, table: str, column: str, value: Any, shown: str) -> int:
    row = session.one(f"SELECT pk FROM {table} WHERE {column} = ?", [value])
    if row is None:
        raise NotFound(f"{table} holds no {column} {shown}")
    return int(row[0])


def after_clause(column: str, place: Place) -> Clause:
    value, pk = place
    if value is None:
        return Clause(f"{column} IS NULL AND sc.backtest_pk > ?", (pk,))
    # The first comparison lets the index start there, the second one settles ties.
    nulls = "" if column == "sc.score_total" else f" OR {column} IS NULL"
    return Clause(
        f"({column} <= ?{nulls}) AND ({column} < ? OR sc.backtest_pk > ?{nulls})", (value, value, pk)
    )
