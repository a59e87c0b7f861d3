"""Splits and cash dividends, for bars that are not adjusted for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars


@dataclass(frozen=True, slots=True)
class CorporateActions:
    """By (symbol, ex-date): new shares per old one, and cash per share in the quote currency.

    Bars must then be unadjusted: the price of the ex-date is already that after the action. A holder at
    the previous close is served at the open of the ex-date; a short pays the dividend.
    """

    splits: Mapping[tuple[str, date], float] = field(default_factory=dict)
    dividends: Mapping[tuple[str, date], float] = field(default_factory=dict)

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
