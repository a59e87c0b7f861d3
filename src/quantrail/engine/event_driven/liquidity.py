"""What engine B knows of a market's depth before a bar opens: mean volume, spread, volatility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.engine.corporate_actions import CorporateActions
from quantrail.engine.market_rules import MarketRules
from quantrail.engine.signals.features import FeatureStore

Floats = NDArray[np.float64]
Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Liquidity:
    """Lists [t][s] over the period, each known at the close before bar t; NaN where unknown."""

    mean_volume: Rows  # shares
    spread_bps: Rows  # full spread
    volatility: Rows  # per bar
    splits: Rows
    dividends: Rows


def read_liquidity(
    bars: Bars, span: slice, rules: MarketRules, half_spread: float, actions: CorporateActions
) -> Liquidity:
    """Estimates over ``span``; ``half_spread`` is the cost model's, a fraction."""
    splits = actions.split_table(bars)
    spread = np.full(bars.close.shape, 2.0e4 * half_spread)
    if rules.spread_estimate == "high_low":
        spread = corwin_schultz_bps(bars)

    def known_before(values: Floats) -> Rows:
        shifted = np.full_like(values, np.nan)
        shifted[:, 1:] = values[:, :-1]
        rows: Rows = shifted[:, span].T.tolist()
        return rows

    # Volume in shares of the bar's own day: one before a split counts for more shares after it.
    factor = np.cumprod(splits, axis=1)
    mean = _mean_of_last(bars.volume / factor, rules.adv_bars)
    before = np.full_like(mean, np.nan)
    before[:, 1:] = mean[:, :-1]
    return Liquidity(
        mean_volume=(before * factor)[:, span].T.tolist(),
        spread_bps=known_before(spread),
        volatility=known_before(FeatureStore(bars).sizing_volatility()),
        splits=splits[:, span].T.tolist(),
        dividends=actions.dividend_table(bars)[:, span].T.tolist(),
    )


def mean_volume_before(bars: Bars, window: int) -> Floats:
    """Mean volume of the ``window`` bars before each, shape (S, T), in shares; NaN where none is known."""
    mean = _mean_of_last(bars.volume, window)
    before = np.full_like(mean, np.nan)
    before[:, 1:] = mean[:, :-1]
    return before


def _mean_of_last(volume: Floats, bars: int) -> Floats:
    """Mean of the known volumes among the last ``bars``; NaN when none is."""
    known = ~np.isnan(volume)
    totals = np.cumsum(np.where(known, volume, 0.0), axis=1)
    counts = np.cumsum(known, axis=1).astype(float)
    totals[:, bars:] -= totals[:, :-bars].copy()
    counts[:, bars:] -= counts[:, :-bars].copy()
    return np.where(counts > 0, totals / np.maximum(counts, 1.0), np.nan)


def corwin_schultz_bps(bars: Bars) -> Floats:
    """Full spread in basis points from the ranges of a bar and the one before, shape (S, T), >= 0.

    Corwin and Schultz, "A Simple Way to Estimate Bid-Ask Spreads from Daily High and Low Prices",
    Journal of Finance 67 (2012), equations 14 and 18, negative estimates set to 0. NaN where either
    bar is missing.
    """
    high, low = np.log(bars.high), np.log(bars.low)
    one = (high - low) ** 2
    beta = np.full_like(one, np.nan)
    beta[:, 1:] = one[:, 1:] + one[:, :-1]
    gamma = np.full_like(one, np.nan)
    top, bottom = np.maximum(high[:, 1:], high[:, :-1]), np.minimum(low[:, 1:], low[:, :-1])
    gamma[:, 1:] = (top - bottom) ** 2
    scale = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / scale - np.sqrt(gamma / scale)
    spread = 2.0 * (np.exp(alpha) - 1.0) / (1.0 + np.exp(alpha))
    return np.asarray(np.maximum(spread, 0.0) * 1e4)
