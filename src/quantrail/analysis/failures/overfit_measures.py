"""Measures on whether a result would survive: fewer trades, later data, other parameters, engine B."""

from __future__ import annotations

from math import hypot, sqrt

import numpy as np
from scipy.special import bdtr, ndtr

from quantrail.analysis.failures.case import FailureCase, Violation
from quantrail.analysis.statistics import sharpe_standard_error


def few_trades_carry(case: FailureCase, threshold: float) -> Violation | None:
    """A profit that is gone (at or below ``threshold``) without its best 5 % of trades.

    Value: what is left, as a fraction of initial capital. Confidence: probability that the mean of
    the remaining trades is not positive.
    """
    pnl = np.sort(case.trades.pnl_net)
    if len(pnl) < 20 or pnl.sum() <= 0:
        return None
    rest = pnl[: -max(1, round(0.05 * len(pnl)))]
    left = float(rest.sum() / case.initial_capital)
    error = rest.std(ddof=1) / sqrt(len(rest))
    if left > threshold or error == 0:
        return None
    evidence = {"profit": float(pnl.sum()), "profit_without_best": float(rest.sum())}
    return Violation(left, float(ndtr(-rest.mean() / error)), evidence)


def oos_decay(case: FailureCase, threshold: float) -> Violation | None:
    """Validation Sharpe below ``threshold`` times the train Sharpe.

    Undefined where train shows no edge. Confidence: normal, with both ratios' own error.
    """
    ratio = case.metric("oos_is_performance_ratio")
    if ratio is None or ratio >= threshold or case.validation_bar is None:
        return None
    train, later = case.returns[: case.validation_bar], case.returns[case.validation_bar :]
    if min(len(train), len(later)) < 3 or train.std() == 0 or later.std() == 0:
        return None
    inside, outside = _sharpe(train), _sharpe(later)
    error = hypot(
        threshold * float(sharpe_standard_error(inside, len(train))),
        float(sharpe_standard_error(outside, len(later))),
    )
    annual = sqrt(case.annual)
    evidence = {"is_sharpe": inside * annual, "oos_sharpe": outside * annual}
    return Violation(ratio, float(ndtr((threshold * inside - outside) / error)), evidence)


def threshold_overfit(case: FailureCase, threshold: float) -> Violation | None:
    """Moving one parameter by one step keeps, at the median, less than ``threshold`` of the Sharpe.

    Confidence: one minus the binomial chance of so many weak neighbours, were each weak half of the time.
    """
    if case.neighbour_sharpes is None or case.train_sharpe is None or case.train_sharpe <= 0:
        return None
    neighbours = np.nan_to_num(case.neighbour_sharpes, nan=0.0)
    if len(neighbours) < 3:
        return None
    kept = float(np.median(neighbours) / case.train_sharpe)
    if kept >= threshold:
        return None
    weak = int((neighbours < threshold * case.train_sharpe).sum())
    evidence = {"neighbours": len(neighbours), "weak": weak, "median_share_kept": kept}
    return Violation(kept, float(bdtr(weak - 1, len(neighbours), 0.5)), evidence)


def ab_disagree(case: FailureCase, threshold: float) -> Violation | None:
    """Equity of engines A and B differs by more than ``threshold``, relative.

    Confidence: how far beyond, against the strategy's own noise over the period.
    """
    if case.ab_difference is None or case.ab_difference <= threshold:
        return None
    noise = threshold * max(float(case.returns.std()) * sqrt(case.n_bars), 1e-9)
    confidence = float(ndtr((case.ab_difference - threshold) / noise))
    evidence = {"equity_difference": case.ab_difference, "reason": case.ab_reason}
    return Violation(case.ab_difference, confidence, evidence)


def _sharpe(returns: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(returns.mean() / returns.std(ddof=1))
