CREATE TABLE metric_blocks (
	first_pk BIGINT NOT NULL,
	metric TEXT NOT NULL,
	floats BYTEA NOT NULL,
	CONSTRAINT pk_metric_blocks PRIMARY KEY (first_pk, metric)
)
-- next statement
CREATE TABLE fingerprint_bands (
	block BIGINT NOT NULL,
	band BIGINT NOT NULL,
	fingerprint_pk BIGINT NOT NULL,
	CONSTRAINT pk_fingerprint_bands PRIMARY KEY (block, band, fingerprint_pk),
	CONSTRAINT fk_fingerprint_bands_fingerprint_pk FOREIGN KEY(fingerprint_pk) REFERENCES fingerprints (pk) ON DELETE CASCADE
)
-- next statement
CREATE TABLE tier_scores (
	score_pk BIGINT NOT NULL,
	tier TEXT NOT NULL,
	policy_pk BIGINT NOT NULL,
	backtest_pk BIGINT NOT NULL,
	score_total DOUBLE PRECISION NOT NULL,
	passed BOOLEAN NOT NULL,
	engine_mode TEXT NOT NULL,
	strategy_pk BIGINT NOT NULL,
	run_pk BIGINT NOT NULL,
	template_pk BIGINT,
	CONSTRAINT pk_tier_scores PRIMARY KEY (score_pk),
	CONSTRAINT ck_tier_scores_tier_known CHECK (tier = 'T0' OR tier = 'T1' OR tier = 'T2' OR tier = 'T3' OR tier = 'T4' OR tier = 'T5'),
	CONSTRAINT ck_tier_scores_engine_mode_known CHECK (engine_mode = 'A' OR engine_mode = 'B'),
	CONSTRAINT fk_tier_scores_score_pk FOREIGN KEY(score_pk) REFERENCES scores (pk) ON DELETE CASCADE
)
-- next statement
CREATE INDEX ix_tier_scores_best ON tier_scores (tier, policy_pk, engine_mode, score_total DESC, backtest_pk)
-- next statement
CREATE INDEX ix_tier_scores_strategy_pk ON tier_scores (strategy_pk)
-- next statement
CREATE FUNCTION quantrail_scores_tier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, st.tier, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk
FROM changed sc JOIN strategy_tiers st ON st.strategy_pk = sc.strategy_pk;
RETURN NULL;
END $$
-- next statement
CREATE TRIGGER tr_scores_tier AFTER INSERT ON scores REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION quantrail_scores_tier()
-- next statement
CREATE FUNCTION quantrail_tier_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, n.tier, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk
FROM changed n JOIN backtests b ON b.strategy_pk = n.strategy_pk JOIN scores sc ON sc.backtest_pk = b.pk;
RETURN NULL;
END $$
-- next statement
CREATE TRIGGER tr_strategy_tiers_added AFTER INSERT ON strategy_tiers REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION quantrail_tier_added()
-- next statement
CREATE FUNCTION quantrail_tier_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
UPDATE tier_scores t SET tier = n.tier FROM changed n
WHERE n.strategy_pk = t.strategy_pk AND n.tier <> t.tier;
RETURN NULL;
END $$
-- next statement
CREATE TRIGGER tr_strategy_tiers_changed AFTER UPDATE ON strategy_tiers REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION quantrail_tier_changed()
-- next statement
CREATE FUNCTION quantrail_tier_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
DELETE FROM tier_scores t USING changed o WHERE o.strategy_pk = t.strategy_pk;
RETURN NULL;
END $$
-- next statement
CREATE TRIGGER tr_strategy_tiers_removed AFTER DELETE ON strategy_tiers REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION quantrail_tier_removed()
-- next statement
CREATE FUNCTION quantrail_metrics_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
DELETE FROM metric_blocks WHERE first_pk IN
  (SELECT backtest_pk - backtest_pk % 16384 FROM changed);
RETURN NULL;
END $$
-- next statement
CREATE TRIGGER tr_metrics_unsealed AFTER INSERT ON metrics REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION quantrail_metrics_unsealed()
-- next statement
INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, st.tier, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk
FROM strategy_tiers st JOIN backtests b ON b.strategy_pk = st.strategy_pk
JOIN scores sc ON sc.backtest_pk = b.pk
