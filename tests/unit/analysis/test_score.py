"""Scores: the breakdown sums, gates name their reasons, undefined inputs earn nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrail.analysis.score import derived_inputs, score_batch
from quantrail.analysis.score_policy import load_policy, parse_policy
from quantrail.errors import ConfigInvalid

GOOD = {
    "psr_zero": 0.97,
    "sharpe_net": 1.2,
    "max_drawdown_net": -0.08,
    "longest_drawdown_share": 0.2,
    "cost_drag_annual": 0.01,
    "comparisons": 3.0,
    "closed_trades": 60.0,
    "blocked_share": 0.0,
}


def columns(**changes: float) -> dict[str, np.ndarray]:
    return {name: np.array([value]) for name, value in {**GOOD, **changes}.items()}


def test_a_score_worked_out_by_hand() -> None:
    score = score_batch(load_policy("score_v1"), columns())[0]
    expected = {
        "edge": 0.30 * (0.97 - 0.5) / 0.49,
        "risk_adjusted": 0.20 * 0.6,
        "drawdown": 0.15 * (0.4 - 0.08) / 0.35,
        "stability": 0.15 * (0.8 - 0.2) / 0.7,
        "cost_drag": 0.10 * 0.9,
        "simplicity": 0.10 * 5 / 7,
        "few_trades": 0.0,
        "floor": 0.0,
    }
    assert score.breakdown == pytest.approx(expected)
    assert score.total == pytest.approx(sum(expected.values()))
    assert score.passed
    assert score.fail_reasons == ()


@given(st.fixed_dictionaries({name: st.one_of(st.just(np.nan), st.floats(-5, 5)) for name in sorted(GOOD)}))
def test_the_breakdown_always_sums_to_a_total_between_0_and_1(values: dict[str, float]) -> None:
    score = score_batch(load_policy(), columns(**values))[0]
    assert sum(score.breakdown.values()) == pytest.approx(score.total, abs=1e-12)
    assert -1e-12 <= score.total <= 1 + 1e-12
    assert score.passed == (not score.fail_reasons)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"closed_trades": 5.0}, "MIN_TRADES: closed_trades 5 is below 20"),
        ({"max_drawdown_net": -0.5}, "DRAWDOWN_FLOOR: max_drawdown_net -0.5 is below -0.3"),
        ({"blocked_share": 0.4}, "DATA_QUALITY: blocked_share 0.4 is above 0.2"),
        ({"cost_drag_annual": 0.09}, "COSTS: cost_drag_annual 0.09 is above 0.05"),
        ({"psr_zero": np.nan}, "MIN_EDGE: psr_zero is undefined"),
    ],
)
def test_each_gate_says_why_it_fails(change: dict[str, float], reason: str) -> None:
    score = score_batch(load_policy(), columns(**change))[0]
    assert score.fail_reasons == (reason,)
    assert not score.passed


def test_an_undefined_input_earns_nothing_and_pays_the_full_penalty() -> None:
    score = score_batch(load_policy(), columns(sharpe_net=np.nan, closed_trades=np.nan))[0]
    assert score.breakdown["risk_adjusted"] == 0.0
    assert score.breakdown["few_trades"] == -0.10


def test_derived_inputs_by_hand() -> None:
    metrics = {
        "sharpe_net": np.array([1.0]),
        "skewness": np.array([0.0]),
        "kurtosis": np.array([3.0]),
        "drawdown_duration_max_bars": np.array([63.0]),
        "costs_total": np.array([2000.0]),
    }
    found = derived_inputs(metrics, 504, 100_000.0, 252.0)
    assert found["longest_drawdown_share"] == pytest.approx(0.125)
    assert found["cost_drag_annual"] == pytest.approx(0.01)
    per_bar = 1 / np.sqrt(252)
    z = per_bar / np.sqrt((1 + per_bar**2 / 2) / 503)
    from scipy.stats import norm

    assert found["psr_zero"] == pytest.approx(norm.cdf(z))


def test_weights_that_do_not_sum_to_one_are_refused() -> None:
    term = {"input": "sharpe_net", "worst": 0, "best": 1, "weight": 0.7}
    with pytest.raises(ConfigInvalid, match=r"must sum to 1, they sum to 0\.7"):
        parse_policy({"version": "x", "terms": {"a": term}, "penalties": {}, "gates": {}})


def test_an_unknown_policy_names_those_there_are() -> None:
    with pytest.raises(ConfigInvalid, match="score_v1"):
        load_policy("score_v0")
