"""Measures on how a strategy loses: depth, tails, stops, concentration."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
from scipy.special import bdtr, bdtrc, ndtr

from quantrail.analysis.failures.case import FailureCase, Violation
from quantrail.analysis.statistics import drawdown_probability


def drawdown_deep(case: FailureCase, threshold: float) -> Violation | None:
    """Max drawdown below ``threshold`` (a negative fraction).

    Confidence: probability that a path of this drift and volatility falls as deep in as many bars.
    """
    depth = case.metric("max_drawdown_net")
    if depth is None or depth >= threshold:
        return None
    logs = np.log1p(np.maximum(case.returns, -0.999999))
    chance = drawdown_probability(-threshold, float(logs.mean()), float(logs.std(ddof=1)), case.n_bars)
    if isnan(chance):
        return None
    return Violation(depth, chance, {"max_drawdown_net": depth, "worst_year": _worst_year(case)})


def tail_loss(case: FailureCase, threshold: float) -> Violation | None:
    """More than 5 % of bars lose more than ``threshold`` (a negative return). Value: the 5 % quantile.

    Confidence: binomial, bars taken as independent.
    """
    quantile = case.metric("tail_loss_p95")
    if quantile is None or quantile >= threshold:
        return None
    beyond = int((case.returns < threshold).sum())
    confidence = float(bdtr(max(beyond - 1, 0), case.n_bars, 0.05))
    return Violation(quantile, confidence, {"bars_beyond": beyond, "bars": case.n_bars})


def stop_too_tight(case: FailureCase, threshold: float) -> Violation | None:
    """More than ``threshold`` of closed trades end at a stop, and lose on the whole.

    Confidence: binomial tail at the threshold.
    """
    n, stopped = len(case.trades), int(case.trades.by_stop.sum())
    if not case.has_stop or n < 5 or stopped / n <= threshold:
        return None
    lost = float(case.trades.return_net[case.trades.by_stop].mean())
    if lost >= 0:
        return None
    evidence = {"stopped": stopped, "closed_trades": n, "mean_stopped_return": lost}
    return Violation(stopped / n, float(bdtr(stopped - 1, n, threshold)), evidence)


def stop_too_wide(case: FailureCase, threshold: float) -> Violation | None:
    """A stop is set but ends less than ``threshold`` of the losing trades.

    Confidence: binomial: so few stops by chance if it ended twice the threshold.
    """
    losing = case.trades.return_net < 0
    n, stopped = int(losing.sum()), int((losing & case.trades.by_stop).sum())
    if not case.has_stop or n < 20 or stopped / n >= threshold:
        return None
    confidence = float(bdtrc(stopped, n, 2 * threshold))
    return Violation(stopped / n, confidence, {"stopped": stopped, "losing_trades": n})


def concentration(case: FailureCase, threshold: float) -> Violation | None:
    """One symbol brings more than ``threshold`` of all gains of winning trades.

    Confidence: normal error of a share among as many equal gains as these unequal ones amount to.
    """
    gains = np.maximum(case.trades.pnl_net, 0.0)
    if len(case.symbols) < 4 or gains.sum() <= 0:
        return None
    by_symbol = np.bincount(case.trades.symbol, weights=gains, minlength=len(case.symbols))
    share = float(by_symbol.max() / gains.sum())
    if share <= threshold:
        return None
    effective = gains.sum() ** 2 / (gains**2).sum()
    error = sqrt(threshold * (1 - threshold) / effective)
    evidence = {"symbol": case.symbols[int(by_symbol.argmax())], "share": share}
    return Violation(share, float(ndtr((share - threshold) / error)), evidence)


def _worst_year(case: FailureCase) -> dict[str, float]:
    years = np.unique(case.years)
    sums = [float(case.returns[case.years == year].sum()) for year in years]
    worst = int(np.argmin(sums))
    return {"year": int(years[worst]), "return_sum": sums[worst]}
