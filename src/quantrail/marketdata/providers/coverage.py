"""Which sessions were fetched already, per vendor and symbol."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Period
from quantrail.marketdata.durable import exclusive, replace_text


@dataclass(frozen=True, slots=True)
class CoverageLedger:
    """Ranges on disk under ``folder``. ``sessions`` gives the exchange's days between two dates."""

    folder: Path
    sessions: Callable[[date, date], NDArray[np.datetime64]]

    def alone(self, symbol: str) -> AbstractContextManager[None]:
        """Hold the only place to fetch ``symbol``, among threads and processes; others wait, then look."""
        return exclusive(self._path(symbol).with_suffix(".lock"))

    def covered(self, symbol: str) -> list[Period]:
        path = self._path(symbol)
        if not path.exists():
            return []
        found = json.loads(path.read_text())
        return [Period(date.fromisoformat(a), date.fromisoformat(b)) for a, b in found]

    def missing(self, symbol: str, wanted: Period) -> list[Period]:
        """Runs of sessions in ``wanted`` that no fetch has covered, oldest first."""
        days = self.sessions(wanted.start, wanted.end)
        known = np.zeros(days.size, dtype=bool)
        for period in self.covered(symbol):
            known |= (days >= np.datetime64(period.start)) & (days <= np.datetime64(period.end))
        edges = np.flatnonzero(np.diff((~known).astype(np.int8), prepend=0, append=0))
        return [
            Period(days[a].item(), days[b - 1].item()) for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]

    def add(self, symbol: str, period: Period) -> None:
        """Remember ``period``; ranges between which no session lies become one."""
        merged: list[Period] = []
        for new in sorted([*self.covered(symbol), period], key=lambda p: p.start):
            if merged and not self._gap(merged[-1].end, new.start):
                merged[-1] = Period(merged[-1].start, max(merged[-1].end, new.end))
            else:
                merged.append(new)
        content = [[p.start.isoformat(), p.end.isoformat()] for p in merged]
        replace_text(self._path(symbol), json.dumps(content))

    def _gap(self, end: date, start: date) -> bool:
        if start <= end:
            return False
        between = self.sessions(end, start)
        return bool(((between > np.datetime64(end)) & (between < np.datetime64(start))).any())

    def _path(self, symbol: str) -> Path:
        return self.folder / f"{quote(symbol, safe='')}.json"
