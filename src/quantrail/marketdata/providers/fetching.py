"""Fetching what is missing, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from quantrail.domain.market import Period
from quantrail.errors import BackendBusy, NotFound
from quantrail.marketdata.providers.coverage import CoverageLedger
from quantrail.marketdata.providers.port import Batch, Provider
from quantrail.marketdata.providers.quota import QuotaLedger
from quantrail.marketdata.quality import last_session_closed
from quantrail.marketdata.records import Finding
from quantrail.marketdata.store import MarketStore

# Vendors may need this long to have a session's bar.
_LATE = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class FetchReport:
    """``requests``: ranges asked for. ``waiting``: symbols left for later, with the reason."""

    requests: int
    added: int
    changed: int
    complete: tuple[str, ...]
    unknown: tuple[str, ...]
    waiting: dict[str, str]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Brings a vendor's bars into ``store``. Each symbol is stored as soon as it came, so that an
    interrupted fetch goes on where it stopped.
    """

    store: MarketStore
    provider: Provider
    coverage: CoverageLedger
    clock: Callable[[], datetime]
    calendar: str = "XNYS"
    ledger: QuotaLedger | None = None

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> FetchReport:
        """Bars from ``start`` to ``end`` (default and at most: the last session that has closed).

        What is there already is not asked for again, nor is a day on which the market was closed.
        """
        closed = last_session_closed(self.calendar, self.clock())
        until = min(end, closed) if end else closed
        tally = _Tally()
        for done, symbol in enumerate(dict.fromkeys(symbols)):
            if progress:
                progress(symbol, done, len(symbols))
            if until >= start:
                self._symbol(symbol, Period(start, until), tally)
        return tally.report()

    def _symbol(self, symbol: str, wanted: Period, tally: _Tally) -> None:
        try:
            with self.coverage.alone(symbol):
                # Asked under the lock: whoever waited finds what the other one fetched.
                for period in self.coverage.missing(symbol, wanted):
                    if self.coverage.missing(symbol, period):
                        self._range(symbol, period, tally)
            tally.complete.append(symbol)
        except NotFound:
            tally.unknown.append(symbol)
        except BackendBusy as busy:
            if busy.context.get("day_used_up") and self.ledger:
                self.ledger.exhaust()
            tally.waiting[symbol] = busy.message

    def _range(self, symbol: str, period: Period, tally: _Tally) -> None:
        batch = self.provider.bars(symbol, period)
        tally.requests += 1
        if batch.rows.height:
            report = self.store.import_bars(
                batch.rows, symbol=symbol, source=self.provider.name, basis=self.provider.basis, check=False
            )
            tally.added += report.added
            tally.changed += report.changed
            tally.findings += report.findings
        spoken_for = self._spoken_for(batch)
        if spoken_for is not None:
            self.coverage.add(symbol, spoken_for)

    def _spoken_for(self, batch: Batch) -> Period | None:
        """What need not be asked again: all of it, but for the newest days that a late vendor still owes."""
        covered = batch.covered
        if (self.clock().date() - covered.end) > _LATE:
            return covered
        last = max(batch.rows["date"].to_list(), default=None)
        if last is None or last < covered.start:
            return None
        return Period(covered.start, min(last, covered.end))


class _Tally:
    """The report in the making."""

    def __init__(self) -> None:
        self.requests = self.added = self.changed = 0
        self.complete: list[str] = []
        self.unknown: list[str] = []
        self.waiting: dict[str, str] = {}
        self.findings: tuple[Finding, ...] = ()

    def report(self) -> FetchReport:
        return FetchReport(
            self.requests,
            self.added,
            self.changed,
            tuple(self.complete),
            tuple(self.unknown),
            dict(self.waiting),
            self.findings,
        )
