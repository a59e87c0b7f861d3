"""The port for artifact files: curves, trades, logs, reports. The database keeps their paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from quantrail.domain.records import ArtifactFile


class ArtifactStore(Protocol):
    """Files below one folder, by relative path, written whole or not at all and never replaced.

    Writing raises BackendError when the disk refuses, Conflict when the path exists with other
    content; the same content again is fine.
    """

    def write_json(self, path: str, value: Any) -> ArtifactFile: ...
    def write_text(self, path: str, text: str) -> ArtifactFile: ...
    def write_table(self, path: str, columns: Mapping[str, Any]) -> ArtifactFile:
        """A Parquet file of columns of equal length; a two-dimensional array becomes a list column."""

    def read_table(self, path: str) -> dict[str, Any]:
        """Columns of a Parquet file as arrays; NotFound when it is not there."""

    def locate(self, path: str) -> Path:
        """Where a relative path lies; the file need not exist."""
