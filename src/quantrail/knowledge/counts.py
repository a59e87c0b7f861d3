"""How often something was tried: what deflation counts, and "has this been tried?"."""

from __future__ import annotations

from datetime import date
from typing import Any

from quantrail.domain.answers import TrialCount, Tried
from quantrail.domain.ids import BacktestId, ConstraintId, RunId, StrategyId, UniverseVersion
from quantrail.errors import NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.schema import metadata
from quantrail.knowledge.session import Session

# Blocked and duplicate candidates were never looked at; stress and synthetic runs are no search.
_COUNTED = "t.outcome IN ('evaluated', 'cached', 'error') AND tc.door NOT IN ('stress', 'calibrate')"


def trial_count(
    session: Session,
    universe: UniverseVersion,
    start: date,
    end: date,
    before_run: RunId | None,
    up_to_run: RunId | None,
    besides: StrategyId | None,
) -> TrialCount:
    row = session.one(
        "SELECT market, pk FROM universes WHERE universe_version = ?",
        [v.hash32(universe, "universe_version")],
    )
    if row is None:
        raise NotFound(f"no universe {universe} is stored; call save_universes first")
    for name, run in (("before_run", before_run), ("up_to_run", up_to_run)):
        if run is not None and not session.rows(
            "SELECT pk FROM runs WHERE run_id = ?", [v.uuid16(run, name)]
        ):
            raise NotFound(f"no run {run} is stored, so no trials can be left out by it")
    market, universe_pk = row
    first, last = v.day(start, "period_start"), v.day(end, "period_end")
    overlap = ("u.market = ? AND tc.period_start <= ? AND tc.period_end >= ?", [market, last, first])
    exact = ("u.pk = ? AND tc.period_start = ? AND tc.period_end = ?", [universe_pk, first, last])
    join, limit, bound = _limits(before_run, up_to_run, besides)
    looks, distinct = _count(session, join, overlap[0] + limit, [*overlap[1], *bound])
    return TrialCount(distinct, _count(session, join, exact[0] + limit, [*exact[1], *bound])[1], looks)


def _limits(
    before_run: RunId | None, up_to_run: RunId | None, besides: StrategyId | None
) -> tuple[str, str, list[Any]]:
    """What to join, further conditions and their parameters, so that fewer trials count."""
    where, params = "", []
    for name, sign, run in (("before_run", "<", before_run), ("up_to_run", "<=", up_to_run)):
        if run is not None:
            where += f" AND i.run_pk {sign} (SELECT pk FROM runs WHERE run_id = ?)"
            params.append(v.uuid16(run, name))
    join = "JOIN iterations i ON i.pk = t.iteration_pk" if params else ""
    if besides is not None:
        # A strategy that is not stored has no trial to leave out.
        where += " AND t.strategy_pk <> COALESCE((SELECT pk FROM strategies WHERE strategy_id = ?), -1)"
        params.append(v.hash32(besides, "strategy_id"))
    return join, where, params


def _count(session: Session, join: str, where: str, params: list[Any]) -> tuple[int, int]:
    row = session.one(
        "SELECT count(*), count(DISTINCT t.strategy_pk) FROM trial_contexts tc "
        f"JOIN universes u ON u.pk = tc.universe_pk JOIN trials t ON t.context_pk = tc.pk {join} "
        f"WHERE {_COUNTED} AND NOT u.synthetic AND {where}",
        params,
    )
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def tried(session: Session, strategy_id: StrategyId, logic_hash: str | None) -> Tried:
    raw = v.hash32(strategy_id, "strategy_id")
    row = session.one("SELECT pk, logic_hash FROM strategies WHERE strategy_id = ?", [raw])
    pk = -1 if row is None else row[0]
    logic = v.hash32(logic_hash, "logic_hash") if logic_hash is not None else (row[1] if row else None)
    trials = session.rows("SELECT count(*) FROM trials WHERE strategy_pk = ?", [pk])[0][0]
    backtests = session.rows("SELECT backtest_id FROM backtests WHERE strategy_pk = ? ORDER BY pk", [pk])
    return Tried(
        strategy_id, row is not None, trials, tuple(BacktestId(v.uuid_text(one[0])) for one in backtests),
        _same_logic(session, logic, pk), _tags(session, pk), _blockers(session, pk),
    )  # fmt: skip


def _same_logic(session: Session, logic: bytes | None, pk: int) -> tuple[StrategyId, ...]:
    rows = session.rows(
        "SELECT strategy_id FROM strategies WHERE logic_hash = ? AND pk <> ? ORDER BY pk LIMIT 100",
        [logic, pk],
    )
    return tuple(StrategyId(row[0].hex()) for row in rows)


def _tags(session: Session, pk: int) -> dict[str, int]:
    rows = session.rows(
        "SELECT fl.tags_json FROM failures fl JOIN backtests b ON b.pk = fl.backtest_pk "
        "WHERE b.strategy_pk = ? ORDER BY fl.pk",
        [pk],
    )
    found: dict[str, int] = {}
    for row in rows:
        for tag in v.from_json(row[0]):
            found[tag] = found.get(tag, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _blockers(session: Session, pk: int) -> tuple[ConstraintId, ...]:
    rows = session.rows(
        "SELECT DISTINCT k.constraint_id FROM trials t JOIN trial_constraints x ON x.trial_pk = t.pk "
        "JOIN constraints k ON k.pk = x.constraint_pk WHERE t.strategy_pk = ? AND x.arm = 'main' "
        "ORDER BY k.constraint_id",
        [pk],
    )
    return tuple(ConstraintId(row[0].hex()) for row in rows)


def counts(session: Session) -> dict[str, int]:
    return {name: int(session.rows(f"SELECT count(*) FROM {name}")[0][0]) for name in sorted(metadata.tables)}
