"""The knowledge store's tables, keys, checks, triggers and views, said once for both backends.

``metadata`` is the SQLAlchemy description; ``statements`` renders the whole schema as plain SQL for a
dialect. The migrations hold a frozen copy of that SQL; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, sort_tables_and_constraints

from quantrail.knowledge.schema import derived, learning, ledger, results, runs
from quantrail.knowledge.schema.columns import metadata
from quantrail.knowledge.schema.derived import BLOCK
from quantrail.knowledge.schema.guards import DERIVED
from quantrail.knowledge.schema.results import FIRST_METRICS, LATER_METRICS, METRIC_COLUMNS
from quantrail.knowledge.schema.triggers import EARNED, postgres_triggers, sqlite_triggers
from quantrail.knowledge.schema.views import SPEC_TEXTS, WHOLE_SPEC, views


def table_columns() -> dict[str, tuple[str, ...]]:
    """Column names of each table, in order."""
    return {name: tuple(table.columns.keys()) for name, table in metadata.tables.items()}


def statements(dialect: Dialect) -> list[str]:
    """Every CREATE of the current schema, in an order that may be run."""
    triggers = sqlite_triggers if dialect.name == "sqlite" else postgres_triggers
    return [*_tables(dialect), *triggers(table_columns()), *views(dialect.name)]


def described(dialect: str) -> list[str]:
    """The same by name: ``sqlite`` or ``postgresql``."""
    named = {"sqlite": sqlite.dialect, "postgresql": postgresql.dialect}
    return statements(named[dialect]())


def _tables(dialect: Dialect) -> list[str]:
    found: list[str] = []
    for table, late in sort_tables_and_constraints(metadata.sorted_tables):  # type: ignore[no-untyped-call]
        if table is not None:
            found += [_sql(CreateTable(table), dialect), *_indexes(table, dialect)]
        elif dialect.supports_alter:
            found += [
                _sql(AddConstraint(one, isolate_from_table=False), dialect)
                for one in late
                if isinstance(one, ForeignKeyConstraint)
            ]
    return found


def _indexes(table: Table, dialect: Dialect) -> list[str]:
    def wanted(index: Index) -> bool:
        return index._ddl_if is None or index._ddl_if.dialect == dialect.name

    chosen = sorted(filter(wanted, table.indexes), key=lambda index: str(index.name))
    return [_sql(CreateIndex(index), dialect) for index in chosen]


def _sql(element: CreateTable | CreateIndex | AddConstraint, dialect: Dialect) -> str:
    return "\n".join(line.rstrip() for line in str(element.compile(dialect=dialect)).strip().splitlines())


__all__ = [
    "BLOCK",
    "DERIVED",
    "EARNED",
    "FIRST_METRICS",
    "LATER_METRICS",
    "METRIC_COLUMNS",
    "SPEC_TEXTS",
    "WHOLE_SPEC",
    "derived",
    "described",
    "learning",
    "ledger",
    "metadata",
    "results",
    "runs",
    "statements",
    "table_columns",
]
