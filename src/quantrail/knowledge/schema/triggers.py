"""Rules that neither keys nor CHECKs can say, as triggers on both backends.

What was stored stays (``guards``), a score's filter columns are its backtest's, a tier is earned, and
tag counts, the scores by tier and the blocks of metrics and scores follow what they are made of.
"""

from __future__ import annotations

from quantrail.knowledge.schema.derived import BLOCK
from quantrail.knowledge.schema.guards import postgres_guards, sqlite_guards

_ECHO = "a score''s engine, strategy, run and template are its backtest''s"
_MOVED = "backtests: a scored backtest stays with the run its scores name"
# A scored backtest that is moved, when it is mended, to an iteration of another run.
_LEAVES_ITS_RUN = """EXISTS (SELECT 1 FROM scores sc JOIN iterations i ON i.pk = NEW.iteration_pk
  WHERE sc.backtest_pk = NEW.pk AND sc.run_pk <> i.run_pk)"""
# What a promotion record may not say, and the sentence that refuses it.
EARNED = "tr_promotion_records_earned"
_UNEARNED = {
    """NEW.tier_from <> coalesce(
  (SELECT tier FROM strategy_tiers WHERE strategy_pk = NEW.strategy_pk), 'T0')""":
        "promotion_records: tier_from is not the tier the strategy stands on",
    "NEW.decision = 'PROMOTE' AND NEW.tier_to < NEW.tier_from": "promotion_records: PROMOTE lowers no tier",
    "NEW.decision <> 'PROMOTE' AND NEW.tier_to > NEW.tier_from":
        "promotion_records: only PROMOTE raises a tier",
    "NEW.tier_to <> NEW.tier_from AND NEW.tier_to >= 'T3' AND coalesce(NEW.approver, '') = ''":
        "promotion_records: T3, T4 and T5 need an approver",
}  # fmt: skip

_TIER_SCORES = """INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, {tier}, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk"""
_OF_STRATEGY = (
    "FROM backtests b JOIN scores sc ON sc.backtest_pk = b.pk WHERE b.strategy_pk = NEW.strategy_pk"
)


def sqlite_triggers(columns: dict[str, tuple[str, ...]]) -> list[str]:
    """``columns`` maps each table to its column names."""
    return [*sqlite_guards(columns), *_SQLITE]


