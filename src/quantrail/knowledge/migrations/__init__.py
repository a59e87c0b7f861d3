"""The schema's history: one linear line of Alembic revisions for both backends.

A revision is frozen once it has been released: its SQL lies in ``sql/`` and is never edited. A change
of the schema is a new revision, and a test holds a migrated database equal to a fresh one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HEAD = "0006"  # the revision this program speaks
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")  # oldest first
FOLDER = Path(__file__).parent
_SEPARATOR = "\n-- next statement\n"


def frozen_statements(name: str, dialect: str) -> list[str]:
    """The statements of ``sql/<name>_<dialect>.sql``."""
    return (FOLDER / "sql" / f"{name}_{dialect}.sql").read_text("utf-8").split(_SEPARATOR)


def frozen_text(statements: list[str]) -> str:
    """What such a file holds."""
    return _SEPARATOR.join(statements) + "\n"


def run_frozen(connection: Any, name: str) -> None:
    """Run one revision's SQL on an SQLAlchemy connection, past any parameter marks."""
    cursor = connection.connection.cursor()
    for statement in frozen_statements(name, connection.dialect.name):
        cursor.execute(statement)
    cursor.close()


__all__ = ["FOLDER", "HEAD", "REVISIONS", "frozen_statements", "frozen_text", "run_frozen"]
