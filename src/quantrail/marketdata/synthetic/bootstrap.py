"""Real bars in a shuffled order: their fat tails and common moves, none of their trends."""

from __future__ import annotations

import numpy as np

from quantrail.domain.market import Bars
from quantrail.errors import DataInvalid, InvalidInput
from quantrail.marketdata.synthetic.bars import SyntheticMarket, long_frame


def block_bootstrap(
    bars: Bars, sessions: int | None = None, *, seed: int, block: int = 10
) -> SyntheticMarket:
    """Blocks of ``block`` sessions on average, drawn with replacement, the same days for every symbol.

    Keeps distribution, cross-section and short-run clustering of volatility; each symbol's mean return is
    taken out, so that no drift is left. Sessions where any symbol has no bar are not drawn.
    Source: stationary bootstrap, Politis and Romano (1994).
    """
    if block < 1:
        raise InvalidInput(f"a block has at least 1 session, got {block}")
    log = {name: np.log(getattr(bars, name)) for name in ("open", "high", "low", "close")}
    night = log["open"][:, 1:] - log["close"][:, :-1]
    day = log["close"][:, 1:] - log["open"][:, 1:]
    spread = np.maximum(
        log["high"][:, 1:] - np.maximum(log["open"], log["close"])[:, 1:],
        np.minimum(log["open"], log["close"])[:, 1:] - log["low"][:, 1:],
    )
    whole = np.flatnonzero(~np.isnan(night + day + bars.volume[:, 1:]).any(axis=0))
    if whole.size < 2:
        raise DataInvalid("fewer than two sessions where every symbol has a bar")
    picked = whole[_blocks(np.random.default_rng(seed), whole.size, sessions or bars.sessions.size, block)]
    night, day, spread = night[:, picked], day[:, picked], np.maximum(spread[:, picked], 0.0)
    # Zero mean in prices, measured over what was drawn.
    day = day - np.log(np.mean(np.exp(night + day), axis=1, keepdims=True))
    frame = long_frame(night, day, spread, bars.volume[:, 1:][:, picked], bars.symbols)
    return SyntheticMarket("block_bootstrap", frame, "no edge: real days in a random order", bars.symbols)


def _blocks(rng: np.random.Generator, size: int, count: int, block: int) -> np.ndarray:
    starts = rng.random(count) < 1.0 / block
    starts[0] = True
    firsts = rng.integers(0, size, count)
    at = np.maximum.accumulate(np.where(starts, np.arange(count), 0))
    return np.asarray((firsts[at] + np.arange(count) - at) % size)
