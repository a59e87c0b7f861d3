"""From a case to its failures: every rule measured, with severity, confidence and evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantrail.analysis.failures import (
    cost_measures,
    edge_measures,
    overfit_measures,
    risk_measures,
    signal_measures,
)
from quantrail.analysis.failures.case import FailureCase, Violation
from quantrail.analysis.failures.rules import FailureRule
from quantrail.domain.enums import Severity

Measure = Callable[[FailureCase, float], Violation | None]

MEASURES: dict[str, Measure] = {
    measure.__name__: measure
    for measure in (
        signal_measures.no_trades,
        signal_measures.contradictory_entry,
        signal_measures.too_few_trades,
        signal_measures.too_many_trades,
        signal_measures.data_missing_high,
        edge_measures.negative_expectancy,
        edge_measures.below_luck_bar,
        edge_measures.below_benchmark,
        edge_measures.dsr_low,
        edge_measures.one_regime_only,
        cost_measures.cost_drag,
        cost_measures.breakeven_cost_low,
        cost_measures.turnover_high,
        risk_measures.drawdown_deep,
        risk_measures.tail_loss,
        risk_measures.stop_too_tight,
        risk_measures.stop_too_wide,
        risk_measures.concentration,
        overfit_measures.few_trades_carry,
        overfit_measures.oos_decay,
        overfit_measures.threshold_overfit,
        overfit_measures.ab_disagree,
    )
}
WORST_TRADES = 3


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """One rule broken by one case."""

    rule: FailureRule
    severity: Severity
    confidence: float
    summary: str
    evidence: dict[str, Any]


def explain_failures(case: FailureCase, rules: Iterable[FailureRule]) -> list[FoundFailure]:
    """Every rule of the case's stage that the case breaks, in rule order."""
    broken = []
    for rule in rules:
        if rule.stage not in (None, case.stage):
            continue
        violation = MEASURES[rule.rule_id](case, rule.threshold)
        if violation is not None:
            broken.append((rule, violation))
    worst = _worst_trades(case) if broken else []
    return [_found(rule, violation, worst) for rule, violation in broken]


def severity_of(value: float, threshold: float, scale: float) -> Severity:
    """From the distance beyond the threshold in units of ``scale`` (> 0)."""
    distance = abs(value - threshold) / scale
    for limit, severity in ((0.1, Severity.INFO), (0.5, Severity.WARN), (2.0, Severity.ERROR)):
        if distance < limit:
            return severity
    return Severity.CRITICAL


def _found(rule: FailureRule, violation: Violation, worst: list[dict[str, Any]]) -> FoundFailure:
    evidence = {
        "value": float(violation.value),
        "threshold": rule.threshold,
        **violation.evidence,
        "worst_trades": worst,
    }
    return FoundFailure(
        rule=rule,
        severity=severity_of(violation.value, rule.threshold, rule.scale),
        confidence=min(1.0, max(0.0, violation.confidence)),
        summary=f"{rule.tag}: {violation.value:.4g} against {rule.threshold:g}",
        evidence=evidence,
    )


def _worst_trades(case: FailureCase) -> list[dict[str, Any]]:
    order = np.argsort(case.trades.pnl_net, kind="stable")[:WORST_TRADES]
    return [
        {
            "symbol": case.symbols[int(case.trades.symbol[k])],
            "pnl_net": float(case.trades.pnl_net[k]),
            "return_net": float(case.trades.return_net[k]),
        }
        for k in order
        if case.trades.pnl_net[k] < 0
    ]
