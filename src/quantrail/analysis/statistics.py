"""What luck alone would show: Sharpe ratios judged against their own error and the number of trials.

Every Sharpe ratio in this module is per bar unless its name ends in ``_annual``. NaN in, NaN out;
nothing raises on undefined input.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

EULER_GAMMA = 0.5772156649015329


def sharpe_standard_error(
    sharpe: ArrayLike, n_bars: ArrayLike, skewness: ArrayLike = 0.0, kurtosis: ArrayLike = 3.0
) -> NDArray[np.float64]:
    """Standard error of a per-bar Sharpe ratio from ``n_bars`` returns.

    ``kurtosis`` is not excess (normal = 3). Undefined (NaN) below two bars or where the
    moments leave no variance.

    Source: Mertens (2002); Bailey and López de Prado (2012), eq. 4.
    """
    sr, n, g3, g4 = (np.asarray(x, dtype=np.float64) for x in (sharpe, n_bars, skewness, kurtosis))
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (1.0 - g3 * sr + (g4 - 1.0) / 4.0 * sr**2) / (n - 1.0)
        return np.where((n >= 2) & (variance > 0), np.sqrt(np.abs(variance)), np.nan)


def probabilistic_sharpe(
    sharpe: ArrayLike,
    n_bars: ArrayLike,
    skewness: ArrayLike = 0.0,
    kurtosis: ArrayLike = 3.0,
    benchmark: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Probability (0..1) that the true Sharpe ratio exceeds ``benchmark``.

    Source: Bailey and López de Prado (2012), "The Sharpe Ratio Efficient Frontier".
    """
    error = sharpe_standard_error(sharpe, n_bars, skewness, kurtosis)
    distance = np.asarray(sharpe, dtype=np.float64) - np.asarray(benchmark, dtype=np.float64)
    return np.asarray(ndtr(distance / error), dtype=np.float64)


def expected_maximum_sharpe(n_trials: float, sharpe_variance: float) -> float:
    """The Sharpe ratio that the best of ``n_trials`` skill-less strategies is expected to show.

    ``sharpe_variance`` is the variance of Sharpe ratios across trials. One trial: 0, no luck to
    correct for.

    Source: Bailey and López de Prado (2014), "The Deflated Sharpe Ratio", eq. 1.
    """
    if n_trials <= 1 or not sharpe_variance > 0:
        return 0.0
    first = ndtri(1.0 - 1.0 / n_trials)
    second = ndtri(1.0 - 1.0 / (n_trials * math.e))
    return float(math.sqrt(sharpe_variance) * ((1 - EULER_GAMMA) * first + EULER_GAMMA * second))


def luck_bar(n_trials: float, n_bars: float) -> float:
    """Expected best per-bar Sharpe ratio of ``n_trials`` strategies without edge over ``n_bars``.

    Under no edge a Sharpe ratio scatters with variance 1/(n_bars - 1), whatever was tried;
    taking that instead of the scatter among trials keeps good searches from raising their own
    bar. Trials are taken as independent, which makes the bar too high rather than too low.
    """
    return expected_maximum_sharpe(n_trials, 1.0 / (n_bars - 1.0)) if n_bars > 1 else math.nan


def deflated_sharpe(sharpe: float, n_bars: float, skewness: float, kurtosis: float, n_trials: float) -> float:
    """Probability (0..1) that the true Sharpe ratio beats what luck gives the best of ``n_trials``.

    Source: Bailey and López de Prado (2014), eq. 2, with :func:`luck_bar` as the benchmark.
    """
    bar = luck_bar(n_trials, n_bars)
    return float(probabilistic_sharpe(sharpe, n_bars, skewness, kurtosis, bar))


def sharpe_interval(
    sharpe: float, n_bars: float, skewness: float, kurtosis: float, level: float = 0.95
) -> tuple[float, float]:
    """Two-sided normal interval of a per-bar Sharpe ratio at confidence ``level``."""
    half = float(ndtri(0.5 + level / 2) * sharpe_standard_error(sharpe, n_bars, skewness, kurtosis))
    return sharpe - half, sharpe + half


def wilson_interval(hits: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a proportion ``hits / n``; (0, 1) when nothing was observed.

    Source: Wilson (1927).
    """
    if n <= 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + level / 2))
    p, z2 = hits / n, z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def drawdown_probability(depth: float, mean_log_return: float, sd_log_return: float, n_bars: float) -> float:
    """Probability that a Brownian path of this drift and volatility loses ``depth`` from a peak.

    ``depth`` is a positive fraction (0.3 = 30 %), moments are per bar. The first passage of a
    drawdown is taken as exponential with its exact mean, which is close once ``n_bars`` is long
    against that mean and too low for short periods.

    Source: Taylor (1975), "A stopped Brownian motion formula".
    """
    if not (0 < depth < 1) or not sd_log_return > 0 or n_bars <= 0:
        return math.nan
    d, s2 = -math.log1p(-depth), sd_log_return**2
    x = 2.0 * mean_log_return * d / s2
    # (e^x - x - 1) / x^2 -> 1/2 as x -> 0; the direct form loses all digits there.
    shape = 0.5 if abs(x) < 1e-6 else (math.exp(min(x, 700.0)) - x - 1.0) / x**2
    expected_bars = 2.0 * d * d / s2 * shape
    return -math.expm1(-n_bars / expected_bars)
