"""Markets that hold no edge: whatever a search finds in them is luck."""

from __future__ import annotations

import numpy as np

from quantrail.errors import InvalidInput
from quantrail.marketdata.synthetic.bars import SyntheticMarket, long_frame, moves, names, volumes

_TRUTH = "no edge: prices are a martingale"


def random_walk(
    symbols: int = 30, sessions: int = 1260, *, seed: int, volatility: float = 0.015
) -> SyntheticMarket:
    """Independent walks of constant daily ``volatility`` (log moves)."""
    rng = np.random.default_rng(seed)
    night, day, spread = moves(rng, np.full((symbols, sessions), volatility))
    bars = long_frame(night, day, spread, volumes(rng, night.shape))
    return SyntheticMarket("random_walk", bars, _TRUTH, names(symbols))


def garch(
    symbols: int = 30,
    sessions: int = 1260,
    *,
    seed: int,
    volatility: float = 0.015,
    alpha: float = 0.08,
    beta: float = 0.9,
) -> SyntheticMarket:
    """Volatility that clusters: GARCH(1,1), variance ``omega + alpha * move² + beta * variance``.

    ``volatility`` is the long-run one. Raises InvalidInput unless alpha + beta < 1.
    Source: Bollerslev (1986).
    """
    if not (alpha >= 0 and beta >= 0 and alpha + beta < 1):
        raise InvalidInput(f"GARCH needs alpha, beta >= 0 and alpha + beta < 1, got {alpha} and {beta}")
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((symbols, sessions))
    level = volatility**2
    variance = np.empty((symbols, sessions))
    current = np.full(symbols, level)
    for t in range(sessions):
        variance[:, t] = current
        current = level * (1 - alpha - beta) + current * (alpha * shocks[:, t] ** 2 + beta)
    night, _, spread = moves(rng, np.sqrt(0.75 * variance))
    # The shock that the next variance answers to is split so that a quarter of its variance falls at night
    # and the night tells nothing of the day.
    total = np.sqrt(variance) * shocks - 0.5 * variance
    night = night + 0.25 * total
    bars = long_frame(night, total - night, spread, volumes(rng, night.shape))
    return SyntheticMarket("garch", bars, _TRUTH + ", volatility clusters", names(symbols))


def regime_switching(
    symbols: int = 30,
    sessions: int = 1260,
    *,
    seed: int,
    volatilities: tuple[float, float] = (0.008, 0.03),
    stay: float = 0.98,
) -> SyntheticMarket:
    """A calm and a wild regime shared by all symbols, each lasting 1 / (1 - ``stay``) bars on average."""
    rng = np.random.default_rng(seed)
    turns = rng.random(sessions) > stay
    regime = np.cumsum(turns) % 2
    level = np.asarray(volatilities)[regime]
    night, day, spread = moves(rng, np.tile(level, (symbols, 1)))
    bars = long_frame(night, day, spread, volumes(rng, night.shape))
    return SyntheticMarket(
        "regime_switching", bars, _TRUTH + ", calm and wild times alternate", names(symbols)
    )
