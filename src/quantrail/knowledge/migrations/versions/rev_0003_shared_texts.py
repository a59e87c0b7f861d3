"""Shared text stored once, and columns for every metric the engines work out."""

from __future__ import annotations

from alembic import op

from quantrail.knowledge.migrations import run_frozen

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_frozen(op.get_bind(), "0003")
