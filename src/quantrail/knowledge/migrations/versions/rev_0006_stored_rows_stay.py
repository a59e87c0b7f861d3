"""Rows of every table stay as they were stored; tiers are earned."""

from __future__ import annotations

from alembic import op

from quantrail.knowledge.migrations import run_frozen

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_frozen(op.get_bind(), "0006")
