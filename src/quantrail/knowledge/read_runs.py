"""Reads of runs, iterations, stage events, trials, and of what results refer to."""

from __future__ import annotations

from datetime import date
from typing import Any

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import IterationRow, RunRow, StageEventRow
from quantrail.domain.enums import DriftCause, RunStatus, StageStatus, Tier, TrialArm, TrialDoor, TrialOutcome
from quantrail.domain.ids import (
    BacktestId,
    ConstraintSetId,
    ContentHash,
    DataVersion,
    ResultHash,
    RunId,
    StrategyId,
    TrialId,
    UniverseVersion,
)
from quantrail.errors import NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.session import Row, Session

_RUN = """SELECT run_id, created_at, ended_at, project_version, code_version, door, status, config_json,
requested_by FROM runs"""


def _run(row: Row) -> RunRow:
    return RunRow(
        RunId(v.uuid_text(row[0])), v.from_stamp(row[1]), v.maybe_from_stamp(row[2]), row[3], row[4], row[5],
        RunStatus(row[6]), v.from_json(row[7]), row[8],
    )  # fmt: skip


def get_run(session: Session, run_id: RunId) -> RunRow:
    row = session.one(f"{_RUN} WHERE run_id = ?", [v.uuid16(run_id, "run_id")])
    if row is None:
        raise NotFound(f"no run {run_id} is stored")
    return _run(row)


def list_runs(session: Session, limit: int) -> list[RunRow]:
    return [_run(row) for row in session.rows(f"{_RUN} ORDER BY pk DESC LIMIT ?", [v.count(limit, "limit")])]


def list_iterations(session: Session, run_id: RunId) -> list[IterationRow]:
    rows = session.rows(
        "SELECT i.iteration_id, i.started_at, i.ended_at, cs.constraint_set_id, i.summary_json "
        "FROM iterations i JOIN runs r ON r.pk = i.run_pk "
        "LEFT JOIN constraint_sets cs ON cs.pk = i.constraint_set_pk WHERE r.run_id = ? ORDER BY "
        "i.iteration_id",
        [v.uuid16(run_id, "run_id")],
    )
    return [
        IterationRow(
            run_id, row[0], v.from_stamp(row[1]), v.maybe_from_stamp(row[2]),
            None if row[3] is None else ConstraintSetId(row[3].hex()),
            None if row[4] is None else v.from_json(row[4]),
        )
        for row in rows
    ]  # fmt: skip


def list_stage_events(session: Session, run_id: RunId, iteration_id: int | None) -> list[StageEventRow]:
    params: list[Any] = [v.uuid16(run_id, "run_id")]
    where = ""
    if iteration_id is not None:
        where = "AND e.iteration_id = ?"
        params.append(iteration_id)
    rows = session.rows(
        "SELECT e.iteration_id, e.stage, e.event, e.status, e.attempt, e.error_code, e.reason, "
        "e.payload_json, "
        f"e.created_at FROM stage_events e JOIN runs r ON r.pk = e.run_pk WHERE r.run_id = ? {where} "
        f"ORDER BY e.pk",
        params,
    )
    return [
        StageEventRow(
            run_id, row[0], row[1], row[2], StageStatus(row[3]), row[4], row[5], row[6],
            None if row[7] is None else v.from_json(row[7]), v.from_stamp(row[8]),
        )
        for row in rows
    ]  # fmt: skip


def list_trials(session: Session, run_id: RunId, iteration_id: int | None) -> list[r.Trial]:
    params: list[Any] = [v.uuid16(run_id, "run_id")]
    where = ""
    if iteration_id is not None:
        where = "AND i.iteration_id = ?"
        params.append(iteration_id)
    rows = session.rows(
        "SELECT t.trial_id, i.iteration_id, t.ordinal, tc.door, s.strategy_id, t.outcome, "
        "u.universe_version, "
        "tc.period_start, tc.period_end, t.arm, b.backtest_id, tc.requested_by FROM trials t "
        "JOIN iterations i ON i.pk = t.iteration_pk JOIN runs r ON r.pk = i.run_pk "
        "JOIN trial_contexts tc ON tc.pk = t.context_pk JOIN universes u ON u.pk = tc.universe_pk "
        "JOIN strategies s ON s.pk = t.strategy_pk LEFT JOIN backtests b ON b.pk = t.backtest_pk "
        f"WHERE r.run_id = ? {where} ORDER BY i.iteration_id, t.ordinal",
        params,
    )
    return [
        r.Trial(
            TrialId(row[0].hex()), run_id, row[1], row[2], TrialDoor(row[3]), StrategyId(row[4].hex()),
            TrialOutcome(row[5]), UniverseVersion(row[6].hex()), date.fromisoformat(row[7]),
            date.fromisoformat(row[8]), TrialArm(row[9]),
            None if row[10] is None else BacktestId(v.uuid_text(row[10])), row[11] or None,
        )
        for row in rows
    ]  # fmt: skip


