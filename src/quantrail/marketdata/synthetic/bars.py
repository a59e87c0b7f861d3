"""From moves to bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.errors import InvalidInput
from quantrail.marketdata.quality import sessions_between

Floats = NDArray[np.float64]
_START = date(2010, 1, 4)


@dataclass(frozen=True, slots=True)
class SyntheticMarket:
    """``bars``: long frame as ``MarketStore.import_bars`` takes it. ``truth``: what is planted, in words.

    ``universe``: the symbols a naive study would pick, where that differs from all.
    """

    kind: str
    bars: pl.DataFrame
    truth: str
    universe: tuple[str, ...]


def names(count: int) -> tuple[str, ...]:
    return tuple(f"SYN{i:03d}" for i in range(count))


def axis(sessions: int) -> NDArray[np.datetime64]:
    """That many sessions of XNYS from 2010 on; InvalidInput beyond what its calendar knows."""
    if sessions < 2:
        raise InvalidInput(f"a market needs at least 2 sessions, got {sessions}")
    days = sessions_between("XNYS", _START, date(2026, 12, 31))
    if sessions > days.size:
        raise InvalidInput(f"at most {days.size} sessions, got {sessions}")
    return days[:sessions]


def long_frame(
    night: Floats, day: Floats, spread: Floats, volume: Floats, symbols: tuple[str, ...] | None = None
) -> pl.DataFrame:
    """Bars from log moves (S, T): ``night`` close to open, ``day`` open to close.

    ``spread`` >= 0 is how far high and low reach beyond open and close, in logs.
    """
    rows, sessions = night.shape
    close = np.log(100.0) + np.cumsum(night + day, axis=1)
    opened = close - day
    top, bottom = np.maximum(opened, close) + spread, np.minimum(opened, close) - spread
    return pl.DataFrame(
        {
            "symbol": np.repeat(symbols or names(rows), sessions),
            "date": np.tile(axis(sessions), rows),
            "open": np.exp(opened).ravel(),
            "high": np.exp(top).ravel(),
            "low": np.exp(bottom).ravel(),
            "close": np.exp(close).ravel(),
            "volume": np.round(volume).ravel(),
        }
    )


def moves(rng: np.random.Generator, volatility: Floats) -> tuple[Floats, Floats, Floats]:
    """Night, day and spread for a daily ``volatility`` (S, T); a quarter of the variance falls at night."""
    shape = volatility.shape
    night = volatility * 0.5 * rng.standard_normal(shape)
    day = volatility * np.sqrt(0.75) * rng.standard_normal(shape)
    spread = volatility * 0.4 * np.abs(rng.standard_normal(shape))
    # A martingale in prices, not only in logarithms.
    return night - 0.125 * volatility**2, day - 0.375 * volatility**2, spread


def volumes(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.asarray(1e6 * np.exp(0.3 * rng.standard_normal(shape)))
