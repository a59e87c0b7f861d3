"""How many requests a vendor allows, kept on disk so that restarts and neighbours count too."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from quantrail.errors import BackendBusy
from quantrail.marketdata.durable import exclusive, replace_text


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests per rolling minute and per rolling 24 hours (stricter than a vendor's calendar day)."""

    per_minute: int
    per_day: int


@dataclass(frozen=True, slots=True)
class QuotaLedger:
    """Times of the requests of the last 24 hours, in ``path``. ``sleep`` is how to wait, in seconds."""

    path: Path
    quota: Quota
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    def spend(self) -> None:
        """Take one request, waiting for the minute's limit. BackendBusy names the time the day's frees up."""
        while True:
            with exclusive(self.path.with_suffix(".lock")):
                now = self.clock()
                times = [t for t in self._read() if now - t < timedelta(days=1)]
                if len(times) >= self.quota.per_day:
                    free = times[-self.quota.per_day] + timedelta(days=1)
                    raise BackendBusy(
                        f"all {self.quota.per_day} requests of the day are used; the next one is free at "
                        f"{free.isoformat(timespec='minutes')}",
                        free_at=free.isoformat(),
                    )
                recent = [t for t in times if now - t < timedelta(minutes=1)]
                if len(recent) < self.quota.per_minute:
                    self._write([*times, now])
                    return
                pause = (recent[-self.quota.per_minute] + timedelta(minutes=1) - now).total_seconds()
            self.sleep(max(pause, 0.001))

    def exhaust(self) -> None:
        """The vendor says the day is over although the ledger thought otherwise: believe the vendor."""
        with exclusive(self.path.with_suffix(".lock")):
            now = self.clock()
            times = [t for t in self._read() if now - t < timedelta(days=1)]
            self._write(times + [now] * max(self.quota.per_day - len(times), 0))

    def used(self) -> int:
        """Requests of the last 24 hours."""
        now = self.clock()
        return sum(now - t < timedelta(days=1) for t in self._read())

    def _read(self) -> list[datetime]:
        if not self.path.exists():
            return []
        return [datetime.fromisoformat(text) for text in json.loads(self.path.read_text())]

    def _write(self, times: list[datetime]) -> None:
        replace_text(self.path, json.dumps([t.isoformat() for t in times]))
