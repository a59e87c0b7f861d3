"""Measures on whether there is an edge at all, and whether luck or its benchmark explain it."""

from __future__ import annotations

from math import hypot, isnan, sqrt

import numpy as np
from scipy.special import ndtr

from quantrail.analysis.failures.case import FailureCase, Violation
from quantrail.analysis.statistics import (
    deflated_sharpe as deflated_value,
)
from quantrail.analysis.statistics import luck_bar, probabilistic_sharpe, sharpe_standard_error


def negative_expectancy(case: FailureCase, threshold: float) -> Violation | None:
    """Mean net return per closed trade at or below ``threshold``.

    Confidence: normal tail of the mean's own error.
    """
    returns = case.trades.return_net
    if len(returns) < 2 or returns.mean() > threshold:
        return None
    error = returns.std(ddof=1) / sqrt(len(returns))
    if error == 0:
        return None
    evidence = {"mean_trade_return": float(returns.mean()), "closed_trades": len(returns)}
    return Violation(float(returns.mean()), float(ndtr((threshold - returns.mean()) / error)), evidence)


def below_luck_bar(case: FailureCase, threshold: float) -> Violation | None:
    """Sharpe ratio not above what the best of all trials would show without any edge.

    Value: annual Sharpe minus the bar. Confidence: probability that the true ratio is below it.
    """
    figures = _sharpe_per_bar(case)
    if figures is None or case.n_trials < 2:
        return None
    sharpe, skewness, kurtosis = figures
    bar = luck_bar(case.n_trials, case.n_bars)
    if sharpe - bar > threshold:
        return None
    above = float(probabilistic_sharpe(sharpe, case.n_bars, skewness, kurtosis, bar))
    annual = sqrt(case.annual)
    evidence = {"sharpe_net": sharpe * annual, "luck_bar": bar * annual, "n_trials": case.n_trials}
    return Violation((sharpe - bar) * annual, 1.0 - above, evidence)


def below_benchmark(case: FailureCase, threshold: float) -> Violation | None:
    """Annual Sharpe ratio not above that of holding the whole universe over the same bars.

    Confidence: normal, both ratios with their own error, taken as independent.
    """
    figures = _sharpe_per_bar(case)
    if figures is None or case.benchmark_sharpe is None:
        return None
    sharpe, skewness, kurtosis = figures
    gap = sharpe - case.benchmark_sharpe / sqrt(case.annual)
    if gap > threshold:
        return None
    own = float(sharpe_standard_error(sharpe, case.n_bars, skewness, kurtosis))
    error = hypot(own, 1 / sqrt(case.n_bars - 1))
    evidence = {"sharpe_net": case.metric("sharpe_net"), "benchmark_sharpe": case.benchmark_sharpe}
    return Violation(gap * sqrt(case.annual), float(ndtr(-gap / error)), evidence)


def dsr_low(case: FailureCase, threshold: float) -> Violation | None:
    """Deflated Sharpe ratio below ``threshold``. Confidence: its complement."""
    figures = _sharpe_per_bar(case)
    if figures is None or case.n_trials < 2:
        return None
    value = deflated_value(figures[0], case.n_bars, figures[1], figures[2], case.n_trials)
    if isnan(value) or value >= threshold:
        return None
    return Violation(value, 1.0 - value, {"deflated_sharpe": value, "n_trials": case.n_trials})


def one_regime_only(case: FailureCase, threshold: float) -> Violation | None:
    """One calendar year brings more than ``threshold`` of all profit made in profitable years.

    Confidence: probability that the other years together are without profit.
    """
    years = np.unique(case.years)
    by_year = np.array([case.returns[case.years == y].sum() for y in years])
    gains = np.maximum(by_year, 0.0)
    if len(years) < 3 or gains.sum() <= 0 or gains.max() / gains.sum() <= threshold:
        return None
    best = int(years[int(gains.argmax())])
    rest = case.returns[case.years != best]
    error = rest.std(ddof=1) * sqrt(len(rest))
    if error == 0:
        return None
    evidence = {"best_year": best, "by_year": dict(zip(map(str, years), by_year.tolist(), strict=True))}
    return Violation(float(gains.max() / gains.sum()), float(ndtr(-rest.sum() / error)), evidence)


def _sharpe_per_bar(case: FailureCase) -> tuple[float, float, float] | None:
    sharpe = case.metric("sharpe_net")
    skewness, kurtosis = case.metric("skewness"), case.metric("kurtosis")
    if sharpe is None or skewness is None or kurtosis is None:
        return None
    return sharpe / sqrt(case.annual), skewness, kurtosis
