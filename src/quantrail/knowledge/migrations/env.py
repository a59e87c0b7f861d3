"""Alembic's entry: the caller hands an open connection over and owns the transaction."""

from __future__ import annotations

from alembic import context

from quantrail.errors import Unsupported
from quantrail.knowledge.schema import metadata


def _migrate() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise Unsupported("migrations run through `quantrail db upgrade`, not through alembic itself")
    context.configure(connection=connection, target_metadata=metadata, version_table="schema_migrations")
    with context.begin_transaction():
        context.run_migrations()


_migrate()
