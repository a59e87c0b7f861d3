"""The first release: every table of the knowledge store."""

from __future__ import annotations

from alembic import op

from quantrail.knowledge.migrations import run_frozen

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_frozen(op.get_bind(), "0001")
