"""Markets in which a careless study finds what is not there."""

from __future__ import annotations

import numpy as np

from quantrail.marketdata.synthetic.bars import SyntheticMarket, long_frame, moves, names, volumes

_FLOOR = 0.35


def lookahead_bait(
    symbols: int = 30, sessions: int = 1260, *, seed: int, volatility: float = 0.015
) -> SyntheticMarket:
    """The morning's gap foretells the day, and nothing after it.

    Who trades at the open of the bar whose gap is known only then earns a fortune; who decides at the
    close and trades at the next open, as rules must, earns nothing.
    """
    rng = np.random.default_rng(seed)
    night, day, spread = moves(rng, np.full((symbols, sessions), volatility))
    day = np.sign(night) * np.abs(day) - 0.375 * volatility**2
    bars = long_frame(night, day, spread, volumes(rng, night.shape))
    return SyntheticMarket("lookahead_bait", bars, "no edge from the next open on", names(symbols))


def survivorship(
    symbols: int = 60, sessions: int = 1260, *, seed: int, volatility: float = 0.02
) -> SyntheticMarket:
    """Symbols that lose two thirds are delisted; ``universe`` lists those that are left at the end.

    Over all symbols nothing is earned; over the survivors buying dips is.
    """
    rng = np.random.default_rng(seed)
    night, day, spread = moves(rng, np.full((symbols, sessions), volatility))
    bars = long_frame(night, day, spread, volumes(rng, night.shape))
    close = bars["close"].to_numpy().reshape(symbols, sessions)
    low = np.minimum.accumulate(close, axis=1) < _FLOOR * 100.0
    alive = ~np.concatenate((np.zeros((symbols, 1), dtype=bool), low[:, :-1]), axis=1)
    left = tuple(name for name, there in zip(names(symbols), alive[:, -1], strict=True) if there)
    truth = f"no edge over all {symbols} symbols; {symbols - len(left)} were delisted on the way"
    return SyntheticMarket("survivorship", bars.filter(alive.ravel()), truth, left)


def cost_cliff(
    symbols: int = 30,
    sessions: int = 1260,
    *,
    seed: int,
    volatility: float = 0.005,
    edge_bps: float = 4.0,
) -> SyntheticMarket:
    """Each day's move is half taken back the next day: a fine Sharpe ratio, ``edge_bps`` per trade.

    The rule "buy after a fall, sell after a rise" earns about ``edge_bps`` per bar held before costs, and
    trades every second bar: costs of ``edge_bps`` per side turn it into a loss.
    """
    rng = np.random.default_rng(seed)
    night, day, spread = moves(rng, np.full((symbols, sessions), volatility))
    day[:, 1:] -= edge_bps * 1e-4 * np.sign(day[:, :-1])
    bars = long_frame(night, day, spread, volumes(rng, night.shape))
    truth = f"buying after a fall earns {edge_bps:g} bps a bar before costs, and trades every second bar"
    return SyntheticMarket("cost_cliff", bars, truth, names(symbols))
