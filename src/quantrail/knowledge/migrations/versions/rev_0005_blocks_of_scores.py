"""Blocks of scores; what leaderboards are ordered by is kept exactly in the blocks of metrics."""

from __future__ import annotations

from alembic import op

from quantrail.knowledge.blocks import seal_all
from quantrail.knowledge.metric_blocks import METRICS
from quantrail.knowledge.migrations import run_frozen
from quantrail.knowledge.score_blocks import SCORES
from quantrail.knowledge.session import Session

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    run_frozen(connection, "0005")
    cursor = connection.connection.cursor()
    session = Session(cursor, connection.dialect.name)
    session.run("DELETE FROM metric_blocks")  # sealed again, in today's widths
    seal_all(session, METRICS)
    seal_all(session, SCORES)
    cursor.close()
