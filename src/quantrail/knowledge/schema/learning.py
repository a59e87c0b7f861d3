"""Tables of what was learnt: failures and their tags, constraints and where they came from."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint

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
from quantrail.knowledge.schema.columns import (
    TAGS,
    between,
    content_id,
    created_at,
    number,
    one_of,
    pk,
    ref,
    table,
    text,
    whole,
)

failure_rules = table(
    "failure_rules", pk(), text("rule_id"), text("rule_version"), ref("policy_pk", "policies"),
    UniqueConstraint("rule_id", "rule_version", "policy_pk"),
)  # fmt: skip

failures = table(
    "failures", pk(), content_id("failure_id"), ref("backtest_pk", "backtests"),
    ref("rule_pk", "failure_rules"), text("category"), Column("tags_json", TAGS, nullable=False),
    text("severity"), number("confidence"), text("summary"), ref("evidence_file_pk", "files", null=True),
    whole("evidence_row", null=True), text("evidence_json", null=True), text("state"), created_at(),
    one_of("category", FailureCategory), one_of("severity", Severity), one_of("state", FailureState),
    between("confidence", 0, 1),
    CheckConstraint("evidence_file_pk IS NOT NULL OR evidence_json IS NOT NULL", name="evidence_there"),
    UniqueConstraint("backtest_pk", "rule_pk"),
    Index("ix_failures_category", "category"),
    Index("ix_failures_severity", "severity"),
    Index("ix_failures_tags_json", "tags_json", postgresql_using="gin").ddl_if(dialect="postgresql"),
)  # fmt: skip

tags = table("tags", pk(), text("tag", unique=True))

failure_tags = table(
    "failure_tags",
    ref("tag_pk", "tags", primary_key=True, autoincrement=False),
    ref("failure_pk", "failures", primary_key=True, autoincrement=False),
    rowid=False,
)

# Kept by a trigger, so that it cannot drift from the rows it counts.
tag_counts = table(
    "tag_counts", ref("tag_pk", "tags", primary_key=True, autoincrement=False), whole("failures")
)

failure_events = table(
    "failure_events", pk(), ref("failure_pk", "failures"), text("state"), text("reason"),
    text("requested_by", null=True), created_at(),
    one_of("state", FailureState),
    Index("ix_failure_events_failure_pk", "failure_pk"),
)  # fmt: skip

constraint_sets = table(
    "constraint_sets", pk(), content_id("constraint_set_id"), ref("iteration_pk", "iterations"),
    ref("base_pk", "constraint_sets", null=True), text("constraints_json"), ref("policy_pk", "policies"),
    text("state"), created_at(),
    one_of("state", ConstraintSetState),
)  # fmt: skip

constraints = table(
    "constraints", pk(), ref("set_pk", "constraint_sets"), content_id("constraint_id", unique=False),
    text("scope"), text("type"), text("params_json"), text("applies_to_json"), whole("priority"),
    text("severity"), text("derived_from_type"), text("statistics_json"), text("status"),
    one_of("scope", ConstraintScope), one_of("type", ConstraintType), one_of("severity", Severity),
    one_of("derived_from_type", ConstraintOrigin), one_of("status", ConstraintStatus),
    between("priority", 0, 100),
    UniqueConstraint("set_pk", "constraint_id"),
    Index("ix_constraints_constraint_id", "constraint_id"),
)  # fmt: skip

constraint_provenance = table(
    "constraint_provenance", pk(), ref("constraint_pk", "constraints"), ref("failure_pk", "failures"),
    text("mapping_rule"), ref("iteration_pk", "iterations"),
    UniqueConstraint("constraint_pk", "failure_pk", "mapping_rule"),
    Index("ix_constraint_provenance_failure_pk", "failure_pk"),
)  # fmt: skip

constraint_events = table(
    "constraint_events", pk(), content_id("constraint_id", unique=False), text("status"), text("reason"),
    text("requested_by", null=True), created_at(),
    one_of("status", ConstraintStatus),
    Index("ix_constraint_events_constraint_id", "constraint_id"),
)  # fmt: skip

trial_constraints = table(
    "trial_constraints",
    ref("constraint_pk", "constraints", primary_key=True, autoincrement=False),
    ref("trial_pk", "trials", primary_key=True, autoincrement=False),
    text("arm"),
    one_of("arm", TrialArm),
    Index("ix_trial_constraints_trial_pk", "trial_pk"),
    rowid=False,
)
