CREATE TABLE texts (
	pk INTEGER NOT NULL,
	text_hash BLOB NOT NULL,
	body TEXT NOT NULL,
	CONSTRAINT pk_texts PRIMARY KEY (pk),
	CONSTRAINT uq_texts_text_hash UNIQUE (text_hash)
)
 STRICT
-- next statement
CREATE TRIGGER tr_texts_frozen BEFORE UPDATE OF pk, text_hash, body ON texts BEGIN SELECT RAISE(ABORT, 'texts: stored rows cannot be changed'); END
-- next statement
DROP TRIGGER tr_strategies_frozen
-- next statement
DROP TRIGGER tr_metrics_frozen
-- next statement
DROP TRIGGER tr_strategies_no_replace
-- next statement
DROP VIEW v_strategies
-- next statement
DROP VIEW v_metrics
-- next statement
ALTER TABLE strategies ADD COLUMN head_text_pk INTEGER REFERENCES texts (pk)
-- next statement
ALTER TABLE strategies ADD COLUMN tail_text_pk INTEGER REFERENCES texts (pk)
-- next statement
ALTER TABLE metrics ADD COLUMN alpha REAL
-- next statement
ALTER TABLE metrics ADD COLUMN avg_trade_duration_bars REAL
-- next statement
ALTER TABLE metrics ADD COLUMN bars REAL
-- next statement
ALTER TABLE metrics ADD COLUMN beta REAL
-- next statement
ALTER TABLE metrics ADD COLUMN blocked_share REAL
-- next statement
ALTER TABLE metrics ADD COLUMN closed_trades REAL
-- next statement
ALTER TABLE metrics ADD COLUMN comparisons REAL
-- next statement
ALTER TABLE metrics ADD COLUMN cvar_95 REAL
-- next statement
ALTER TABLE metrics ADD COLUMN drawdown_duration_max_bars REAL
-- next statement
ALTER TABLE metrics ADD COLUMN expectancy_net REAL
-- next statement
ALTER TABLE metrics ADD COLUMN exposure_max REAL
-- next statement
ALTER TABLE metrics ADD COLUMN information_ratio REAL
-- next statement
ALTER TABLE metrics ADD COLUMN is_sharpe_net REAL
-- next statement
ALTER TABLE metrics ADD COLUMN kurtosis REAL
-- next statement
ALTER TABLE metrics ADD COLUMN leverage_max_gross REAL
-- next statement
ALTER TABLE metrics ADD COLUMN skewness REAL
-- next statement
ALTER TABLE metrics ADD COLUMN tail_gain_p95 REAL
-- next statement
ALTER TABLE metrics ADD COLUMN tail_loss_p95 REAL
-- next statement
ALTER TABLE metrics ADD COLUMN ulcer_index REAL
-- next statement
ALTER TABLE metrics ADD COLUMN var_95 REAL
-- next statement
ALTER TABLE metrics ADD COLUMN notes_text_pk INTEGER REFERENCES texts (pk)
-- next statement
UPDATE metrics SET alpha = json_extract(more_json, '$.alpha'),
avg_trade_duration_bars = json_extract(more_json, '$.avg_trade_duration_bars'),
bars = json_extract(more_json, '$.bars'),
beta = json_extract(more_json, '$.beta'),
blocked_share = json_extract(more_json, '$.blocked_share'),
closed_trades = json_extract(more_json, '$.closed_trades'),
comparisons = json_extract(more_json, '$.comparisons'),
cvar_95 = json_extract(more_json, '$.cvar_95'),
drawdown_duration_max_bars = json_extract(more_json, '$.drawdown_duration_max_bars'),
expectancy_net = json_extract(more_json, '$.expectancy_net'),
exposure_max = json_extract(more_json, '$.exposure_max'),
information_ratio = json_extract(more_json, '$.information_ratio'),
is_sharpe_net = json_extract(more_json, '$.is_sharpe_net'),
kurtosis = json_extract(more_json, '$.kurtosis'),
leverage_max_gross = json_extract(more_json, '$.leverage_max_gross'),
skewness = json_extract(more_json, '$.skewness'),
tail_gain_p95 = json_extract(more_json, '$.tail_gain_p95'),
tail_loss_p95 = json_extract(more_json, '$.tail_loss_p95'),
ulcer_index = json_extract(more_json, '$.ulcer_index'),
var_95 = json_extract(more_json, '$.var_95'),
more_json = nullif(json_remove(more_json, '$.alpha', '$.avg_trade_duration_bars', '$.bars', '$.beta', '$.blocked_share', '$.closed_trades', '$.comparisons', '$.cvar_95', '$.drawdown_duration_max_bars', '$.expectancy_net', '$.exposure_max', '$.information_ratio', '$.is_sharpe_net', '$.kurtosis', '$.leverage_max_gross', '$.skewness', '$.tail_gain_p95', '$.tail_loss_p95', '$.ulcer_index', '$.var_95'), '{}')
WHERE more_json IS NOT NULL
-- next statement
PRAGMA writable_schema = ON
-- next statement
UPDATE sqlite_master SET sql = 'CREATE TABLE strategies (
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
	head_text_pk INTEGER,
	tail_text_pk INTEGER,
	CONSTRAINT pk_strategies PRIMARY KEY (pk),
	CONSTRAINT ck_strategies_kind_known CHECK (kind = ''spec'' OR kind = ''signals''),
	CONSTRAINT uq_strategies_strategy_id UNIQUE (strategy_id),
	CONSTRAINT fk_strategies_template_pk FOREIGN KEY(template_pk) REFERENCES templates (pk),
	CONSTRAINT fk_strategies_derived_from_pk FOREIGN KEY(derived_from_pk) REFERENCES strategies (pk),
	CONSTRAINT fk_strategies_head_text_pk FOREIGN KEY(head_text_pk) REFERENCES texts (pk),
	CONSTRAINT fk_strategies_tail_text_pk FOREIGN KEY(tail_text_pk) REFERENCES texts (pk)
)
 STRICT' WHERE type = 'table' AND name = 'strategies'
