"""Writes of constraint sets: the rules that bind an iteration, and the failures they came from."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import (
    ConstraintOrigin,
    ConstraintScope,
    ConstraintSetState,
    ConstraintStatus,
    ConstraintType,
    Severity,
)
from quantrail.domain.ids import ConstraintId
from quantrail.errors import Conflict, InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import Keys
from quantrail.knowledge.put import Put
from quantrail.knowledge.session import Row
from quantrail.knowledge.write_learning import failure_pks
from quantrail.knowledge.write_registers import constraint_set_pk

_SETS = Put("constraint_sets", ["constraint_set_id"], ["base_pk"])
# What a constraint_id is the hash of.
_RULE = ["scope", "type", "params_json", "applies_to_json"]
# Runs that learn the same rules from nothing meet in one set, whatever numbers led each of them there: the
# first keeps its own. The iteration that wrote a set must say the same again.
_ELSEWHERE = Put("constraints", ["set_pk", "constraint_id"], _RULE)
_AGAIN = Put(
    "constraints",
    ["set_pk", "constraint_id"],
    [*_RULE, "priority", "severity", "derived_from_type", "statistics_json"],
)
_POLICY_TOO = Put("constraint_sets", ["constraint_set_id"], ["base_pk", "policy_pk"])
_PROVENANCE = Put("constraint_provenance", ["constraint_pk", "failure_pk", "mapping_rule"])


def save_constraint_set(
    keys: Keys,
    run_id: str,
    iteration_id: int,
    constraint_set: r.ConstraintSet,
    provenance: Sequence[r.Provenance],
) -> Written:
    iteration_pk = keys.iteration(run_id, iteration_id)
    _proven(keys, constraint_set, provenance)
    row = _set(keys, constraint_set, iteration_pk)
    again = _written_by(keys, row[0]) == iteration_pk
    (set_pk,), written = (_POLICY_TOO if again else _SETS)(keys.session, [row])
    members = [(set_pk, *_constraint(c)) for c in constraint_set.members]
    if not written.new:
        _same_members(keys, constraint_set, set_pk, {one[1] for one in members})
    pks, _ = (_AGAIN if again else _ELSEWHERE)(keys.session, members)
    of_member = dict(zip((c.constraint_id for c in constraint_set.members), pks, strict=True))
    failures = failure_pks(keys, [p.failure_id for p in provenance])
    rows = [
        (_member(of_member, p), failure, v.label(p.mapping_rule, "mapping_rule"), iteration_pk)
        for p, failure in zip(provenance, failures, strict=True)
    ]
    _PROVENANCE(keys.session, rows)
    return written


def _written_by(keys: Keys, raw: bytes) -> int | None:
    found = keys.session.one("SELECT iteration_pk FROM constraint_sets WHERE constraint_set_id = ?", [raw])
    return None if found is None else int(found[0])


def _same_members(keys: Keys, s: r.ConstraintSet, set_pk: int, offered: set[bytes]) -> None:
    rows = keys.session.rows("SELECT constraint_id FROM constraints WHERE set_pk = ?", [set_pk])
    stored = {bytes(row[0]) for row in rows}
    if stored != offered:
        only = min(stored ^ offered).hex()
        raise Conflict(
            f"constraint_sets: {s.constraint_set_id} is stored with {len(stored)} members, now offered with "
            f"{len(offered)}; only one of the two holds {only}; nothing was changed",
            table="constraint_sets",
            key=s.constraint_set_id,
            column="members",
            stored=len(stored),
            offered=len(offered),
        )


def _set(keys: Keys, s: r.ConstraintSet, iteration_pk: int) -> Row:
    base = s.base_constraint_set_id
    whole = [_document(c) for c in s.members]
    return (
        v.hash32(s.constraint_set_id, "constraint_set_id"), iteration_pk,
        None if base is None else constraint_set_pk(keys, base), v.json_text(whole, "constraints"),
        keys.policy(s.policy_version), v.member(ConstraintSetState, s.state, "state"), keys.now(),
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
        v.hash32(c.constraint_id, "constraint_id"), v.member(ConstraintScope, c.scope, "scope"),
        v.member(ConstraintType, c.type, "type"), v.object_json(c.params, "params"),
        v.object_json(c.applies_to, "applies_to"), c.priority, v.member(Severity, c.severity, "severity"),
        v.member(ConstraintOrigin, c.derived_from_type, "derived_from_type"),
        v.object_json(c.statistics, "statistics"), v.member(ConstraintStatus, c.status, "status"),
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
        if c.derived_from_type == ConstraintOrigin.FAILURE and c.constraint_id not in named
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
