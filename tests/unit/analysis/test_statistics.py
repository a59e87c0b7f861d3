"""Statistics against closed forms, published numbers and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from quantrail.analysis.statistics import (
    deflated_sharpe,
    drawdown_probability,
    expected_maximum_sharpe,
    luck_bar,
    probabilistic_sharpe,
    sharpe_interval,
    sharpe_standard_error,
    wilson_interval,
)


def test_standard_error_of_normal_returns_is_the_textbook_one() -> None:
    sharpe, n = 0.1, 253
    assert sharpe_standard_error(sharpe, n) == pytest.approx(math.sqrt((1 + sharpe**2 / 2) / (n - 1)))


def test_standard_error_is_undefined_below_two_bars() -> None:
    assert np.isnan(sharpe_standard_error(0.1, 1))


def test_psr_of_the_paper_example() -> None:
    # Bailey and López de Prado (2012): monthly Sharpe 0.458, skewness -2.448, kurtosis 10.164,
    # 24 observations; PSR against zero 0.913 (normal returns would give 0.987).
    assert probabilistic_sharpe(0.458, 24, -2.448, 10.164) == pytest.approx(0.913, abs=2e-3)
    assert probabilistic_sharpe(0.458, 24) == pytest.approx(0.982, abs=6e-3)


def test_expected_maximum_of_the_deflated_sharpe_paper() -> None:
    # Bailey and López de Prado (2014): V = 1/2 (annual), N = 100 trials, expected maximum 0.1132 per
    # day with 250 days a year.
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=2e-4)


def test_expected_maximum_agrees_with_simulated_maxima() -> None:
    draws = np.random.default_rng(5).standard_normal((4000, 200)).max(axis=1)
    assert expected_maximum_sharpe(200, 1.0) == pytest.approx(draws.mean(), rel=0.02)


def test_one_trial_needs_no_correction() -> None:
    assert luck_bar(1, 500) == 0.0
    assert deflated_sharpe(0.05, 500, 0.0, 3.0, 1) == pytest.approx(
        float(probabilistic_sharpe(0.05, 500, 0.0, 3.0))
    )


def test_luck_bar_rises_with_trials_and_falls_with_bars() -> None:
    assert luck_bar(10, 500) < luck_bar(1000, 500) < luck_bar(1000, 250)


def test_interval_is_symmetric_around_the_estimate() -> None:
    low, high = sharpe_interval(0.08, 600, -0.3, 4.0)
    assert (low + high) / 2 == pytest.approx(0.08)
    assert low < 0.08 < high


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (37, 400)])
def test_wilson_interval_agrees_with_scipy(hits: int, n: int) -> None:
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson_interval(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_interval_of_nothing_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.01), (0.0004, 0.01), (-0.0003, 0.012)])
def test_drawdown_probability_agrees_with_simulated_paths(mean: float, sd: float) -> None:
    n_bars, depth, fine = 2500, 0.25, 4
    rng = np.random.default_rng(3)
    steps = rng.normal(mean / fine, sd / math.sqrt(fine), size=(1500, n_bars * fine))
    paths = np.cumsum(steps, axis=1)
    falls = np.maximum.accumulate(np.maximum(paths, 0.0), axis=1) - paths
    simulated = (falls.max(axis=1) >= -math.log1p(-depth)).mean()
    assert drawdown_probability(depth, mean, sd, n_bars) == pytest.approx(simulated, abs=0.06)


def test_drawdown_probability_is_continuous_at_zero_drift() -> None:
    at_zero = drawdown_probability(0.2, 0.0, 0.01, 500)
    assert drawdown_probability(0.2, 1e-12, 0.01, 500) == pytest.approx(at_zero, rel=1e-6)
    assert drawdown_probability(0.2, 1e-6, 0.01, 500) == pytest.approx(at_zero, rel=1e-2)


@pytest.mark.parametrize(
    ("depth", "sd", "bars"), [(0.0, 0.01, 10), (1.0, 0.01, 10), (0.2, 0.0, 10), (0.2, 0.01, 0)]
)
def test_drawdown_probability_is_undefined_outside_its_range(depth: float, sd: float, bars: int) -> None:
    assert math.isnan(drawdown_probability(depth, 0.0, sd, bars))
