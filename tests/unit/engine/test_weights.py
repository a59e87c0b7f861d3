"""Weights brought from elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars, Period
from quantrail.engine import prepare, run_weights, screen, signals_hash
from quantrail.errors import DataInvalid
from quantrail.services.signals import weights_of_entries
from quantrail.testing.engines import bars_of, compare_with, hard_market, reference_run, spec_of

CONTRACT = CalcContract(initial_capital=1_000.0)


def whole(bars: Bars) -> Period:
    return Period(bars.sessions[0].item(), bars.sessions[-1].item())


def test_equal_weights_once_are_buy_and_hold() -> None:
    bars = hard_market(4, n_symbols=1, n_bars=80)
    first = int(np.flatnonzero(~np.isnan(bars.close[0]))[0])
    weights = np.full(bars.close.shape, np.nan)
    weights[:, first] = 1.0
    found = run_weights(bars, weights, whole(bars), CONTRACT)
    ours, metrics = found.result, found.metrics
    theirs = screen(prepare(bars, [spec_of()]), whole(bars), CONTRACT)
    np.testing.assert_allclose(ours.equity, theirs.equity[0], rtol=1e-12)
    assert metrics.values["sharpe_net"] == pytest.approx(theirs.metrics["sharpe_net"][0], rel=1e-9)


def test_daily_weights_without_costs_follow_the_open_to_open_formula() -> None:
    rng = np.random.default_rng(0)
    opens = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (3, 60)), axis=1))
    bars = bars_of({f"S{k}": [(p, p * 1.1, p * 0.9, p) for p in opens[k]] for k in range(3)})
    weights = rng.dirichlet(np.ones(3), 60).T * rng.choice([-1, 1], (3, 60))
    result = run_weights(bars, weights, whole(bars), CONTRACT, (0, 0, 0)).result
    # Opens equal closes here, so equity at t + 1 grows by the weights of the close before the last open.
    moves = opens[:, 1:] / opens[:, :-1] - 1
    growth = 1 + (weights[:, :-2] * moves[:, 1:]).sum(axis=0)
    np.testing.assert_allclose(result.equity[2:], 1_000 * np.cumprod(growth), rtol=1e-9)
    assert result.equity[:2].tolist() == [1_000, 1_000]


def test_costs_are_paid_on_what_is_traded_only() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 5})
    weights = np.array([[1.0, 1.0, 0.5, np.nan, np.nan]])
    result = run_weights(bars, weights, whole(bars), CONTRACT, (10, 0, 0)).result
    bought = 1_000 / 1.001
    kept = 0.5 * bought
    np.testing.assert_allclose(result.traded_value, [0, bought, 0, bought - kept, 0], rtol=1e-9, atol=1e-9)
    assert result.fees.sum() == pytest.approx(result.traded_value.sum() * 1e-3)


def test_buying_power_is_never_exceeded_by_silent_symbols() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 4, "Y": [(50, 50, 50, 50)] * 4})
    weights = np.array([[1.0, np.nan, np.nan, np.nan], [np.nan, 1.0, np.nan, np.nan]])
    result = run_weights(bars, weights, whole(bars), CONTRACT).result
    assert (result.cash >= -1e-9).all()
    assert result.trades.symbol.tolist() == [0]


def test_a_flip_closes_one_trade_and_opens_another() -> None:
    bars = bars_of(
        {"X": [(100, 100, 100, 100), (100, 100, 100, 100), (110, 110, 110, 110), (99, 99, 99, 99)]}
    )
    result = run_weights(
        bars, np.array([[1.0, -1.0, np.nan, np.nan]]), whole(bars), CONTRACT, (0, 0, 0)
    ).result
    assert result.trades.side.tolist() == [1, -1]
    assert result.equity.tolist() == pytest.approx([1_000, 1_000, 1_100, 1_210])


def test_sizes_follow_from_the_equity_that_exits_of_the_same_open_leave() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 4, "Y": [(50, 50, 50, 50)] * 4})
    weights = np.array([[0.5, 0.0, np.nan, np.nan], [np.nan, 0.5, np.nan, np.nan]])
    found = run_weights(bars, weights, whole(bars), CONTRACT, (100, 0, 0))
    # X: 500 / 1.01 bought for 500 with costs. It leaves for 495.0495 less 1 %: 490.0990, so that
    # 990.0990 is there when Y is sized: half of it, 495.0495, costs included.
    sold = 500 / 1.01
    equity = 500 + sold * 0.99
    bought = equity / 2 / 1.01
    assert found.fills["symbol"].tolist() == [0, 0, 1]
    np.testing.assert_allclose(found.fills["value"], [sold, sold, bought], rtol=1e-12)
    np.testing.assert_allclose(found.result.equity[2:], equity - bought * 0.01, rtol=1e-12)


def test_a_flip_is_sized_after_the_way_out_was_paid() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 3})
    found = run_weights(bars, np.array([[0.5, -0.5, np.nan]]), whole(bars), CONTRACT, (100, 0, 0))
    equity = 500 + 500 / 1.01 * 0.99
    assert found.fills["value"][-1] == pytest.approx(equity / 2 / 1.01, rel=1e-12)
    assert found.result.trades.side.tolist() == [1, -1]


@pytest.mark.parametrize("seed", range(6))
def test_weights_of_a_moving_average_rule_are_the_spec_in_the_reference_loop(seed: int) -> None:
    bars = hard_market(seed)
    windows = np.lib.stride_tricks.sliding_window_view(bars.close, 10, axis=1)
    mean = np.full(bars.close.shape, np.nan)
    mean[:, 9:] = windows.mean(axis=2)  # missing where a bar of the window is
    flags = {"entry": bars.close > mean, "exit": bars.close < mean}
    signals = weights_of_entries(
        {k: pd.DataFrame(v.T, index=bars.sessions, columns=bars.symbols) for k, v in flags.items()}
    )
    weights = np.full(bars.close.shape, np.nan)
    weights[:, np.searchsorted(bars.sessions, signals.sessions)] = signals.weights
    spec = spec_of(
        bars.symbols,
        entry=compare_with("close", ">", "mean"),
        leave=compare_with("close", "<", "mean"),
        features={"mean": {"type": "sma", "inputs": ["close"], "params": {"period": 10}}},
        costs_bps=(10, 20, 30),
    )
    theirs = reference_run(bars, spec, whole(bars), CONTRACT)
    ours = run_weights(bars, weights, whole(bars), CONTRACT, (10, 20, 30)).result
    assert len(ours.trades) > 20
    np.testing.assert_allclose(ours.equity, theirs.equity, rtol=1e-9)


def test_weights_of_the_wrong_shape_size_or_sum_are_refused() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 3})
    for weights in (np.ones((1, 2)), np.full((1, 3), np.inf), np.full((1, 3), 1.5)):
        with pytest.raises(DataInvalid):
            run_weights(bars, weights, whole(bars), CONTRACT)


def test_weights_outside_the_period_are_not_used() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 6})
    inside = Period(bars.sessions[2].item(), bars.sessions[4].item())
    found = run_weights(bars, np.array([[3.0, np.inf, 0.5, 0.5, 0.5, 3.0]]), inside, CONTRACT)
    assert found.result.gross_exposure.max() == pytest.approx(0.5, rel=1e-3)
    over = np.array([[np.nan, np.nan, 0.5, 1.5, 0.5, 9.0]])
    with pytest.raises(DataInvalid, match=f"weights of {bars.sessions[3]} sum to 1.5 gross"):
        run_weights(bars, over, inside, CONTRACT)


def test_the_hash_names_the_signals_and_their_axes() -> None:
    bars = bars_of({"X": [(100, 100, 100, 100)] * 3})
    weights = np.array([[1.0, np.nan, 0.0]])
    assert signals_hash(bars.symbols, bars.sessions, weights) == signals_hash(
        bars.symbols, bars.sessions, weights.copy()
    )
    assert signals_hash(bars.symbols, bars.sessions, weights) != signals_hash(
        bars.symbols, bars.sessions, np.array([[1.0, 0.5, 0.0]])
    )
    assert signals_hash(bars.symbols, bars.sessions, weights) != signals_hash(("Z",), bars.sessions, weights)