_SQLITE = [
    f"""CREATE TRIGGER tr_backtests_echo BEFORE UPDATE OF iteration_pk ON backtests
WHEN {_LEAVES_ITS_RUN}
BEGIN SELECT RAISE(ABORT, '{_MOVED}'); END""",
    f"CREATE TRIGGER {EARNED} BEFORE INSERT ON promotion_records BEGIN\n"
    + "".join(f"SELECT RAISE(ABORT, '{words}') WHERE {case};\n" for case, words in _UNEARNED.items())
    + "END",
    f"""CREATE TRIGGER tr_scores_echo BEFORE INSERT ON scores
WHEN NOT EXISTS (SELECT 1 FROM backtests b JOIN contexts c ON c.pk = b.context_pk
  JOIN iterations i ON i.pk = b.iteration_pk JOIN strategies s ON s.pk = b.strategy_pk
  WHERE b.pk = NEW.backtest_pk AND c.engine_mode = NEW.engine_mode AND b.strategy_pk = NEW.strategy_pk
  AND i.run_pk = NEW.run_pk AND s.template_pk IS NEW.template_pk)
AND EXISTS (SELECT 1 FROM backtests b WHERE b.pk = NEW.backtest_pk)
BEGIN SELECT RAISE(ABORT, '{_ECHO}'); END""",
    """CREATE TRIGGER tr_failure_tags_added AFTER INSERT ON failure_tags
BEGIN INSERT INTO tag_counts (tag_pk, failures) VALUES (NEW.tag_pk, 1)
ON CONFLICT (tag_pk) DO UPDATE SET failures = failures + 1; END""",
    """CREATE TRIGGER tr_failure_tags_removed AFTER DELETE ON failure_tags
BEGIN UPDATE tag_counts SET failures = failures - 1 WHERE tag_pk = OLD.tag_pk; END""",
    """CREATE TRIGGER tr_promotion_records_tier AFTER INSERT ON promotion_records
WHEN NEW.tier_to <> NEW.tier_from
BEGIN INSERT INTO strategy_tiers (strategy_pk, tier) VALUES (NEW.strategy_pk, NEW.tier_to)
ON CONFLICT (strategy_pk) DO UPDATE SET tier = excluded.tier; END""",
    f"""CREATE TRIGGER tr_scores_tier AFTER INSERT ON scores
WHEN EXISTS (SELECT 1 FROM strategy_tiers WHERE strategy_pk = NEW.strategy_pk)
BEGIN {_TIER_SCORES.format(tier="st.tier")}
FROM scores sc JOIN strategy_tiers st ON st.strategy_pk = sc.strategy_pk WHERE sc.pk = NEW.pk; END""",
    f"""CREATE TRIGGER tr_strategy_tiers_added AFTER INSERT ON strategy_tiers
BEGIN {_TIER_SCORES.format(tier="NEW.tier")}
{_OF_STRATEGY}; END""",
    """CREATE TRIGGER tr_strategy_tiers_changed AFTER UPDATE OF tier ON strategy_tiers
BEGIN UPDATE tier_scores SET tier = NEW.tier WHERE strategy_pk = NEW.strategy_pk; END""",
    """CREATE TRIGGER tr_strategy_tiers_removed AFTER DELETE ON strategy_tiers
BEGIN DELETE FROM tier_scores WHERE strategy_pk = OLD.strategy_pk; END""",
    f"""CREATE TRIGGER tr_metrics_unsealed AFTER INSERT ON metrics
WHEN EXISTS (SELECT 1 FROM metric_blocks WHERE first_pk = NEW.backtest_pk - NEW.backtest_pk % {BLOCK})
BEGIN DELETE FROM metric_blocks WHERE first_pk = NEW.backtest_pk - NEW.backtest_pk % {BLOCK}; END""",
    f"""CREATE TRIGGER tr_scores_unsealed AFTER INSERT ON scores
WHEN EXISTS (SELECT 1 FROM score_blocks WHERE first_pk = NEW.pk - NEW.pk % {BLOCK})
BEGIN DELETE FROM score_blocks WHERE first_pk = NEW.pk - NEW.pk % {BLOCK}; END""",
]


def postgres_triggers(columns: dict[str, tuple[str, ...]]) -> list[str]:
    """``columns`` maps each table to its column names."""
    return [*postgres_guards(columns), *_POSTGRES]


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n{body}\nEND $$"


def _raise(words: str) -> str:
    return f"RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation';"


