"""A market with an edge of known size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantrail.marketdata.synthetic.bars import SyntheticMarket, long_frame, moves, names

_YEAR = 252


def planted_edge(
    symbols: int = 30,
    sessions: int = 1260,
    *,
    seed: int,
    sharpe: float = 1.5,
    volatility: float = 0.015,
    stay: float = 0.9,
) -> SyntheticMarket:
    """Loud volume foretells a rise: holding a symbol while its volume is above 1 000 000 earns ``sharpe``.

    Each symbol is in a loud or a quiet state of its own, half of the time each. After a loud bar the next
    open-to-open move has the mean that gives the rule "decide at the close, trade at the next open, hold
    while loud, else hold nothing" an annual Sharpe ratio of ``sharpe`` (252 bars, no costs); after a quiet
    bar it has minus that mean, so that holding for good earns nothing.
    """
    rng = np.random.default_rng(seed)
    loud = states(rng, symbols, sessions, stay)
    night, day, spread = moves(rng, np.full((symbols, sessions), volatility))
    # In the market half of the time: Sharpe = mean / sigma * sqrt(252 / 2) for a small mean.
    mean = sharpe * volatility / np.sqrt(_YEAR / 2)
    drift = np.where(loud, mean, -mean)
    # The move from open t+1 to open t+2 is the day of t+1 and the night of t+2.
    day[:, 1:] += drift[:, :-1]
    loudness = np.where(loud, 2.0, 0.5) * np.exp(0.1 * rng.standard_normal(loud.shape))
    bars = long_frame(night, day, spread, 1e6 * loudness)
    truth = f"volume > 1000000 at the close earns a Sharpe ratio of {sharpe:g} from the next open on"
    return SyntheticMarket("planted_edge", bars, truth, names(symbols))


def states(rng: np.random.Generator, rows: int, sessions: int, stay: float) -> NDArray[np.bool_]:
    """Two-state chains (rows, sessions), each state kept with probability ``stay``, started evenly."""
    turns = rng.random((rows, sessions)) > stay
    turns[:, 0] = rng.random(rows) > 0.5
    loud: NDArray[np.bool_] = np.cumsum(turns, axis=1) % 2 == 1
    return loud
