"""Are the rules of the schema still there, and do they say what they said?

A fresh schema is made beside the store, in memory or as temporary tables that are rolled back, and
both are described by the same server, so that its version does not matter.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from quantrail.knowledge.backend import Backend
from quantrail.knowledge.driver_errors import translated
from quantrail.knowledge.schema import described

Rules = dict[tuple[str, str], str]  # kind and name -> what it says

_FUNCTION = re.compile(r"CREATE FUNCTION (\w+)\(\).*?\$\$(.*)\$\$", re.DOTALL)
_CALLED = re.compile(r"CREATE TRIGGER .*EXECUTE FUNCTION (\w+)\(", re.DOTALL)
_HERE = "JOIN pg_class c ON c.oid = {0} WHERE c.relnamespace = {{schema}}"
# Kind, name and text of everything in one schema. Not-null constraints stand with their columns, since
# only some versions give them names.
_CATALOG = (
    "SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || "
    "a.attnotnull FROM pg_attribute a " + _HERE.format("a.attrelid") + " AND a.attnum > 0 "
    "AND NOT a.attisdropped AND c.relkind = 'r'",
    "SELECT 'constraint', k.conname, pg_get_constraintdef(k.oid, true) || ' ' || k.convalidated "
    "FROM pg_constraint k " + _HERE.format("k.conrelid") + " AND k.contype IN ('p', 'u', 'f', 'c')",
    "SELECT 'index', c.relname, pg_get_indexdef(c.oid, 0, true) || ' ' || x.indisvalid FROM pg_index x "
    + _HERE.format("x.indexrelid"),
    "SELECT 'trigger', t.tgname, pg_get_triggerdef(t.oid, true) FROM pg_trigger t "
    + _HERE.format("t.tgrelid") + " AND NOT t.tgisinternal",
    "SELECT 'view', c.relname, pg_get_viewdef(c.oid, true) FROM pg_class c "
    "WHERE c.relnamespace = {schema} AND c.relkind = 'v'",
)  # fmt: skip
# Triggers that do not fire; those of a foreign key go by its name.
_SWITCHED_OFF = (
    "SELECT DISTINCT c.relname, coalesce(k.conname, t.tgname) FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint "
    "WHERE c.relnamespace = {schema} AND t.tgenabled NOT IN ('O', 'A') ORDER BY 1, 2"
)
_SCHEMA = "SELECT quote_ident(current_schema()), current_schema()::regnamespace::oid"


def broken_rules(backend: Backend) -> Iterator[tuple[str, str, str]]:
    """``missing``, ``changed`` or ``disabled``, the rule, and what is wrong with it; ordered."""
    if backend.dialect == "sqlite":
        with backend.reading() as session:
            there = _of_sqlite(session.rows(_MASTER))
        yield from _compared(there, _fresh_sqlite())
        return
    with translated(backend.shown), backend.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("BEGIN")
        try:
            yield from _postgres(cursor)
        finally:
            cursor.execute("ROLLBACK")


def _compared(there: Rules, wanted: Rules) -> Iterator[tuple[str, str, str]]:
    for key in sorted(wanted):
        kind, name = key
        if key not in there:
            yield "missing", name, f"the schema has this {kind}, the database does not"
        elif _plain(there[key]) != _plain(wanted[key]):
            yield "changed", name, f"this {kind} says something else than the schema's: {_short(there[key])}"


def _plain(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    plain = _plain(text)
    return plain if len(plain) <= 160 else plain[:159] + "…"


_MASTER = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"


def _of_sqlite(rows: list[tuple[Any, ...]]) -> Rules:
    return {(kind, name): text for kind, name, text in rows}


def _fresh_sqlite() -> Rules:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in described("sqlite"):
            fresh.execute(statement)
        return _of_sqlite(fresh.execute(_MASTER).fetchall())


def _postgres(cursor: Any) -> Iterator[tuple[str, str, str]]:
    name, schema = cursor.execute(
        "SELECT quote_ident(current_schema()), current_schema()::regnamespace::oid"
    ).fetchone()
    there = _of_postgres(cursor, schema) | _functions(cursor, schema)
    off = cursor.execute(_SWITCHED_OFF.format(schema=schema)).fetchall()
    wanted = _fresh_postgres(cursor, name, {rule for kind, rule in there if kind == "function"})
    yield from _compared(there, wanted)
    for table, rule in off:
        yield (
            "disabled", rule, f"it does not fire on {table}; ALTER TABLE {table} ENABLE TRIGGER ALL mends it"
        )  # fmt: skip


def _of_postgres(cursor: Any, schema: int) -> Rules:
    rows = [row for query in _CATALOG for row in cursor.execute(query.format(schema=schema)).fetchall()]
    return {(kind, name): text for kind, name, text in rows}


def _functions(cursor: Any, schema: int) -> Rules:
    rows = cursor.execute(f"SELECT proname, prosrc FROM pg_proc WHERE pronamespace = {schema}").fetchall()
    return {("function", name): text for name, text in rows}


def _fresh_postgres(cursor: Any, schema: str, functions: set[str]) -> Rules:
    """The schema as temporary tables before the store's own in the path. Their triggers call the store's
    functions, as functions cannot be temporary; what those say is known word by word."""
    cursor.execute(f"SET LOCAL search_path = pg_temp, {schema}")
    wanted: Rules = {}
    for statement in described("postgresql"):
        made, called = _FUNCTION.match(statement), _CALLED.match(statement)
        if made:
            wanted["function", made[1]] = made[2]
        elif called is None or called[1] in functions:
            cursor.execute(statement)
        else:
            wanted["trigger", statement.split()[2]] = statement
    (own,) = cursor.execute("SELECT pg_my_temp_schema()").fetchone()
    return wanted | _of_postgres(cursor, own)


__all__ = ["broken_rules"]
