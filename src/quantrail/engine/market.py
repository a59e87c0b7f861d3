"""Bars as the compiled loops read them: time-major, with the last known close beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.engine.calendar import rebalance_bars

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Market:
    """Arrays (T, S). ``marks``: the last known close, NaN before the first. ``calendar``: (3, T)."""

    opens: Floats
    highs: Floats
    lows: Floats
    marks: Floats
    calendar: NDArray[np.bool_]
    has_gaps: bool


def market_of(bars: Bars) -> Market:
    """Transposed copies of ``bars``; made once per batch and shared by every strategy."""
    return Market(
        opens=np.array(bars.open.T, order="C"),
        highs=np.array(bars.high.T, order="C"),
        lows=np.array(bars.low.T, order="C"),
        marks=last_known(np.array(bars.close.T, order="C")),
        calendar=rebalance_bars(bars.sessions),
        has_gaps=bool(np.isnan(bars.close).any()),
    )


def last_known(close: Floats) -> Floats:
    """Closes (T, S) carried over missing bars."""
    rows = np.where(np.isnan(close), 0, np.arange(len(close))[:, None])
    return np.ascontiguousarray(np.take_along_axis(close, np.maximum.accumulate(rows, axis=0), axis=0))
