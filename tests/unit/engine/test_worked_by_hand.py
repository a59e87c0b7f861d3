"""Small cases whose answer fits on a napkin, through both engines."""

from __future__ import annotations

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import ExitReason, SimulationResult
from quantrail.engine import prepare, screen, verify
from quantrail.errors import NotFound, SpecInvalid
from quantrail.strategy import NormalSpec
from quantrail.testing.engines import bars_of, compare_with, spec_of

CONTRACT = CalcContract(initial_capital=1_000.0)


def whole(bars: Bars) -> Period:
    return Period(bars.sessions[0].item(), bars.sessions[-1].item())


def engine_a(bars: Bars, spec: NormalSpec, contract: CalcContract = CONTRACT) -> SimulationResult:
    return screen(prepare(bars, [spec]), whole(bars), contract).result(0)


def engine_b(bars: Bars, spec: NormalSpec, contract: CalcContract = CONTRACT) -> SimulationResult:
    return verify(bars, spec, whole(bars), contract, ModelVersions()).result


both = pytest.mark.parametrize("run", [engine_a, engine_b])
RISING = [(100, 101, 99, 100), (102, 106, 101, 105), (106, 112, 105, 110), (111, 122, 110, 121)]


@both
def test_buy_and_hold_earns_the_price_ratio_less_costs(run) -> None:  # type: ignore[no-untyped-def]
    result = run(bars_of({"X": RISING}), spec_of(["X"], costs_bps=(1, 2, 3)))
    # bought at the second open, 102; 6 bps on top; marked at the last close, 121
    shares = 1_000 / (102 * 1.0006)
    np.testing.assert_allclose(result.equity, [1_000, shares * 105, shares * 110, shares * 121], rtol=1e-12)
    assert result.trades.exit_reason.tolist() == [ExitReason.OPEN]
    assert result.trades.pnl_net[0] == pytest.approx(shares * 121 - 1_000)
    assert result.fees.sum() == pytest.approx(shares * 102 * 1e-4)
    assert result.spread.sum() == pytest.approx(shares * 102 * 2e-4)
    assert result.slippage.sum() == pytest.approx(shares * 102 * 3e-4)


@both
def test_the_first_bar_is_flat(run) -> None:  # type: ignore[no-untyped-def]
    result = run(bars_of({"X": RISING}), spec_of(["X"]))
    assert result.equity[0] == result.cash[0] == 1_000
    assert result.gross_exposure[0] == 0


@both
def test_a_missing_bar_makes_the_order_wait(run) -> None:  # type: ignore[no-untyped-def]
    bars = bars_of({"X": [RISING[0], None, RISING[2], RISING[3]]})
    result = run(bars, spec_of(["X"], costs_bps=(0, 0, 0)))
    assert result.trades.entry_bar.tolist() == [2]
    assert result.trades.entry_price.tolist() == [106]


@both
def test_a_short_keeps_its_proceeds_as_cash(run) -> None:  # type: ignore[no-untyped-def]
    falling = [(100, 100, 100, 100), (100, 101, 89, 90), (90, 90, 80, 80)]
    never = {"node": "FALSE"}
    spec = spec_of(["X"], entry=None, short=({"node": "TRUE"}, never), costs_bps=(0, 0, 0))
    result = run(bars_of({"X": falling}), spec)
    np.testing.assert_allclose(result.cash, [1_000, 2_000, 2_000])
    np.testing.assert_allclose(result.equity, [1_000, 1_100, 1_200])
    assert result.net_exposure[1] == pytest.approx(-900 / 1_100)


@both
def test_lending_shares_costs_the_borrow_rate(run) -> None:  # type: ignore[no-untyped-def]
    contract = CalcContract(initial_capital=1_000.0, borrow_rate_annual=0.252)
    flat = [(100, 100, 100, 100)] * 3
    spec = spec_of(["X"], entry=None, short=({"node": "TRUE"}, {"node": "FALSE"}), costs_bps=(0, 0, 0))
    result = run(bars_of({"X": flat}), spec, contract)
    np.testing.assert_allclose(result.equity, [1_000, 999, 998])
    np.testing.assert_allclose(result.borrow, [0, 1, 1])


@both
def test_a_rank_decides_who_gets_the_only_slot(run) -> None:  # type: ignore[no-untyped-def]
    flat, high = [(10, 10, 10, 10)] * 3, [(20, 20, 20, 20)] * 3
    chosen = {"feature": "close", "top_n": 2, "order": "desc"}
    result = run(bars_of({"A": flat, "B": high}), spec_of(selection=chosen, max_positions=1))
    assert result.trades.symbol.tolist() == [1]


