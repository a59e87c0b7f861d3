"""Reads of strategies and backtests, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from quantrail.domain import records as r
from quantrail.domain.answers import BacktestRow, StrategyRow
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import BacktestStatus, EngineMode, Tier
from quantrail.domain.identity import ReproductionKey
from quantrail.domain.ids import (
    BacktestId,
    ContentHash,
    DataVersion,
    LogicHash,
    ResultHash,
    RunId,
    StrategyId,
    UniverseVersion,
)
from quantrail.errors import NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.read_learning import failures_of
from quantrail.knowledge.schema import FIRST_METRICS, LATER_METRICS, METRIC_COLUMNS, SPEC_TEXTS, WHOLE_SPEC
from quantrail.knowledge.session import Row, Session


def artifact(path: str | None, row: int | None) -> r.ArtifactRef | None:
    return None if path is None else r.ArtifactRef(path, row)


_STRATEGY = f"""SELECT s.pk, s.strategy_id, {WHOLE_SPEC}, s.logic_hash, s.created_from,
s.spec_hash_version, s.schema_version, s.kind, s.name, t.template_id, s.params_json, d.strategy_id,
s.created_at,
coalesce(st.tier, 'T0') FROM strategies s {SPEC_TEXTS} LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategies d ON d.pk = s.derived_from_pk LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk"""


def get_strategy(session: Session, strategy_id: StrategyId) -> StrategyRow:
    row = session.one(f"{_STRATEGY} WHERE s.strategy_id = ?", [v.hash32(strategy_id, "strategy_id")])
    if row is None:
        raise NotFound(f"no strategy {strategy_id} is stored")
    atoms = session.rows(
        "SELECT a.atom_id FROM strategy_atoms x JOIN atoms a ON a.pk = x.atom_pk WHERE x.strategy_pk = ? "
        "ORDER BY a.atom_id",
        [row[0]],
    )
    strategy = r.Strategy(
        StrategyId(row[1].hex()), row[2].encode(), LogicHash(row[3].hex()), row[4], row[5], row[6], row[7],
        row[8], row[9], None if row[10] is None else v.from_json(row[10]), tuple(one[0] for one in atoms),
        None if row[11] is None else StrategyId(row[11].hex()),
    )  # fmt: skip
    return StrategyRow(strategy, v.from_stamp(row[12]), Tier(row[13]))


def known_strategies(session: Session, ids: Sequence[StrategyId]) -> set[StrategyId]:
    raws = [v.hash32(one, "strategy_id") for one in ids]
    return {StrategyId(raw.hex()) for raw in session.pks("strategies", "strategy_id", raws)}


_BACKTEST = """SELECT b.backtest_id, s.strategy_id, c.engine_mode, c.engine_version, c.data_version,
u.universe_version, c.period_start, c.period_end, c.bar_interval, cc.calc_contract_hash,
mv.model_versions_hash, b.seed, r.run_id, i.iteration_id, cc.calc_contract_json, mv.model_versions_json,
b.status, b.result_hash, b.error_code, b.error_message, f.path, b.artifacts_row, sn.data_version,
r.code_version, b.created_at, b.pk
FROM backtests b JOIN strategies s ON s.pk = b.strategy_pk JOIN contexts c ON c.pk = b.context_pk
JOIN universes u ON u.pk = c.universe_pk JOIN model_version_sets mv ON mv.pk = c.model_versions_pk
JOIN calc_contracts cc ON cc.pk = b.calc_contract_pk JOIN iterations i ON i.pk = b.iteration_pk
JOIN runs r ON r.pk = i.run_pk LEFT JOIN files f ON f.pk = b.artifacts_file_pk
LEFT JOIN snapshots sn ON sn.pk = b.snapshot_pk"""


def backtests_by_pk(session: Session, pks: Iterable[int]) -> dict[int, BacktestRow]:
    return _assemble(session, session.among(_BACKTEST, "b.pk", pks))


def find_backtests(session: Session, ids: Sequence[BacktestId]) -> dict[BacktestId, BacktestRow]:
    raws = [v.uuid16(one, "backtest_id") for one in ids]
    found = _assemble(session, session.among(_BACKTEST, "b.backtest_id", raws))
    by_id = {row.backtest_id: row for row in found.values()}
    return {one: by_id[one] for one in ids if one in by_id}


def get_backtest(session: Session, backtest_id: BacktestId) -> BacktestRow:
    found = list(find_backtests(session, [backtest_id]).values())
    if not found:
        raise NotFound(f"no backtest {backtest_id} is stored")
    return found[0]


def compare(session: Session, ids: Sequence[BacktestId]) -> list[BacktestRow]:
    found = find_backtests(session, ids)
    missing = [one for one in ids if one not in found]
    if missing:
        raise NotFound(f"no backtest {', '.join(missing)} is stored")
    return [found[one] for one in ids]


def strategy_history(session: Session, strategy_id: StrategyId) -> list[BacktestRow]:
    rows = session.rows(
        "SELECT b.pk FROM backtests b JOIN strategies s ON s.pk = b.strategy_pk WHERE s.strategy_id = ?",
        [v.hash32(strategy_id, "strategy_id")],
    )
    found = backtests_by_pk(session, (row[0] for row in rows))
    return [found[pk] for pk in sorted(found)]


def list_backtests(
    session: Session, run_id: RunId | None, strategy_id: StrategyId | None, limit: int
) -> list[BacktestId]:
    where: list[str] = []
    params: list[Any] = []
    if run_id is not None:
        where.append(
            "b.pk IN (SELECT t.backtest_pk FROM trials t JOIN iterations i ON i.pk = t.iteration_pk "
            "JOIN runs r ON r.pk = i.run_pk WHERE r.run_id = ?)"
        )
        params.append(v.uuid16(run_id, "run_id"))
    if strategy_id is not None:
        where.append("b.strategy_pk = (SELECT pk FROM strategies WHERE strategy_id = ?)")
        params.append(v.hash32(strategy_id, "strategy_id"))
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    rows = session.rows(
        f"SELECT b.backtest_id FROM backtests b{condition} ORDER BY b.pk LIMIT ?",
        [*params, v.count(limit, "limit")],
    )
    return [BacktestId(v.uuid_text(row[0])) for row in rows]


def comparisons_of(session: Session, backtest_id: BacktestId) -> list[r.EngineComparison]:
    raw = v.uuid16(backtest_id, "backtest_id")
    rows = session.rows(
        "SELECT a.backtest_id, b.backtest_id, ec.agree, ec.max_abs_equity_diff, ec.pnl_effect, ec.reason, "
        "ec.first_difference_json FROM engine_comparisons ec JOIN backtests a ON a.pk = ec.backtest_a_pk "
        "JOIN backtests b ON b.pk = ec.backtest_b_pk WHERE ec.backtest_a_pk IN "
        "(SELECT pk FROM backtests WHERE backtest_id = ?) OR ec.backtest_b_pk IN "
        "(SELECT pk FROM backtests WHERE backtest_id = ?) ORDER BY ec.pk",
        [raw, raw],
    )
    return [
        r.EngineComparison(
            BacktestId(v.uuid_text(row[0])), BacktestId(v.uuid_text(row[1])), bool(row[2]), row[3], row[4],
            row[5], None if row[6] is None else v.from_json(row[6]),
        )
        for row in rows
    ]  # fmt: skip


def _assemble(session: Session, rows: Sequence[Row]) -> dict[int, BacktestRow]:
    ids = {row[25]: BacktestId(v.uuid_text(row[0])) for row in rows}
    metrics = _metrics_of(session, ids, {row[25]: ContentHash(row[9].hex()) for row in rows})
    scores = _scores_of(session, ids)
    failures = failures_of(session, ids)
    return {
        row[25]: _backtest(row, metrics.get(row[25]), scores.get(row[25], []), failures.get(row[25], []))
        for row in rows
    }


def _backtest(
    row: Row, metrics: r.Metrics | None, scores: Sequence[r.Score], failures: Sequence[r.Failure]
) -> BacktestRow:
    key = ReproductionKey(
        StrategyId(row[1].hex()), EngineMode(row[2]), row[3], DataVersion(row[4].hex()),
        UniverseVersion(row[5].hex()), date.fromisoformat(row[6]), date.fromisoformat(row[7]), row[8],
        ContentHash(row[9].hex()), ContentHash(row[10].hex()), row[11],
    )  # fmt: skip
    return BacktestRow(
        BacktestId(v.uuid_text(row[0])), key, RunId(v.uuid_text(row[12])), row[13],
        _contract(row[14]), _models(row[15]), BacktestStatus(row[16]),
        None if row[17] is None else ResultHash(row[17].hex()), row[18], row[19], artifact(row[20], row[21]),
        None if row[22] is None else DataVersion(row[22].hex()), row[23], v.from_stamp(row[24]), metrics,
        tuple(scores), tuple(failures),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _contract(text: str) -> CalcContract:
    return CalcContract(**v.from_json(text))


@lru_cache(maxsize=256)
def _models(text: str) -> ModelVersions:
    document = v.from_json(text)
    settings = tuple(document.pop("settings").items())
    return ModelVersions(**document, settings=settings)


def metric_values(session: Session, pks: Sequence[int]) -> dict[int, dict[str, float | None]]:
    """Values alone, by backtest: the first columns, and whatever else has a value."""
    select = f"SELECT backtest_pk, more_json, {', '.join(METRIC_COLUMNS)} FROM metrics"
    found: dict[int, dict[str, float | None]] = {}
    for pk, more, *columns in session.among(select, "backtest_pk", pks):
        found[pk] = dict(zip(FIRST_METRICS, columns, strict=False))
        later = zip(LATER_METRICS, columns[len(FIRST_METRICS) :], strict=True)
        found[pk].update((name, value) for name, value in later if value is not None)
        if more is not None:
            found[pk].update(v.from_json(more))
    return found


_METRICS = (
    "SELECT m.backtest_pk, m.more_json, coalesce(m.quality_warnings_json, n.body), f.path, m.metrics_row, "
    f"m.schema_version, {', '.join(f'm.{name}' for name in METRIC_COLUMNS)} FROM metrics m "
    "LEFT JOIN files f ON f.pk = m.metrics_file_pk LEFT JOIN texts n ON n.pk = m.notes_text_pk"
)


def _metrics_of(
    session: Session, ids: Mapping[int, BacktestId], contracts: Mapping[int, ContentHash]
) -> dict[int, r.Metrics]:
    """By backtest. Metrics repeat their backtest's contract, which a foreign key sees to."""
    rows = session.among(_METRICS, "m.backtest_pk", ids)
    return {row[0]: _metrics(row, ids[row[0]], contracts[row[0]]) for row in rows}