def find_universe(session: Session, version: UniverseVersion) -> r.Universe | None:
    row = session.one(
        "SELECT name, market, symbols_json, synthetic FROM universes WHERE universe_version = ?",
        [v.hash32(version, "universe_version")],
    )
    if row is None:
        return None
    return r.Universe(version, row[0], row[1], tuple(v.from_json(row[2])), bool(row[3]))


def find_snapshot(session: Session, version: DataVersion) -> r.Snapshot | None:
    row = session.one(
        "SELECT source, symbols, rows, period_start, period_end, manifest_path FROM snapshots "
        "WHERE data_version = ?",
        [v.hash32(version, "data_version")],
    )
    if row is None:
        return None
    return r.Snapshot(
        version, row[0], row[1], row[2], date.fromisoformat(row[3]), date.fromisoformat(row[4]), row[5]
    )


def data_versions(session: Session) -> set[DataVersion]:
    rows = session.rows(
        "SELECT data_version FROM snapshots UNION SELECT c.data_version FROM contexts c "
        "WHERE EXISTS (SELECT 1 FROM backtests b WHERE b.context_pk = c.pk AND b.snapshot_pk IS NULL)"
    )
    return {DataVersion(row[0].hex()) for row in rows}


def list_files(session: Session, folder: str | None) -> list[r.ArtifactFile]:
    within = "" if folder is None else "AND substr(path, 1, ?) = ?"
    rows = session.rows(
        f"SELECT path, sha256, size_bytes FROM files WHERE sha256 IS NOT NULL {within} ORDER BY path",
        [] if folder is None else [len(folder) + 1, f"{folder}/"],
    )
    return [r.ArtifactFile(row[0], ContentHash(row[1].hex()), row[2]) for row in rows]


def list_templates(session: Session) -> list[tuple[ledger.TemplateEntry, int]]:
    rows = session.rows(
        "SELECT template_id, name, tier, status, confidence, parameter_schema_json, rationale, reference, "
        "atoms_json, (SELECT count(*) FROM strategies s WHERE s.template_pk = t.pk) "
        "FROM templates t ORDER BY template_id"
    )
    return [
        (
            ledger.TemplateEntry(
                row[0], row[1], Tier(row[2]), row[3], row[4], v.from_json(row[5]), row[6], row[7],
                tuple(v.from_json(row[8])),
            ),
            row[9],
        )
        for row in rows
    ]  # fmt: skip


def list_atoms(session: Session) -> list[tuple[ledger.AtomEntry, int]]:
    rows = session.rows(
        "SELECT atom_id, kind, tier, status, confidence, parameter_schema_json, rationale, reference, "
        "(SELECT count(*) FROM strategy_atoms x WHERE x.atom_pk = a.pk) FROM atoms a ORDER BY atom_id"
    )
    return [
        (
            ledger.AtomEntry(
                row[0], row[1], Tier(row[2]), row[3], row[4], v.from_json(row[5]), row[6], row[7]
            ),
            row[8],
        )
        for row in rows
    ]  # fmt: skip


