"""Tables beside the main path: library, robustness, promotion, trust, live operation."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index

from quantrail.domain.enums import DriftCause, Tier
from quantrail.knowledge.schema.columns import (
    between,
    blob,
    content_id,
    created_at,
    flag,
    number,
    one_of,
    pk,
    ref,
    table,
    text,
    whole,
)

templates = table(
    "templates", pk(), text("template_id", unique=True), text("name"), text("tier"), text("status"),
    number("confidence"), text("parameter_schema_json"), text("rationale"), text("reference"),
    text("atoms_json"), created_at(),
    one_of("tier", Tier), between("confidence", 0, 1),
)  # fmt: skip

atoms = table(
    "atoms", pk(), text("atom_id", unique=True), text("kind"), text("tier"), text("status"),
    number("confidence"), text("parameter_schema_json"), text("rationale"), text("reference"),
    created_at(),
    one_of("tier", Tier), between("confidence", 0, 1),
)  # fmt: skip

robustness_cases = table(
    "robustness_cases", pk(), content_id("case_id"), ref("backtest_pk", "backtests"), text("type"),
    text("params_json"), text("metrics_json"), ref("metrics_file_pk", "files", null=True),
    whole("metrics_row", null=True), *flag("passed"), ref("policy_pk", "policies"), created_at(),
    Index("ix_robustness_cases_backtest_pk", "backtest_pk"),
)  # fmt: skip

reports = table(
    "reports", pk(), content_id("report_id"), ref("run_pk", "runs", null=True),
    ref("backtest_pk", "backtests", null=True), text("tearsheet_html_path", null=True),
    text("tearsheet_pdf_path", null=True), text("summary_json_path", null=True),
    text("doc_store_id", null=True), created_at(),
    CheckConstraint("(run_pk IS NULL) <> (backtest_pk IS NULL)", name="one_subject"),
    Index("ix_reports_run_pk", "run_pk"),
    Index("ix_reports_backtest_pk", "backtest_pk"),
)  # fmt: skip

promotion_records = table(
    "promotion_records", pk(), ref("strategy_pk", "strategies"), ref("backtest_pk", "backtests", null=True),
    text("decision"), text("tier_from"), text("tier_to"), ref("policy_pk", "policies"),
    text("evidence_refs_json"), text("approver", null=True), text("reason"), created_at(),
    one_of("decision", ("PROMOTE", "HOLD", "REJECT")), one_of("tier_from", Tier), one_of("tier_to", Tier),
    CheckConstraint("decision <> 'PROMOTE' OR tier_to NOT IN ('T3', 'T4') OR approver IS NOT NULL",
                    name="approver_there"),
    Index("ix_promotion_records_strategy_pk", "strategy_pk"),
)  # fmt: skip

# The tier a strategy stands on now; kept by a trigger on promotion_records. No row means T0.
strategy_tiers = table(
    "strategy_tiers", ref("strategy_pk", "strategies", primary_key=True, autoincrement=False), text("tier"),
    one_of("tier", Tier),
    Index("ix_strategy_tiers_tier", "tier"),
)  # fmt: skip

live_trades = table(
    "live_trades", pk(), text("live_trade_id", unique=True), ref("strategy_pk", "strategies"),
    ref("backtest_pk", "backtests", null=True), text("account"), text("symbol"), number("quantity"),
    number("price"), number("costs_total"), whole("executed_at"), created_at(),
    Index("ix_live_trades_strategy_pk", "strategy_pk"),
)  # fmt: skip

replays = table(
    "replays", pk(), text("replay_id", unique=True), ref("strategy_pk", "strategies"),
    ref("backtest_pk", "backtests"), text("period_start"), text("period_end"), *flag("agree"),
    text("difference_json"), created_at(),
    Index("ix_replays_strategy_pk", "strategy_pk"),
)  # fmt: skip

holdout_reads = table(
    "holdout_reads", pk(), ref("strategy_pk", "strategies"), text("purpose"), text("period_start"),
    text("period_end"), text("requested_by", null=True), created_at(),
    Index("ix_holdout_reads_strategy_pk", "strategy_pk"),
)  # fmt: skip

reproductions = table(
    "reproductions", pk(), ref("backtest_pk", "backtests"), *flag("equal"), text("cause", null=True),
    blob("result_hash_stored", null=True), blob("result_hash_found", null=True), text("code_version"),
    text("detail"), created_at(),
    one_of("cause", DriftCause),
    CheckConstraint("CASE WHEN equal THEN cause IS NULL ELSE cause IS NOT NULL END", name="cause_there"),
    Index("ix_reproductions_backtest_pk", "backtest_pk"),
)  # fmt: skip

recalls = table(
    "recalls", pk(), text("kind"), text("target"), text("reason"), text("outcome_json"), created_at(),
    one_of("kind", ("data", "engine", "symbol", "rule", "metric")),
)  # fmt: skip
