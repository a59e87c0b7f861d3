CREATE TABLE score_blocks (
	first_pk INTEGER NOT NULL,
	part TEXT NOT NULL,
	packed BLOB NOT NULL,
	CONSTRAINT pk_score_blocks PRIMARY KEY (first_pk, part)
)
 STRICT
-- next statement
CREATE TRIGGER tr_scores_unsealed AFTER INSERT ON scores
WHEN EXISTS (SELECT 1 FROM score_blocks WHERE first_pk = NEW.pk - NEW.pk % 16384)
BEGIN DELETE FROM score_blocks WHERE first_pk = NEW.pk - NEW.pk % 16384; END
