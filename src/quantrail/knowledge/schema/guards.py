"""What was stored stays: rows that cannot be changed, replaced, deleted or truncated, on both backends.

Every table is guarded except those that repeat others. No guard runs when a row is inserted into a
table that grows with every strategy; ``OPEN_TO_REPLACE`` names what SQLite therefore lets pass.
"""

from __future__ import annotations

# Made from other tables, and made anew when they drift.
DERIVED = (
    "tag_counts", "strategy_tiers", "tier_scores", "fingerprint_bands", "metric_blocks", "score_blocks"
)  # fmt: skip
# table -> columns that may change after the insert.
MUTABLE: dict[str, tuple[str, ...]] = {
    "runs": ("status", "ended_at"),
    "iterations": ("ended_at", "summary_json"),
    "failures": ("state",),
    "constraint_sets": ("state",),
    "constraints": ("status",),
    "templates": ("name", "tier", "status", "confidence", "parameter_schema_json", "rationale", "reference",
                  "atoms_json"),
    "atoms": ("kind", "tier", "status", "confidence", "parameter_schema_json", "rationale", "reference"),
}  # fmt: skip
# table -> columns that may be filled in later, and then stay.
ONCE: dict[str, tuple[str, ...]] = {
    "iterations": ("constraint_set_pk",),
    "files": ("sha256", "size_bytes"),
    "reports": ("doc_store_id",),
}
# A failed backtest may become a finished one; who it is stays.
BACKTEST_KEY = ("pk", "backtest_id", "strategy_pk", "context_pk", "calc_contract_pk", "seed")
# Rows of these come with every strategy, and a look-up per row costs more than the row.
OPEN_TO_REPLACE = ("trials", "trial_constraints", "failure_tags", "strategy_atoms", "fingerprints")
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
    "runs": (("run_id",), ("pk",)),
    "iterations": (("run_pk", "iteration_id"), ("pk",)),
    "universes": (("universe_version",), ("pk",)),
    "snapshots": (("data_version",), ("pk",)),
    "data_findings": (("finding_id",), ("pk",)),
    "files": (("path",), ("pk",)),
    "tags": (("tag",), ("pk",)),
    "failure_rules": (("rule_id", "rule_version", "policy_pk"), ("pk",)),
    "trial_contexts": (("universe_pk", "period_start", "period_end", "door", "requested_by"), ("pk",)),
    "templates": (("template_id",), ("pk",)),
    "atoms": (("atom_id",), ("pk",)),
    "robustness_cases": (("case_id",), ("pk",)),
    "reports": (("report_id",), ("pk",)),
    "engine_comparisons": (("backtest_a_pk", "backtest_b_pk"), ("pk",)),
    "live_trades": (("live_trade_id",), ("pk",)),
    "replays": (("replay_id",), ("pk",)),
    "reproductions": (("pk",),),
    "recalls": (("pk",),),
    "stage_events": (("pk",),),
    "failure_events": (("pk",),),
    "constraint_events": (("pk",),),
}

_CHANGED = "{0}: stored rows cannot be changed"
_DELETED = "{0}: stored rows cannot be deleted"
_REPLACED = "{0}: stored rows cannot be replaced"
_BACKTEST = "backtests: a stored backtest cannot be changed, except from FAILED to DONE"


def guarded(columns: dict[str, tuple[str, ...]]) -> list[str]:
    """Tables whose rows stay."""
    return [name for name in columns if name not in DERIVED]


def sqlite_guards(columns: dict[str, tuple[str, ...]]) -> list[str]:
    """``columns`` maps each table to its column names."""
    tables = guarded(columns)
    # Not UPDATE OF columns: SQLite does not count SET rowid = ... as a change of the key.
    frozen = [
        f"CREATE TRIGGER tr_{name}_frozen BEFORE UPDATE ON {name}{_when(name, columns[name], 'IS NOT')} "
        f"BEGIN SELECT RAISE(ABORT, '{_message(name)}'); END"
        for name in tables
    ]
    kept = [
        f"CREATE TRIGGER tr_{name}_kept BEFORE DELETE ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{_DELETED.format(name)}'); END"
        for name in tables
    ]
    return [*frozen, *kept, *(_sqlite_no_replace(name, keys) for name, keys in KEYS.items())]


def _sqlite_no_replace(table: str, keys: tuple[tuple[str, ...], ...]) -> str:
    there = "\nOR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})"
        for key in keys
    )
    return (
        f"CREATE TRIGGER tr_{table}_no_replace BEFORE INSERT ON {table}\nWHEN {there}\n"
        f"BEGIN SELECT RAISE(ABORT, '{_REPLACED.format(table)}'); END"
    )


def postgres_guards(columns: dict[str, tuple[str, ...]]) -> list[str]:
    """``columns`` maps each table to its column names."""
    tables = guarded(columns)

    def refuse(name: str, suffix: str, event: str, message: str) -> str:
        return (
            f"CREATE TRIGGER tr_{name}_{suffix} BEFORE {event} EXECUTE FUNCTION quantrail_refuse('{message}')"
        )

    return [
        _REFUSE,
        *(
            refuse(name, "frozen", f"UPDATE ON {name} FOR EACH ROW{_postgres_when(name, columns[name])}",
                   _message(name))
            for name in tables
        ),
        *(refuse(name, "kept", f"DELETE ON {name} FOR EACH ROW", _DELETED.format(name)) for name in tables),
        *(
            refuse(name, "whole", f"TRUNCATE ON {name} FOR EACH STATEMENT", _DELETED.format(name))
            for name in tables
        ),
    ]  # fmt: skip


_REFUSE = """CREATE FUNCTION quantrail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"""


def _message(table: str) -> str:
    return _BACKTEST if table == "backtests" else _CHANGED.format(table)


def _when(table: str, columns: tuple[str, ...], differs: str) -> str:
    """`` WHEN`` what may not happen; nothing for a table of which no column may change."""
    if table == "backtests":
        return f"\nWHEN OLD.status = 'DONE' OR NEW.status <> 'DONE'\nOR {_changed(BACKTEST_KEY, differs)}\n"
    free, once = MUTABLE.get(table, ()), ONCE.get(table, ())
    if not free and not once:
        return ""
    fixed = tuple(name for name in columns if name not in free and name not in once)
    filled = "".join(f"\nOR OLD.{name} IS NOT NULL AND OLD.{name} {differs} NEW.{name}" for name in once)
    return f"\nWHEN {_changed(fixed, differs)}{filled}\n"


def _changed(columns: tuple[str, ...], differs: str) -> str:
    return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in columns)


def _postgres_when(table: str, columns: tuple[str, ...]) -> str:
    condition = _when(table, columns, "IS DISTINCT FROM").strip()
    return f" {condition.replace('WHEN ', 'WHEN (', 1)})\n" if condition else ""


__all__ = [
    "DERIVED",
    "KEYS",
    "MUTABLE",
    "ONCE",
    "OPEN_TO_REPLACE",
    "guarded",
    "postgres_guards",
    "sqlite_guards",
]