@both
def test_equal_ranks_go_to_the_first_name(run) -> None:  # type: ignore[no-untyped-def]
    flat = [(10, 10, 10, 10)] * 3
    chosen = {"feature": "close", "top_n": 1, "order": "desc"}
    result = run(bars_of({"A": flat, "B": flat}), spec_of(selection=chosen))
    assert result.trades.symbol.tolist() == [0]


@both
def test_missing_data_blocks_and_is_counted(run) -> None:  # type: ignore[no-untyped-def]
    bars = bars_of({"X": RISING})
    result = run(bars, spec_of(["X"], entry=compare_with("close", ">", 0.0, lag=2)))
    assert result.blocked_bars == 2
    assert result.entry_signals == 2
    negated = {"node": "NOT", "child": compare_with("close", "<", 0.0, lag=2)}
    assert run(bars, spec_of(["X"], entry=negated)).blocked_bars == 2


@both
def test_treating_missing_data_as_true_lets_it_buy(run) -> None:  # type: ignore[no-untyped-def]
    bars = bars_of({"X": RISING})
    entry = compare_with("close", ">", 0.0, lag=2)
    assert run(bars, spec_of(["X"], entry=entry, nan_policy="TREAT_AS_TRUE")).entry_signals == 4
    assert run(bars, spec_of(["X"], entry=entry, nan_policy="TREAT_AS_FALSE")).entry_signals == 2


def test_missing_data_under_the_error_policy_fails_the_strategy_alone() -> None:
    bars = bars_of({"X": RISING})
    bad = spec_of(["X"], entry=compare_with("close", ">", 0.0, lag=2), nan_policy="ERROR")
    found = screen(prepare(bars, [bad, spec_of(["X"])]), whole(bars), CONTRACT)
    assert isinstance(found.errors[0], SpecInvalid)
    assert found.errors[1] is None
    assert np.isnan(found.metrics["sharpe_net"][0])
    assert np.isnan(found.equity[0]).all()
    assert found.metrics["return_total_net"][1] > 0
    with pytest.raises(SpecInvalid, match="2020-01-01"):
        found.result(0)
    with pytest.raises(SpecInvalid, match="2020-01-01"):
        engine_b(bars, bad)


def test_an_unknown_symbol_is_an_error_of_that_strategy_only() -> None:
    bars = bars_of({"X": RISING})
    batch = prepare(bars, [spec_of(["NOPE"]), spec_of(["X"])])
    assert isinstance(batch.errors[0], NotFound)
    assert batch.errors[1] is None
    assert batch.entry_counts(whole(bars)).tolist() == [0, 4]


def test_only_picks_rows_and_keeps_their_figures() -> None:
    bars = bars_of({"X": RISING})
    specs = [spec_of(["X"], costs_bps=(k, 0, 0)) for k in range(5)]
    batch = prepare(bars, specs)
    everything = screen(batch, whole(bars), CONTRACT)
    some = screen(batch, whole(bars), CONTRACT, only=[3, 1])
    assert [some.result_hash(k) for k in range(2)] == [everything.result_hash(3), everything.result_hash(1)]


def test_the_same_batch_gives_the_same_bits() -> None:
    bars = bars_of({"X": RISING})
    first, second = (screen(prepare(bars, [spec_of(["X"])]), whole(bars), CONTRACT) for _ in range(2))
    assert first.result_hash(0) == second.result_hash(0) == first.result(0).result_hash
    dearer = screen(prepare(bars, [spec_of(["X"], costs_bps=(1, 2, 4))]), whole(bars), CONTRACT)
    assert dearer.result_hash(0) != first.result_hash(0)


def test_a_contract_can_leave_costs_out() -> None:
    free = CalcContract(
        initial_capital=1_000.0, include_fees=False, include_spread=False, include_slippage=False
    )
    for run in (engine_a, engine_b):
        result = run(bars_of({"X": RISING}), spec_of(["X"]), free)
        assert result.equity[-1] == pytest.approx(1_000 / 102 * 121)


@both
def test_excursions_count_from_the_mean_entry_price(run) -> None:  # type: ignore[no-untyped-def]
    flat = [(100, 100, 100, 100)] * 4
    bars = bars_of({"A": [*flat, (110, 111, 50, 100)], "B": [*flat[:3], *[(300, 300, 300, 300)] * 2]})
    spec = spec_of(
        ["A", "B"], rebalance="weekly", hard_stop={"type": "pct", "value": 0.3}, costs_bps=(0, 0, 0)
    )
    trades = run(bars, spec).trades
    # Five of each at 100. The week's first close asks for equal weights: at 110 A stands at 550, B at 1 500,
    # 475 more of A make its mean price 975 / (5 + 475 / 110). The same bar stops it out at 70.
    mean = 975 / (5 + 475 / 110)
    a = trades.symbol.tolist().index(0)
    assert trades.entry_price[a] == pytest.approx(mean)
    assert trades.mfe[a] == 0.0
    assert trades.mae[a] == pytest.approx(70 / mean - 1)
