"""What keys stand for in words that callers know, for messages that they can act on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table

from quantrail.knowledge import values as v
from quantrail.knowledge.schema import metadata
from quantrail.knowledge.session import Session

# Rows without an id of their own are named by what they hold.
_TOLD = {
    "failure_rules": "SELECT f.rule_id, f.rule_version, p.policy_version FROM failure_rules f "
    "JOIN policies p ON p.pk = f.policy_pk WHERE f.pk = ?",
    "iterations": "SELECT r.run_id, i.iteration_id FROM iterations i JOIN runs r ON r.pk = i.run_pk "
    "WHERE i.pk = ?",
    "trial_contexts": "SELECT u.universe_version, t.period_start, t.period_end, t.door, t.requested_by "
    "FROM trial_contexts t JOIN universes u ON u.pk = t.universe_pk WHERE t.pk = ?",
}


def public_name(table: str, column: str) -> str:
    """``strategy_pk`` is known as strategy_id, whatever is no reference by its own name."""
    target = _target(metadata.tables[table].c[column])
    if target is None:
        return column
    return f"{column.removesuffix('_pk')}{'' if target.name in _TOLD else '_id'}"


def public_value(session: Session, table: str, column: str, value: Any) -> Any:
    """For the key of a row the public id of that row, as it is stored; anything else as it is."""
    target = _target(metadata.tables[table].c[column])
    if target is None or value is None:
        return value
    if target.name in _TOLD:
        (row,) = session.rows(_TOLD[target.name], [value])
        return " ".join(map(spelt, row)).strip()
    named = next(one.name for one in target.columns if one.unique)
    ((found,),) = session.rows(f"SELECT {named} FROM {target.name} WHERE pk = ?", [value])
    return found


def spelt(value: Any) -> str:
    """Stored ids as they are written: UUIDs with dashes, hashes as hex."""
    if not isinstance(value, bytes):
        return str(value)
    return v.uuid_text(value) if len(value) == 16 else value.hex()


def _target(column: Column[Any]) -> Table | None:
    """The table whose ``pk`` a column leads to, perhaps through another that repeats it."""
    for key in column.foreign_keys:
        if key.column.name == "pk":
            return key.column.table
    for key in column.foreign_keys:
        return _target(key.column)
    return None