def _after(table: str, suffix: str, event: str, rows: str, function: str) -> str:
    return (
        f"CREATE TRIGGER tr_{table}_{suffix} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


_POSTGRES = [
    _function(
        "quantrail_backtests_echo",
        f"""IF {_LEAVES_ITS_RUN}
THEN {_raise(_MOVED)} END IF;
RETURN NEW;""",
    ),
    """CREATE TRIGGER tr_backtests_echo BEFORE UPDATE OF iteration_pk ON backtests FOR EACH ROW
EXECUTE FUNCTION quantrail_backtests_echo()""",
    _function(
        "quantrail_earned",
        "".join(f"IF {case} THEN\n  {_raise(words)} END IF;\n" for case, words in _UNEARNED.items())
        + "RETURN NEW;",
    ),
    f"""CREATE TRIGGER {EARNED} BEFORE INSERT ON promotion_records FOR EACH ROW
EXECUTE FUNCTION quantrail_earned()""",
    _function(
        "quantrail_scores_echo",
        f"""IF EXISTS (SELECT 1 FROM changed n JOIN backtests b ON b.pk = n.backtest_pk
  JOIN contexts c ON c.pk = b.context_pk JOIN iterations i ON i.pk = b.iteration_pk
  JOIN strategies s ON s.pk = b.strategy_pk
  WHERE c.engine_mode <> n.engine_mode OR b.strategy_pk <> n.strategy_pk OR i.run_pk <> n.run_pk
  OR s.template_pk IS DISTINCT FROM n.template_pk)
THEN {_raise(_ECHO)} END IF;
RETURN NULL;""",
    ),
    _after("scores", "echo", "INSERT", "NEW", "quantrail_scores_echo"),
    _function(
        "quantrail_tags_added",
        """INSERT INTO tag_counts AS t (tag_pk, failures)
SELECT tag_pk, count(*) FROM changed GROUP BY tag_pk ORDER BY tag_pk
ON CONFLICT (tag_pk) DO UPDATE SET failures = t.failures + excluded.failures;
RETURN NULL;""",
    ),
    _after("failure_tags", "added", "INSERT", "NEW", "quantrail_tags_added"),
    _function(
        "quantrail_tags_removed",
        """UPDATE tag_counts t SET failures = t.failures - g.n
FROM (SELECT tag_pk, count(*) AS n FROM changed GROUP BY tag_pk) g WHERE g.tag_pk = t.tag_pk;
RETURN NULL;""",
    ),
    _after("failure_tags", "removed", "DELETE", "OLD", "quantrail_tags_removed"),
    _function(
        "quantrail_tier",
        """INSERT INTO strategy_tiers (strategy_pk, tier) VALUES (NEW.strategy_pk, NEW.tier_to)
ON CONFLICT (strategy_pk) DO UPDATE SET tier = excluded.tier;
RETURN NULL;""",
    ),
    """CREATE TRIGGER tr_promotion_records_tier AFTER INSERT ON promotion_records FOR EACH ROW
WHEN (NEW.tier_to <> NEW.tier_from) EXECUTE FUNCTION quantrail_tier()""",
    _function(
        "quantrail_scores_tier",
        f"""{_TIER_SCORES.format(tier="st.tier")}
FROM changed sc JOIN strategy_tiers st ON st.strategy_pk = sc.strategy_pk;
RETURN NULL;""",
    ),
    _after("scores", "tier", "INSERT", "NEW", "quantrail_scores_tier"),
    _function(
        "quantrail_tier_added",
        f"""{_TIER_SCORES.format(tier="n.tier")}
FROM changed n JOIN backtests b ON b.strategy_pk = n.strategy_pk JOIN scores sc ON sc.backtest_pk = b.pk;
RETURN NULL;""",
    ),
    _after("strategy_tiers", "added", "INSERT", "NEW", "quantrail_tier_added"),
    _function(
        "quantrail_tier_changed",
        """UPDATE tier_scores t SET tier = n.tier FROM changed n
WHERE n.strategy_pk = t.strategy_pk AND n.tier <> t.tier;
RETURN NULL;""",
    ),
    _after("strategy_tiers", "changed", "UPDATE", "NEW", "quantrail_tier_changed"),
    _function(
        "quantrail_tier_removed",
        """DELETE FROM tier_scores t USING changed o WHERE o.strategy_pk = t.strategy_pk;
RETURN NULL;""",
    ),
    _after("strategy_tiers", "removed", "DELETE", "OLD", "quantrail_tier_removed"),
    _function(
        "quantrail_metrics_unsealed",
        f"""DELETE FROM metric_blocks WHERE first_pk IN
  (SELECT backtest_pk - backtest_pk % {BLOCK} FROM changed);
RETURN NULL;""",
    ),
    _after("metrics", "unsealed", "INSERT", "NEW", "quantrail_metrics_unsealed"),
    _function(
        "quantrail_scores_unsealed",
        f"""DELETE FROM score_blocks WHERE first_pk IN (SELECT pk - pk % {BLOCK} FROM changed);
RETURN NULL;""",
    ),
    _after("scores", "unsealed", "INSERT", "NEW", "quantrail_scores_unsealed"),
]

__all__ = ["EARNED", "postgres_triggers", "sqlite_triggers"]
