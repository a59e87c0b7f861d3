"""Tables that keep look-ups short: near marks, scores by tier, blocks of metrics."""

from __future__ import annotations

from alembic import op

from quantrail.knowledge.bands import fill_bands
from quantrail.knowledge.blocks import seal_all
from quantrail.knowledge.metric_blocks import METRICS
from quantrail.knowledge.migrations import run_frozen
from quantrail.knowledge.session import Session

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    run_frozen(connection, "0004")
    cursor = connection.connection.cursor()
    session = Session(cursor, connection.dialect.name)
    fill_bands(session)
    seal_all(session, METRICS)
    cursor.close()
