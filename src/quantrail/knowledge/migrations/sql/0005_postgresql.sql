CREATE TABLE score_blocks (
	first_pk BIGINT NOT NULL,
	part TEXT NOT NULL,
	packed BYTEA NOT NULL,
	CONSTRAINT pk_score_blocks PRIMARY KEY (first_pk, part)
)
-- next statement
CREATE FUNCTION quantrail_scores_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
DELETE FROM score_blocks WHERE first_pk IN (SELECT pk - pk % 8192 FROM changed);
RETURN NULL;
END $$
-- next statement
CREATE TRIGGER tr_scores_unsealed AFTER INSERT ON scores REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION quantrail_scores_unsealed()
-- next statement
CREATE OR REPLACE FUNCTION quantrail_metrics_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
DELETE FROM metric_blocks WHERE first_pk IN
  (SELECT backtest_pk - backtest_pk % 8192 FROM changed);
RETURN NULL;
END $$
