"""Tables of the main path: strategies, backtests, metrics, scores, trials, engine comparisons."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from quantrail.domain.enums import BacktestStatus, EngineMode, TrialArm, TrialOutcome
from quantrail.knowledge.schema.columns import (
    best_first,
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

# The metrics that have a column of their own; all others live in more_json. Names are contract. The
# later ones were added by revision 0003 and so stand at the end of the table.
FIRST_METRICS = (
    "return_total_net", "cagr_net", "volatility_annual_net", "max_drawdown_net", "sharpe_net", "sortino_net",
    "calmar_net", "win_rate_period", "profit_factor", "turnover_annual", "avg_exposure", "costs_total",
    "fees_total", "slippage_total", "spread_total", "oos_return_total_net", "oos_sharpe_net",
    "oos_is_performance_ratio", "hit_rate_trades", "avg_trade_return_net",
)  # fmt: skip
LATER_METRICS = (
    "alpha", "avg_trade_duration_bars", "bars", "beta", "blocked_share", "closed_trades", "comparisons",
    "cvar_95", "drawdown_duration_max_bars", "expectancy_net", "exposure_max", "information_ratio",
    "is_sharpe_net", "kurtosis", "leverage_max_gross", "skewness", "tail_gain_p95", "tail_loss_p95",
    "ulcer_index", "var_95",
)  # fmt: skip
METRIC_COLUMNS = FIRST_METRICS + LATER_METRICS

_DERIVED = sql("derived_from_pk IS NOT NULL")
_CACHED = sql("outcome = 'cached'")
_VERIFIED = sql("engine_mode = 'B'")

strategies = table(
    "strategies", pk(), content_id("strategy_id"), blob("logic_hash"), text("normalized_spec_json"),
    text("created_from"), text("spec_hash_version"), text("schema_version"), text("kind"),
    text("name", null=True), ref("template_pk", "templates", null=True), text("params_json", null=True),
    ref("derived_from_pk", "strategies", null=True), created_at(),
    # What stands before and after normalized_spec_json, when other specs begin and end alike.
    ref("head_text_pk", "texts", null=True), ref("tail_text_pk", "texts", null=True),
    one_of("kind", ("spec", "signals")),
    Index("ix_strategies_logic_hash", "logic_hash"),
    Index("ix_strategies_template_pk", "template_pk"),
    Index("ix_strategies_derived_from_pk", "derived_from_pk",
          sqlite_where=_DERIVED, postgresql_where=_DERIVED),
)  # fmt: skip

strategy_atoms = table(
    "strategy_atoms",
    ref("atom_pk", "atoms", primary_key=True, autoincrement=False),
    ref("strategy_pk", "strategies", primary_key=True, autoincrement=False),
    rowid=False,
)

backtests = table(
    "backtests", pk(), content_id("backtest_id"), ref("strategy_pk", "strategies"),
    ref("context_pk", "contexts"), ref("calc_contract_pk", "calc_contracts"), whole("seed"),
    ref("iteration_pk", "iterations"), ref("snapshot_pk", "snapshots", null=True), text("status"),
    blob("result_hash", null=True), text("error_code", null=True), text("error_message", null=True),
    ref("artifacts_file_pk", "files", null=True), whole("artifacts_row", null=True), created_at(),
    one_of("status", BacktestStatus),
    CheckConstraint("(status = 'FAILED') = (result_hash IS NULL)", name="result_hash_there"),
    CheckConstraint("(status = 'FAILED') = (error_code IS NOT NULL)", name="error_code_there"),
    UniqueConstraint("strategy_pk", "context_pk", "calc_contract_pk", "seed", name="uq_backtests_key"),
    UniqueConstraint("pk", "calc_contract_pk"),
)  # fmt: skip

metrics = table(
    "metrics",
    ref("backtest_pk", "backtests", primary_key=True, autoincrement=False),
    whole("calc_contract_pk"),
    *(number(name, null=True) for name in FIRST_METRICS),
    text("more_json", null=True), text("quality_warnings_json", null=True),
    ref("metrics_file_pk", "files", null=True), whole("metrics_row", null=True), text("schema_version"),
    *(number(name, null=True) for name in LATER_METRICS),
    ref("notes_text_pk", "texts", null=True),
    ForeignKeyConstraint(["backtest_pk", "calc_contract_pk"], ["backtests.pk", "backtests.calc_contract_pk"],
                         name="fk_metrics_contract_echo"),
    CheckConstraint("max_drawdown_net <= 0", name="drawdown_sign"),
    *best_first("metrics", "sharpe_net"),
    *best_first("metrics", "max_drawdown_net"),
)  # fmt: skip

# engine_mode, strategy, run and template repeat what the backtest says, so that every filter of the
# leaderboard has an index; a trigger refuses values that are not the backtest's.
scores = table(
    "scores", pk(), ref("policy_pk", "policies"), whole("backtest_pk"), number("score_total"),
    *flag("passed"), text("engine_mode"), whole("strategy_pk"), whole("run_pk"),
    whole("template_pk", null=True), text("breakdown_json"), text("fail_reasons_json"), created_at(),
    ForeignKeyConstraint(["backtest_pk"], ["metrics.backtest_pk"], name="fk_scores_metrics"),
    UniqueConstraint("backtest_pk", "policy_pk"),
    one_of("engine_mode", EngineMode), between("score_total", 0, 1),
    Index("ix_scores_score_total", sql("score_total DESC")),
    Index("ix_scores_engine", "policy_pk", "engine_mode", sql("score_total DESC"), "backtest_pk"),
    Index("ix_scores_run", "run_pk", "policy_pk", sql("score_total DESC"), "backtest_pk"),
    Index("ix_scores_template", "template_pk", "policy_pk", sql("score_total DESC"), "backtest_pk"),
    Index("ix_scores_verified", "strategy_pk", "policy_pk",
          sqlite_where=_VERIFIED, postgresql_where=_VERIFIED),
)  # fmt: skip

engine_comparisons = table(
    "engine_comparisons", pk(), ref("backtest_a_pk", "backtests"), ref("backtest_b_pk", "backtests"),
    *flag("agree"), number("max_abs_equity_diff", null=True), number("pnl_effect", null=True), text("reason"),
    text("first_difference_json", null=True), created_at(),
    UniqueConstraint("backtest_a_pk", "backtest_b_pk"),
    Index("ix_engine_comparisons_backtest_b_pk", "backtest_b_pk"),
)  # fmt: skip

trials = table(
    "trials", pk(), content_id("trial_id"), ref("iteration_pk", "iterations"), whole("ordinal"),
    ref("context_pk", "trial_contexts"), ref("strategy_pk", "strategies"),
    ref("backtest_pk", "backtests", null=True), text("arm"), text("outcome"), created_at(),
    one_of("arm", TrialArm), one_of("outcome", TrialOutcome),
    CheckConstraint("backtest_pk IS NOT NULL OR outcome IN ('blocked', 'duplicate')", name="backtest_there"),
    UniqueConstraint("iteration_pk", "ordinal"),
    Index("ix_trials_window", "context_pk", "outcome", "strategy_pk"),
    Index("ix_trials_strategy_pk", "strategy_pk"),
    Index("ix_trials_cached", "iteration_pk", "backtest_pk", sqlite_where=_CACHED, postgresql_where=_CACHED),
)  # fmt: skip

fingerprints = table(
    "fingerprints", pk(), ref("strategy_pk", "strategies"), text("algorithm"), blob("data_version"),
    blob("value"), created_at(),
    UniqueConstraint("strategy_pk", "algorithm", "data_version"),
)  # fmt: skip
