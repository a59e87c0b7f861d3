"""The leaderboard: walks along an index in the order asked, then the details of the few rows kept.

Each filter that can be selective starts its own walk on an index made for it, so that no planner has
to guess: engine, run, template and tier never read more rows than they show, give or take.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder, LeaderboardRow, Page
from quantrail.domain.enums import EngineMode, Tier
from quantrail.domain.ids import BacktestId, DataVersion, StrategyId
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.read_results import metric_values
from quantrail.knowledge.schema import METRIC_COLUMNS
from quantrail.knowledge.session import Row, Session

Place = tuple[float | None, int]  # the value a row is ordered by, and its backtest's key
MAX_LIMIT = 10_000
# Metrics with an index of their own, and how many rows are still quicker sorted than walked past.
INDEXED_METRICS = {"sharpe_net", "max_drawdown_net"}
FEW = 2_000


@dataclass(frozen=True, slots=True)
class _Clause:
    sql: str
    params: tuple[Any, ...] = ()


def leaderboard(
    session: Session, where: LeaderboardFilter, order: LeaderboardOrder, limit: int, cursor: str | None
) -> Page[LeaderboardRow]:
    if not 0 < limit <= MAX_LIMIT:
        raise InvalidInput(f"limit is {limit}, which is not within 1..{MAX_LIMIT}")
    policy = _policy(session, where.policy_version)
    if policy is None:
        return Page((), None)
    after = None if cursor is None else _parse(cursor, order)
    places: list[Place] = []
    for walk in _walks(session, where, order, policy, after):
        sql = f"{walk.sql} LIMIT ?"
        places += [(row[0], row[1]) for row in session.rows(sql, (*walk.params, limit + 1))]
    places.sort(key=_best_first)
    kept = places[:limit]
    more = _spell(kept[-1], order) if len(places) > limit else None
    return Page(tuple(_details(session, policy, [pk for _, pk in kept])), more)


def _best_first(place: Place) -> tuple[bool, float, int]:
    value, pk = place
    return value is None, 0.0 if value is None else -value, pk


def _policy(session: Session, version: str | None) -> int | None:
    if version is None:
        row = session.one("SELECT policy_pk FROM scores ORDER BY pk DESC LIMIT 1")
        return None if row is None else int(row[0])
    row = session.one("SELECT pk FROM policies WHERE policy_version = ?", [version])
    if row is None:
        raise NotFound(f"no policy {version!r} is registered")
    return int(row[0])


def _walks(
    session: Session, where: LeaderboardFilter, order: LeaderboardOrder, policy: int, after: Place | None
) -> Iterator[_Clause]:
    column = "sc.score_total" if order is LeaderboardOrder.SCORE else f"m.{order.value}"
    tail = f"ORDER BY {column} DESC{_nulls(session, order)}, sc.backtest_pk"
    for source in _sources(session, where, order):
        clauses = [
            source,
            _Clause("sc.policy_pk = ?", (policy,)),
            *_conditions(session, where),
            *([] if after is None else [_after(column, after)]),
        ]
        yield _Clause(
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


def _engine(where: LeaderboardFilter) -> str:
    return _SHOWN if where.engine_mode is None else f"sc.engine_mode = '{where.engine_mode.value}'"


def _nulls(session: Session, order: LeaderboardOrder) -> str:
    # SQLite puts NULLs last on DESC by itself, and uses the index only when it is not told so. A score
    # is never NULL, and PostgreSQL uses its index only for the very same words.
    silent = session.dialect == "sqlite" or order is LeaderboardOrder.SCORE
    return "" if silent else " NULLS LAST"


def _sources(session: Session, where: LeaderboardFilter, order: LeaderboardOrder) -> Iterator[_Clause]:
    """The tables to walk, the most selective index first, down to the engine's condition."""
    join = "CROSS JOIN" if session.dialect == "sqlite" else "JOIN"
    metrics = f" {join} metrics m ON m.backtest_pk = sc.backtest_pk" if _needs_metrics(where, order) else ""
    if where.strategy_id is not None or (where.tier is not None and where.tier is not Tier.T0):
        yield _by_strategy(where, join, metrics)
    elif where.run_id is not None:
        yield from _by_run(session, where, join, metrics)
    elif where.template_id is not None and where.engine_mode is not EngineMode.B:
        yield _Clause(f"{_scores(session, 'ix_scores_template')}{metrics} WHERE {_engine(where)}")
    elif order is not LeaderboardOrder.SCORE or _few_meet(session, where):
        yield _Clause(f"metrics m {join} scores sc ON sc.backtest_pk = m.backtest_pk WHERE {_engine(where)}")
    else:
        yield from _by_engine(session, where, metrics)


