"""Writes of what was learnt: failures, constraint sets with provenance, what each rule blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import ConstraintOrigin
from quantrail.domain.ids import ConstraintId
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import batches as many
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys, Told
from quantrail.knowledge.put import Put
from quantrail.knowledge.session import Row
from quantrail.knowledge.write_registers import constraint_set_pk

_FAILURES = Put("failures", ["failure_id"], ["backtest_pk", "category", "severity", "summary"])
_SETS = Put("constraint_sets", ["constraint_set_id"], ["base_pk"])
_CONSTRAINTS = Put("constraints", ["set_pk", "constraint_id"], ["scope", "type", "params_json"])
_PROVENANCE = Put("constraint_provenance", ["constraint_pk", "failure_pk", "mapping_rule"])
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
        if f.evidence is None and f.evidence_pack_path is None:
            raise InvalidInput(f"failure {f.failure_id} ({f.rule_id}) has neither evidence path nor evidence")
    rules, raws = Told(lambda asked: keys.rule(*asked)), keys.backtest_raws
    paths, lines = keys.artifacts([f.evidence_pack_path for f in failures])
    columns = (
        many.hashes([f.failure_id for f in failures], "failure_id"),
        [found[raws[f.backtest_id]].pk for f in failures],
        [rules[f.rule_id, f.rule_version, f.policy_version] for f in failures],
        [str(f.category) for f in failures],
        [v.names_json(f.tags, "tags") for f in failures],
        [str(f.severity) for f in failures],
        many.shares([f.confidence for f in failures], "confidence", [f.failure_id for f in failures]),
        many.proses([f.summary for f in failures], "summary"),
        paths, lines,
        many.jsons([f.evidence for f in failures], "evidence"),
        [str(f.state) for f in failures],
        repeat(keys.now(), len(failures)),
    )  # fmt: skip
    return list(zip(*columns, strict=True))


def set_failure_state(keys: Keys, event: ledger.FailureEvent) -> None:
    pk = _failure_pks(keys, [event.failure_id])[0]
    keys.session.run("UPDATE failures SET state = ? WHERE pk = ?", (event.state.value, pk))
    row = (pk, event.state.value, v.prose(event.reason, "reason"),
           v.maybe_label(event.requested_by, "requested_by"), keys.now())  # fmt: skip
    keys.session.insert("failure_events", [(keys.session.reserve("failure_events", 1), *row)])


def _failure_pks(keys: Keys, ids: Sequence[str]) -> list[int]:
    raws = [v.hash32(one, "failure_id") for one in ids]
    found = keys.session.pks("failures", "failure_id", raws)
    for raw in raws:
        if raw not in found:
            raise NotFound(f"failure {raw.hex()} is not stored; call save_failures first")
    return [found[raw] for raw in raws]


def save_constraint_set(
    keys: Keys,
    run_id: str,
    iteration_id: int,
    constraint_set: r.ConstraintSet,
    provenance: Sequence[r.Provenance],
) -> Written:
    iteration_pk = keys.iteration(run_id, iteration_id)
    _proven(keys, constraint_set, provenance)
    (set_pk,), written = _SETS(keys.session, [_set(keys, constraint_set, iteration_pk)])
    pks, _ = _CONSTRAINTS(keys.session, [(set_pk, *_constraint(c)) for c in constraint_set.members])
    of_member = dict(zip((c.constraint_id for c in constraint_set.members), pks, strict=True))
    failures = _failure_pks(keys, [p.failure_id for p in provenance])
    rows = [
        (_member(of_member, p), failure, v.label(p.mapping_rule, "mapping_rule"), iteration_pk)
        for p, failure in zip(provenance, failures, strict=True)
    ]
    _PROVENANCE(keys.session, rows)
    return written


def _set(keys: Keys, s: r.ConstraintSet, iteration_pk: int) -> Row:
    base = s.base_constraint_set_id
    whole = [_document(c) for c in s.members]
    return (
        v.hash32(s.constraint_set_id, "constraint_set_id"), iteration_pk,
        None if base is None else constraint_set_pk(keys, base), v.json_text(whole, "constraints"),
        keys.policy(s.policy_version), s.state.value, keys.now(),
    )  # fmt: skip


def _document(c: r.Constraint) -> dict[str, object]:
    return {
        "constraint_id": c.constraint_id, "scope": c.scope, "type": c.type, "params": dict(c.params),
        "applies_to": dict(c.applies_to), "priority": c.priority, "severity": c.severity,
        "derived_from_type": c.derived_from_type, "statistics": dict(c.statistics), "status": c.status,
    }  # fmt: skip


def _constraint(c: r.Constraint) -> Row:
    if not 0 <= v.whole(c.priority, "priority") <= 100:
        raise InvalidInput(f"priority of {c.constraint_id} is {c.priority}, which is not within 0..100")
    return (
        v.hash32(c.constraint_id, "constraint_id"), c.scope.value, c.type.value,
        v.json_text(c.params, "params"),
        v.json_text(c.applies_to, "applies_to"), c.priority, c.severity.value, c.derived_from_type.value,
        v.json_text(c.statistics, "statistics"), c.status.value,
    )  # fmt: skip


def _member(members: dict[ConstraintId, int], p: r.Provenance) -> int:
    if p.constraint_id not in members:
        raise NotFound(f"provenance names constraint {p.constraint_id}, which is not in the set")
    return members[p.constraint_id]


def _proven(keys: Keys, s: r.ConstraintSet, provenance: Sequence[r.Provenance]) -> None:
    """Whatever came from failures must lead back to one."""
    named = {p.constraint_id for p in provenance}
    open_ids = [
        v.hash32(c.constraint_id, "constraint_id")
        for c in s.members
        if c.derived_from_type is ConstraintOrigin.FAILURE and c.constraint_id not in named
    ]
    select = (
        "SELECT DISTINCT k.constraint_id FROM constraints k "
        "JOIN constraint_provenance p ON p.constraint_pk = k.pk"
    )
    found = {bytes(row[0]) for row in keys.session.among(select, "k.constraint_id", open_ids)}
    for raw in open_ids:
        if raw not in found:
            raise InvalidInput(
                f"constraint {raw.hex()} is derived from failures but no provenance names one; hand it in"
            )


def set_constraint_status(keys: Keys, event: ledger.ConstraintEvent) -> None:
    raw = v.hash32(event.constraint_id, "constraint_id")
    touched = keys.session.run(
        "UPDATE constraints SET status = ? WHERE constraint_id = ? "
        "AND set_pk IN (SELECT pk FROM constraint_sets WHERE state = 'ACTIVE')",
        (event.status.value, raw),
    )
    if not touched:
        raise NotFound(f"no active set holds constraint {event.constraint_id}")
    row = (raw, event.status.value, v.prose(event.reason, "reason"),
           v.maybe_label(event.requested_by, "requested_by"), keys.now())  # fmt: skip
    keys.session.insert("constraint_events", [(keys.session.reserve("constraint_events", 1), *row)])


def archive_constraint_set(keys: Keys, set_id: str) -> None:
    pk = constraint_set_pk(keys, set_id)
    keys.session.run("UPDATE constraint_sets SET state = 'ARCHIVED' WHERE pk = ?", [pk])


def save_trial_constraints(keys: Keys, rows: Sequence[r.TrialConstraint]) -> Written:
    trials = _trial_pks(keys, rows)
    constraints = _constraint_pks(keys, rows)
    built = [
        (constraints[(row.constraint_set_id, row.constraint_id)], trials[row.trial_id], row.arm.value)
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
