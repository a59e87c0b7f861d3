"""Reads of failures and constraints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from quantrail.domain import records as r
from quantrail.domain.answers import (
    BlockCount,
    BlockedTrial,
    FailureCount,
    FailureKey,
    ProvenanceRow,
    StoredConstraint,
    StoredConstraintSet,
)
from quantrail.domain.enums import (
    ConstraintOrigin,
    ConstraintScope,
    ConstraintSetState,
    ConstraintStatus,
    ConstraintType,
    FailureCategory,
    FailureState,
    Severity,
    TrialArm,
)
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ConstraintSetId,
    FailureId,
    RunId,
    StrategyId,
    TrialId,
)
from quantrail.errors import NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.session import Row, Session

_FAILURE = """SELECT fl.backtest_pk, fl.failure_id, b.backtest_id, fr.rule_id, fr.rule_version,
p.policy_version, fl.category, fl.tags_json, fl.severity, fl.confidence, fl.summary, f.path, fl.evidence_row,
fl.evidence_json, fl.state, fl.pk FROM failures fl JOIN backtests b ON b.pk = fl.backtest_pk
JOIN failure_rules fr ON fr.pk = fl.rule_pk JOIN policies p ON p.pk = fr.policy_pk
LEFT JOIN files f ON f.pk = fl.evidence_file_pk"""
_RUN_BACKTESTS = """(SELECT t.backtest_pk FROM trials t JOIN iterations i ON i.pk = t.iteration_pk
JOIN runs r ON r.pk = i.run_pk WHERE r.run_id = ?)"""


def _failure(row: Row) -> r.Failure:
    return r.Failure(
        FailureId(row[1].hex()), BacktestId(v.uuid_text(row[2])), row[3], row[4], row[5],
        FailureCategory(row[6]),
        v.names_from_json(row[7]), Severity(row[8]), row[9], row[10],
        None if row[11] is None else r.ArtifactRef(row[11], row[12]),
        None if row[13] is None else v.from_json(row[13]), FailureState(row[14]),
    )  # fmt: skip


def failures_of(session: Session, backtest_pks: Iterable[int]) -> dict[int, list[r.Failure]]:
    found: dict[int, list[r.Failure]] = defaultdict(list)
    rows = session.among(_FAILURE, "fl.backtest_pk", backtest_pks)
    for row in sorted(rows, key=lambda row: row[15]):
        found[row[0]].append(_failure(row))
    return found


def get_failure(session: Session, failure_id: FailureId) -> r.Failure:
    row = session.one(f"{_FAILURE} WHERE fl.failure_id = ?", [v.hash32(failure_id, "failure_id")])
    if row is None:
        raise NotFound(f"no failure {failure_id} is stored")
    return _failure(row)


def list_failures(session: Session, tag: str | None, run_id: RunId | None, limit: int) -> list[r.Failure]:
    where: list[str] = []
    params: list[Any] = []
    if tag is not None:
        where.append(
            "fl.pk IN (SELECT x.failure_pk FROM failure_tags x JOIN tags t ON t.pk = x.tag_pk WHERE "
            "t.tag = ?)"
        )
        params.append(v.label(tag, "tag"))
    if run_id is not None:
        where.append(f"fl.backtest_pk IN {_RUN_BACKTESTS}")
        params.append(v.uuid16(run_id, "run_id"))
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    rank = "CASE fl.severity WHEN 'CRITICAL' THEN 0 WHEN 'ERROR' THEN 1 WHEN 'WARN' THEN 2 ELSE 3 END"
    order = f" ORDER BY {rank}, fl.confidence DESC, fl.failure_id LIMIT ?"
    rows = session.rows(_FAILURE + condition + order, [*params, v.count(limit, "limit")])
    return [_failure(row) for row in rows]


_BY_TAG = """SELECT t.tag, c.failures FROM tag_counts c JOIN tags t ON t.pk = c.tag_pk WHERE c.failures > 0
ORDER BY 2 DESC, 1 LIMIT ?"""
_BY_CATEGORY = "SELECT category, count(*) FROM failures GROUP BY category ORDER BY 2 DESC, 1 LIMIT ?"
_WHOLE_STORE = {FailureKey.TAG: _BY_TAG, FailureKey.CATEGORY: _BY_CATEGORY}
_COUNTED = {
    FailureKey.TAG: ("t.tag", "JOIN failure_tags x ON x.failure_pk = fl.pk JOIN tags t ON t.pk = x.tag_pk"),
    FailureKey.CATEGORY: ("fl.category", ""),
    FailureKey.TEMPLATE: (
        "t.template_id",
        "JOIN strategies s ON s.pk = b.strategy_pk JOIN templates t ON t.pk = s.template_pk",
    ),
    FailureKey.ATOM: (
        "a.atom_id",
        "JOIN strategy_atoms x ON x.strategy_pk = b.strategy_pk JOIN atoms a ON a.pk = x.atom_pk",
    ),
}


def repeated_failures(
    session: Session, top_n: int, by: FailureKey, run_id: RunId | None
) -> list[FailureCount]:
    v.count(top_n, "top_n")
    by = FailureKey(v.member(FailureKey, by, "by"))
    if run_id is None and by in _WHOLE_STORE:
        rows = session.rows(_WHOLE_STORE[by], [top_n])
        return [FailureCount(row[0], row[1]) for row in rows]
    column, joins = _COUNTED[by]
    where = "" if run_id is None else f"WHERE fl.backtest_pk IN {_RUN_BACKTESTS}"
    params: list[Any] = [] if run_id is None else [v.uuid16(run_id, "run_id")]
    rows = session.rows(
        f"SELECT {column}, count(*), count(DISTINCT b.strategy_pk) FROM failures fl "
        f"JOIN backtests b ON b.pk = fl.backtest_pk {joins} {where} GROUP BY {column} "
        f"ORDER BY 2 DESC, 1 LIMIT ?",
        [*params, top_n],
    )
    return [FailureCount(*row) for row in rows]


_SET = """SELECT cs.pk, cs.constraint_set_id, base.constraint_set_id, p.policy_version, cs.state,
cs.created_at, r.run_id, i.iteration_id FROM constraint_sets cs JOIN policies p ON p.pk = cs.policy_pk
JOIN iterations i ON i.pk = cs.iteration_pk JOIN runs r ON r.pk = i.run_pk
LEFT JOIN constraint_sets base ON base.pk = cs.base_pk"""
_CONSTRAINT = """SELECT k.constraint_id, k.scope, k.type, k.params_json, k.applies_to_json, k.priority,
k.severity, k.derived_from_type, k.statistics_json, k.status"""


def _constraint(row: Row) -> r.Constraint:
    return r.Constraint(
        ConstraintId(row[0].hex()), ConstraintScope(row[1]), ConstraintType(row[2]), v.from_json(row[3]),
        v.from_json(row[4]), row[5], Severity(row[6]), ConstraintOrigin(row[7]), v.from_json(row[8]),
        ConstraintStatus(row[9]),
    )  # fmt: skip


def _stored_set(session: Session, row: Row) -> StoredConstraintSet:
    members = session.rows(f"{_CONSTRAINT} FROM constraints k WHERE k.set_pk = ? ORDER BY k.pk", [row[0]])
    stored = r.ConstraintSet(
        ConstraintSetId(row[1].hex()), tuple(_constraint(one) for one in members), row[3],
        None if row[2] is None else ConstraintSetId(row[2].hex()), ConstraintSetState(row[4]),
    )  # fmt: skip
    return StoredConstraintSet(stored, v.from_stamp(row[5]), RunId(v.uuid_text(row[6])), row[7])


def latest_constraint_set(session: Session) -> StoredConstraintSet | None:
    row = session.one(f"{_SET} WHERE cs.state = 'ACTIVE' ORDER BY cs.pk DESC LIMIT 1")
    return None if row is None else _stored_set(session, row)


def get_constraint_set(session: Session, set_id: ConstraintSetId) -> StoredConstraintSet:
    row = session.one(f"{_SET} WHERE cs.constraint_set_id = ?", [v.hash32(set_id, "constraint_set_id")])
    if row is None:
        raise NotFound(f"no constraint set {set_id} is stored")
    return _stored_set(session, row)


def list_constraints(session: Session, active_only: bool) -> list[StoredConstraint]:
    active = "AND k.status = 'ACTIVE' AND cs.state = 'ACTIVE'" if active_only else ""
    rows = session.rows(
        f"{_CONSTRAINT}, cs.constraint_set_id, cs.created_at FROM constraints k "
        "JOIN constraint_sets cs ON cs.pk = k.set_pk WHERE k.pk IN "
        f"(SELECT max(pk) FROM constraints GROUP BY constraint_id) {active} ORDER BY k.priority DESC, "
        f"k.constraint_id"
    )
    return [
        StoredConstraint(_constraint(row), ConstraintSetId(row[10].hex()), v.from_stamp(row[11]))
        for row in rows
    ]


def provenance_of(session: Session, constraint_id: ConstraintId) -> list[ProvenanceRow]:
    rows = session.rows(
        "SELECT cs.constraint_set_id, fl.failure_id, cp.mapping_rule, r.run_id, i.iteration_id "
        "FROM constraint_provenance cp JOIN constraints k ON k.pk = cp.constraint_pk "
        "JOIN constraint_sets cs ON cs.pk = k.set_pk JOIN failures fl ON fl.pk = cp.failure_pk "
        "JOIN iterations i ON i.pk = cp.iteration_pk JOIN runs r ON r.pk = i.run_pk "
        "WHERE k.constraint_id = ? ORDER BY cp.pk",
        [v.hash32(constraint_id, "constraint_id")],
    )
    return [
        ProvenanceRow(
            ConstraintSetId(row[0].hex()), constraint_id, FailureId(row[1].hex()), row[2],
            RunId(v.uuid_text(row[3])), row[4],
        )
        for row in rows
    ]  # fmt: skip


def block_counts(session: Session, run_id: RunId | None) -> list[BlockCount]:
    where = "" if run_id is None else "WHERE r.run_id = ?"
    rows = session.rows(
        "SELECT r.run_id, i.iteration_id, cs.constraint_set_id, k.constraint_id, x.arm, count(*) "
        "FROM trial_constraints x JOIN trials t ON t.pk = x.trial_pk JOIN iterations i ON i.pk = "
        "t.iteration_pk "
        "JOIN runs r ON r.pk = i.run_pk JOIN constraints k ON k.pk = x.constraint_pk "
        f"JOIN constraint_sets cs ON cs.pk = k.set_pk {where} "
        "GROUP BY r.pk, r.run_id, i.iteration_id, cs.constraint_set_id, k.constraint_id, x.arm "
        "ORDER BY r.pk, i.iteration_id, k.constraint_id, x.arm",
        [] if run_id is None else [v.uuid16(run_id, "run_id")],
    )
    return [
        BlockCount(
            RunId(v.uuid_text(row[0])), row[1], ConstraintSetId(row[2].hex()), ConstraintId(row[3].hex()),
            TrialArm(row[4]), row[5],
        )
        for row in rows
    ]  # fmt: skip


def blocked_trials(session: Session, constraint_id: ConstraintId, limit: int) -> list[BlockedTrial]:
    rows = session.rows(
        "SELECT t.trial_id, r.run_id, i.iteration_id, t.ordinal, x.arm, s.strategy_id, b.backtest_id, "
        "cs.constraint_set_id, (SELECT count(*) FROM trial_constraints y WHERE y.trial_pk = t.pk) "
        "FROM constraints k JOIN trial_constraints x ON x.constraint_pk = k.pk JOIN trials t ON t.pk = "
        "x.trial_pk "
        "JOIN iterations i ON i.pk = t.iteration_pk JOIN runs r ON r.pk = i.run_pk "
        "JOIN strategies s ON s.pk = t.strategy_pk JOIN constraint_sets cs ON cs.pk = k.set_pk "
        "LEFT JOIN backtests b ON b.pk = t.backtest_pk WHERE k.constraint_id = ? "
        "ORDER BY r.pk, i.iteration_id, t.ordinal LIMIT ?",
        [v.hash32(constraint_id, "constraint_id"), v.count(limit, "limit")],
    )
    return [
        BlockedTrial(
            TrialId(row[0].hex()), RunId(v.uuid_text(row[1])), row[2], row[3], TrialArm(row[4]),
            StrategyId(row[5].hex()), None if row[6] is None else BacktestId(v.uuid_text(row[6])),
            ConstraintSetId(row[7].hex()), constraint_id, row[8] == 1,
        )
        for row in rows
    ]  # fmt: skip