def _few_meet(session: Session, where: LeaderboardFilter) -> bool:
    """Whether so few rows meet a bound on an indexed metric that they are better sorted than searched for."""
    for name in INDEXED_METRICS & where.metrics.keys():
        bounds = list(_metric_bounds(session, name, where.metrics[name]))
        if bounds:
            among = " AND ".join(bound.sql for bound in bounds)
            params = [param for bound in bounds for param in bound.params]
            sql = f"SELECT count(*) FROM (SELECT 1 FROM metrics m WHERE {among} LIMIT ?) few"
            if session.rows(sql, (*params, FEW + 1))[0][0] <= FEW:
                return True
    return False


def _scores(session: Session, index: str) -> str:
    return f"scores sc INDEXED BY {index}" if session.dialect == "sqlite" else "scores sc"


def _by_engine(session: Session, where: LeaderboardFilter, metrics: str) -> Iterator[_Clause]:
    """One walk per engine; verified results are few, so that any other filter on them is cheap."""
    table = f"{_scores(session, 'ix_scores_engine')}{metrics}"
    if where.engine_mode is not EngineMode.B:
        unverified = "" if where.engine_mode is EngineMode.A else f" AND {_UNVERIFIED}"
        yield _Clause(f"{table} WHERE sc.engine_mode = 'A'{unverified}")
    if where.engine_mode is not EngineMode.A:
        yield _Clause(f"{table} WHERE sc.engine_mode = 'B'")


def _by_run(session: Session, where: LeaderboardFilter, join: str, metrics: str) -> Iterator[_Clause]:
    """What the run produced first, and what it met again from earlier runs."""
    run = _pk(session, "runs", "run_id", v.uuid16(str(where.run_id), "run_id"), str(where.run_id))
    index = "ix_scores_engine" if where.engine_mode is EngineMode.B else "ix_scores_run"
    yield _Clause(f"{_scores(session, index)}{metrics} WHERE {_engine(where)} AND sc.run_pk = ?", (run,))
    yield _Clause(
        f"(SELECT DISTINCT t.backtest_pk FROM iterations i {join} trials t ON t.iteration_pk = i.pk "
        f"AND t.outcome = 'cached' WHERE i.run_pk = ?) met {join} scores sc "
        f"ON sc.backtest_pk = met.backtest_pk{metrics} WHERE {_engine(where)} AND sc.run_pk <> ?",
        (run, run),
    )


def _by_strategy(where: LeaderboardFilter, join: str, metrics: str) -> _Clause:
    table, pk, condition = "strategy_tiers st", "st.strategy_pk", "st.tier = ?"
    param: Any = None if where.tier is None else where.tier.value
    if where.strategy_id is not None:
        table, pk, condition = "strategies st", "st.pk", "st.strategy_id = ?"
        param = v.hash32(where.strategy_id, "strategy_id")
    return _Clause(
        f"{table} {join} backtests bt ON bt.strategy_pk = {pk} {join} scores sc ON sc.backtest_pk = bt.pk"
        f"{metrics} WHERE {_engine(where)} AND {condition}",
        (param,),
    )


def _needs_metrics(where: LeaderboardFilter, order: LeaderboardOrder) -> bool:
    return bool(where.metrics) or order is not LeaderboardOrder.SCORE