def _metrics(row: Row, backtest_id: BacktestId, contract: ContentHash) -> r.Metrics:
    undefined, warnings = _notes(row[2])
    values: dict[str, float | int | None] = {
        name: value
        for name, value in zip(METRIC_COLUMNS, row[6:], strict=True)
        if value is not None or name in undefined
    }
    if row[1] is not None:
        values.update(v.from_json(row[1]))
    return r.Metrics(
        backtest_id, contract, values, dict(undefined), warnings, artifact(row[3], row[4]), row[5]
    )


@lru_cache(maxsize=1024)
def _notes(text: str | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Metrics that are undefined, and warnings: the same few texts for most backtests."""
    notes = {"undefined": {}, "warnings": []} if text is None else v.from_json(text)
    return notes["undefined"], tuple(notes["warnings"])


_SCORES = """SELECT sc.backtest_pk, sc.pk, p.policy_version, sc.score_total, sc.breakdown_json, sc.passed,
sc.fail_reasons_json FROM scores sc JOIN policies p ON p.pk = sc.policy_pk"""


def _scores_of(session: Session, ids: Mapping[int, BacktestId]) -> dict[int, list[r.Score]]:
    found: dict[int, list[r.Score]] = defaultdict(list)
    for row in sorted(session.among(_SCORES, "sc.backtest_pk", ids)):
        found[row[0]].append(
            r.Score(ids[row[0]], row[2], row[3], v.from_json(row[4]), bool(row[5]), v.names_from_json(row[6]))
        )
    return found
