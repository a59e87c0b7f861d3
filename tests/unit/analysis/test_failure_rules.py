"""Each failure rule: a case that breaks it by hand-made figures, and one that does not."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from quantrail.analysis.failures import (
    MEASURES,
    ClosedTrades,
    FailureCase,
    explain_failures,
    load_rules,
    severity_of,
)
from quantrail.domain.enums import Severity
from quantrail.errors import ConfigInvalid

YEARS, PER_YEAR = 3, 252


def trades(
    returns: list[float], symbols: list[int] | None = None, by_stop: list[bool] | None = None
) -> ClosedTrades:
    n = len(returns)
    return ClosedTrades(
        symbol=np.array(symbols if symbols is not None else [k % 5 for k in range(n)], dtype=np.int64),
        pnl_net=1000.0 * np.array(returns, dtype=np.float64),
        return_net=np.array(returns, dtype=np.float64),
        by_stop=np.array(by_stop if by_stop is not None else [False] * n, dtype=np.bool_),
    )


def healthy() -> FailureCase:
    """Steady gains, sixty small trades, nothing to complain about."""
    rng = np.random.default_rng(11)
    returns = rng.normal(0.0012, 0.004, YEARS * PER_YEAR)
    return FailureCase(
        stage="verify",
        metrics={
            "sharpe_net": 4.0,
            "skewness": 0.0,
            "kurtosis": 3.0,
            "max_drawdown_net": -0.05,
            "tail_loss_p95": -0.006,
            "costs_total": 900.0,
            "turnover_annual": 10.0,
            "return_total_net": 0.6,
            "oos_is_performance_ratio": 0.9,
        },
        returns=returns,
        years=np.repeat([2014, 2015, 2016], PER_YEAR),
        trades=trades([0.02, 0.03, -0.01, 0.025, 0.01] * 12),
        open_trades=0,
        symbols=("A", "B", "C", "D", "E"),
        entry_signals=60,
        blocked_share=0.0,
        has_stop=True,
        initial_capital=100_000.0,
        annual=float(PER_YEAR),
        n_trials=100,
        benchmark_sharpe=0.7,
        validation_bar=2 * PER_YEAR,
        train_sharpe=3.0,
        neighbour_sharpes=np.array([2.8, 2.9, 3.1, 2.7]),
        ab_difference=0.001,
        ab_reason="QUANTITY",
    )


def with_metrics(**changes: float | None) -> FailureCase:
    case = healthy()
    return replace(case, metrics={**case.metrics, **changes})


def decaying() -> FailureCase:
    rng = np.random.default_rng(2)
    early, late = rng.normal(0.002, 0.004, 504), rng.normal(-0.001, 0.004, 252)
    returns = np.concatenate([early, late])
    return replace(with_metrics(oos_is_performance_ratio=-0.5), returns=returns)


def one_good_year() -> FailureCase:
    rng = np.random.default_rng(4)
    flat = rng.normal(0.0, 0.001, 504)
    return replace(healthy(), returns=np.concatenate([flat - flat.mean(), np.full(252, 0.002)]))


def deep_fall() -> FailureCase:
    rng = np.random.default_rng(9)
    return replace(with_metrics(max_drawdown_net=-0.45), returns=rng.normal(-0.0005, 0.02, YEARS * PER_YEAR))


BROKEN: dict[str, FailureCase] = {
    "NO_TRADES": replace(healthy(), trades=trades([]), entry_signals=0),
    "CONTRADICTORY_ENTRY": replace(healthy(), trades=trades([]), entry_signals=0),
    "TOO_FEW_TRADES": replace(healthy(), trades=trades([0.02] * 6)),
    "TOO_MANY_TRADES": replace(healthy(), trades=trades([0.02, -0.01] * 600)),
    "DATA_MISSING_HIGH": replace(healthy(), blocked_share=0.35),
    "NEGATIVE_EXPECTANCY": replace(healthy(), trades=trades([-0.02, 0.01, -0.01] * 20)),
    "BELOW_LUCK_BAR": with_metrics(sharpe_net=0.6),
    "BELOW_BENCHMARK": with_metrics(sharpe_net=0.3),
    "COST_DRAG": with_metrics(costs_total=25_000.0),
    "BREAKEVEN_COST_LOW": with_metrics(costs_total=9_000.0, return_total_net=0.01),
    "TURNOVER_HIGH": with_metrics(turnover_annual=120.0),
    "DRAWDOWN_DEEP": deep_fall(),
    "TAIL_LOSS": replace(
        with_metrics(tail_loss_p95=-0.031),
        returns=np.random.default_rng(1).normal(0.0, 0.019, YEARS * PER_YEAR),
    ),
    "STOP_TOO_TIGHT": replace(
        healthy(), trades=trades([-0.02, -0.02, 0.01] * 20, by_stop=[True, True, False] * 20)
    ),
    "STOP_TOO_WIDE": replace(healthy(), trades=trades([-0.02, 0.03] * 40)),
    "CONCENTRATION": replace(
        healthy(), trades=trades([0.09, 0.001, 0.001, 0.001] * 15, symbols=[0, 1, 2, 3] * 15)
    ),
    "FEW_TRADES_CARRY": replace(healthy(), trades=trades([0.9, 0.9, *([-0.01, 0.005] * 20)])),
    "ONE_REGIME_ONLY": one_good_year(),
    "OOS_DECAY": decaying(),
    "THRESHOLD_OVERFIT": replace(healthy(), neighbour_sharpes=np.array([0.1, -0.2, 0.3, 2.9])),
    "DSR_LOW": with_metrics(sharpe_net=0.8),
    "AB_DISAGREE": replace(healthy(), ab_difference=0.2),
}


def tags_of(case: FailureCase) -> list[str]:
    return [f.rule.tag for f in explain_failures(case, load_rules())]


def test_every_rule_has_a_measure_and_a_case_here() -> None:
    rules = load_rules()
    assert {rule.rule_id for rule in rules} == set(MEASURES)
    assert {rule.tag for rule in rules} == set(BROKEN)
    assert len(rules) >= 12


def test_a_healthy_backtest_breaks_no_rule_but_the_wide_stop() -> None:
    # Its stop never ended a losing trade, but with 12 losing trades that is no evidence.
    assert tags_of(healthy()) == []


@pytest.mark.parametrize("tag", sorted(BROKEN))
def test_a_broken_case_is_found_with_evidence_and_confidence(tag: str) -> None:
    found = {f.rule.tag: f for f in explain_failures(BROKEN[tag], load_rules())}
    assert tag in found
    failure = found[tag]
    assert 0.5 < failure.confidence <= 1.0
    assert failure.evidence["threshold"] == failure.rule.threshold
    json.dumps(failure.evidence, allow_nan=False)


def test_confidence_follows_the_evidence_not_a_constant() -> None:
    few = replace(healthy(), trades=trades([-0.02, 0.015] * 5))
    many = replace(healthy(), trades=trades([-0.02, 0.015] * 200))
    rules = [r for r in load_rules() if r.tag == "NEGATIVE_EXPECTANCY"]
    small, large = (explain_failures(case, rules)[0].confidence for case in (few, many))
    assert small < large


def test_confidence_of_negative_expectancy_is_the_t_like_tail() -> None:
    returns = np.array([-0.02, 0.01, -0.01] * 20)
    rules = [r for r in load_rules() if r.tag == "NEGATIVE_EXPECTANCY"]
    found = explain_failures(replace(healthy(), trades=trades(returns.tolist())), rules)[0]
    error = returns.std(ddof=1) / math.sqrt(len(returns))
    assert found.confidence == pytest.approx(stats.norm.cdf(-returns.mean() / error))


def test_confidence_of_rare_trading_is_the_poisson_tail() -> None:
    rules = [r for r in load_rules() if r.tag == "TOO_FEW_TRADES"]
    found = explain_failures(BROKEN["TOO_FEW_TRADES"], rules)[0]
    assert found.confidence == pytest.approx(stats.poisson.sf(6, 10 * YEARS))


def test_screening_does_not_apply_rules_that_need_validation() -> None:
    screened = replace(decaying(), stage="screen")
    assert "OOS_DECAY" not in tags_of(screened)
    assert "OOS_DECAY" in tags_of(decaying())


def test_a_rule_without_its_figures_stays_silent() -> None:
    case = with_metrics(sharpe_net=None, costs_total=None, max_drawdown_net=None, tail_loss_p95=None)
    silent = {"BELOW_LUCK_BAR", "BELOW_BENCHMARK", "DSR_LOW", "COST_DRAG", "DRAWDOWN_DEEP", "TAIL_LOSS"}
    assert silent.isdisjoint(tags_of(case))


def test_worst_trades_are_named_in_the_evidence() -> None:
    found = explain_failures(BROKEN["NEGATIVE_EXPECTANCY"], load_rules())[0]
    worst = found.evidence["worst_trades"]
    assert len(worst) == 3
    assert all(trade["return_net"] == -0.02 for trade in worst)
    assert {trade["symbol"] for trade in worst} <= set("ABCDE")


@pytest.mark.parametrize(
    ("value", "severity"),
    [(0.105, Severity.INFO), (0.14, Severity.WARN), (0.25, Severity.ERROR), (0.5, Severity.CRITICAL)],
)
def test_severity_grows_with_the_distance(value: float, severity: Severity) -> None:
    assert severity_of(value, 0.1, 0.1) is severity


def test_unknown_rules_name_those_there_are() -> None:
    with pytest.raises(ConfigInvalid, match="failure_rules_v1"):
        load_rules("failure_rules_v9")


@pytest.mark.parametrize(("sharpes", "confidence"), [([0.1, 0.1, 0.1], 0.875), ([0.1, 0.1, 2.9], 0.5)])
def test_confidence_of_threshold_overfit_is_one_minus_the_chance_of_so_many(
    sharpes: list[float], confidence: float
) -> None:
    rules = [r for r in load_rules() if r.tag == "THRESHOLD_OVERFIT"]
    found = explain_failures(replace(healthy(), neighbour_sharpes=np.array(sharpes)), rules)[0]
    assert found.confidence == pytest.approx(confidence)
