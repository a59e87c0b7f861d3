"""What the rows of a leaderboard must meet, in SQL about ``scores sc`` and ``metrics m``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quantrail.domain.answers import LeaderboardFilter
from quantrail.domain.enums import Tier
from quantrail.domain.ids import RunId
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


# A strategy's screening result steps back once a verified one is there. Not spelt as NOT EXISTS, which
# PostgreSQL turns into a join over the whole table before it looks at the limit.
UNVERIFIED = (
    "(SELECT 1 FROM scores vb WHERE vb.strategy_pk = sc.strategy_pk "
    "AND vb.policy_pk = sc.policy_pk AND vb.engine_mode = 'B' LIMIT 1) IS NULL"
)
_SHOWN = f"(sc.engine_mode = 'B' OR {UNVERIFIED})"


def engine_clause(where: LeaderboardFilter) -> str:
    return _SHOWN if where.engine_mode is None else f"sc.engine_mode = '{where.engine_mode.value}'"


def bounded(bounds: Bounds) -> bool:
    return any(bound is not None for bound in bounds)


def conditions(session: Session, where: LeaderboardFilter, led_by: str | None = None) -> Iterator[Clause]:
    """What rows of ``scores`` must meet, but for the engine's condition and the filter that led to them."""
    if where.passed is not None:
        yield Clause("sc.passed = ?", (bool(where.passed),))
    if where.template_id is not None:
        yield Clause("sc.template_pk = ?", (template_of(session, where.template_id),))
    if where.run_id is not None and led_by != "run":
        yield in_run(session, where.run_id)
    if where.tier is Tier.T0:
        yield Clause(
            "(SELECT 1 FROM strategy_tiers tt WHERE tt.strategy_pk = sc.strategy_pk "
            "AND tt.tier <> 'T0') IS NULL"
        )
    elif where.tier is not None and led_by != "tier":
        yield Clause(
            "(SELECT tt.tier FROM strategy_tiers tt WHERE tt.strategy_pk = sc.strategy_pk) = ?",
            (where.tier.value,),
        )
    if where.market is not None:
        yield Clause(
            "EXISTS (SELECT 1 FROM backtests mb JOIN contexts mc ON mc.pk = mb.context_pk JOIN universes mu "
            "ON mu.pk = mc.universe_pk WHERE mb.pk = sc.backtest_pk AND mu.market = ?)",
            (where.market,),
        )
    for name, bounds in where.metrics.items():
        yield from metric_bounds(session, name, bounds)


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
        raise NotFound(f"this store holds no {column.removesuffix('_id')} {shown!r}")
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
