CREATE TABLE texts (
	pk BIGINT NOT NULL,
	text_hash BYTEA NOT NULL,
	body TEXT NOT NULL,
	CONSTRAINT pk_texts PRIMARY KEY (pk),
	CONSTRAINT uq_texts_text_hash UNIQUE (text_hash)
)
-- next statement
CREATE TRIGGER tr_texts_frozen BEFORE UPDATE OF pk, text_hash, body ON texts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('texts: stored rows cannot be changed')
-- next statement
DROP TRIGGER tr_strategies_frozen ON strategies
-- next statement
DROP TRIGGER tr_metrics_frozen ON metrics
-- next statement
DROP VIEW v_strategies
-- next statement
DROP VIEW v_metrics
-- next statement
ALTER TABLE strategies ADD COLUMN head_text_pk BIGINT, ADD CONSTRAINT fk_strategies_head_text_pk FOREIGN KEY(head_text_pk) REFERENCES texts (pk)
-- next statement
ALTER TABLE strategies ADD COLUMN tail_text_pk BIGINT, ADD CONSTRAINT fk_strategies_tail_text_pk FOREIGN KEY(tail_text_pk) REFERENCES texts (pk)
-- next statement
ALTER TABLE metrics ADD COLUMN alpha DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN avg_trade_duration_bars DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN bars DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN beta DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN blocked_share DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN closed_trades DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN comparisons DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN cvar_95 DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN drawdown_duration_max_bars DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN expectancy_net DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN exposure_max DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN information_ratio DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN is_sharpe_net DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN kurtosis DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN leverage_max_gross DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN skewness DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN tail_gain_p95 DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN tail_loss_p95 DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN ulcer_index DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN var_95 DOUBLE PRECISION
-- next statement
ALTER TABLE metrics ADD COLUMN notes_text_pk BIGINT, ADD CONSTRAINT fk_metrics_notes_text_pk FOREIGN KEY(notes_text_pk) REFERENCES texts (pk)
-- next statement
UPDATE metrics SET alpha = (more_json::json ->> 'alpha')::double precision,
avg_trade_duration_bars = (more_json::json ->> 'avg_trade_duration_bars')::double precision,
bars = (more_json::json ->> 'bars')::double precision,
beta = (more_json::json ->> 'beta')::double precision,
blocked_share = (more_json::json ->> 'blocked_share')::double precision,
closed_trades = (more_json::json ->> 'closed_trades')::double precision,
comparisons = (more_json::json ->> 'comparisons')::double precision,
cvar_95 = (more_json::json ->> 'cvar_95')::double precision,
drawdown_duration_max_bars = (more_json::json ->> 'drawdown_duration_max_bars')::double precision,
expectancy_net = (more_json::json ->> 'expectancy_net')::double precision,
exposure_max = (more_json::json ->> 'exposure_max')::double precision,
information_ratio = (more_json::json ->> 'information_ratio')::double precision,
is_sharpe_net = (more_json::json ->> 'is_sharpe_net')::double precision,
kurtosis = (more_json::json ->> 'kurtosis')::double precision,
leverage_max_gross = (more_json::json ->> 'leverage_max_gross')::double precision,
skewness = (more_json::json ->> 'skewness')::double precision,
tail_gain_p95 = (more_json::json ->> 'tail_gain_p95')::double precision,
tail_loss_p95 = (more_json::json ->> 'tail_loss_p95')::double precision,
ulcer_index = (more_json::json ->> 'ulcer_index')::double precision,
var_95 = (more_json::json ->> 'var_95')::double precision,
more_json = (SELECT '{' || string_agg(to_json(key)::text || ':' || value::text, ',' ORDER BY key COLLATE "C") || '}'
FROM json_each(more_json::json) WHERE key NOT IN ('alpha', 'avg_trade_duration_bars', 'bars', 'beta', 'blocked_share', 'closed_trades', 'comparisons', 'cvar_95', 'drawdown_duration_max_bars', 'expectancy_net', 'exposure_max', 'information_ratio', 'is_sharpe_net', 'kurtosis', 'leverage_max_gross', 'skewness', 'tail_gain_p95', 'tail_loss_p95', 'ulcer_index', 'var_95'))
WHERE more_json IS NOT NULL
-- next statement
CREATE TRIGGER tr_strategies_frozen BEFORE UPDATE OF pk, strategy_id, logic_hash, normalized_spec_json, created_from, spec_hash_version, schema_version, kind, name, template_pk, params_json, derived_from_pk, created_at, head_text_pk, tail_text_pk ON strategies FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('strategies: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_metrics_frozen BEFORE UPDATE OF backtest_pk, calc_contract_pk, return_total_net, cagr_net, volatility_annual_net, max_drawdown_net, sharpe_net, sortino_net, calmar_net, win_rate_period, profit_factor, turnover_annual, avg_exposure, costs_total, fees_total, slippage_total, spread_total, oos_return_total_net, oos_sharpe_net, oos_is_performance_ratio, hit_rate_trades, avg_trade_return_net, more_json, quality_warnings_json, metrics_file_pk, metrics_row, schema_version, alpha, avg_trade_duration_bars, bars, beta, blocked_share, closed_trades, comparisons, cvar_95, drawdown_duration_max_bars, expectancy_net, exposure_max, information_ratio, is_sharpe_net, kurtosis, leverage_max_gross, skewness, tail_gain_p95, tail_loss_p95, ulcer_index, var_95, notes_text_pk ON metrics FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('metrics: stored rows cannot be changed')
-- next statement
CREATE TRIGGER tr_calc_contracts_kept BEFORE DELETE ON calc_contracts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('calc_contracts: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_model_version_sets_kept BEFORE DELETE ON model_version_sets FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('model_version_sets: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_policies_kept BEFORE DELETE ON policies FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('policies: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_contexts_kept BEFORE DELETE ON contexts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('contexts: stored rows cannot be deleted')
-- next statement
CREATE TRIGGER tr_texts_kept BEFORE DELETE ON texts FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('texts: stored rows cannot be deleted')
-- next statement
CREATE VIEW v_strategies AS SELECT encode(s.strategy_id, 'hex') AS strategy_id,
coalesce(sh.body, '') || s.normalized_spec_json || coalesce(se.body, '') AS normalized_spec_json, s.created_from,
to_char(to_timestamp(s.created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')||'.'||lpad((s.created_at % 1000000)::text, 6, '0')||'Z' AS created_at, s.spec_hash_version, s.schema_version, encode(s.logic_hash, 'hex') AS logic_hash, s.kind,
s.name, t.template_id, s.params_json, encode(d.strategy_id, 'hex') AS derived_from, coalesce(st.tier, 'T0') AS tier
FROM strategies s LEFT JOIN texts sh ON sh.pk = s.head_text_pk LEFT JOIN texts se ON se.pk = s.tail_text_pk LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategies d ON d.pk = s.derived_from_pk LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk
-- next statement
CREATE VIEW v_metrics AS SELECT encode(b.backtest_id, 'hex')::uuid::text AS backtest_id, m.return_total_net, m.cagr_net, m.volatility_annual_net, m.max_drawdown_net, m.sharpe_net, m.sortino_net, m.calmar_net, m.win_rate_period, m.profit_factor, m.turnover_annual, m.avg_exposure, m.costs_total, m.fees_total, m.slippage_total, m.spread_total, m.oos_return_total_net, m.oos_sharpe_net, m.oos_is_performance_ratio, m.hit_rate_trades, m.avg_trade_return_net, m.alpha, m.avg_trade_duration_bars, m.bars, m.beta, m.blocked_share, m.closed_trades, m.comparisons, m.cvar_95, m.drawdown_duration_max_bars, m.expectancy_net, m.exposure_max, m.information_ratio, m.is_sharpe_net, m.kurtosis, m.leverage_max_gross, m.skewness, m.tail_gain_p95, m.tail_loss_p95, m.ulcer_index, m.var_95, m.more_json,
coalesce(m.quality_warnings_json, n.body) AS quality_warnings_json,
f.path || coalesce('#' || m.metrics_row, '') AS metrics_json_path,
encode(cc.calc_contract_hash, 'hex') AS calc_contract_hash, m.schema_version
FROM metrics m JOIN backtests b ON b.pk = m.backtest_pk
JOIN calc_contracts cc ON cc.pk = m.calc_contract_pk LEFT JOIN files f ON f.pk = m.metrics_file_pk
LEFT JOIN texts n ON n.pk = m.notes_text_pk
