CREATE TABLE score_blocks (
	first_pk INTEGER NOT NULL,
	part TEXT NOT NULL,
	packed BLOB NOT NULL,
	CONSTRAINT pk_score_blocks PRIMARY KEY (first_pk, part)
)
 STRICT
-- next statement
CREATE TRIGGER tr_scores_unsealed AFTER INSERT ON scores
WHEN EXISTS (SELECT 1 FROM score_blocks WHERE first_pk = NEW.pk - NEW.pk % 8192)
BEGIN DELETE FROM score_blocks WHERE first_pk = NEW.pk - NEW.pk % 8192; END
-- next statement
DROP TRIGGER tr_metrics_unsealed
-- next statement
CREATE TRIGGER tr_metrics_unsealed AFTER INSERT ON metrics
WHEN EXISTS (SELECT 1 FROM metric_blocks WHERE first_pk = NEW.backtest_pk - NEW.backtest_pk % 8192)
BEGIN DELETE FROM metric_blocks WHERE first_pk = NEW.backtest_pk - NEW.backtest_pk % 8192; END
