"""The port for artifact files: curves, trades, logs, reports. The database keeps their paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from quantrail.domain.ids import ContentHash
from quantrail.domain.records import ArtifactFile, ArtifactRef

# What `reproduce` makes again, where it is gone, of the folder of a backtest of engine B.
REMADE = (
    "clauses.parquet",
    "curves.parquet",
    "decisions.parquet",
    "fills.parquet",
    "orders.parquet",
    "slices.parquet",
    "trades.parquet",
)


class ArtifactStore(Protocol):
    """Files below one folder, by relative path, written whole or not at all and never replaced.

    Writing raises BackendError when the disk refuses, Conflict when the path exists with other
    content; the same content again is fine. Reading raises NotFound.
    """

    def path(self, ref: ArtifactRef | str) -> Path:
        """Where a file lies; it need not exist."""

    def write_json(self, path: str, document: Any) -> ArtifactFile: ...
    def write_bytes(self, path: str, content: bytes) -> ArtifactFile: ...
    def write_parquet(self, path: str, columns: Mapping[str, Any]) -> ArtifactFile:
        """Columns of equal length; a list of arrays becomes a list column."""

    def restore_parquet(self, path: str, columns: Mapping[str, Any], sha256: ContentHash) -> bool:
        """Write a lost file again if it comes out with just this hash; False, and nothing written, if not."""

    def read_parquet(self, ref: ArtifactRef | str) -> Any:
        """An Arrow table: the whole file, or the one row that ``ref`` names."""