def _conditions(session: Session, where: LeaderboardFilter) -> Iterator[_Clause]:
    if where.passed is not None:
        yield _Clause("sc.passed = ?", (bool(where.passed),))
    if where.template_id is not None:
        pk = _pk(session, "templates", "template_id", where.template_id, where.template_id)
        yield _Clause("sc.template_pk = ?", (pk,))
    if where.run_id is not None and where.strategy_id is not None:
        pk = _pk(session, "runs", "run_id", v.uuid16(where.run_id, "run_id"), where.run_id)
        yield _Clause(_IN_RUN, (pk,))
    if where.tier is Tier.T0:
        yield _Clause("sc.strategy_pk NOT IN (SELECT strategy_pk FROM strategy_tiers WHERE tier <> 'T0')")
    elif where.tier is not None and where.strategy_id is not None:
        yield _Clause(
            "sc.strategy_pk IN (SELECT strategy_pk FROM strategy_tiers WHERE tier = ?)", (where.tier.value,)
        )
    if where.market is not None:
        yield _Clause(
            "EXISTS (SELECT 1 FROM backtests mb JOIN contexts mc ON mc.pk = mb.context_pk JOIN universes mu "
            "ON mu.pk = mc.universe_pk WHERE mb.pk = sc.backtest_pk AND mu.market = ?)",
            (where.market,),
        )
    for name, bounds in where.metrics.items():
        yield from _metric_bounds(session, name, bounds)


_IN_RUN = (
    "EXISTS (SELECT 1 FROM trials rt JOIN iterations ri ON ri.pk = rt.iteration_pk "
    "WHERE rt.strategy_pk = sc.strategy_pk AND rt.backtest_pk = sc.backtest_pk AND ri.run_pk = ?)"
)


def _metric_bounds(
    session: Session, name: str, bounds: tuple[float | None, float | None]
) -> Iterator[_Clause]:
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
            yield _Clause(f"{column} {mark} ?", (v.real(value, f"bound of {name}"),))


def _pk(session: Session, table: str, column: str, value: Any, shown: str) -> int:
    row = session.one(f"SELECT pk FROM {table} WHERE {column} = ?", [value])
    if row is None:
        raise NotFound(f"{table} holds no {column} {shown}")
    return int(row[0])


def _after(column: str, place: Place) -> _Clause:
    value, pk = place
    if value is None:
        return _Clause(f"{column} IS NULL AND sc.backtest_pk > ?", (pk,))
    # The first comparison lets the index start there, the second one settles ties.
    nulls = "" if column == "sc.score_total" else f" OR {column} IS NULL"
    return _Clause(
        f"({column} <= ?{nulls}) AND ({column} < ? OR sc.backtest_pk > ?{nulls})", (value, value, pk)
    )


def _spell(place: Place, order: LeaderboardOrder) -> str:
    return base64.urlsafe_b64encode(json.dumps([order.value, *place]).encode()).decode()


def _parse(cursor: str, order: LeaderboardOrder) -> Place:
    try:
        name, value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(f"not a cursor of this list: {cursor!r}") from error
    if name != order.value or not isinstance(pk, int) or not isinstance(value, float | int | None):
        raise InvalidInput(f"the cursor belongs to an order by {name}, not by {order.value}")
    return value, pk


_DETAILS = """SELECT b.pk, b.backtest_id, s.strategy_id, c.engine_mode, c.engine_version, c.data_version,
u.universe_version, c.period_start, c.period_end, t.template_id, s.name, coalesce(st.tier, 'T0'),
sc.score_total, sc.passed, sc.fail_reasons_json, p.policy_version
FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk JOIN strategies s ON s.pk = b.strategy_pk
JOIN contexts c ON c.pk = b.context_pk JOIN universes u ON u.pk = c.universe_pk
JOIN policies p ON p.pk = sc.policy_pk LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk"""


def _details(session: Session, policy: int, pks: list[int]) -> Iterator[LeaderboardRow]:
    found = {
        row[0]: row
        for row in session.among(_DETAILS, "sc.backtest_pk", pks, also="sc.policy_pk = ?", params=(policy,))
    }
    metrics = metric_values(session, pks)
    for pk in pks:
        yield _row(found[pk], metrics[pk])


def _row(row: Row, metrics: Any) -> LeaderboardRow:
    return LeaderboardRow(
        BacktestId(v.uuid_text(row[1])), StrategyId(row[2].hex()), EngineMode(row[3]), row[4],
        DataVersion(row[5].hex()), row[6].hex(), date.fromisoformat(row[7]), date.fromisoformat(row[8]),
        row[9],
        row[10], Tier(row[11]), row[12], bool(row[13]), tuple(v.from_json(row[14])), row[15], metrics,
    )  # fmt: skip
