"""Bars as the engines read them: aligned arrays, one row per symbol; and the port they come through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.enums import Severity
from quantrail.domain.ids import ContentHash, DataVersion, UniverseVersion
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
    Records
        ``records`` holds, by content name (``econ(;series=CPI)``), what features read besides bars: (T,)
        for one value of all symbols, else (S, T); NaN where nothing was known by the close of t.
        ``data_version`` covers them.
    """

    symbols: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    data_version: DataVersion
    records: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

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


class SymbolSpan(Protocol):
    """First and last session of one symbol."""

    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...


class SnapshotInfo(Protocol):
    """An immutable state of all bars."""

    @property
    def version(self) -> DataVersion: ...
    @property
    def rows(self) -> int: ...
    @property
    def symbols(self) -> Sequence[SymbolSpan]: ...
    def names(self, interval: str = "1d") -> tuple[str, ...]:
        """Symbols with bars at ``interval``, sorted."""


class FindingInfo(Protocol):
    """What the quality gate says about one bar, or one symbol."""

    @property
    def kind(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def detail(self) -> str: ...
    @property
    def symbol(self) -> str | None: ...
    @property
    def date(self) -> date | None: ...
    @property
    def quarantined(self) -> bool: ...


class ActionEvents(Protocol):
    """Splits (new shares per old one) and cash dividends per share, by (symbol, ex-date)."""

    @property
    def splits(self) -> Mapping[tuple[str, date], float]: ...
    @property
    def dividends(self) -> Mapping[tuple[str, date], float]: ...


@dataclass(frozen=True, slots=True)
class Members:
    """Who belonged to a stored universe on ``day``, sorted; ``advice``: what flatters results on them.

    ``version`` is that of all its stays, not of these symbols.
    """

    universe: str
    version: UniverseVersion
    day: date
    symbols: tuple[str, ...]
    advice: tuple[str, ...]


class MarketReader(Protocol):
    """Reads of the bar store. Unknown symbols or versions raise NotFound, empty spans DataInvalid."""

    def actions(
        self, symbols: Sequence[str], *, before: date | None = None, version: DataVersion | None = None
    ) -> ActionEvents:
        """What the stored prices do not have worked in; none on or after ``before``."""

    def current(self) -> SnapshotInfo | None:
        """The newest snapshot, None before the first import."""

    def snapshot(self, version: DataVersion) -> SnapshotInfo: ...

    def bars(
        self,
        symbols: Sequence[str],
        period: Period | None = None,
        *,
        warmup_start: date | None = None,
        before: date | None = None,
        version: DataVersion | None = None,
        recompute: bool = False,
    ) -> Bars:
        """Bars up to the period's end; none on or after ``before`` are ever read.

        ``recompute`` believes no cache: rows are read and hashed again.
        """

    def members(self, universe: str, day: date) -> Members:
        """Who belongs to a stored universe on ``day``. NotFound names the universes there are."""

    def records_version(self, table: str) -> ContentHash | None:
        """The current version of ``economic_indicators`` or ``news``, None before its first import."""

    def econ(self, series: str, bars: Bars, version: ContentHash | None = None) -> NDArray[np.float64]:
        """Shape (T,): the newest value known at each close, NaN before the first. NotFound names others."""

    def news_sentiment(
        self, bars: Bars, window: timedelta, version: ContentHash | None = None
    ) -> NDArray[np.float64]:
        """Shape (S, T), -1..1: mean score of the news of the last ``window`` at each close, NaN for none."""

    def check(
        self,
        symbols: Sequence[str] | None = None,
        *,
        version: DataVersion | None = None,
        before: date | None = None,
        alone: bool = False,
    ) -> Sequence[FindingInfo]:
        """Quality findings by symbol, date, kind; rows on or after ``before`` are never read.

        ``alone``: nothing but ``symbols`` tells what the market did.
        """
