"""Rules that neither keys nor CHECKs can say, as triggers on both backends.

What was stored stays: specs, results, verdicts and frozen policies cannot be changed or replaced,
strategies and what results rest on cannot be deleted, a score's filter columns are its backtest's, and
tag counts, the scores by tier and the blocks of metrics and scores follow what they are made of.
"""

from __future__ import annotations

from quantrail.knowledge.schema.derived import BLOCK

# table -> columns that may change after the insert; all others are frozen.
MUTABLE: dict[str, tuple[str, ...]] = {
    "strategies": (),
    "calc_contracts": (),
    "model_version_sets": (),
    "policies": (),
    "contexts": (),
    "texts": (),
    "metrics": (),
    "scores": (),
    "failures": ("state",),
    "constraint_sets": ("state",),
    "constraints": ("status",),
    "constraint_provenance": (),
    "promotion_records": (),
    "holdout_reads": (),
}
# What results rest on, or a promise: no row goes, even where foreign keys are not enforced.
KEPT = (
    "strategies",
    "promotion_records",
    "holdout_reads",
    "calc_contracts",
    "model_version_sets",
    "policies",
    "contexts",
    "texts",
)
# table -> its keys. INSERT OR REPLACE deletes by any of them, without firing UPDATE or DELETE triggers.
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "strategies": (("strategy_id",), ("pk",)),
    "calc_contracts": (("calc_contract_hash",), ("pk",)),
    "model_version_sets": (("model_versions_hash",), ("pk",)),
    "policies": (("policy_version",), ("pk",)),
    "contexts": (
        (
            "data_version",
            "engine_mode",
            "period_start",
            "period_end",
            "engine_version",
            "universe_pk",
            "bar_interval",
            "model_versions_pk",
        ),
        ("pk",),
    ),
    "texts": (("text_hash",), ("pk",)),
    "backtests": (
        ("backtest_id",),
        ("strategy_pk", "context_pk", "calc_contract_pk", "seed"),
        ("pk",),
    ),
    "metrics": (("backtest_pk",),),
    "scores": (("backtest_pk", "policy_pk"), ("pk",)),
    "failures": (("failure_id",), ("backtest_pk", "rule_pk"), ("pk",)),
    "constraint_sets": (("constraint_set_id",), ("pk",)),
    "constraints": (("set_pk", "constraint_id"), ("pk",)),
    "constraint_provenance": (("constraint_pk", "failure_pk", "mapping_rule"), ("pk",)),
    "promotion_records": (("pk",),),
    "holdout_reads": (("pk",),),
}

_BACKTEST_FROZEN = "a DONE backtest cannot be changed"
_ECHO = "a score''s engine, strategy, run and template are its backtest''s"

_TIER_SCORES = """INSERT INTO tier_scores (score_pk, tier, policy_pk, backtest_pk, score_total, passed,
  engine_mode, strategy_pk, run_pk, template_pk)
SELECT sc.pk, {tier}, sc.policy_pk, sc.backtest_pk, sc.score_total, sc.passed, sc.engine_mode,
  sc.strategy_pk, sc.run_pk, sc.template_pk"""
_OF_STRATEGY = (
    "FROM backtests b JOIN scores sc ON sc.backtest_pk = b.pk WHERE b.strategy_pk = NEW.strategy_pk"
)


def _frozen_columns(table: str, columns: tuple[str, ...]) -> list[str]:
    return [name for name in columns if name not in MUTABLE[table]]


def sqlite_triggers(columns: dict[str, tuple[str, ...]]) -> list[str]:
    """``columns`` maps each table to its column names."""
    return [
        *(_sqlite_frozen(name, _frozen_columns(name, columns[name])) for name in MUTABLE),
        *(_sqlite_kept(name) for name in KEPT),
        *(_sqlite_no_replace(name, keys) for name, keys in KEYS.items()),
        *_SQLITE,
    ]


def _sqlite_frozen(table: str, names: list[str]) -> str:
    return (
        f"CREATE TRIGGER tr_{table}_frozen BEFORE UPDATE OF {', '.join(names)} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: stored rows cannot be changed'); END"
    )


def _sqlite_kept(table: str) -> str:
    return (
        f"CREATE TRIGGER tr_{table}_kept BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: stored rows cannot be deleted'); END"
    )


def _sqlite_no_replace(table: str, keys: tuple[tuple[str, ...], ...]) -> str:
    there = "\nOR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})"
        for key in keys
    )
    return (
        f"CREATE TRIGGER tr_{table}_no_replace BEFORE INSERT ON {table}\nWHEN {there}\n"
        f"BEGIN SELECT RAISE(ABORT, '{table}: stored rows cannot be replaced'); END"
    )


_SQLITE = [
    f"""CREATE TRIGGER tr_backtests_frozen BEFORE UPDATE ON backtests WHEN OLD.status = 'DONE'
BEGIN SELECT RAISE(ABORT, '{_BACKTEST_FROZEN}'); END""",
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
    frozen = [
        f"CREATE TRIGGER tr_{name}_frozen BEFORE UPDATE OF {', '.join(_frozen_columns(name, columns[name]))} "
        f"ON {name} FOR EACH ROW EXECUTE FUNCTION quantrail_refuse('{name}: stored rows cannot be changed')"
        for name in MUTABLE
    ]
    kept = [
        f"CREATE TRIGGER tr_{name}_kept BEFORE DELETE ON {name} FOR EACH ROW "
        f"EXECUTE FUNCTION quantrail_refuse('{name}: stored rows cannot be deleted')"
        for name in KEPT
    ]
    return [_REFUSE, *frozen, *kept, *_POSTGRES]


_REFUSE = """CREATE FUNCTION quantrail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"""


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n{body}\nEND $$"


def _after(table: str, suffix: str, event: str, rows: str, function: str) -> str:
    return (
        f"CREATE TRIGGER tr_{table}_{suffix} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


_POSTGRES = [
    f"""CREATE TRIGGER tr_backtests_frozen BEFORE UPDATE ON backtests FOR EACH ROW WHEN (OLD.status = 'DONE')
EXECUTE FUNCTION quantrail_refuse('{_BACKTEST_FROZEN}')""",
    _function(
        "quantrail_scores_echo",
        f"""IF EXISTS (SELECT 1 FROM changed n JOIN backtests b ON b.pk = n.backtest_pk
  JOIN contexts c ON c.pk = b.context_pk JOIN iterations i ON i.pk = b.iteration_pk
  JOIN strategies s ON s.pk = b.strategy_pk
  WHERE c.engine_mode <> n.engine_mode OR b.strategy_pk <> n.strategy_pk OR i.run_pk <> n.run_pk
  OR s.template_pk IS DISTINCT FROM n.template_pk)
THEN RAISE EXCEPTION '{_ECHO}' USING ERRCODE = 'integrity_constraint_violation'; END IF;
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

__all__ = ["postgres_triggers", "sqlite_triggers"]
