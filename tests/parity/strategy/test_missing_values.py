"""NOT over a missing value never trades, whichever engine and however it is written."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import SimulationResult
from quantrail.engine import prepare, screen, verify
from quantrail.errors import InvalidInput
from quantrail.strategy import NormalSpec, canonicalise

PERIOD = Period(date(2020, 1, 1), date(2020, 3, 30))
MISSING = {"node": "CMP", "left": "slow", "op": ">", "right": 1e6}
PRESENT = {"node": "CMP", "left": "close", "op": ">", "right": 1e6}


def bars() -> Bars:
    """Ninety bars of two symbols: a mean over 500 of them is never there."""
    close = 100 + np.arange(90.0) % 7 + np.array([[0.0], [50.0]])
    sessions = np.datetime64("2020-01-01") + np.arange(90)
    volume = np.full(close.shape, 1000.0)
    return Bars(("A", "B"), sessions, close, close + 1, close - 1, close, volume, DataVersion("1" * 64))


def spec_of(entry: dict[str, Any], policy: str) -> NormalSpec:
    document = {
        "metadata": {"nan_policy": policy},
        "features": {"slow": {"type": "sma", "params": {"period": 500}}},
        "conditions": {"enter": entry, "leave": {"node": "FALSE"}},
        "modules": {"entry": {"condition": {"ref": "enter"}}, "exit": {"condition": {"ref": "leave"}}},
    }
    return canonicalise(document).spec


def results(entry: dict[str, Any], policy: str = "DISALLOW_TRADE") -> list[SimulationResult]:
    spec = spec_of(entry, policy)
    screened = screen(prepare(bars(), [spec]), PERIOD, CalcContract())
    assert screened.errors == [None]
    return [screened.result(0), verify(bars(), spec, PERIOD, CalcContract(), ModelVersions()).result]


NEGATIONS = {
    "not": {"node": "NOT", "child": MISSING},
    "not of a conjunction": {"node": "NOT", "child": {"node": "AND", "children": [MISSING, PRESENT]}},
    "not of a disjunction": {"node": "NOT", "child": {"node": "OR", "children": [MISSING, PRESENT]}},
    "or with a true part": {
        "node": "OR",
        "children": [{"node": "NOT", "child": MISSING}, {"node": "NOT", "child": PRESENT}],
    },
    "not of a crossing": {"node": "NOT", "child": {"node": "CROSS_ABOVE", "left": "slow", "right": "close"}},
    "not of a set": {"node": "NOT", "child": {"node": "IN", "value": "slow", "set": [1, 2]}},
    "not of a range": {"node": "NOT", "child": {"node": "BETWEEN", "value": "slow", "low": 1, "high": 2}},
    "three times not": {"node": "NOT", "child": {"node": "NOT", "child": {"node": "NOT", "child": MISSING}}},
    "different from": {"node": "CMP", "left": "slow", "op": "!=", "right": 3},
}


@pytest.mark.parametrize("entry", NEGATIONS.values(), ids=NEGATIONS)
def test_not_over_a_missing_value_never_trades(entry: dict[str, Any]) -> None:
    for result in results(entry):
        assert len(result.trades) == 0
        assert result.blocked_bars > 0


def test_not_over_a_value_that_is_there_trades() -> None:
    for result in results({"node": "NOT", "child": PRESENT}):
        assert len(result.trades) == 2
        assert result.blocked_bars == 0


def test_treat_as_false_lets_not_trade_because_it_says_so() -> None:
    for result in results(NEGATIONS["not"], "TREAT_AS_FALSE"):
        assert len(result.trades) == 2


def test_treat_as_true_makes_the_comparison_hold() -> None:
    for result in results(MISSING, "TREAT_AS_TRUE"):
        assert len(result.trades) == 2
    for result in results(NEGATIONS["not"], "TREAT_AS_TRUE"):
        assert len(result.trades) == 0


def test_error_fails_the_strategy_in_both_engines_and_only_where_something_is_missing() -> None:
    missing, present = spec_of(MISSING, "ERROR"), spec_of({"node": "NOT", "child": PRESENT}, "ERROR")
    screened = screen(prepare(bars(), [missing, present]), PERIOD, CalcContract())
    assert isinstance(screened.errors[0], InvalidInput)
    assert screened.errors[1] is None
    with pytest.raises(InvalidInput):
        verify(bars(), missing, PERIOD, CalcContract(), ModelVersions())
    assert len(verify(bars(), present, PERIOD, CalcContract(), ModelVersions()).result.trades) == 2
