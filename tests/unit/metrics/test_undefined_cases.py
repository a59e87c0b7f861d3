"""What a metric says when it has nothing to say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from quantrail.analysis.metrics import METRIC_NAMES, Activity, MetricTable, RoundTrips, batch_metrics
from quantrail.domain.contract import CalcContract

CONTRACT = CalcContract(initial_capital=100.0)


def table(
    equity: list[float], first_oos: int | None = None, benchmark: NDArray[np.float64] | None = None
) -> MetricTable:
    nothing = np.zeros(1)
    activity = Activity(nothing, nothing, nothing, nothing, nothing, nothing)
    none = np.empty(0)
    trips = RoundTrips(np.array([0, 0]), np.empty(0, np.bool_), none, none, none)
    return batch_metrics(np.array([equity]), activity, trips, CONTRACT, first_oos, benchmark)


def test_one_flat_bar_has_a_return_and_no_sharpe() -> None:
    found = table([100.0])
    assert found.row(0)["return_total_net"] == 0.0
    assert found.row(0)["cagr_net"] == 0.0
    assert found.row(0)["max_drawdown_net"] == 0.0
    for name in ("sharpe_net", "volatility_annual_net", "sortino_net", "skewness", "kurtosis"):
        assert found.row(0)[name] is None
        assert "fewer bars" in found.undefined(0)[name]


def test_no_trades_leave_trade_metrics_undefined_and_counts_zero() -> None:
    found = table([100.0, 100.0, 100.0])
    assert found.row(0)["closed_trades"] == 0.0
    for name in ("hit_rate_trades", "profit_factor", "expectancy_net", "avg_trade_duration_bars"):
        assert found.row(0)[name] is None
        assert "no round trip" in found.undefined(0)[name]


def test_a_constant_return_is_undefined_not_infinite() -> None:
    equity = list(100.0 * 1.001 ** np.arange(1, 60))
    found = table(equity)
    assert found.row(0)["sharpe_net"] is None
    assert found.row(0)["volatility_annual_net"] == pytest.approx(0.0, abs=1e-12)
    assert "do not vary" in found.undefined(0)["sharpe_net"]
    assert "below the risk-free rate" in found.undefined(0)["sortino_net"]
    assert "never fell" in found.undefined(0)["calmar_net"]


def test_total_loss_is_minus_one_and_everything_stays_finite() -> None:
    found = table([100.0, 50.0, 0.0, 0.0])
    row = found.row(0)
    assert row["return_total_net"] == -1.0
    assert row["cagr_net"] == -1.0
    assert row["max_drawdown_net"] == -1.0
    assert row["calmar_net"] == -1.0
    returns = np.array([0.0, -0.5, -1.0, 0.0])
    assert row["sharpe_net"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252), rel=1e-12)


def test_debt_counts_as_total_loss() -> None:
    row = table([100.0, 20.0, -30.0, -30.0]).row(0)
    assert row["return_total_net"] == row["cagr_net"] == row["max_drawdown_net"] == -1.0


def test_no_metric_is_ever_infinite_and_nan_comes_with_a_reason() -> None:
    curves = ([100.0], [100.0, 100.0], [100.0, 0.0], [101.0, 99.0, 105.0], [100.0, -5.0, -5.0])
    for equity in curves:
        found = table(list(equity), first_oos=1, benchmark=np.zeros(len(equity)))
        assert set(found.values) == set(METRIC_NAMES)
        for name, column in found.values.items():
            assert not np.isinf(column[0]), (name, equity)
            assert np.isnan(column[0]) == (found.reasons[name][0] != 0), (name, equity)


def test_a_split_outside_the_period_leaves_validation_undefined() -> None:
    for first_oos in (None, 0, 3):
        found = table([100.0, 101.0, 99.0], first_oos=first_oos)
        assert found.row(0)["oos_sharpe_net"] is None
        assert "validation start" in found.undefined(0)["oos_sharpe_net"]


def test_the_ratio_to_train_needs_a_positive_train_sharpe() -> None:
    found = table([100.0, 98.0, 97.0, 98.0, 99.0, 101.0], first_oos=3)
    assert found.row(0)["oos_sharpe_net"] is not None
    assert found.row(0)["oos_is_performance_ratio"] is None
    assert "train Sharpe" in found.undefined(0)["oos_is_performance_ratio"]


def test_capital_before_the_first_return_counts_as_a_peak() -> None:
    assert table([90.0, 95.0]).row(0)["max_drawdown_net"] == pytest.approx(-0.1)


def test_a_flat_benchmark_gives_no_beta() -> None:
    found = table([100.0, 101.0, 99.0], benchmark=np.zeros(3))
    assert found.row(0)["beta"] is None
    assert found.row(0)["information_ratio"] is not None


def test_no_losing_trade_leaves_the_profit_factor_undefined() -> None:
    nothing = np.zeros(1)
    activity = Activity(nothing, nothing, nothing, nothing, nothing, nothing)
    ones = np.ones(2)
    trips = RoundTrips(np.array([0, 2]), np.zeros(2, np.bool_), ones, ones, ones)
    found = batch_metrics(np.array([[100.0, 102.0]]), activity, trips, CONTRACT, None, None)
    assert found.row(0)["profit_factor"] is None
    assert found.row(0)["hit_rate_trades"] == 1.0


@pytest.mark.parametrize("n", [2, 19, 20, 21, 39, 40, 41, 200])
def test_tails_agree_with_numpy_at_every_length(n: int) -> None:
    returns = np.random.default_rng(n).normal(0, 0.02, n)
    row = table(list(100.0 * np.cumprod(1 + returns))).row(0)
    assert row["var_95"] == pytest.approx(np.quantile(returns, 0.05), rel=1e-9, abs=1e-13)
    assert row["tail_gain_p95"] == pytest.approx(np.quantile(returns, 0.95), rel=1e-9, abs=1e-13)
    # Expected shortfall as a mean over quantile levels up to 5 %, on a grid fine enough to be exact.
    levels = (np.arange(20_000) + 0.5) / 20_000 * 0.05
    grid = np.sort(returns)[np.minimum((levels * n).astype(int), n - 1)]
    assert row["cvar_95"] == pytest.approx(grid.mean(), rel=2e-3)
