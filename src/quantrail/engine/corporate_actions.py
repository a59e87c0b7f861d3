"""Splits and cash dividends, for bars that are not adjusted for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
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
    the previous close is served at the open of the ex-date, or of the symbol's first bar after it where
    that one is missing: until then the last known close, from before the action, still values the
    holding. One whose symbol has no later bar is never served. A short pays the dividend.
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
        """New shares per old one at each bar (S, T), 1 where nothing happens; several multiply."""
        table = np.ones(bars.close.shape)
        for row, t, _, ratio in _served(self.splits, bars):
            table[row, t] *= ratio
        return table

    def dividend_table(self, bars: Bars) -> NDArray[np.float64]:
        """Cash per share held before the bar (S, T), 0 where nothing is paid; several add up.

        A dividend that goes ex after a split of the same bar is paid on the new shares.
        """
        splits: dict[tuple[int, int], list[tuple[date, float]]] = {}
        for row, t, day, ratio in _served(self.splits, bars):
            splits.setdefault((row, t), []).append((day, ratio))
        table = np.zeros(bars.close.shape)
        for row, t, day, cash in _served(self.dividends, bars):
            earlier = splits.get((row, t), [])
            table[row, t] += cash * math.prod(ratio for split_day, ratio in earlier if split_day < day)
        return table


def _served(events: Mapping[tuple[str, date], float], bars: Bars) -> Iterator[tuple[int, int, date, float]]:
    """(row, bar, ex-date, value) of each event that a bar of its symbol serves."""
    for (symbol, day), value in sorted(events.items()):
        row, first = bars.index_of(symbol), int(np.searchsorted(bars.sessions, np.datetime64(day)))
        known = ~np.isnan(bars.close[row, first:])
        if known.any():
            yield row, first + int(known.argmax()), day, value
