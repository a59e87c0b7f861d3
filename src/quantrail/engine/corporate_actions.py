"""Splits and cash dividends, for bars that are not adjusted for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.identity import content_hash
from quantrail.domain.ids import ContentHash
from quantrail.domain.market import Bars


@dataclass(frozen=True, slots=True)
class CorporateActions:
    """By (symbol, ex-date): new shares per old one, and cash per share in the quote currency.

    Bars must then be unadjusted: the price of the ex-date is already that after the action. A holder at
    the previous close is served at the open of the ex-date; a short pays the dividend.
    """

    splits: Mapping[tuple[str, date], float] = field(default_factory=dict)
    dividends: Mapping[tuple[str, date], float] = field(default_factory=dict)

    @property
    def hash(self) -> ContentHash:
        """SHA-256 over every action, in order of symbol and day."""
        parts = (self.splits, self.dividends)
        return content_hash([[[s, d.isoformat(), v] for (s, d), v in sorted(part.items())] for part in parts])

    def within(self, bars: Bars, span: slice) -> CorporateActions:
        """Those of the symbols of ``bars`` that can fall on a session of ``span`` after its first."""
        first, last = bars.sessions[span][0].item(), bars.sessions[span][-1].item()

        def kept(events: Mapping[tuple[str, date], float]) -> dict[tuple[str, date], float]:
            return {k: v for k, v in events.items() if k[0] in bars.symbols and first < k[1] <= last}

        return CorporateActions(kept(self.splits), kept(self.dividends))

    def split_table(self, bars: Bars) -> NDArray[np.float64]:
        """Ratios (S, T), 1 where nothing happens; an ex-date without a session counts at the next one."""
        return _table(self.splits, bars, 1.0)

    def dividend_table(self, bars: Bars) -> NDArray[np.float64]:
        """Cash per share (S, T), 0 where nothing is paid."""
        return _table(self.dividends, bars, 0.0)


def _table(events: Mapping[tuple[str, date], float], bars: Bars, empty: float) -> NDArray[np.float64]:
    table = np.full(bars.close.shape, empty)
    for (symbol, day), value in sorted(events.items()):
        t = int(np.searchsorted(bars.sessions, np.datetime64(day)))
        if t < len(bars.sessions):
            table[bars.index_of(symbol), t] = value
    return table
