"""Writes of what was learnt: failures, constraint sets with provenance, what each rule blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import ConstraintStatus, FailureCategory, FailureState, Severity, TrialArm
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import batches as many
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys, Told
from quantrail.knowledge.put import Put
from quantrail.knowledge.session import Row
from quantrail.knowledge.write_registers import constraint_set_pk

_FAILURES = Put(
    "failures",
    ["failure_id"],
    ["backtest_pk", "rule_pk", "category", "severity", "summary", "confidence", "tags_json", "evidence_json"],
    # PostgreSQL hands tags over parsed already.
    {"tags_json": lambda _, stored, offered: v.names_from_json(stored) == v.names_from_json(offered)},
)
_TRIAL_CONSTRAINTS = Put("trial_constraints", ["trial_pk", "constraint_pk"], ["arm"])


def save_failures(keys: Keys, failures: Sequence[r.Failure]) -> Written:
    found = keys.need_backtests([keys.backtest_raws[f.backtest_id] for f in failures])
    rows = _failures(keys, failures, found)
    bare = keys.unexplained
    pks, written = _FAILURES(keys.session, rows, [row for row in rows if row[1] not in bare])
    bare.difference_update([row[1] for row in rows])
    tag_pks = Told(keys.tag)
    tags = [
        (tag_pks[tag], pk)
        for f, pk, new in zip(failures, pks, written.is_new, strict=True)
        if new
        for tag in dict.fromkeys(f.tags)
    ]
    keys.session.insert("failure_tags", tags)
    return written


def _failures(keys: Keys, failures: Sequence[r.Failure], found: Mapping[bytes, BacktestKeys]) -> list[Row]:
    for f in failures:
        if not f.evidence and f.evidence_pack_path is None:
            raise InvalidInput(f"failure {f.failure_id} ({f.rule_id}) has neither evidence path nor evidence")
    rules, raws = Told(lambda asked: keys.rule(*asked)), keys.backtest_raws
    paths, lines = keys.artifacts([f.evidence_pack_path for f in failures])
    columns = (
        many.hashes([f.failure_id for f in failures], "failure_id"),
        [found[raws[f.backtest_id]].pk for f in failures],
        [rules[f.rule_id, f.rule_version, f.policy_version] for f in failures],
        many.members(FailureCategory, [f.category for f in failures], "category"),
        [v.names_json(f.tags, "tags") for f in failures],
        many.members(Severity, [f.severity for f in failures], "severity"),
        many.shares([f.confidence for f in failures], "confidence", [f.failure_id for f in failures]),
        many.proses([f.summary for f in failures], "summary"),
        paths, lines,
        many.jsons([f.evidence for f in failures], "evidence"),
        many.members(FailureState, [f.state for f in failures], "state"),
        repeat(keys.now(), len(failures)),
    )  # fmt: skip
    return list(zip(*columns, strict=True))


def set_failure_state(keys: Keys, event: ledger.FailureEvent) -> None:
    pk = failure_pks(keys, [event.failure_id])[0]
    state = v.member(FailureState, event.state, "state")
    keys.session.run("UPDATE failures SET state = ? WHERE pk = ?", (state, pk))
    row = (pk, state, v.prose(event.reason, "reason"),
           v.maybe_label(event.requested_by, "requested_by"), keys.now())  # fmt: skip
    keys.session.insert("failure_events", [(keys.session.reserve("failure_events", 1), *row)])


def failure_pks(keys: Keys, ids: Sequence[str]) -> list[int]:
    raws = [v.hash32(one, "failure_id") for one in ids]
    found = keys.session.pks("failures", "failure_id", raws)
    for raw in raws:
        if raw not in found:
            raise NotFound(f"failure {raw.hex()} is not stored; call save_failures first")
    return [found[raw] for raw in raws]


def set_constraint_status(keys: Keys, event: ledger.ConstraintEvent) -> None:
    raw = v.hash32(event.constraint_id, "constraint_id")
    status = v.member(ConstraintStatus, event.status, "status")
    touched = keys.session.run(
        "UPDATE constraints SET status = ? WHERE constraint_id = ? "
        "AND set_pk IN (SELECT pk FROM constraint_sets WHERE state = 'ACTIVE')",
        (status, raw),
    )
    if not touched:
        raise NotFound(f"no active set holds constraint {event.constraint_id}")
    row = (raw, status, v.prose(event.reason, "reason"),
           v.maybe_label(event.requested_by, "requested_by"), keys.now())  # fmt: skip
    keys.session.insert("constraint_events", [(keys.session.reserve("constraint_events", 1), *row)])


def archive_constraint_set(keys: Keys, set_id: str) -> None:
    pk = constraint_set_pk(keys, set_id)
    keys.session.run("UPDATE constraint_sets SET state = 'ARCHIVED' WHERE pk = ?", [pk])


def save_trial_constraints(keys: Keys, rows: Sequence[r.TrialConstraint]) -> Written:
    trials = _trial_pks(keys, rows)
    constraints = _constraint_pks(keys, rows)
    built = [
        (
            constraints[(row.constraint_set_id, row.constraint_id)],
            trials[row.trial_id],
            v.member(TrialArm, row.arm, "arm"),
        )
        for row in rows
    ]
    return _TRIAL_CONSTRAINTS(keys.session, built)[1]


def _trial_pks(keys: Keys, rows: Sequence[r.TrialConstraint]) -> dict[str, int]:
    found = keys.session.pks("trials", "trial_id", (v.hash32(row.trial_id, "trial_id") for row in rows))
    for row in rows:
        if bytes.fromhex(row.trial_id) not in found:
            raise NotFound(f"trial {row.trial_id} is not stored; call save_trials first")
    return {raw.hex(): pk for raw, pk in found.items()}


def _constraint_pks(keys: Keys, rows: Sequence[r.TrialConstraint]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for set_id in dict.fromkeys(row.constraint_set_id for row in rows):
        pk = constraint_set_pk(keys, set_id)
        members = keys.session.rows("SELECT constraint_id, pk FROM constraints WHERE set_pk = ?", [pk])
        found.update({(set_id, bytes(raw).hex()): one for raw, one in members})
    for row in rows:
        if (row.constraint_set_id, row.constraint_id) not in found:
            raise NotFound(f"set {row.constraint_set_id} holds no constraint {row.constraint_id}")
    return found
