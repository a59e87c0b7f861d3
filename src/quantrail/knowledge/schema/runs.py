"""Tables of runs and of what every result refers to: files, contracts, policies, universes."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint

from quantrail.domain.enums import EngineMode, RunStatus, Severity, StageStatus, TrialDoor
from quantrail.knowledge.schema.columns import (
    WHOLE,
    blob,
    content_id,
    created_at,
    flag,
    one_of,
    pk,
    ref,
    table,
    text,
    whole,
)

files = table(
    "files", pk(), text("path", unique=True), blob("sha256", null=True), whole("size_bytes", null=True),
    created_at(),
)  # fmt: skip

policies = table(
    "policies", pk(), text("policy_version", unique=True), text("kind"), text("body_json"), created_at()
)

runs = table(
    "runs", pk(), content_id("run_id"), created_at(), whole("ended_at", null=True), text("project_version"),
    text("code_version"), text("door"), text("config_json"), text("status"), text("requested_by", null=True),
    one_of("status", RunStatus), one_of("door", TrialDoor),
)  # fmt: skip

iterations = table(
    "iterations", pk(), ref("run_pk", "runs"), whole("iteration_id"), whole("started_at"),
    whole("ended_at", null=True), Column("constraint_set_pk", WHOLE,
           # Sets name the iteration that wrote them, iterations the set they applied.
           ForeignKey("constraint_sets.pk", use_alter=True), nullable=True),
    text("summary_json", null=True),
    UniqueConstraint("run_pk", "iteration_id"),
    CheckConstraint("iteration_id >= 0", name="iteration_id_range"),
)  # fmt: skip

stage_events = table(
    "stage_events", pk(), ref("run_pk", "runs"), whole("iteration_id", null=True), text("stage"),
    text("event"), text("status"), whole("attempt"), text("error_code", null=True),
    text("reason", null=True), text("payload_json", null=True), created_at(),
    one_of("status", StageStatus),
    Index("ix_stage_events_run_pk", "run_pk"),
)  # fmt: skip

# Text that many rows share, once: beginnings and ends of specs, notes beside metrics.
texts = table("texts", pk(), content_id("text_hash"), text("body"))

calc_contracts = table("calc_contracts", pk(), content_id("calc_contract_hash"), text("calc_contract_json"))
model_version_sets = table(
    "model_version_sets", pk(), content_id("model_versions_hash"), text("model_versions_json")
)

universes = table(
    "universes", pk(), content_id("universe_version"), text("name"), text("market"), *flag("synthetic"),
    text("symbols_json"), created_at(),
)  # fmt: skip

snapshots = table(
    "snapshots", pk(), content_id("data_version"), text("source"), whole("symbols"), whole("rows"),
    text("period_start"), text("period_end"), text("manifest_path", null=True), created_at(),
)  # fmt: skip

data_findings = table(
    "data_findings", pk(), content_id("finding_id"), ref("snapshot_pk", "snapshots"), text("symbol"),
    text("date", null=True), text("kind"), text("severity"), text("detail"), *flag("quarantined"),
    created_at(),
    one_of("severity", Severity),
    Index("ix_data_findings_snapshot_pk", "snapshot_pk", "symbol"),
)  # fmt: skip

# Everything that many backtests have in common, once. With strategy, contract and seed it is the
# reproduction key.
contexts = table(
    "contexts", pk(), blob("data_version"), text("engine_mode"), text("period_start"), text("period_end"),
    text("engine_version"), ref("universe_pk", "universes"), text("bar_interval"),
    ref("model_versions_pk", "model_version_sets"),
    one_of("engine_mode", EngineMode),
    CheckConstraint("period_end >= period_start", name="period_order"),
    UniqueConstraint("data_version", "engine_mode", "period_start", "period_end", "engine_version",
                     "universe_pk", "bar_interval", "model_versions_pk", name="uq_contexts_content"),
)  # fmt: skip

trial_contexts = table(
    "trial_contexts", pk(), ref("universe_pk", "universes"), text("period_start"), text("period_end"),
    text("door"), text("requested_by"),
    one_of("door", TrialDoor),
    CheckConstraint("period_end >= period_start", name="period_order"),
    UniqueConstraint("universe_pk", "period_start", "period_end", "door", "requested_by",
                     name="uq_trial_contexts_content"),
)  # fmt: skip