def list_promotions(session: Session, strategy_id: StrategyId | None) -> list[ledger.Promotion]:
    where = "" if strategy_id is None else "WHERE s.strategy_id = ?"
    rows = session.rows(
        "SELECT s.strategy_id, pr.decision, pr.tier_from, pr.tier_to, p.policy_version, "
        "pr.evidence_refs_json, "
        "b.backtest_id, pr.approver, pr.reason FROM promotion_records pr JOIN strategies s ON s.pk = "
        "pr.strategy_pk "
        "JOIN policies p ON p.pk = pr.policy_pk LEFT JOIN backtests b ON b.pk = pr.backtest_pk "
        f"{where} ORDER BY pr.pk DESC",
        [] if strategy_id is None else [v.hash32(strategy_id, "strategy_id")],
    )
    return [
        ledger.Promotion(
            StrategyId(row[0].hex()), row[1], Tier(row[2]), Tier(row[3]), row[4], tuple(v.from_json(row[5])),
            None if row[6] is None else BacktestId(v.uuid_text(row[6])), row[7], row[8],
        )
        for row in rows
    ]  # fmt: skip


def list_robustness_cases(session: Session, backtest_id: BacktestId) -> list[ledger.RobustnessCase]:
    rows = session.rows(
        "SELECT rc.type, rc.params_json, rc.passed, p.policy_version, rc.metrics_json, f.path, "
        "rc.metrics_row "
        "FROM robustness_cases rc JOIN backtests b ON b.pk = rc.backtest_pk JOIN policies p ON p.pk = "
        "rc.policy_pk "
        "LEFT JOIN files f ON f.pk = rc.metrics_file_pk WHERE b.backtest_id = ? ORDER BY rc.pk",
        [v.uuid16(backtest_id, "backtest_id")],
    )
    return [
        ledger.RobustnessCase(
            backtest_id, row[0], v.from_json(row[1]), bool(row[2]), row[3], v.from_json(row[4]),
            None if row[5] is None else r.ArtifactRef(row[5], row[6]),
        )
        for row in rows
    ]  # fmt: skip


def list_reproductions(session: Session, backtest_id: BacktestId) -> list[ledger.Reproduction]:
    rows = session.rows(
        "SELECT x.equal, x.cause, x.result_hash_stored, x.result_hash_found, x.code_version, x.detail "
        "FROM reproductions x JOIN backtests b ON b.pk = x.backtest_pk WHERE b.backtest_id = ? ORDER BY "
        "x.pk DESC",
        [v.uuid16(backtest_id, "backtest_id")],
    )
    return [
        ledger.Reproduction(
            backtest_id, bool(row[0]), None if row[1] is None else DriftCause(row[1]),
            None if row[2] is None else ResultHash(row[2].hex()),
            None if row[3] is None else ResultHash(row[3].hex()), row[4], row[5],
        )
        for row in rows
    ]  # fmt: skip


def list_reports(
    session: Session, run_id: RunId | None, backtest_id: BacktestId | None
) -> list[ledger.Report]:
    where: list[str] = []
    params: list[Any] = []
    if run_id is not None:
        where.append("r.run_id = ?")
        params.append(v.uuid16(run_id, "run_id"))
    if backtest_id is not None:
        where.append("b.backtest_id = ?")
        params.append(v.uuid16(backtest_id, "backtest_id"))
    rows = session.rows(
        "SELECT r.run_id, b.backtest_id, x.tearsheet_html_path, x.tearsheet_pdf_path, x.summary_json_path, "
        "x.doc_store_id FROM reports x LEFT JOIN runs r ON r.pk = x.run_pk "
        f"LEFT JOIN backtests b ON b.pk = x.backtest_pk {'WHERE ' + ' AND '.join(where) if where else ''} "
        "ORDER BY x.pk",
        params,
    )
    return [
        ledger.Report(
            None if row[0] is None else RunId(v.uuid_text(row[0])),
            None if row[1] is None else BacktestId(v.uuid_text(row[1])), *row[2:],
        )
        for row in rows
    ]  # fmt: skip


def holdout_reads(session: Session, strategy_id: StrategyId | None) -> int:
    where = "" if strategy_id is None else "WHERE s.strategy_id = ?"
    row = session.one(
        f"SELECT count(*) FROM holdout_reads h JOIN strategies s ON s.pk = h.strategy_pk {where}",
        [] if strategy_id is None else [v.hash32(strategy_id, "strategy_id")],
    )
    return 0 if row is None else int(row[0])
