CREATE TABLE atoms (
	pk INTEGER NOT NULL,
	atom_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	tier TEXT NOT NULL,
	status TEXT NOT NULL,
	confidence REAL NOT NULL,
	parameter_schema_json TEXT NOT NULL,
	rationale TEXT NOT NULL,
	reference TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_atoms PRIMARY KEY (pk),
	CONSTRAINT ck_atoms_tier_known CHECK (tier = 'T0' OR tier = 'T1' OR tier = 'T2' OR tier = 'T3' OR tier = 'T4' OR tier = 'T5'),
	CONSTRAINT ck_atoms_confidence_range CHECK (confidence >= 0 AND confidence <= 1),
	CONSTRAINT uq_atoms_atom_id UNIQUE (atom_id)
)
 STRICT
-- next statement
CREATE TABLE calc_contracts (
	pk INTEGER NOT NULL,
	calc_contract_hash BLOB NOT NULL,
	calc_contract_json TEXT NOT NULL,
	CONSTRAINT pk_calc_contracts PRIMARY KEY (pk),
	CONSTRAINT uq_calc_contracts_calc_contract_hash UNIQUE (calc_contract_hash)
)
 STRICT
-- next statement
CREATE TABLE constraint_events (
	pk INTEGER NOT NULL,
	constraint_id BLOB NOT NULL,
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_constraint_events PRIMARY KEY (pk),
	CONSTRAINT ck_constraint_events_status_known CHECK (status = 'ACTIVE' OR status = 'INACTIVE' OR status = 'DEPRECATED')
)
 STRICT
-- next statement
CREATE INDEX ix_constraint_events_constraint_id ON constraint_events (constraint_id)
-- next statement
CREATE TABLE files (
	pk INTEGER NOT NULL,
	path TEXT NOT NULL,
	sha256 BLOB,
	size_bytes INTEGER,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_files PRIMARY KEY (pk),
	CONSTRAINT uq_files_path UNIQUE (path)
)
 STRICT
-- next statement
CREATE TABLE model_version_sets (
	pk INTEGER NOT NULL,
	model_versions_hash BLOB NOT NULL,
	model_versions_json TEXT NOT NULL,
	CONSTRAINT pk_model_version_sets PRIMARY KEY (pk),
	CONSTRAINT uq_model_version_sets_model_versions_hash UNIQUE (model_versions_hash)
)
 STRICT
-- next statement
CREATE TABLE policies (
	pk INTEGER NOT NULL,
	policy_version TEXT NOT NULL,
	kind TEXT NOT NULL,
	body_json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_policies PRIMARY KEY (pk),
	CONSTRAINT uq_policies_policy_version UNIQUE (policy_version)
)
 STRICT
-- next statement
CREATE TABLE recalls (
	pk INTEGER NOT NULL,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	reason TEXT NOT NULL,
	outcome_json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_recalls PRIMARY KEY (pk),
	CONSTRAINT ck_recalls_kind_known CHECK (kind = 'data' OR kind = 'engine' OR kind = 'symbol' OR kind = 'rule' OR kind = 'metric')
)
 STRICT
-- next statement
CREATE TABLE runs (
	pk INTEGER NOT NULL,
	run_id BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	ended_at INTEGER,
	project_version TEXT NOT NULL,
	code_version TEXT NOT NULL,
	door TEXT NOT NULL,
	config_json TEXT NOT NULL,
	status TEXT NOT NULL,
	requested_by TEXT,
	CONSTRAINT pk_runs PRIMARY KEY (pk),
	CONSTRAINT ck_runs_status_known CHECK (status = 'RUNNING' OR status = 'DONE' OR status = 'FAILED' OR status = 'STOPPED' OR status = 'PARTIAL'),
	CONSTRAINT ck_runs_door_known CHECK (door = 'loop' OR door = 'grid' OR door = 'optuna' OR door = 'cli' OR door = 'api' OR door = 'web' OR door = 'notebook' OR door = 'llm' OR door = 'mcp' OR door = 'stress' OR door = 'calibrate'),
	CONSTRAINT uq_runs_run_id UNIQUE (run_id)
)
 STRICT
-- next statement
CREATE TABLE snapshots (
	pk INTEGER NOT NULL,
	data_version BLOB NOT NULL,
	source TEXT NOT NULL,
	symbols INTEGER NOT NULL,
	rows INTEGER NOT NULL,
	period_start TEXT NOT NULL,
	period_end TEXT NOT NULL,
	manifest_path TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_snapshots PRIMARY KEY (pk),
	CONSTRAINT uq_snapshots_data_version UNIQUE (data_version)
)
 STRICT
-- next statement
CREATE TABLE tags (
	pk INTEGER NOT NULL,
	tag TEXT NOT NULL,
	CONSTRAINT pk_tags PRIMARY KEY (pk),
	CONSTRAINT uq_tags_tag UNIQUE (tag)
)
 STRICT
-- next statement
CREATE TABLE templates (
	pk INTEGER NOT NULL,
	template_id TEXT NOT NULL,
	name TEXT NOT NULL,
	tier TEXT NOT NULL,
	status TEXT NOT NULL,
	confidence REAL NOT NULL,
	parameter_schema_json TEXT NOT NULL,
	rationale TEXT NOT NULL,
	reference TEXT NOT NULL,
	atoms_json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_templates PRIMARY KEY (pk),
	CONSTRAINT ck_templates_tier_known CHECK (tier = 'T0' OR tier = 'T1' OR tier = 'T2' OR tier = 'T3' OR tier = 'T4' OR tier = 'T5'),
	CONSTRAINT ck_templates_confidence_range CHECK (confidence >= 0 AND confidence <= 1),
	CONSTRAINT uq_templates_template_id UNIQUE (template_id)
)
 STRICT
-- next statement
CREATE TABLE universes (
	pk INTEGER NOT NULL,
	universe_version BLOB NOT NULL,
	name TEXT NOT NULL,
	market TEXT NOT NULL,
	synthetic INTEGER NOT NULL,
	symbols_json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_universes PRIMARY KEY (pk),
	CONSTRAINT ck_universes_synthetic_flag CHECK (synthetic IN (0, 1)),
	CONSTRAINT uq_universes_universe_version UNIQUE (universe_version)
)
 STRICT
-- next statement
CREATE TABLE contexts (
	pk INTEGER NOT NULL,
	data_version BLOB NOT NULL,
	engine_mode TEXT NOT NULL,
	period_start TEXT NOT NULL,
	period_end TEXT NOT NULL,
	engine_version TEXT NOT NULL,
	universe_pk INTEGER NOT NULL,
	bar_interval TEXT NOT NULL,
	model_versions_pk INTEGER NOT NULL,
	CONSTRAINT pk_contexts PRIMARY KEY (pk),
	CONSTRAINT ck_contexts_engine_mode_known CHECK (engine_mode = 'A' OR engine_mode = 'B'),
	CONSTRAINT ck_contexts_period_order CHECK (period_end >= period_start),
	CONSTRAINT uq_contexts_content UNIQUE (data_version, engine_mode, period_start, period_end, engine_version, universe_pk, bar_interval, model_versions_pk),
	CONSTRAINT fk_contexts_universe_pk FOREIGN KEY(universe_pk) REFERENCES universes (pk),
	CONSTRAINT fk_contexts_model_versions_pk FOREIGN KEY(model_versions_pk) REFERENCES model_version_sets (pk)
)
 STRICT
