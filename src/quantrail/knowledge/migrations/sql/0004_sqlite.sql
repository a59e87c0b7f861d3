CREATE TABLE metric_blocks (
	first_pk INTEGER NOT NULL,
	metric TEXT NOT NULL,
	floats BLOB NOT NULL,
	CONSTRAINT pk_metric_blocks PRIMARY KEY (first_pk, metric)
)
 STRICT
-- next statement
CREATE TABLE fingerprint_bands (
	block INTEGER NOT NULL,
	band INTEGER NOT NULL,
	fingerprint_pk INTEGER NOT NULL,
	CONSTRAINT pk_fingerprint_bands PRIMARY KEY (block, band, fingerprint_pk),
	CONSTRAINT fk_fingerprint_bands_fingerprint_pk FOREIGN KEY(fingerprint_pk) REFERENCES fingerprints (pk) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT
-- next statement
CREATE TABLE tier_scores (
	score_pk INTEGER NOT NULL,
	tier TEXT NOT NULL,
	policy_pk INTEGER NOT NULL,
	backtest_pk INTEGER NOT NULL,
	score_total REAL NOT NULL,
	passed INTEGER NOT NULL,
	engine_mode TEXT NOT NULL,
	strategy_pk INTEGER NOT NULL,
	run_pk INTEGER NOT NULL,
	template_pk INTEGER,
	CONSTRAINT pk_tier_scores PRIMARY KEY (score_pk),
	CONSTRAINT ck_tier_scores_passed_flag CHECK (passed IN (0, 1)),
	CONSTRAINT ck_tier_scores_tier_known CHECK (tier = 'T0' OR tier = 'T1' OR tier = 'T2' OR tier = 'T3' OR tier = 'T4' OR tier = 'T5'),
	CONSTRAINT ck_tier_scores_engine_mode_known CHECK (engine_mode = 'A' OR engine_mode = 'B'),
	CONSTRAINT fk_tier_scores_score_pk FOREIGN KEY(score_pk) REFERENCES scores (pk) ON DELETE CASCADE
)
 STRICT
-- next statement
CREATE INDEX ix_tier_scores_best ON tier_scores (tier, policy_pk, engine_mode, score_total DESC, backtest_pk)
-- next statement
CREATE INDEX ix_tier_scores_strategy_pk ON tier_scores (strategy_pk)
-- next statement
CREATE TRIGGER tr_scores_tier AFTER INSERT ON scores
WHEN EXISTS (SELECT 1 FROM strategy_tiers WHERE strategy_pk = NEW.strategy_pk)
BEGIN INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, st.tier, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk
FROM scores sc JOIN strategy_tiers st ON st.strategy_pk = sc.strategy_pk WHERE sc.pk = NEW.pk; END
-- next statement
CREATE TRIGGER tr_strategy_tiers_added AFTER INSERT ON strategy_tiers
BEGIN INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, NEW.tier, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk
FROM backtests b JOIN scores sc ON sc.backtest_pk = b.pk WHERE b.strategy_pk = NEW.strategy_pk; END
-- next statement
CREATE TRIGGER tr_strategy_tiers_changed AFTER UPDATE OF tier ON strategy_tiers
BEGIN UPDATE tier_scores SET tier = NEW.tier WHERE strategy_pk = NEW.strategy_pk; END
-- next statement
CREATE TRIGGER tr_strategy_tiers_removed AFTER DELETE ON strategy_tiers
BEGIN DELETE FROM tier_scores WHERE strategy_pk = OLD.strategy_pk; END
-- next statement
CREATE TRIGGER tr_metrics_unsealed AFTER INSERT ON metrics
WHEN EXISTS (SELECT 1 FROM metric_blocks WHERE first_pk = NEW.backtest_pk - NEW.backtest_pk % 16384)
BEGIN DELETE FROM metric_blocks WHERE first_pk = NEW.backtest_pk - NEW.backtest_pk % 16384; END
-- next statement
INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, st.tier, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk
FROM strategy_tiers st JOIN backtests b ON b.strategy_pk = st.strategy_pk
JOIN scores sc ON sc.backtest_pk = b.pk
