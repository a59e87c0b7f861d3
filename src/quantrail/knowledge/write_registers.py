"""Writes of runs and of what results refer to: policies, universes, snapshots, library entries, files."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import RunStatus, StageStatus, Tier, TrialDoor
from quantrail.errors import NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import Keys, relative_path
from quantrail.knowledge.put import Put

_POLICIES = Put("policies", ["policy_version"], ["kind", "body_json"])
_UNIVERSES = Put("universes", ["universe_version"], ["market", "synthetic", "symbols_json"])
# The rows have that hash, wherever they were read from; so a source and a manifest of them may differ.
_SNAPSHOTS = Put("snapshots", ["data_version"], ["symbols", "rows", "period_start", "period_end"])
# Registers of what the program ships: another release may say other things about an entry, and the last
# one counts.
_TEMPLATES = Put("templates", ["template_id"])
_ATOMS = Put("atoms", ["atom_id"])
_RUNS = Put("runs", ["run_id"], ["config_json", "project_version", "code_version", "door", "requested_by"])
_ITERATIONS = Put("iterations", ["run_pk", "iteration_id"], ["constraint_set_pk"])


def save_policies(keys: Keys, policies: Sequence[r.Policy]) -> Written:
    rows = [
        (v.label(p.policy_version, "policy_version"), v.label(p.kind, "policy kind"),
         v.object_json(p.body, "policy body"), keys.now())
        for p in policies
    ]  # fmt: skip
    return _POLICIES(keys.session, rows)[1]


def save_universes(keys: Keys, universes: Sequence[r.Universe]) -> Written:
    rows = [
        (v.hash32(u.universe_version, "universe_version"), v.label(u.name, "universe name"),
         v.label(u.market, "market"), u.synthetic, v.json_text(u.symbols, "symbols"), keys.now())
        for u in universes
    ]  # fmt: skip
    return _UNIVERSES(keys.session, rows)[1]


def save_snapshots(keys: Keys, snapshots: Sequence[r.Snapshot]) -> Written:
    rows = [
        (v.hash32(s.data_version, "data_version"), v.label(s.source, "source"), v.count(s.symbols, "symbols"),
         v.count(s.rows, "rows"), *v.period(s.period_start, s.period_end),
         v.maybe_label(s.manifest_path, "manifest_path"), keys.now())
        for s in snapshots
    ]  # fmt: skip
    return _SNAPSHOTS(keys.session, rows)[1]


def save_templates(keys: Keys, templates: Sequence[ledger.TemplateEntry]) -> Written:
    rows = [
        (v.label(t.template_id, "template_id"), v.label(t.name, "template name"),
         v.member(Tier, t.tier, "tier"),
         v.label(t.status, "status"), v.real(t.confidence, "confidence"),
         v.object_json(t.parameter_schema, "parameter_schema"), v.prose(t.rationale, "rationale"),
         v.prose(t.reference, "reference"), v.json_text(t.atoms, "atoms"), keys.now())
        for t in templates
    ]  # fmt: skip
    written = _TEMPLATES(keys.session, rows)[1]
    for row, new in zip(rows, written.is_new, strict=True):
        if not new:
            keys.session.run(
                "UPDATE templates SET name = ?, tier = ?, status = ?, confidence = ?, "
                "parameter_schema_json = ?, rationale = ?, reference = ?, atoms_json = ? WHERE "
                "template_id = ?",
                (*row[1:9], row[0]),
            )
    return written


def save_atoms(keys: Keys, atoms: Sequence[ledger.AtomEntry]) -> Written:
    rows = [
        (v.label(a.atom_id, "atom_id"), v.label(a.kind, "atom kind"), v.member(Tier, a.tier, "tier"),
         v.label(a.status, "status"), v.real(a.confidence, "confidence"),
         v.object_json(a.parameter_schema, "parameter_schema"), v.prose(a.rationale, "rationale"),
         v.prose(a.reference, "reference"), keys.now())
        for a in atoms
    ]  # fmt: skip
    written = _ATOMS(keys.session, rows)[1]
    for row, new in zip(rows, written.is_new, strict=True):
        if not new:
            keys.session.run(
                "UPDATE atoms SET kind = ?, tier = ?, status = ?, confidence = ?, "
                "parameter_schema_json = ?, rationale = ?, reference = ? WHERE atom_id = ?",
                (*row[1:8], row[0]),
            )
    return written


_FILES = Put("files", ["path"], ["sha256", "size_bytes"])


def save_files(keys: Keys, files: Sequence[r.ArtifactFile]) -> Written:
    rows = [
        (relative_path(f.path), v.hash32(f.sha256, "sha256"), v.count(f.size_bytes, "size_bytes"), keys.now())
        for f in files
    ]
    # A row that another row's reference made has no hash yet: it is completed, not contradicted.
    completed = {
        row[0]
        for row in rows
        if keys.session.run(
            "UPDATE files SET sha256 = ?, size_bytes = ? WHERE path = ? AND sha256 IS NULL",
            (row[1], row[2], row[0]),
        )
    }
    written = _FILES(keys.session, rows)[1]
    flags = zip(rows, written.is_new, strict=True)
    return Written(tuple(new or row[0] in completed for row, new in flags))


def insert_run(keys: Keys, run: r.Run) -> Written:
    row = (
        v.uuid16(run.run_id, "run_id"), keys.now(), None, v.label(run.project_version, "project_version"),
        v.label(run.code_version, "code_version"), v.member(TrialDoor, run.door, "door"),
        v.object_json(run.config, "run config"), v.member(RunStatus, run.status, "status"),
        v.maybe_label(run.requested_by, "requested_by"),
    )  # fmt: skip
    return _RUNS(keys.session, [row])[1]


def set_run_status(keys: Keys, run_id: str, status: RunStatus) -> None:
    word = v.member(RunStatus, status, "status")
    ended = None if word == RunStatus.RUNNING else keys.now()
    keys.session.run("UPDATE runs SET status = ?, ended_at = ? WHERE pk = ?", (word, ended, keys.run(run_id)))


def insert_iteration(keys: Keys, iteration: r.Iteration) -> Written:
    applied = iteration.constraint_set_id_applied
    row = (
        keys.run(iteration.run_id), v.count(iteration.iteration_id, "iteration_id"), keys.now(), None,
        None if applied is None else constraint_set_pk(keys, applied), None,
    )  # fmt: skip
    return _ITERATIONS(keys.session, [row])[1]


def finish_iteration(keys: Keys, run_id: str, iteration_id: int, summary: r.Json) -> None:
    keys.session.run(
        "UPDATE iterations SET ended_at = ?, summary_json = ? WHERE pk = ?",
        (keys.now(), v.object_json(summary, "iteration summary"), keys.iteration(run_id, iteration_id)),
    )


def save_stage_events(keys: Keys, events: Sequence[r.StageEvent]) -> None:
    first = keys.session.reserve("stage_events", len(events))
    rows = [
        (first + i, keys.run(e.run_id), e.iteration_id, v.label(e.stage, "stage"), v.label(e.event, "event"),
         v.member(StageStatus, e.status, "status"), v.count(e.attempt, "attempt"),
         v.maybe_label(e.error_code, "error_code"), v.maybe_prose(e.reason, "reason"),
         v.maybe_json(e.payload, "payload"), keys.now())
        for i, e in enumerate(events)
    ]  # fmt: skip
    keys.session.insert("stage_events", rows)


def constraint_set_pk(keys: Keys, set_id: str) -> int:
    found = keys.session.one(
        "SELECT pk FROM constraint_sets WHERE constraint_set_id = ?", [v.hash32(set_id, "constraint_set_id")]
    )
    if found is None:
        raise NotFound(f"constraint set {set_id} is not stored; call save_constraint_set first")
    return int(found[0])
