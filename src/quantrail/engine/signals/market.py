"""Bars as the compiled loops read them: time-major, with the last known close beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.engine.signals.calendar import rebalance_bars

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Market:
    """Arrays (T, S). ``marks``: the last known close, NaN before the first. ``calendar``: (3, T).

    ``floors`` and ``ceilings``: lowest and highest of a bar's open, high and low, NaN where it is missing.
    """

    opens: Floats
    highs: Floats
    lows: Floats
    marks: Floats
    floors: Floats
    ceilings: Floats
    calendar: NDArray[np.bool_]
    has_gaps: bool


def market_of(bars: Bars) -> Market:
    """Transposed copies of ``bars``; made once per batch and shared by every strategy."""
    opens, highs, lows = (np.array(x.T, order="C") for x in (bars.open, bars.high, bars.low))
    return Market(
        opens=opens,
        highs=highs,
        lows=lows,
        marks=last_known(np.array(bars.close.T, order="C")),
        floors=np.fmin(np.fmin(opens, lows), highs),
        ceilings=np.fmax(np.fmax(opens, highs), lows),
        calendar=rebalance_bars(bars.sessions),
        has_gaps=bool(np.isnan(bars.close).any()),
    )


def last_known(close: Floats) -> Floats:
    """Closes (T, S) carried over missing bars."""
    rows = np.where(np.isnan(close), 0, np.arange(len(close))[:, None])
    return np.ascontiguousarray(np.take_along_axis(close, np.maximum.accumulate(rows, axis=0), axis=0))
