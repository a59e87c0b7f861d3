"""Batches larger than a chunk, many trades, shared work, unchanged inputs."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.engine import prepare, screen
from quantrail.errors import DataInvalid, NotFound, Unsupported
from quantrail.strategy import NormalSpec
from quantrail.testing.engines import compare_with, feature, hard_market, random_orders, random_spec, spec_of

CONTRACT = CalcContract()


def period_of(bars: Bars) -> Period:
    return Period(bars.sessions[30].item(), bars.sessions[-1].item())


def crossing(fast: int, slow: int) -> NormalSpec:
    (a, a_def), (b, b_def) = feature("sma", period=fast), feature("sma", period=slow)
    entry, leave = compare_with(a, ">", b), compare_with(a, "<", b)
    return spec_of(entry=entry, leave=leave, features={a: a_def, b: b_def})


def test_a_strategy_has_the_same_bits_alone_and_in_any_batch() -> None:
    bars = hard_market(1)
    rng = np.random.default_rng(1)
    specs = [random_spec(rng, bars.symbols, (1, 2, 3)) for _ in range(300)]
    together = screen(prepare(bars, specs), period_of(bars), CONTRACT)
    turned = screen(prepare(bars, specs[::-1]), period_of(bars), CONTRACT)
    assert together.errors == [None] * 300
    for k in (0, 7, 127, 128, 255, 299):
        alone = screen(prepare(bars, [specs[k]]), period_of(bars), CONTRACT)
        assert alone.result_hash(0) == together.result_hash(k) == turned.result_hash(299 - k)
        assert together.result(k).result_hash == together.result_hash(k)
        np.testing.assert_array_equal(together.result(k).equity, together.equity[k])


def test_strategies_with_and_without_orders_keep_their_bits_and_rows_in_one_batch() -> None:
    bars = hard_market(1)
    rng = np.random.default_rng(1)
    plain = [random_spec(rng, bars.symbols, (1, 2, 3)) for _ in range(150)]
    specs = [random_orders(rng, spec) if k % 3 else spec for k, spec in enumerate(plain)]
    together = screen(prepare(bars, specs), period_of(bars), CONTRACT)
    assert together.errors == [None] * 150
    for k in (0, 1, 2, 3, 74, 75, 147, 148, 149):
        alone = screen(prepare(bars, [specs[k]]), period_of(bars), CONTRACT)
        assert alone.result_hash(0) == together.result_hash(k) == together.result(k).result_hash
    same = screen(prepare(bars, plain), period_of(bars), CONTRACT)
    for k in range(0, 150, 3):
        assert same.result_hash(k) == together.result_hash(k)


def test_trades_beyond_the_first_reservation_are_all_kept() -> None:
    bars = hard_market(2, n_symbols=12, n_bars=700)
    # In and out of every symbol all the time: far more trades than a batch reserves at first.
    spec = spec_of(holding=1)
    one = screen(prepare(bars, [spec]), period_of(bars), CONTRACT)
    assert len(one.trades) > 2_000
    many = screen(prepare(bars, [spec] * 5), period_of(bars), CONTRACT)
    assert np.diff(many.trades.offsets).tolist() == [len(one.trades)] * 5
    assert {many.result_hash(k) for k in range(5)} == {one.result_hash(0)}


def test_a_comparison_shared_by_strategies_is_computed_once() -> None:
    bars = hard_market(3)
    same = prepare(bars, [crossing(3, 9)] * 50)
    assert same.comparisons == 2
    assert prepare(bars, [crossing(3, 9), crossing(3, 8), crossing(4, 9)]).comparisons == 6


def test_bars_are_never_written_to() -> None:
    bars = hard_market(4)
    before = {name: getattr(bars, name).copy() for name in BAR_COLUMNS}
    rng = np.random.default_rng(4)
    found = screen(
        prepare(bars, [random_spec(rng, bars.symbols, (1, 2, 3)) for _ in range(20)]),
        period_of(bars),
        CONTRACT,
    )
    found.result(3)
    for name, column in before.items():
        np.testing.assert_array_equal(getattr(bars, name), column)


def test_scratch_memory_does_not_grow_with_the_number_of_strategies() -> None:
    bars = hard_market(5, n_symbols=8, n_bars=400)
    specs = [crossing(fast, slow) for fast in range(2, 22) for slow in range(25, 65)]

    def scratch(count: int) -> float:
        batch = prepare(bars, specs[:count])
        screen(batch, period_of(bars), CONTRACT)
        tracemalloc.start()
        found = screen(batch, period_of(bars), CONTRACT)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(found) == count
        return peak - kept

    few, many = scratch(128), scratch(800)
    # What grows is the answer itself; joining it takes one more copy of one column of trades.
    assert many < few + 1e6


def test_an_empty_batch_and_an_empty_choice_are_answered() -> None:
    bars = hard_market(6)
    nothing = screen(prepare(bars, []), period_of(bars), CONTRACT)
    assert len(nothing) == 0
    assert nothing.metrics["sharpe_net"].shape == (0,)
    assert len(screen(prepare(bars, [crossing(3, 9)]), period_of(bars), CONTRACT, only=[])) == 0


def test_a_batch_of_errors_only_is_answered_with_errors() -> None:
    bars = hard_market(6)
    found = screen(prepare(bars, [spec_of(["NOPE"]), spec_of(["NOR THIS"])]), period_of(bars), CONTRACT)
    assert all(isinstance(error, NotFound) for error in found.errors)
    assert np.isnan(found.metrics["return_total_net"]).all()


def test_what_an_engine_cannot_run_is_an_error_of_the_strategy() -> None:
    bars = hard_market(6)
    odd = spec_of(features={"x": {"type": "astrology", "inputs": ["close"], "params": {}}})
    odd["modules"]["long"]["entry"] = compare_with("x", ">", 0.0)  # type: ignore[index]
    batch = prepare(bars, [odd])
    assert isinstance(batch.errors[0], Unsupported)


def test_a_benchmark_without_a_close_at_the_start_is_refused() -> None:
    bars = hard_market(6)
    with pytest.raises(DataInvalid, match="no close at the start"):
        screen(prepare(bars, [crossing(3, 9)]), period_of(bars), CalcContract(benchmark="S01"))
    with pytest.raises(NotFound):
        screen(prepare(bars, [crossing(3, 9)]), period_of(bars), CalcContract(benchmark="SPY"))


def test_a_period_without_bars_is_refused() -> None:
    bars = hard_market(6)
    day = bars.sessions[-1].item().replace(year=2035)
    with pytest.raises(DataInvalid, match="no bars between"):
        screen(prepare(bars, [crossing(3, 9)]), Period(day, day), CONTRACT)


def test_leaving_out_the_tails_leaves_out_nothing_else() -> None:
    bars = hard_market(6)
    batch = prepare(bars, [crossing(3, 9)])
    whole = screen(batch, period_of(bars), CONTRACT)
    lean = screen(batch, period_of(bars), CONTRACT, with_tails=False)
    assert set(whole.metrics) - set(lean.metrics) == {"tail_loss_p95", "tail_gain_p95", "var_95", "cvar_95"}
    assert lean.result_hash(0) == whole.result_hash(0)
    for name, column in lean.metrics.items():
        np.testing.assert_array_equal(column, whole.metrics[name])


def test_warming_up_leaves_nothing_to_compile_for_market_orders() -> None:
    # In a process of its own: here everything may be compiled already.
    code = """
import numpy as np
from quantrail.analysis.metrics import load_kernels
from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Period
from quantrail.engine import prepare, screen, warm_up
from quantrail.testing.engines import hard_market, random_spec

def compiled():
    found = {}
    for name in ("engine.kernels.simulate", "engine.kernels.bits", "analysis.metrics.kernels.curve"):
        for key, value in vars(load_kernels("quantrail." + name)).items():
            found[name, key] = len(getattr(value, "signatures", ()))
    return found

warm_up()
before = compiled()
bars = hard_market(1)
period = Period(bars.sessions[30].item(), bars.sessions[-1].item())
rng = np.random.default_rng(1)
specs = [random_spec(rng, bars.symbols, (1, 2, 3)) for k in range(20)]
screen(prepare(bars, specs), period, CalcContract()).result(0)
print([key for key, count in compiled().items() if count != before[key]])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
