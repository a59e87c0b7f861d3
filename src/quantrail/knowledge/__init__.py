"""The knowledge store (MOD-460): what was tried, what came out, why it failed, what follows.

One relational schema on SQLite or PostgreSQL, its migrations, and the artifact files it points to.
``upgrade`` makes or migrates a database, ``open_store`` opens one, and the store's ``unit`` is the
only way to write. Integrity rules live in the database itself.
"""

from __future__ import annotations

from quantrail.knowledge.artifacts import ArtifactFolder
from quantrail.knowledge.backend import Backend
from quantrail.knowledge.check_files import Finding
from quantrail.knowledge.checks import check_store
from quantrail.knowledge.copying import CopiedTable, copy_store
from quantrail.knowledge.frames import to_pandas, to_polars
from quantrail.knowledge.maintenance import StoreStats, backup_store, store_stats, vacuum_store
from quantrail.knowledge.migrations import HEAD as SCHEMA_REVISION
from quantrail.knowledge.store import SqlKnowledgeStore, open_store
from quantrail.knowledge.unit import SqlKnowledgeUnit
from quantrail.knowledge.upgrade import create_store, require_head, upgrade, upgrade_command

__all__ = [
    "SCHEMA_REVISION",
    "ArtifactFolder",
    "Backend",
    "CopiedTable",
    "Finding",
    "SqlKnowledgeStore",
    "SqlKnowledgeUnit",
    "StoreStats",
    "backup_store",
    "check_store",
    "copy_store",
    "create_store",
    "open_store",
    "require_head",
    "store_stats",
    "to_pandas",
    "to_polars",
    "upgrade",
    "upgrade_command",
    "vacuum_store",
]