-- next statement
CREATE TABLE data_findings (
	pk INTEGER NOT NULL,
	finding_id BLOB NOT NULL,
	snapshot_pk INTEGER NOT NULL,
	symbol TEXT NOT NULL,
	date TEXT,
	kind TEXT NOT NULL,
	severity TEXT NOT NULL,
	detail TEXT NOT NULL,
	quarantined INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_data_findings PRIMARY KEY (pk),
	CONSTRAINT ck_data_findings_quarantined_flag CHECK (quarantined IN (0, 1)),
	CONSTRAINT ck_data_findings_severity_known CHECK (severity = 'INFO' OR severity = 'WARN' OR severity = 'ERROR' OR severity = 'CRITICAL'),
	CONSTRAINT uq_data_findings_finding_id UNIQUE (finding_id),
	CONSTRAINT fk_data_findings_snapshot_pk FOREIGN KEY(snapshot_pk) REFERENCES snapshots (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_data_findings_snapshot_pk ON data_findings (snapshot_pk, symbol)
-- next statement
CREATE TABLE failure_rules (
	pk INTEGER NOT NULL,
	rule_id TEXT NOT NULL,
	rule_version TEXT NOT NULL,
	policy_pk INTEGER NOT NULL,
	CONSTRAINT pk_failure_rules PRIMARY KEY (pk),
	CONSTRAINT uq_failure_rules_rule_id_rule_version_policy_pk UNIQUE (rule_id, rule_version, policy_pk),
	CONSTRAINT fk_failure_rules_policy_pk FOREIGN KEY(policy_pk) REFERENCES policies (pk)
)
 STRICT
-- next statement
CREATE TABLE iterations (
	pk INTEGER NOT NULL,
	run_pk INTEGER NOT NULL,
	iteration_id INTEGER NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at INTEGER,
	constraint_set_pk INTEGER,
	summary_json TEXT,
	CONSTRAINT pk_iterations PRIMARY KEY (pk),
	CONSTRAINT uq_iterations_run_pk_iteration_id UNIQUE (run_pk, iteration_id),
	CONSTRAINT ck_iterations_iteration_id_range CHECK (iteration_id >= 0),
	CONSTRAINT fk_iterations_run_pk FOREIGN KEY(run_pk) REFERENCES runs (pk),
	CONSTRAINT fk_iterations_constraint_set_pk FOREIGN KEY(constraint_set_pk) REFERENCES constraint_sets (pk)
)
 STRICT
-- next statement
CREATE TABLE stage_events (
	pk INTEGER NOT NULL,
	run_pk INTEGER NOT NULL,
	iteration_id INTEGER,
	stage TEXT NOT NULL,
	event TEXT NOT NULL,
	status TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	error_code TEXT,
	reason TEXT,
	payload_json TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_stage_events PRIMARY KEY (pk),
	CONSTRAINT ck_stage_events_status_known CHECK (status = 'PENDING' OR status = 'RUNNING' OR status = 'SUCCESS' OR status = 'FAILED' OR status = 'PARTIAL' OR status = 'SKIPPED' OR status = 'RETRYING' OR status = 'STOPPED'),
	CONSTRAINT fk_stage_events_run_pk FOREIGN KEY(run_pk) REFERENCES runs (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_stage_events_run_pk ON stage_events (run_pk)
-- next statement
CREATE TABLE strategies (
	pk INTEGER NOT NULL,
	strategy_id BLOB NOT NULL,
	logic_hash BLOB NOT NULL,
	normalized_spec_json TEXT NOT NULL,
	created_from TEXT NOT NULL,
	spec_hash_version TEXT NOT NULL,
	schema_version TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT,
	template_pk INTEGER,
	params_json TEXT,
	derived_from_pk INTEGER,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_strategies PRIMARY KEY (pk),
	CONSTRAINT ck_strategies_kind_known CHECK (kind = 'spec' OR kind = 'signals'),
	CONSTRAINT uq_strategies_strategy_id UNIQUE (strategy_id),
	CONSTRAINT fk_strategies_template_pk FOREIGN KEY(template_pk) REFERENCES templates (pk),
	CONSTRAINT fk_strategies_derived_from_pk FOREIGN KEY(derived_from_pk) REFERENCES strategies (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_strategies_derived_from_pk ON strategies (derived_from_pk) WHERE derived_from_pk IS NOT NULL
-- next statement
CREATE INDEX ix_strategies_logic_hash ON strategies (logic_hash)
-- next statement
CREATE INDEX ix_strategies_template_pk ON strategies (template_pk)
-- next statement
CREATE TABLE tag_counts (
	tag_pk INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	CONSTRAINT pk_tag_counts PRIMARY KEY (tag_pk),
	CONSTRAINT fk_tag_counts_tag_pk FOREIGN KEY(tag_pk) REFERENCES tags (pk)
)
 STRICT
-- next statement
CREATE TABLE trial_contexts (
	pk INTEGER NOT NULL,
	universe_pk INTEGER NOT NULL,
	period_start TEXT NOT NULL,
	period_end TEXT NOT NULL,
	door TEXT NOT NULL,
	requested_by TEXT NOT NULL,
	CONSTRAINT pk_trial_contexts PRIMARY KEY (pk),
	CONSTRAINT ck_trial_contexts_door_known CHECK (door = 'loop' OR door = 'grid' OR door = 'optuna' OR door = 'cli' OR door = 'api' OR door = 'web' OR door = 'notebook' OR door = 'llm' OR door = 'mcp' OR door = 'stress' OR door = 'calibrate'),
	CONSTRAINT ck_trial_contexts_period_order CHECK (period_end >= period_start),
	CONSTRAINT uq_trial_contexts_content UNIQUE (universe_pk, period_start, period_end, door, requested_by),
	CONSTRAINT fk_trial_contexts_universe_pk FOREIGN KEY(universe_pk) REFERENCES universes (pk)
)
 STRICT
-- next statement
CREATE TABLE backtests (
	pk INTEGER NOT NULL,
	backtest_id BLOB NOT NULL,
	strategy_pk INTEGER NOT NULL,
	context_pk INTEGER NOT NULL,
	calc_contract_pk INTEGER NOT NULL,
	seed INTEGER NOT NULL,
	iteration_pk INTEGER NOT NULL,
	snapshot_pk INTEGER,
	status TEXT NOT NULL,
	result_hash BLOB,
	error_code TEXT,
	error_message TEXT,
	artifacts_file_pk INTEGER,
	artifacts_row INTEGER,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_backtests PRIMARY KEY (pk),
	CONSTRAINT ck_backtests_status_known CHECK (status = 'DONE' OR status = 'FAILED'),
	CONSTRAINT ck_backtests_result_hash_there CHECK ((status = 'FAILED') = (result_hash IS NULL)),
	CONSTRAINT ck_backtests_error_code_there CHECK ((status = 'FAILED') = (error_code IS NOT NULL)),
	CONSTRAINT uq_backtests_key UNIQUE (strategy_pk, context_pk, calc_contract_pk, seed),
	CONSTRAINT uq_backtests_pk_calc_contract_pk UNIQUE (pk, calc_contract_pk),
	CONSTRAINT uq_backtests_backtest_id UNIQUE (backtest_id),
	CONSTRAINT fk_backtests_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk),
	CONSTRAINT fk_backtests_context_pk FOREIGN KEY(context_pk) REFERENCES contexts (pk),
	CONSTRAINT fk_backtests_calc_contract_pk FOREIGN KEY(calc_contract_pk) REFERENCES calc_contracts (pk),
	CONSTRAINT fk_backtests_iteration_pk FOREIGN KEY(iteration_pk) REFERENCES iterations (pk),
	CONSTRAINT fk_backtests_snapshot_pk FOREIGN KEY(snapshot_pk) REFERENCES snapshots (pk),
	CONSTRAINT fk_backtests_artifacts_file_pk FOREIGN KEY(artifacts_file_pk) REFERENCES files (pk)
)
 STRICT
-- next statement
CREATE TABLE constraint_sets (
	pk INTEGER NOT NULL,
	constraint_set_id BLOB NOT NULL,
	iteration_pk INTEGER NOT NULL,
	base_pk INTEGER,
	constraints_json TEXT NOT NULL,
	policy_pk INTEGER NOT NULL,
	state TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_constraint_sets PRIMARY KEY (pk),
	CONSTRAINT ck_constraint_sets_state_known CHECK (state = 'ACTIVE' OR state = 'ARCHIVED'),
	CONSTRAINT uq_constraint_sets_constraint_set_id UNIQUE (constraint_set_id),
	CONSTRAINT fk_constraint_sets_iteration_pk FOREIGN KEY(iteration_pk) REFERENCES iterations (pk),
	CONSTRAINT fk_constraint_sets_base_pk FOREIGN KEY(base_pk) REFERENCES constraint_sets (pk),
	CONSTRAINT fk_constraint_sets_policy_pk FOREIGN KEY(policy_pk) REFERENCES policies (pk)
)
 STRICT
-- next statement
CREATE TABLE fingerprints (
	pk INTEGER NOT NULL,
	strategy_pk INTEGER NOT NULL,
	algorithm TEXT NOT NULL,
	data_version BLOB NOT NULL,
	value BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_fingerprints PRIMARY KEY (pk),
	CONSTRAINT uq_fingerprints_strategy_pk_algorithm_data_version UNIQUE (strategy_pk, algorithm, data_version),
	CONSTRAINT fk_fingerprints_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk)
)
 STRICT
-- next statement
CREATE TABLE holdout_reads (
	pk INTEGER NOT NULL,
	strategy_pk INTEGER NOT NULL,
	purpose TEXT NOT NULL,
	period_start TEXT NOT NULL,
	period_end TEXT NOT NULL,
	requested_by TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_holdout_reads PRIMARY KEY (pk),
	CONSTRAINT fk_holdout_reads_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_holdout_reads_strategy_pk ON holdout_reads (strategy_pk)
-- next statement
CREATE TABLE strategy_atoms (
	atom_pk INTEGER NOT NULL,
	strategy_pk INTEGER NOT NULL,
	CONSTRAINT pk_strategy_atoms PRIMARY KEY (atom_pk, strategy_pk),
	CONSTRAINT fk_strategy_atoms_atom_pk FOREIGN KEY(atom_pk) REFERENCES atoms (pk),
	CONSTRAINT fk_strategy_atoms_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk)
)
 WITHOUT ROWID,
 STRICT
-- next statement
CREATE TABLE strategy_tiers (
	strategy_pk INTEGER NOT NULL,
	tier TEXT NOT NULL,
	CONSTRAINT pk_strategy_tiers PRIMARY KEY (strategy_pk),
	CONSTRAINT ck_strategy_tiers_tier_known CHECK (tier = 'T0' OR tier = 'T1' OR tier = 'T2' OR tier = 'T3' OR tier = 'T4' OR tier = 'T5'),
	CONSTRAINT fk_strategy_tiers_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_strategy_tiers_tier ON strategy_tiers (tier)
-- next statement
CREATE TABLE constraints (
	pk INTEGER NOT NULL,
	set_pk INTEGER NOT NULL,
	constraint_id BLOB NOT NULL,
	scope TEXT NOT NULL,
	type TEXT NOT NULL,
	params_json TEXT NOT NULL,
	applies_to_json TEXT NOT NULL,
	priority INTEGER NOT NULL,
	severity TEXT NOT NULL,
	derived_from_type TEXT NOT NULL,
	statistics_json TEXT NOT NULL,
	status TEXT NOT NULL,
	CONSTRAINT pk_constraints PRIMARY KEY (pk),
	CONSTRAINT ck_constraints_scope_known CHECK (scope = 'generator' OR scope = 'portfolio' OR scope = 'execution' OR scope = 'risk' OR scope = 'data'),
	CONSTRAINT ck_constraints_type_known CHECK (type = 'BAN_TEMPLATE' OR type = 'ALLOW_FEATURES_ONLY' OR type = 'BAN_FEATURES' OR type = 'LIMIT_PARAM_RANGE' OR type = 'MAX_COMPLEXITY' OR type = 'MIN_SIGNAL_DENSITY' OR type = 'MAX_SIGNAL_DENSITY' OR type = 'MAX_POSITIONS' OR type = 'MAX_POSITION_WEIGHT' OR type = 'SECTOR_CAP' OR type = 'SECTOR_TILT' OR type = 'MAX_CORR_TO_PORTFOLIO' OR type = 'LEVERAGE_LIMIT' OR type = 'ADV_PARTICIPATION_CAP' OR type = 'SPREAD_BPS_CAP' OR type = 'ORDER_TYPE_ALLOWLIST' OR type = 'LATENCY_GUARD' OR type = 'MAX_DAILY_LOSS_PCT' OR type = 'MAX_DRAWDOWN_PCT' OR type = 'STOP_DISTANCE_MIN_MAX' OR type = 'NO_LOOKAHEAD' OR type = 'NAN_POLICY' OR type = 'CALENDAR_POLICY'),
	CONSTRAINT ck_constraints_severity_known CHECK (severity = 'INFO' OR severity = 'WARN' OR severity = 'ERROR' OR severity = 'CRITICAL'),
	CONSTRAINT ck_constraints_derived_from_type_known CHECK (derived_from_type = 'failure' OR derived_from_type = 'user' OR derived_from_type = 'baseline'),
	CONSTRAINT ck_constraints_status_known CHECK (status = 'ACTIVE' OR status = 'INACTIVE' OR status = 'DEPRECATED'),
	CONSTRAINT ck_constraints_priority_range CHECK (priority >= 0 AND priority <= 100),
	CONSTRAINT uq_constraints_set_pk_constraint_id UNIQUE (set_pk, constraint_id),
	CONSTRAINT fk_constraints_set_pk FOREIGN KEY(set_pk) REFERENCES constraint_sets (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_constraints_constraint_id ON constraints (constraint_id)
-- next statement
CREATE TABLE engine_comparisons (
	pk INTEGER NOT NULL,
	backtest_a_pk INTEGER NOT NULL,
	backtest_b_pk INTEGER NOT NULL,
	agree INTEGER NOT NULL,
	max_abs_equity_diff REAL,
	pnl_effect REAL,
	reason TEXT NOT NULL,
	first_difference_json TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_engine_comparisons PRIMARY KEY (pk),
	CONSTRAINT ck_engine_comparisons_agree_flag CHECK (agree IN (0, 1)),
	CONSTRAINT uq_engine_comparisons_backtest_a_pk_backtest_b_pk UNIQUE (backtest_a_pk, backtest_b_pk),
	CONSTRAINT fk_engine_comparisons_backtest_a_pk FOREIGN KEY(backtest_a_pk) REFERENCES backtests (pk),
	CONSTRAINT fk_engine_comparisons_backtest_b_pk FOREIGN KEY(backtest_b_pk) REFERENCES backtests (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_engine_comparisons_backtest_b_pk ON engine_comparisons (backtest_b_pk)
-- next statement
CREATE TABLE failures (
	pk INTEGER NOT NULL,
	failure_id BLOB NOT NULL,
	backtest_pk INTEGER NOT NULL,
	rule_pk INTEGER NOT NULL,
	category TEXT NOT NULL,
	tags_json TEXT NOT NULL,
	severity TEXT NOT NULL,
	confidence REAL NOT NULL,
	summary TEXT NOT NULL,
	evidence_file_pk INTEGER,
	evidence_row INTEGER,
	evidence_json TEXT,
	state TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_failures PRIMARY KEY (pk),
	CONSTRAINT ck_failures_category_known CHECK (category = 'DATA' OR category = 'LOOKAHEAD' OR category = 'SIGNAL' OR category = 'EDGE' OR category = 'COST' OR category = 'EXECUTION' OR category = 'RISK' OR category = 'OVERFIT' OR category = 'REGIME' OR category = 'ENGINE'),
	CONSTRAINT ck_failures_severity_known CHECK (severity = 'INFO' OR severity = 'WARN' OR severity = 'ERROR' OR severity = 'CRITICAL'),
	CONSTRAINT ck_failures_state_known CHECK (state = 'OPEN' OR state = 'CONFIRMED' OR state = 'RESOLVED' OR state = 'DEPRECATED'),
	CONSTRAINT ck_failures_confidence_range CHECK (confidence >= 0 AND confidence <= 1),
	CONSTRAINT ck_failures_evidence_there CHECK (evidence_file_pk IS NOT NULL OR evidence_json IS NOT NULL),
	CONSTRAINT uq_failures_backtest_pk_rule_pk UNIQUE (backtest_pk, rule_pk),
	CONSTRAINT uq_failures_failure_id UNIQUE (failure_id),
	CONSTRAINT fk_failures_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk),
	CONSTRAINT fk_failures_rule_pk FOREIGN KEY(rule_pk) REFERENCES failure_rules (pk),
	CONSTRAINT fk_failures_evidence_file_pk FOREIGN KEY(evidence_file_pk) REFERENCES files (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_failures_category ON failures (category)
-- next statement
CREATE INDEX ix_failures_severity ON failures (severity)
-- next statement
CREATE TABLE live_trades (
	pk INTEGER NOT NULL,
	live_trade_id TEXT NOT NULL,
	strategy_pk INTEGER NOT NULL,
	backtest_pk INTEGER,
	account TEXT NOT NULL,
	symbol TEXT NOT NULL,
	quantity REAL NOT NULL,
	price REAL NOT NULL,
	costs_total REAL NOT NULL,
	executed_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_live_trades PRIMARY KEY (pk),
	CONSTRAINT uq_live_trades_live_trade_id UNIQUE (live_trade_id),
	CONSTRAINT fk_live_trades_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk),
	CONSTRAINT fk_live_trades_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_live_trades_strategy_pk ON live_trades (strategy_pk)
-- next statement
CREATE TABLE metrics (
	backtest_pk INTEGER NOT NULL,
	calc_contract_pk INTEGER NOT NULL,
	return_total_net REAL,
	cagr_net REAL,
	volatility_annual_net REAL,
	max_drawdown_net REAL,
	sharpe_net REAL,
	sortino_net REAL,
	calmar_net REAL,
	win_rate_period REAL,
	profit_factor REAL,
	turnover_annual REAL,
	avg_exposure REAL,
	costs_total REAL,
	fees_total REAL,
	slippage_total REAL,
	spread_total REAL,
	oos_return_total_net REAL,
	oos_sharpe_net REAL,
	oos_is_performance_ratio REAL,
	hit_rate_trades REAL,
	avg_trade_return_net REAL,
	more_json TEXT,
	quality_warnings_json TEXT,
	metrics_file_pk INTEGER,
	metrics_row INTEGER,
	schema_version TEXT NOT NULL,
	CONSTRAINT pk_metrics PRIMARY KEY (backtest_pk),
	CONSTRAINT fk_metrics_contract_echo FOREIGN KEY(backtest_pk, calc_contract_pk) REFERENCES backtests (pk, calc_contract_pk),
	CONSTRAINT ck_metrics_drawdown_sign CHECK (max_drawdown_net <= 0),
	CONSTRAINT fk_metrics_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk),
	CONSTRAINT fk_metrics_metrics_file_pk FOREIGN KEY(metrics_file_pk) REFERENCES files (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_metrics_max_drawdown_net ON metrics (max_drawdown_net DESC)
-- next statement
CREATE INDEX ix_metrics_sharpe_net ON metrics (sharpe_net DESC)
-- next statement
CREATE TABLE promotion_records (
	pk INTEGER NOT NULL,
	strategy_pk INTEGER NOT NULL,
	backtest_pk INTEGER,
	decision TEXT NOT NULL,
	tier_from TEXT NOT NULL,
	tier_to TEXT NOT NULL,
	policy_pk INTEGER NOT NULL,
	evidence_refs_json TEXT NOT NULL,
	approver TEXT,
	reason TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_promotion_records PRIMARY KEY (pk),
	CONSTRAINT ck_promotion_records_decision_known CHECK (decision = 'PROMOTE' OR decision = 'HOLD' OR decision = 'REJECT'),
	CONSTRAINT ck_promotion_records_tier_from_known CHECK (tier_from = 'T0' OR tier_from = 'T1' OR tier_from = 'T2' OR tier_from = 'T3' OR tier_from = 'T4' OR tier_from = 'T5'),
	CONSTRAINT ck_promotion_records_tier_to_known CHECK (tier_to = 'T0' OR tier_to = 'T1' OR tier_to = 'T2' OR tier_to = 'T3' OR tier_to = 'T4' OR tier_to = 'T5'),
	CONSTRAINT ck_promotion_records_approver_there CHECK (decision <> 'PROMOTE' OR tier_to NOT IN ('T3', 'T4') OR approver IS NOT NULL),
	CONSTRAINT fk_promotion_records_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk),
	CONSTRAINT fk_promotion_records_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk),
	CONSTRAINT fk_promotion_records_policy_pk FOREIGN KEY(policy_pk) REFERENCES policies (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_promotion_records_strategy_pk ON promotion_records (strategy_pk)
-- next statement
CREATE TABLE replays (
	pk INTEGER NOT NULL,
	replay_id TEXT NOT NULL,
	strategy_pk INTEGER NOT NULL,
	backtest_pk INTEGER NOT NULL,
	period_start TEXT NOT NULL,
	period_end TEXT NOT NULL,
	agree INTEGER NOT NULL,
	difference_json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_replays PRIMARY KEY (pk),
	CONSTRAINT ck_replays_agree_flag CHECK (agree IN (0, 1)),
	CONSTRAINT uq_replays_replay_id UNIQUE (replay_id),
	CONSTRAINT fk_replays_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk),
	CONSTRAINT fk_replays_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_replays_strategy_pk ON replays (strategy_pk)
-- next statement
CREATE TABLE reports (
	pk INTEGER NOT NULL,
	report_id BLOB NOT NULL,
	run_pk INTEGER,
	backtest_pk INTEGER,
	tearsheet_html_path TEXT,
	tearsheet_pdf_path TEXT,
	summary_json_path TEXT,
	doc_store_id TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_reports PRIMARY KEY (pk),
	CONSTRAINT ck_reports_one_subject CHECK ((run_pk IS NULL) <> (backtest_pk IS NULL)),
	CONSTRAINT uq_reports_report_id UNIQUE (report_id),
	CONSTRAINT fk_reports_run_pk FOREIGN KEY(run_pk) REFERENCES runs (pk),
	CONSTRAINT fk_reports_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_reports_backtest_pk ON reports (backtest_pk)
-- next statement
CREATE INDEX ix_reports_run_pk ON reports (run_pk)
-- next statement
CREATE TABLE reproductions (
	pk INTEGER NOT NULL,
	backtest_pk INTEGER NOT NULL,
	equal INTEGER NOT NULL,
	cause TEXT,
	result_hash_stored BLOB,
	result_hash_found BLOB,
	code_version TEXT NOT NULL,
	detail TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_reproductions PRIMARY KEY (pk),
	CONSTRAINT ck_reproductions_equal_flag CHECK (equal IN (0, 1)),
	CONSTRAINT ck_reproductions_cause_known CHECK (cause = 'data' OR cause = 'code' OR cause = 'dependency' OR cause = 'numerics' OR cause = 'seed' OR cause = 'missing'),
	CONSTRAINT ck_reproductions_cause_there CHECK (CASE WHEN equal THEN cause IS NULL ELSE cause IS NOT NULL END),
	CONSTRAINT fk_reproductions_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_reproductions_backtest_pk ON reproductions (backtest_pk)
-- next statement
CREATE TABLE robustness_cases (
	pk INTEGER NOT NULL,
	case_id BLOB NOT NULL,
	backtest_pk INTEGER NOT NULL,
	type TEXT NOT NULL,
	params_json TEXT NOT NULL,
	metrics_json TEXT NOT NULL,
	metrics_file_pk INTEGER,
	metrics_row INTEGER,
	passed INTEGER NOT NULL,
	policy_pk INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_robustness_cases PRIMARY KEY (pk),
	CONSTRAINT ck_robustness_cases_passed_flag CHECK (passed IN (0, 1)),
	CONSTRAINT uq_robustness_cases_case_id UNIQUE (case_id),
	CONSTRAINT fk_robustness_cases_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk),
	CONSTRAINT fk_robustness_cases_metrics_file_pk FOREIGN KEY(metrics_file_pk) REFERENCES files (pk),
	CONSTRAINT fk_robustness_cases_policy_pk FOREIGN KEY(policy_pk) REFERENCES policies (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_robustness_cases_backtest_pk ON robustness_cases (backtest_pk)
-- next statement
CREATE TABLE trials (
	pk INTEGER NOT NULL,
	trial_id BLOB NOT NULL,
	iteration_pk INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	context_pk INTEGER NOT NULL,
	strategy_pk INTEGER NOT NULL,
	backtest_pk INTEGER,
	arm TEXT NOT NULL,
	outcome TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_trials PRIMARY KEY (pk),
	CONSTRAINT ck_trials_arm_known CHECK (arm = 'main' OR arm = 'exploration'),
	CONSTRAINT ck_trials_outcome_known CHECK (outcome = 'evaluated' OR outcome = 'cached' OR outcome = 'blocked' OR outcome = 'duplicate' OR outcome = 'error'),
	CONSTRAINT ck_trials_backtest_there CHECK (backtest_pk IS NOT NULL OR outcome IN ('blocked', 'duplicate')),
	CONSTRAINT uq_trials_iteration_pk_ordinal UNIQUE (iteration_pk, ordinal),
	CONSTRAINT uq_trials_trial_id UNIQUE (trial_id),
	CONSTRAINT fk_trials_iteration_pk FOREIGN KEY(iteration_pk) REFERENCES iterations (pk),
	CONSTRAINT fk_trials_context_pk FOREIGN KEY(context_pk) REFERENCES trial_contexts (pk),
	CONSTRAINT fk_trials_strategy_pk FOREIGN KEY(strategy_pk) REFERENCES strategies (pk),
	CONSTRAINT fk_trials_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_trials_cached ON trials (iteration_pk, backtest_pk) WHERE outcome = 'cached'
-- next statement
CREATE INDEX ix_trials_strategy_pk ON trials (strategy_pk)
-- next statement
CREATE INDEX ix_trials_window ON trials (context_pk, outcome, strategy_pk)
-- next statement
CREATE TABLE constraint_provenance (
	pk INTEGER NOT NULL,
	constraint_pk INTEGER NOT NULL,
	failure_pk INTEGER NOT NULL,
	mapping_rule TEXT NOT NULL,
	iteration_pk INTEGER NOT NULL,
	CONSTRAINT pk_constraint_provenance PRIMARY KEY (pk),
	CONSTRAINT uq_constraint_provenance_constraint_pk_failure_pk_mapping_rule UNIQUE (constraint_pk, failure_pk, mapping_rule),
	CONSTRAINT fk_constraint_provenance_constraint_pk FOREIGN KEY(constraint_pk) REFERENCES constraints (pk),
	CONSTRAINT fk_constraint_provenance_failure_pk FOREIGN KEY(failure_pk) REFERENCES failures (pk),
	CONSTRAINT fk_constraint_provenance_iteration_pk FOREIGN KEY(iteration_pk) REFERENCES iterations (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_constraint_provenance_failure_pk ON constraint_provenance (failure_pk)
-- next statement
CREATE TABLE failure_events (
	pk INTEGER NOT NULL,
	failure_pk INTEGER NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	requested_by TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_failure_events PRIMARY KEY (pk),
	CONSTRAINT ck_failure_events_state_known CHECK (state = 'OPEN' OR state = 'CONFIRMED' OR state = 'RESOLVED' OR state = 'DEPRECATED'),
	CONSTRAINT fk_failure_events_failure_pk FOREIGN KEY(failure_pk) REFERENCES failures (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_failure_events_failure_pk ON failure_events (failure_pk)
-- next statement
CREATE TABLE failure_tags (
	tag_pk INTEGER NOT NULL,
	failure_pk INTEGER NOT NULL,
	CONSTRAINT pk_failure_tags PRIMARY KEY (tag_pk, failure_pk),
	CONSTRAINT fk_failure_tags_tag_pk FOREIGN KEY(tag_pk) REFERENCES tags (pk),
	CONSTRAINT fk_failure_tags_failure_pk FOREIGN KEY(failure_pk) REFERENCES failures (pk)
)
 WITHOUT ROWID,
 STRICT
-- next statement
CREATE TABLE scores (
	pk INTEGER NOT NULL,
	policy_pk INTEGER NOT NULL,
	backtest_pk INTEGER NOT NULL,
	score_total REAL NOT NULL,
	passed INTEGER NOT NULL,
	engine_mode TEXT NOT NULL,
	strategy_pk INTEGER NOT NULL,
	run_pk INTEGER NOT NULL,
	template_pk INTEGER,
	breakdown_json TEXT NOT NULL,
	fail_reasons_json TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_scores PRIMARY KEY (pk),
	CONSTRAINT ck_scores_passed_flag CHECK (passed IN (0, 1)),
	CONSTRAINT fk_scores_metrics FOREIGN KEY(backtest_pk) REFERENCES metrics (backtest_pk),
	CONSTRAINT uq_scores_backtest_pk_policy_pk UNIQUE (backtest_pk, policy_pk),
	CONSTRAINT ck_scores_engine_mode_known CHECK (engine_mode = 'A' OR engine_mode = 'B'),
	CONSTRAINT ck_scores_score_total_range CHECK (score_total >= 0 AND score_total <= 1),
	CONSTRAINT fk_scores_policy_pk FOREIGN KEY(policy_pk) REFERENCES policies (pk)
)
 STRICT
-- next statement
CREATE INDEX ix_scores_engine ON scores (policy_pk, engine_mode, score_total DESC, backtest_pk)
-- next statement
CREATE INDEX ix_scores_run ON scores (run_pk, policy_pk, score_total DESC, backtest_pk)
-- next statement
CREATE INDEX ix_scores_score_total ON scores (score_total DESC)
-- next statement
CREATE INDEX ix_scores_template ON scores (template_pk, policy_pk, score_total DESC, backtest_pk)
-- next statement
CREATE INDEX ix_scores_verified ON scores (strategy_pk, policy_pk) WHERE engine_mode = 'B'
-- next statement
CREATE TABLE trial_constraints (
	constraint_pk INTEGER NOT NULL,
	trial_pk INTEGER NOT NULL,
	arm TEXT NOT NULL,
	CONSTRAINT pk_trial_constraints PRIMARY KEY (constraint_pk, trial_pk),
	CONSTRAINT ck_trial_constraints_arm_known CHECK (arm = 'main' OR arm = 'exploration'),
	CONSTRAINT fk_trial_constraints_constraint_pk FOREIGN KEY(constraint_pk) REFERENCES constraints (pk),
	CONSTRAINT fk_trial_constraints_trial_pk FOREIGN KEY(trial_pk) REFERENCES trials (pk)
)
 WITHOUT ROWID,
 STRICT
-- next statement
CREATE INDEX ix_trial_constraints_trial_pk ON trial_constraints (trial_pk)
-- next statement
CREATE TRIGGER tr_strategies_frozen BEFORE UPDATE OF pk, strategy_id, logic_hash, normalized_spec_json, created_from, spec_hash_version, schema_version, kind, name, template_pk, params_json, derived_from_pk, created_at ON strategies BEGIN SELECT RAISE(ABORT, 'strategies: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_calc_contracts_frozen BEFORE UPDATE OF pk, calc_contract_hash, calc_contract_json ON calc_contracts BEGIN SELECT RAISE(ABORT, 'calc_contracts: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_model_version_sets_frozen BEFORE UPDATE OF pk, model_versions_hash, model_versions_json ON model_version_sets BEGIN SELECT RAISE(ABORT, 'model_version_sets: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_policies_frozen BEFORE UPDATE OF pk, policy_version, kind, body_json, created_at ON policies BEGIN SELECT RAISE(ABORT, 'policies: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_contexts_frozen BEFORE UPDATE OF pk, data_version, engine_mode, period_start, period_end, engine_version, universe_pk, bar_interval, model_versions_pk ON contexts BEGIN SELECT RAISE(ABORT, 'contexts: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_metrics_frozen BEFORE UPDATE OF backtest_pk, calc_contract_pk, return_total_net, cagr_net, volatility_annual_net, max_drawdown_net, sharpe_net, sortino_net, calmar_net, win_rate_period, profit_factor, turnover_annual, avg_exposure, costs_total, fees_total, slippage_total, spread_total, oos_return_total_net, oos_sharpe_net, oos_is_performance_ratio, hit_rate_trades, avg_trade_return_net, more_json, quality_warnings_json, metrics_file_pk, metrics_row, schema_version ON metrics BEGIN SELECT RAISE(ABORT, 'metrics: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_scores_frozen BEFORE UPDATE OF pk, policy_pk, backtest_pk, score_total, passed, engine_mode, strategy_pk, run_pk, template_pk, breakdown_json, fail_reasons_json, created_at ON scores BEGIN SELECT RAISE(ABORT, 'scores: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_failures_frozen BEFORE UPDATE OF pk, failure_id, backtest_pk, rule_pk, category, tags_json, severity, confidence, summary, evidence_file_pk, evidence_row, evidence_json, created_at ON failures BEGIN SELECT RAISE(ABORT, 'failures: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_constraint_sets_frozen BEFORE UPDATE OF pk, constraint_set_id, iteration_pk, base_pk, constraints_json, policy_pk, created_at ON constraint_sets BEGIN SELECT RAISE(ABORT, 'constraint_sets: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_constraints_frozen BEFORE UPDATE OF pk, set_pk, constraint_id, scope, type, params_json, applies_to_json, priority, severity, derived_from_type, statistics_json ON constraints BEGIN SELECT RAISE(ABORT, 'constraints: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_constraint_provenance_frozen BEFORE UPDATE OF pk, constraint_pk, failure_pk, mapping_rule, iteration_pk ON constraint_provenance BEGIN SELECT RAISE(ABORT, 'constraint_provenance: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_promotion_records_frozen BEFORE UPDATE OF pk, strategy_pk, backtest_pk, decision, tier_from, tier_to, policy_pk, evidence_refs_json, approver, reason, created_at ON promotion_records BEGIN SELECT RAISE(ABORT, 'promotion_records: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_holdout_reads_frozen BEFORE UPDATE OF pk, strategy_pk, purpose, period_start, period_end, requested_by, created_at ON holdout_reads BEGIN SELECT RAISE(ABORT, 'holdout_reads: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_strategies_kept BEFORE DELETE ON strategies BEGIN SELECT RAISE(ABORT, 'strategies: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_promotion_records_kept BEFORE DELETE ON promotion_records BEGIN SELECT RAISE(ABORT, 'promotion_records: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_holdout_reads_kept BEFORE DELETE ON holdout_reads BEGIN SELECT RAISE(ABORT, 'holdout_reads: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_strategies_no_replace BEFORE INSERT ON strategies
WHEN EXISTS (SELECT 1 FROM strategies WHERE pk = NEW.pk OR strategy_id = NEW.strategy_id)
BEGIN SELECT RAISE(ABORT, 'strategies: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_backtests_frozen BEFORE UPDATE ON backtests WHEN OLD.status = 'DONE'
BEGIN SELECT RAISE(ABORT, 'a DONE backtest cannot be changed'); END
-- next statement
CREATE TRIGGER tr_scores_echo BEFORE INSERT ON scores
WHEN NOT EXISTS (SELECT 1 FROM backtests b JOIN contexts c ON c.pk = b.context_pk
  JOIN iterations i ON i.pk = b.iteration_pk JOIN strategies s ON s.pk = b.strategy_pk
  WHERE b.pk = NEW.backtest_pk AND c.engine_mode = NEW.engine_mode AND b.strategy_pk = NEW.strategy_pk
  AND i.run_pk = NEW.run_pk AND s.template_pk IS NEW.template_pk)
AND EXISTS (SELECT 1 FROM backtests b WHERE b.pk = NEW.backtest_pk)
BEGIN SELECT RAISE(ABORT, 'a score''s engine, strategy, run and template are its backtest''s'); END
-- next statement
CREATE TRIGGER tr_failure_tags_added AFTER INSERT ON failure_tags
BEGIN INSERT INTO tag_counts (tag_pk, failures) VALUES (NEW.tag_pk, 1)
ON CONFLICT (tag_pk) DO UPDATE SET failures = failures + 1; END
-- next statement
CREATE TRIGGER tr_failure_tags_removed AFTER DELETE ON failure_tags
BEGIN UPDATE tag_counts SET failures = failures - 1 WHERE tag_pk = OLD.tag_pk; END
-- next statement
CREATE TRIGGER tr_promotion_records_tier AFTER INSERT ON promotion_records
WHEN NEW.tier_to <> NEW.tier_from
BEGIN INSERT INTO strategy_tiers (strategy_pk, tier) VALUES (NEW.strategy_pk, NEW.tier_to)
ON CONFLICT (strategy_pk) DO UPDATE SET tier = excluded.tier; END
-- next statement
CREATE VIEW v_runs AS SELECT substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id, strftime('%Y-%m-%dT%H:%M:%S', r.created_at / 1000000, 'unixepoch')||printf('.%06dZ', r.created_at % 1000000) AS created_at, strftime('%Y-%m-%dT%H:%M:%S', r.ended_at / 1000000, 'unixepoch')||printf('.%06dZ', r.ended_at % 1000000) AS ended_at,
r.project_version, r.code_version, r.door, r.config_json, r.status, r.requested_by FROM runs r
-- next statement
CREATE VIEW v_iterations AS SELECT substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id, i.iteration_id, strftime('%Y-%m-%dT%H:%M:%S', i.started_at / 1000000, 'unixepoch')||printf('.%06dZ', i.started_at % 1000000) AS started_at,
strftime('%Y-%m-%dT%H:%M:%S', i.ended_at / 1000000, 'unixepoch')||printf('.%06dZ', i.ended_at % 1000000) AS ended_at, nullif(lower(hex(cs.constraint_set_id)), '') AS constraint_set_id_applied, i.summary_json
FROM iterations i JOIN runs r ON r.pk = i.run_pk
LEFT JOIN constraint_sets cs ON cs.pk = i.constraint_set_pk
-- next statement
CREATE VIEW v_strategies AS SELECT nullif(lower(hex(s.strategy_id)), '') AS strategy_id, s.normalized_spec_json, s.created_from,
strftime('%Y-%m-%dT%H:%M:%S', s.created_at / 1000000, 'unixepoch')||printf('.%06dZ', s.created_at % 1000000) AS created_at, s.spec_hash_version, s.schema_version, nullif(lower(hex(s.logic_hash)), '') AS logic_hash, s.kind,
s.name, t.template_id, s.params_json, nullif(lower(hex(d.strategy_id)), '') AS derived_from, coalesce(st.tier, 'T0') AS tier
FROM strategies s LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategies d ON d.pk = s.derived_from_pk LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk
-- next statement
CREATE VIEW v_backtests AS SELECT substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id,
i.iteration_id, nullif(lower(hex(s.strategy_id)), '') AS strategy_id, c.engine_mode, c.engine_version,
nullif(lower(hex(c.data_version)), '') AS data_version,
nullif(lower(hex(u.universe_version)), '') AS universe_version, c.period_start, c.period_end, c.bar_interval, b.seed,
mv.model_versions_json, nullif(lower(hex(mv.model_versions_hash)), '') AS model_versions_hash, cc.calc_contract_json,
nullif(lower(hex(cc.calc_contract_hash)), '') AS calc_contract_hash, b.status, b.error_code, b.error_message,
nullif(lower(hex(b.result_hash)), '') AS result_hash, f.path || coalesce('#' || b.artifacts_row, '') AS artifacts_dir,
nullif(lower(hex(sn.data_version)), '') AS snapshot_version, r.code_version, strftime('%Y-%m-%dT%H:%M:%S', b.created_at / 1000000, 'unixepoch')||printf('.%06dZ', b.created_at % 1000000) AS created_at
FROM backtests b JOIN strategies s ON s.pk = b.strategy_pk JOIN contexts c ON c.pk = b.context_pk
JOIN universes u ON u.pk = c.universe_pk JOIN model_version_sets mv ON mv.pk = c.model_versions_pk
JOIN calc_contracts cc ON cc.pk = b.calc_contract_pk JOIN iterations i ON i.pk = b.iteration_pk
JOIN runs r ON r.pk = i.run_pk LEFT JOIN files f ON f.pk = b.artifacts_file_pk
LEFT JOIN snapshots sn ON sn.pk = b.snapshot_pk
-- next statement
CREATE VIEW v_metrics AS SELECT substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, m.return_total_net, m.cagr_net, m.volatility_annual_net, m.max_drawdown_net, m.sharpe_net, m.sortino_net, m.calmar_net, m.win_rate_period, m.profit_factor, m.turnover_annual, m.avg_exposure, m.costs_total, m.fees_total, m.slippage_total, m.spread_total, m.oos_return_total_net, m.oos_sharpe_net, m.oos_is_performance_ratio, m.hit_rate_trades, m.avg_trade_return_net, m.more_json,
m.quality_warnings_json, f.path || coalesce('#' || m.metrics_row, '') AS metrics_json_path,
nullif(lower(hex(cc.calc_contract_hash)), '') AS calc_contract_hash, m.schema_version
FROM metrics m JOIN backtests b ON b.pk = m.backtest_pk
JOIN calc_contracts cc ON cc.pk = m.calc_contract_pk LEFT JOIN files f ON f.pk = m.metrics_file_pk
-- next statement
CREATE VIEW v_scores AS SELECT substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, sc.score_total, sc.breakdown_json,
sc.passed, sc.fail_reasons_json, p.policy_version, sc.engine_mode, strftime('%Y-%m-%dT%H:%M:%S', sc.created_at / 1000000, 'unixepoch')||printf('.%06dZ', sc.created_at % 1000000) AS created_at
FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk JOIN policies p ON p.pk = sc.policy_pk
-- next statement
CREATE VIEW v_latest_scores AS SELECT substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, sc.score_total, sc.breakdown_json,
sc.passed, sc.fail_reasons_json, p.policy_version, sc.engine_mode, strftime('%Y-%m-%dT%H:%M:%S', sc.created_at / 1000000, 'unixepoch')||printf('.%06dZ', sc.created_at % 1000000) AS created_at
FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk JOIN policies p ON p.pk = sc.policy_pk
WHERE NOT EXISTS (
SELECT 1 FROM scores later WHERE later.backtest_pk = sc.backtest_pk AND later.pk > sc.pk)
-- next statement
CREATE VIEW v_failures AS SELECT nullif(lower(hex(fl.failure_id)), '') AS failure_id, substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id,
fl.category, fl.tags_json, fl.severity, fl.confidence, fl.summary,
f.path || coalesce('#' || fl.evidence_row, '') AS evidence_pack_path, fl.evidence_json, fl.state, fr.rule_id, fr.rule_version,
p.policy_version, strftime('%Y-%m-%dT%H:%M:%S', fl.created_at / 1000000, 'unixepoch')||printf('.%06dZ', fl.created_at % 1000000) AS created_at
FROM failures fl JOIN backtests b ON b.pk = fl.backtest_pk JOIN failure_rules fr ON fr.pk = fl.rule_pk
JOIN policies p ON p.pk = fr.policy_pk LEFT JOIN files f ON f.pk = fl.evidence_file_pk
-- next statement
CREATE VIEW v_failure_tags AS SELECT nullif(lower(hex(fl.failure_id)), '') AS failure_id, t.tag
FROM failure_tags ft JOIN failures fl ON fl.pk = ft.failure_pk JOIN tags t ON t.pk = ft.tag_pk
-- next statement
CREATE VIEW v_constraint_sets AS SELECT nullif(lower(hex(cs.constraint_set_id)), '') AS constraint_set_id, strftime('%Y-%m-%dT%H:%M:%S', cs.created_at / 1000000, 'unixepoch')||printf('.%06dZ', cs.created_at % 1000000) AS created_at,
nullif(lower(hex(base.constraint_set_id)), '') AS base_constraint_set_id, cs.constraints_json, p.policy_version, cs.state,
substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id, i.iteration_id
FROM constraint_sets cs JOIN policies p ON p.pk = cs.policy_pk JOIN iterations i ON i.pk = cs.iteration_pk
JOIN runs r ON r.pk = i.run_pk LEFT JOIN constraint_sets base ON base.pk = cs.base_pk
-- next statement
CREATE VIEW v_constraints AS SELECT nullif(lower(hex(cs.constraint_set_id)), '') AS constraint_set_id,
nullif(lower(hex(k.constraint_id)), '') AS constraint_id, k.scope, k.type, k.params_json, k.applies_to_json, k.priority,
k.severity, k.derived_from_type, k.statistics_json, k.status
FROM constraints k JOIN constraint_sets cs ON cs.pk = k.set_pk
-- next statement
CREATE VIEW v_constraint_provenance AS SELECT cp.pk AS id, nullif(lower(hex(cs.constraint_set_id)), '') AS constraint_set_id,
nullif(lower(hex(k.constraint_id)), '') AS constraint_id, nullif(lower(hex(fl.failure_id)), '') AS failure_id, cp.mapping_rule,
i.iteration_id AS created_at_iteration, substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id
FROM constraint_provenance cp JOIN constraints k ON k.pk = cp.constraint_pk
JOIN constraint_sets cs ON cs.pk = k.set_pk JOIN failures fl ON fl.pk = cp.failure_pk
JOIN iterations i ON i.pk = cp.iteration_pk JOIN runs r ON r.pk = i.run_pk
-- next statement
CREATE VIEW v_trials AS SELECT nullif(lower(hex(t.trial_id)), '') AS trial_id, substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id, i.iteration_id,
t.ordinal, tc.door, nullif(lower(hex(s.strategy_id)), '') AS strategy_id, substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, t.arm,
t.outcome, nullif(lower(hex(u.universe_version)), '') AS universe_version, u.market, tc.period_start, tc.period_end,
tc.requested_by, strftime('%Y-%m-%dT%H:%M:%S', t.created_at / 1000000, 'unixepoch')||printf('.%06dZ', t.created_at % 1000000) AS created_at
FROM trials t JOIN iterations i ON i.pk = t.iteration_pk JOIN runs r ON r.pk = i.run_pk
JOIN trial_contexts tc ON tc.pk = t.context_pk JOIN universes u ON u.pk = tc.universe_pk
JOIN strategies s ON s.pk = t.strategy_pk LEFT JOIN backtests b ON b.pk = t.backtest_pk
-- next statement
CREATE VIEW v_trial_constraints AS SELECT nullif(lower(hex(t.trial_id)), '') AS trial_id,
nullif(lower(hex(cs.constraint_set_id)), '') AS constraint_set_id, nullif(lower(hex(k.constraint_id)), '') AS constraint_id, x.arm
FROM trial_constraints x JOIN trials t ON t.pk = x.trial_pk JOIN constraints k ON k.pk = x.constraint_pk
JOIN constraint_sets cs ON cs.pk = k.set_pk
-- next statement
CREATE VIEW v_templates AS SELECT t.template_id, t.name, t.tier, t.status, t.confidence,
t.parameter_schema_json, t.rationale, t.reference, t.atoms_json, strftime('%Y-%m-%dT%H:%M:%S', t.created_at / 1000000, 'unixepoch')||printf('.%06dZ', t.created_at % 1000000) AS created_at,
(SELECT count(*) FROM strategies s WHERE s.template_pk = t.pk) AS usage_count FROM templates t
-- next statement
CREATE VIEW v_atoms AS SELECT a.atom_id, a.kind, a.tier, a.status, a.confidence, a.parameter_schema_json,
a.rationale, a.reference, strftime('%Y-%m-%dT%H:%M:%S', a.created_at / 1000000, 'unixepoch')||printf('.%06dZ', a.created_at % 1000000) AS created_at,
(SELECT count(*) FROM strategy_atoms x WHERE x.atom_pk = a.pk) AS usage_count FROM atoms a
-- next statement
CREATE VIEW v_robustness_cases AS SELECT nullif(lower(hex(rc.case_id)), '') AS case_id, substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id,
rc.type, rc.params_json, rc.metrics_json, f.path || coalesce('#' || rc.metrics_row, '') AS metrics_ref, rc.passed,
p.policy_version, strftime('%Y-%m-%dT%H:%M:%S', rc.created_at / 1000000, 'unixepoch')||printf('.%06dZ', rc.created_at % 1000000) AS created_at
FROM robustness_cases rc JOIN backtests b ON b.pk = rc.backtest_pk JOIN policies p ON p.pk = rc.policy_pk
LEFT JOIN files f ON f.pk = rc.metrics_file_pk
-- next statement
CREATE VIEW v_reports AS SELECT nullif(lower(hex(rp.report_id)), '') AS report_id, substr(nullif(lower(hex(r.run_id)), ''),1,8)||'-'||substr(lower(hex(r.run_id)),9,4)||'-'||substr(lower(hex(r.run_id)),13,4)||'-'||substr(lower(hex(r.run_id)),17,4)||'-'||substr(lower(hex(r.run_id)),21) AS run_id,
substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, rp.tearsheet_html_path, rp.tearsheet_pdf_path, rp.summary_json_path,
rp.doc_store_id, strftime('%Y-%m-%dT%H:%M:%S', rp.created_at / 1000000, 'unixepoch')||printf('.%06dZ', rp.created_at % 1000000) AS created_at
FROM reports rp LEFT JOIN runs r ON r.pk = rp.run_pk LEFT JOIN backtests b ON b.pk = rp.backtest_pk
-- next statement
CREATE VIEW v_promotion_records AS SELECT nullif(lower(hex(s.strategy_id)), '') AS strategy_id,
substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, pr.decision, pr.tier_from, pr.tier_to, p.policy_version,
pr.evidence_refs_json, pr.approver, pr.reason, strftime('%Y-%m-%dT%H:%M:%S', pr.created_at / 1000000, 'unixepoch')||printf('.%06dZ', pr.created_at % 1000000) AS created_at
FROM promotion_records pr JOIN strategies s ON s.pk = pr.strategy_pk JOIN policies p ON p.pk = pr.policy_pk
LEFT JOIN backtests b ON b.pk = pr.backtest_pk
-- next statement
CREATE VIEW v_engine_comparisons AS SELECT substr(nullif(lower(hex(a.backtest_id)), ''),1,8)||'-'||substr(lower(hex(a.backtest_id)),9,4)||'-'||substr(lower(hex(a.backtest_id)),13,4)||'-'||substr(lower(hex(a.backtest_id)),17,4)||'-'||substr(lower(hex(a.backtest_id)),21) AS backtest_a,
substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_b, ec.agree, ec.max_abs_equity_diff, ec.pnl_effect, ec.reason,
ec.first_difference_json, strftime('%Y-%m-%dT%H:%M:%S', ec.created_at / 1000000, 'unixepoch')||printf('.%06dZ', ec.created_at % 1000000) AS created_at
FROM engine_comparisons ec JOIN backtests a ON a.pk = ec.backtest_a_pk
JOIN backtests b ON b.pk = ec.backtest_b_pk
