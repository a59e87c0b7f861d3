"""Bars as the engines read them: aligned arrays, one row per symbol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.ids import DataVersion
from quantrail.errors import DataInvalid, NotFound

BAR_COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Period:
    """Session dates, both ends included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise DataInvalid(f"period ends before it starts: {self.start}..{self.end}")


@dataclass(frozen=True, slots=True)
class Bars:
    """Daily or intraday bars of several symbols on one common time axis.

    Shapes
        ``symbols`` S, sorted; ``sessions`` T, ascending ``datetime64[D]``; the five price and
        volume arrays (S, T), float64, C order, not to be written to.
    Missing values
        A bar that is not there is NaN in all five arrays at once. A bar is never half there.
    Units
        Prices in the quote currency, volume in shares.
    Timing
        Column t is complete at the close of session t.
    """

    symbols: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    data_version: DataVersion

    def index_of(self, symbol: str) -> int:
        """Row of ``symbol``; NotFound names the symbols there are."""
        try:
            return self.symbols.index(symbol)
        except ValueError:
            known = ", ".join(self.symbols[:10])
            raise NotFound(f"symbol {symbol!r} is not in the data; there are {known} …") from None

    def span(self, period: Period) -> slice:
        """Columns that fall in ``period``; DataInvalid if there are none."""
        first = int(np.searchsorted(self.sessions, np.datetime64(period.start), side="left"))
        last = int(np.searchsorted(self.sessions, np.datetime64(period.end), side="right"))
        if first >= last:
            raise DataInvalid(f"no bars between {period.start} and {period.end}")
        return slice(first, last)
