"""Measures on what trading costs take away."""

from __future__ import annotations

from math import sqrt

from scipy.special import ndtr

from quantrail.analysis.failures.case import FailureCase, Violation


def cost_drag(case: FailureCase, threshold: float) -> Violation | None:
    """Costs above ``threshold`` of initial capital a year."""
    costs = case.metric("costs_total")
    if costs is None:
        return None
    drag = costs / case.initial_capital / case.years_long
    return _activity_violation(case, drag, threshold, {"costs_total": costs, "cost_drag_annual": drag})


def turnover_high(case: FailureCase, threshold: float) -> Violation | None:
    """Annual turnover, both sides, above ``threshold`` times equity."""
    turnover = case.metric("turnover_annual")
    if turnover is None:
        return None
    return _activity_violation(case, turnover, threshold, {"turnover_annual": turnover})


def breakeven_cost_low(case: FailureCase, threshold: float) -> Violation | None:
    """Gross profit covers costs less than ``threshold`` times (but covers something).

    A strategy that loses before costs has no break-even; NEGATIVE_EXPECTANCY speaks of it.
    Confidence: normal error of the period's summed returns, in units of costs.
    """
    costs, total = case.metric("costs_total"), case.metric("return_total_net")
    if not costs or total is None:
        return None
    gross = total * case.initial_capital + costs
    multiple = gross / costs
    if gross <= 0 or multiple >= threshold:
        return None
    noise = case.returns.std(ddof=1) * sqrt(case.n_bars) * case.initial_capital
    confidence = float(ndtr((threshold * costs - gross) / noise))
    evidence = {"gross_profit": gross, "costs_total": costs, "breakeven_cost_multiple": multiple}
    return Violation(multiple, confidence, evidence)


def _activity_violation(
    case: FailureCase, value: float, threshold: float, evidence: dict[str, float]
) -> Violation | None:
    # Costs and turnover scale with the number of fills, which scatters like a Poisson count.
    fills = 2 * len(case.trades) + case.open_trades
    if value <= threshold or fills == 0:
        return None
    confidence = float(ndtr((value - threshold) / (value / sqrt(fills))))
    return Violation(value, confidence, {**evidence, "fills": fills})