-- next statement
UPDATE sqlite_master SET sql = 'CREATE TABLE metrics (
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
	alpha REAL,
	avg_trade_duration_bars REAL,
	bars REAL,
	beta REAL,
	blocked_share REAL,
	closed_trades REAL,
	comparisons REAL,
	cvar_95 REAL,
	drawdown_duration_max_bars REAL,
	expectancy_net REAL,
	exposure_max REAL,
	information_ratio REAL,
	is_sharpe_net REAL,
	kurtosis REAL,
	leverage_max_gross REAL,
	skewness REAL,
	tail_gain_p95 REAL,
	tail_loss_p95 REAL,
	ulcer_index REAL,
	var_95 REAL,
	notes_text_pk INTEGER,
	CONSTRAINT pk_metrics PRIMARY KEY (backtest_pk),
	CONSTRAINT fk_metrics_contract_echo FOREIGN KEY(backtest_pk, calc_contract_pk) REFERENCES backtests (pk, calc_contract_pk),
	CONSTRAINT ck_metrics_drawdown_sign CHECK (max_drawdown_net <= 0),
	CONSTRAINT fk_metrics_backtest_pk FOREIGN KEY(backtest_pk) REFERENCES backtests (pk),
	CONSTRAINT fk_metrics_metrics_file_pk FOREIGN KEY(metrics_file_pk) REFERENCES files (pk),
	CONSTRAINT fk_metrics_notes_text_pk FOREIGN KEY(notes_text_pk) REFERENCES texts (pk)
)
 STRICT' WHERE type = 'table' AND name = 'metrics'
