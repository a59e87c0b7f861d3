"""Measures on how often a strategy acts, and on what data."""

from __future__ import annotations

from math import sqrt

from scipy.special import ndtr, pdtr, pdtrc

from quantrail.analysis.failures.case import FailureCase, Violation


def no_trades(case: FailureCase, threshold: float) -> Violation | None:
    """Fewer than ``threshold`` trades, open ones included.

    Confidence: the chance of seeing at least one if the true rate were one trade a year.
    """
    count = len(case.trades) + case.open_trades
    if count >= threshold:
        return None
    return Violation(count, float(pdtrc(0, case.years_long)), {"entry_signals": case.entry_signals})


def contradictory_entry(case: FailureCase, threshold: float) -> Violation | None:
    """The entry condition was never true although the data were there.

    Confidence: share of bars on which the condition could be worked out.
    """
    usable = 1.0 - case.blocked_share
    if case.entry_signals > 0 or usable < threshold:
        return None
    return Violation(case.entry_signals, usable, {"bars": case.n_bars, "usable_share": usable})


def too_few_trades(case: FailureCase, threshold: float) -> Violation | None:
    """Fewer than ``threshold`` closed trades a year. Confidence: Poisson tail at the threshold."""
    count = len(case.trades)
    per_year = count / case.years_long
    if per_year >= threshold:
        return None
    confidence = float(pdtrc(count, threshold * case.years_long))
    return Violation(per_year, confidence, {"closed_trades": count, "years": case.years_long})


def too_many_trades(case: FailureCase, threshold: float) -> Violation | None:
    """More than ``threshold`` closed trades a year. Confidence: Poisson tail at the threshold."""
    count = len(case.trades)
    per_year = count / case.years_long
    if per_year <= threshold:
        return None
    confidence = float(pdtr(count - 1, threshold * case.years_long))
    return Violation(per_year, confidence, {"closed_trades": count, "years": case.years_long})


def data_missing_high(case: FailureCase, threshold: float) -> Violation | None:
    """Share of symbol-bars on which a missing value blocked a decision.

    Confidence: binomial, as if bars went missing independently.
    """
    share = case.blocked_share
    if share <= threshold:
        return None
    error = sqrt(threshold * (1 - threshold) / case.n_bars)
    return Violation(share, float(ndtr((share - threshold) / error)), {"bars": case.n_bars})
