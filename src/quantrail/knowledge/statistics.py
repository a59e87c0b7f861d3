"""Planner statistics, kept fresh by the store itself: without them a planner walks the wrong index."""

from __future__ import annotations

from contextlib import suppress

from quantrail.errors import BackendError
from quantrail.knowledge.backend import Backend

_FIRST = 2_000  # rows written before the first look


class Statistics:
    """Analyses whenever a process has written about as much as was there at its last analysis."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._since = 0
        self._due = _FIRST

    def after(self, rows: int) -> None:
        """To be told of every commit, which stands whatever happens here."""
        self._since += rows
        if self._since < self._due:
            return
        with suppress(BackendError):  # busy or full: the next commit tries again
            self.refresh()
            self._due = max(_FIRST, self._due + self._since)
            self._since = 0

    def refresh(self) -> None:
        """Sample every table; takes milliseconds, whatever the size."""
        with self._backend.writing() as session:
            if self._backend.dialect == "sqlite":
                session.run("PRAGMA analysis_limit = 1000")
            session.run("ANALYZE")
            session.run("COMMIT")