-- next statement
PRAGMA writable_schema = OFF
-- next statement
CREATE TRIGGER tr_strategies_frozen BEFORE UPDATE OF pk, strategy_id, logic_hash, normalized_spec_json, created_from, spec_hash_version, schema_version, kind, name, template_pk, params_json, derived_from_pk, created_at, head_text_pk, tail_text_pk ON strategies BEGIN SELECT RAISE(ABORT, 'strategies: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_metrics_frozen BEFORE UPDATE OF backtest_pk, calc_contract_pk, return_total_net, cagr_net, volatility_annual_net, max_drawdown_net, sharpe_net, sortino_net, calmar_net, win_rate_period, profit_factor, turnover_annual, avg_exposure, costs_total, fees_total, slippage_total, spread_total, oos_return_total_net, oos_sharpe_net, oos_is_performance_ratio, hit_rate_trades, avg_trade_return_net, more_json, quality_warnings_json, metrics_file_pk, metrics_row, schema_version, alpha, avg_trade_duration_bars, bars, beta, blocked_share, closed_trades, comparisons, cvar_95, drawdown_duration_max_bars, expectancy_net, exposure_max, information_ratio, is_sharpe_net, kurtosis, leverage_max_gross, skewness, tail_gain_p95, tail_loss_p95, ulcer_index, var_95, notes_text_pk ON metrics BEGIN SELECT RAISE(ABORT, 'metrics: stored rows cannot be changed'); END
-- next statement
CREATE TRIGGER tr_strategies_no_replace BEFORE INSERT ON strategies
WHEN EXISTS (SELECT 1 FROM strategies WHERE strategy_id = NEW.strategy_id)
OR EXISTS (SELECT 1 FROM strategies WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'strategies: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_calc_contracts_kept BEFORE DELETE ON calc_contracts BEGIN SELECT RAISE(ABORT, 'calc_contracts: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_model_version_sets_kept BEFORE DELETE ON model_version_sets BEGIN SELECT RAISE(ABORT, 'model_version_sets: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_policies_kept BEFORE DELETE ON policies BEGIN SELECT RAISE(ABORT, 'policies: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_contexts_kept BEFORE DELETE ON contexts BEGIN SELECT RAISE(ABORT, 'contexts: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_texts_kept BEFORE DELETE ON texts BEGIN SELECT RAISE(ABORT, 'texts: stored rows cannot be deleted'); END
-- next statement
CREATE TRIGGER tr_calc_contracts_no_replace BEFORE INSERT ON calc_contracts
WHEN EXISTS (SELECT 1 FROM calc_contracts WHERE calc_contract_hash = NEW.calc_contract_hash)
OR EXISTS (SELECT 1 FROM calc_contracts WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'calc_contracts: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_model_version_sets_no_replace BEFORE INSERT ON model_version_sets
WHEN EXISTS (SELECT 1 FROM model_version_sets WHERE model_versions_hash = NEW.model_versions_hash)
OR EXISTS (SELECT 1 FROM model_version_sets WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'model_version_sets: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_policies_no_replace BEFORE INSERT ON policies
WHEN EXISTS (SELECT 1 FROM policies WHERE policy_version = NEW.policy_version)
OR EXISTS (SELECT 1 FROM policies WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'policies: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_contexts_no_replace BEFORE INSERT ON contexts
WHEN EXISTS (SELECT 1 FROM contexts WHERE data_version = NEW.data_version AND engine_mode = NEW.engine_mode AND period_start = NEW.period_start AND period_end = NEW.period_end AND engine_version = NEW.engine_version AND universe_pk = NEW.universe_pk AND bar_interval = NEW.bar_interval AND model_versions_pk = NEW.model_versions_pk)
OR EXISTS (SELECT 1 FROM contexts WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'contexts: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_texts_no_replace BEFORE INSERT ON texts
WHEN EXISTS (SELECT 1 FROM texts WHERE text_hash = NEW.text_hash)
OR EXISTS (SELECT 1 FROM texts WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'texts: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_backtests_no_replace BEFORE INSERT ON backtests
WHEN EXISTS (SELECT 1 FROM backtests WHERE backtest_id = NEW.backtest_id)
OR EXISTS (SELECT 1 FROM backtests WHERE strategy_pk = NEW.strategy_pk AND context_pk = NEW.context_pk AND calc_contract_pk = NEW.calc_contract_pk AND seed = NEW.seed)
OR EXISTS (SELECT 1 FROM backtests WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'backtests: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_metrics_no_replace BEFORE INSERT ON metrics
WHEN EXISTS (SELECT 1 FROM metrics WHERE backtest_pk = NEW.backtest_pk)
BEGIN SELECT RAISE(ABORT, 'metrics: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_scores_no_replace BEFORE INSERT ON scores
WHEN EXISTS (SELECT 1 FROM scores WHERE backtest_pk = NEW.backtest_pk AND policy_pk = NEW.policy_pk)
OR EXISTS (SELECT 1 FROM scores WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'scores: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_failures_no_replace BEFORE INSERT ON failures
WHEN EXISTS (SELECT 1 FROM failures WHERE failure_id = NEW.failure_id)
OR EXISTS (SELECT 1 FROM failures WHERE backtest_pk = NEW.backtest_pk AND rule_pk = NEW.rule_pk)
OR EXISTS (SELECT 1 FROM failures WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'failures: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_constraint_sets_no_replace BEFORE INSERT ON constraint_sets
WHEN EXISTS (SELECT 1 FROM constraint_sets WHERE constraint_set_id = NEW.constraint_set_id)
OR EXISTS (SELECT 1 FROM constraint_sets WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'constraint_sets: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_constraints_no_replace BEFORE INSERT ON constraints
WHEN EXISTS (SELECT 1 FROM constraints WHERE set_pk = NEW.set_pk AND constraint_id = NEW.constraint_id)
OR EXISTS (SELECT 1 FROM constraints WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'constraints: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_constraint_provenance_no_replace BEFORE INSERT ON constraint_provenance
WHEN EXISTS (SELECT 1 FROM constraint_provenance WHERE constraint_pk = NEW.constraint_pk AND failure_pk = NEW.failure_pk AND mapping_rule = NEW.mapping_rule)
OR EXISTS (SELECT 1 FROM constraint_provenance WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'constraint_provenance: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_promotion_records_no_replace BEFORE INSERT ON promotion_records
WHEN EXISTS (SELECT 1 FROM promotion_records WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'promotion_records: stored rows cannot be replaced'); END
-- next statement
CREATE TRIGGER tr_holdout_reads_no_replace BEFORE INSERT ON holdout_reads
WHEN EXISTS (SELECT 1 FROM holdout_reads WHERE pk = NEW.pk)
BEGIN SELECT RAISE(ABORT, 'holdout_reads: stored rows cannot be replaced'); END
-- next statement
CREATE VIEW v_strategies AS SELECT nullif(lower(hex(s.strategy_id)), '') AS strategy_id,
coalesce(sh.body, '') || s.normalized_spec_json || coalesce(se.body, '') AS normalized_spec_json, s.created_from,
strftime('%Y-%m-%dT%H:%M:%S', s.created_at / 1000000, 'unixepoch')||printf('.%06dZ', s.created_at % 1000000) AS created_at, s.spec_hash_version, s.schema_version, nullif(lower(hex(s.logic_hash)), '') AS logic_hash, s.kind,
s.name, t.template_id, s.params_json, nullif(lower(hex(d.strategy_id)), '') AS derived_from, coalesce(st.tier, 'T0') AS tier
FROM strategies s LEFT JOIN texts sh ON sh.pk = s.head_text_pk LEFT JOIN texts se ON se.pk = s.tail_text_pk LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategies d ON d.pk = s.derived_from_pk LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk
-- next statement
CREATE VIEW v_metrics AS SELECT substr(nullif(lower(hex(b.backtest_id)), ''),1,8)||'-'||substr(lower(hex(b.backtest_id)),9,4)||'-'||substr(lower(hex(b.backtest_id)),13,4)||'-'||substr(lower(hex(b.backtest_id)),17,4)||'-'||substr(lower(hex(b.backtest_id)),21) AS backtest_id, m.return_total_net, m.cagr_net, m.volatility_annual_net, m.max_drawdown_net, m.sharpe_net, m.sortino_net, m.calmar_net, m.win_rate_period, m.profit_factor, m.turnover_annual, m.avg_exposure, m.costs_total, m.fees_total, m.slippage_total, m.spread_total, m.oos_return_total_net, m.oos_sharpe_net, m.oos_is_performance_ratio, m.hit_rate_trades, m.avg_trade_return_net, m.alpha, m.avg_trade_duration_bars, m.bars, m.beta, m.blocked_share, m.closed_trades, m.comparisons, m.cvar_95, m.drawdown_duration_max_bars, m.expectancy_net, m.exposure_max, m.information_ratio, m.is_sharpe_net, m.kurtosis, m.leverage_max_gross, m.skewness, m.tail_gain_p95, m.tail_loss_p95, m.ulcer_index, m.var_95, m.more_json,
coalesce(m.quality_warnings_json, n.body) AS quality_warnings_json,
f.path || coalesce('#' || m.metrics_row, '') AS metrics_json_path,
nullif(lower(hex(cc.calc_contract_hash)), '') AS calc_contract_hash, m.schema_version
FROM metrics m JOIN backtests b ON b.pk = m.backtest_pk
JOIN calc_contracts cc ON cc.pk = m.calc_contract_pk LEFT JOIN files f ON f.pk = m.metrics_file_pk
LEFT JOIN texts n ON n.pk = m.notes_text_pk
