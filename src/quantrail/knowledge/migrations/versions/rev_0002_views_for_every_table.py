"""Views under readable names for the tables that had none."""

from __future__ import annotations

from alembic import op

from quantrail.knowledge.migrations import run_frozen

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_frozen(op.get_bind(), "0002")
