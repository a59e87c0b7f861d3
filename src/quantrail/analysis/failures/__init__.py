"""Why a backtest is not good enough: rules as data, measures as pure functions, evidence to keep.

``load_rules`` reads a versioned rule file, ``explain_failures`` applies it to a ``FailureCase``.
"""

from quantrail.analysis.failures.case import ClosedTrades, FailureCase, Violation
from quantrail.analysis.failures.explain import (
    MEASURES,
    FoundFailure,
    explain_failures,
    severity_of,
)
from quantrail.analysis.failures.rules import DEFAULT_RULES, FailureRule, Stage, load_rules

__all__ = [
    "DEFAULT_RULES",
    "MEASURES",
    "ClosedTrades",
    "FailureCase",
    "FailureRule",
    "FoundFailure",
    "Stage",
    "Violation",
    "explain_failures",
    "load_rules",
    "severity_of",
]
