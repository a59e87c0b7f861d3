"""Engines beside a bare compiled loop and plain numpy, in CPU seconds of one process.

    python bench/engine.py [--quick] [--sizes 100,400,1600] [--json]

Every figure is the best of several runs. The yardsticks do less: they keep no trades, no costs by
kind and no metrics.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
from numba import njit

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import Bars, Period
from quantrail.engine import prepare, screen, verify
from quantrail.strategy import NormalSpec
from quantrail.testing.engines import bars_of, compare_with, feature, spec_of

CONTRACT = CalcContract()
Figures = dict[str, dict[str, Any]]


def walk(n_symbols: int, n_bars: int, seed: int = 1) -> Bars:
    """Random walks without missing bars."""
    rng = np.random.default_rng(seed)
    rows = {}
    for s in range(n_symbols):
        close = 100 * np.exp(np.cumsum(rng.normal(0.0003, 0.012, n_bars)))
        opens = close * np.exp(rng.normal(0, 0.004, n_bars))
        high, low = np.maximum(opens, close) * 1.004, np.minimum(opens, close) * 0.996
        rows[f"S{s:03d}"] = list(zip(opens, high, low, close, np.full(n_bars, 1e6), strict=True))
    return bars_of(rows, start="2010-01-04")


def pairs(count: int) -> list[tuple[int, int]]:
    """Distinct (fast, slow) windows."""
    grid = ((fast, slow) for fast in range(5, 65, 2) for slow in range(fast + 10, 250, 3))
    found = list(islice(grid, count))
    if len(found) < count:
        raise SystemExit(f"the grid holds {len(found)} pairs, {count} were asked for")
    return found


def crossing(fast: int, slow: int, **extra: Any) -> NormalSpec:
    """Long while the fast mean is above the slow one."""
    (a, fast_def), (b, slow_def) = feature("sma", period=fast), feature("sma", period=slow)
    return spec_of(
        entry=compare_with(a, ">", b),
        leave=compare_with(a, "<", b),
        features={a: fast_def, b: slow_def},
        **extra,
    )


def cpu(work: Callable[[], Any], repeats: int = 5) -> float:
    """Best CPU seconds of ``repeats`` runs."""
    best = math.inf
    for _ in range(repeats):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


@njit(cache=False)
def bare_loop(opens, close, fast, slow, fee, equity):  # type: ignore[no-untyped-def]
    """Next-open fills with fees: the least any engine must do."""
    cash, shares, want = 100_000.0, 0.0, False
    for t in range(len(close)):
        if want and shares == 0.0:
            shares = cash / (opens[t] * (1.0 + fee))
            cash = 0.0
        elif not want and shares > 0.0:
            cash = shares * opens[t] * (1.0 - fee)
            shares = 0.0
        equity[t] = cash + shares * close[t]
        want = fast[t] > slow[t]


def numpy_run(opens: Any, close: Any, fast: Any, slow: Any, fee: float) -> Any:
    """The same in whole-array numpy: holdings as a mask, costs where it changes."""
    held = np.concatenate(([0.0, 0.0], (fast > slow)[1:-1].astype(float)))
    before = np.concatenate(([0.0], held[:-1]))
    overnight = opens[1:] / close[:-1]
    during = close[1:] / opens[1:]
    growth = (1 + before[1:] * (overnight - 1)) * (1 + held[1:] * (during - 1))
    return 100_000.0 * np.cumprod(growth * (1 - fee * np.abs(held - before)[1:]))


def period_of(bars: Bars) -> Period:
    return Period(bars.sessions[0].item(), bars.sessions[-1].item())


def sma_grid(count: int, n_bars: int) -> Figures:
    bars = walk(1, n_bars)
    period = period_of(bars)
    specs = [crossing(f, s, costs_bps=(6, 0, 0)) for f, s in pairs(count)]
    opens, close = bars.open[0].copy(), bars.close[0].copy()
    means = {n: np.convolve(close, np.ones(n) / n)[:n_bars] for pair in pairs(count) for n in pair}
    equity = np.empty(n_bars)

    def bare() -> None:
        for f, s in pairs(count):
            bare_loop(opens, close, means[f], means[s], 6e-4, equity)

    def plain() -> None:
        for f, s in pairs(count):
            numpy_run(opens, close, means[f], means[s], 6e-4)

    batch = prepare(bars, specs)
    bare()
    screen(batch, period, CONTRACT)
    yard, array = cpu(bare), cpu(plain)
    size = f"{n_bars} bars, {count} pairs"
    times = {
        "A SMA grid, simulate + MVP metrics": cpu(lambda: screen(batch, period, CONTRACT, with_tails=False)),
        "A SMA grid, simulate + all metrics": cpu(lambda: screen(batch, period, CONTRACT)),
        "A SMA grid, signals + simulate + MVP metrics": cpu(
            lambda: screen(prepare(bars, specs), period, CONTRACT, with_tails=False), 3
        ),
    }
    figures = {
        name: figure(spent / count * 1e3, yard / count * 1e3, "ms/backtest", size)
        for name, spent in times.items()
    }
    first = next(iter(times.values()))
    figures["A SMA grid beside plain numpy"] = figure(
        first / count * 1e3, array / count * 1e3, "ms/backtest", size
    )
    return figures


def portfolio(count: int, n_symbols: int, n_bars: int) -> Figures:
    bars = walk(n_symbols, n_bars)
    period = period_of(bars)
    stop = {"type": "pct", "value": 0.08}
    specs = [
        crossing(f, s, hard_stop=stop, max_positions=10, max_weight=0.2, holding=60) for f, s in pairs(count)
    ]
    batch = prepare(bars, specs)
    screen(batch, period, CONTRACT)
    cells = n_symbols * n_bars * count / 1e6
    spent = cpu(lambda: screen(batch, period, CONTRACT, with_tails=False))
    everything = cpu(lambda: screen(batch, period, CONTRACT))
    signals = cpu(lambda: prepare(bars, specs), 3)
    bandwidth = cpu(lambda: [bars.close.sum() for _ in range(count)])
    size = f"{n_symbols} symbols x {n_bars} bars, {count} strategies"
    unit = "M symbol-bars/CPU s"
    return {
        "A portfolio, simulate + MVP metrics": figure(cells / spent, cells / bandwidth, unit, size),
        "A portfolio, simulate + all metrics": figure(cells / everything, cells / bandwidth, unit, size),
        "A portfolio, signals": figure(cells / signals, cells / bandwidth, unit, size),
    }


def event_engine() -> Figures:
    one, many = walk(1, 2520), walk(30, 1259)
    spec = crossing(20, 100)
    models = ModelVersions()
    verify(one, spec, period_of(one), CONTRACT, models)
    single = cpu(lambda: verify(one, spec, period_of(one), CONTRACT, models), 3)
    wide = cpu(lambda: verify(many, spec, period_of(many), CONTRACT, models), 3)
    batch = prepare(one, [spec])
    screen(batch, period_of(one), CONTRACT)
    compiled = cpu(lambda: screen(batch, period_of(one), CONTRACT))
    batch_wide = prepare(many, [spec])
    compiled_wide = cpu(lambda: screen(batch_wide, period_of(many), CONTRACT))
    return {
        "B one symbol, full logs": figure(
            single * 1e3, compiled * 1e3, "ms/run", "2520 bars; beside engine A"
        ),
        "B portfolio, full logs": figure(
            30 * 1259 / wide / 1e3, 30 * 1259 / compiled_wide / 1e3, "k symbol-bars/CPU s",
            "30 symbols x 1259 bars; beside engine A",
        ),
    }  # fmt: skip


_FIRST_CALL = """
import time, numba
from bench_engine import CONTRACT, crossing, period_of, prepare, screen, walk
bars = walk(2, 300)
begin = time.process_time()
screen(prepare(bars, [crossing(5, 20)]), period_of(bars), CONTRACT)
print(time.process_time() - begin)
"""


def first_call() -> Figures:
    """CPU seconds of the first screen in a fresh process, kernel cache warm."""
    code = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('bench_engine', {__file__!r});"
        "module = importlib.util.module_from_spec(spec); sys.modules['bench_engine'] = module;"
        "spec.loader.exec_module(module);"
        f"exec({_FIRST_CALL!r})"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
        for _ in range(2)
    ]
    return {"A first call, kernel cache warm": figure(min(seconds), None, "CPU s", "after imports")}


def scaling(sizes: list[int]) -> Figures:
    """Exponents: cost against the number of strategies, bars and symbols."""

    def exponent(counts: list[int], spend: Callable[[int], float]) -> float:
        times = [spend(n) for n in counts]
        return float(np.polyfit(np.log(counts), np.log(times), 1)[0])

    def screened(count: int, n_symbols: int, n_bars: int) -> float:
        bars = walk(n_symbols, n_bars)
        batch = prepare(bars, [crossing(f, s, max_positions=10) for f, s in pairs(count)])
        screen(batch, period_of(bars), CONTRACT)
        return cpu(lambda: screen(batch, period_of(bars), CONTRACT), 3)

    some = sizes[0]
    return {
        "A exponent over strategies": figure(
            exponent(sizes, lambda n: screened(n, 8, 600)), 1.0, "exponent", str(sizes)
        ),
        "A exponent over bars": figure(
            exponent([500, 1000, 2000], lambda n: screened(some, 8, n)), 1.0, "exponent", "500, 1000, 2000"
        ),
        "A exponent over symbols": figure(
            exponent([15, 30, 60], lambda n: screened(some, n, 600)), 1.0, "exponent", "15, 30, 60"
        ),
    }


def memory(sizes: list[int]) -> Figures:
    """Memory a screen needs on its way beside what it returns, per number of strategies."""
    bars = walk(8, 600)
    scratch, results = [], []
    for count in (sizes[0], sizes[-1]):
        batch = prepare(bars, [crossing(f, s, max_positions=3) for f, s in pairs(count)])
        screen(batch, period_of(bars), CONTRACT)
        tracemalloc.start()
        found = screen(batch, period_of(bars), CONTRACT)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        scratch.append((peak - kept) / 2**20)
        results.append(kept / 2**20)
        del found
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    size = f"{sizes[-1]} strategies; beside {sizes[0]}"
    return {
        "A scratch memory of a screen": figure(scratch[1], scratch[0], "MiB", size),
        "A what the screen returns": figure(results[1], results[0], "MiB", size),
        "peak memory of this whole benchmark": figure(whole, None, "MiB", "process"),
    }


def figure(ours: float, yardstick: float | None, unit: str, size: str) -> dict[str, Any]:
    ratio = None if not yardstick else ours / yardstick
    return {"ours": ours, "yardstick": yardstick, "ratio": ratio, "unit": unit, "size": size}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="100,400,1600", help="numbers of strategies, three of them")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sizes = [50, 100, 200] if asked.quick else [int(n) for n in asked.sizes.split(",")]
    count = 100 if asked.quick else 400
    figures = sma_grid(count, 2520) | portfolio(count, 30, 1259) | event_engine()
    figures |= first_call() | scaling(sizes) | memory(sizes)
    width = max(map(len, figures))
    for name, row in figures.items():
        yard = "" if row["yardstick"] is None else f"{row['yardstick']:12.4g}"
        print(f"{name:<{width}} {row['ours']:12.4g} {yard:>12} {row['unit']:<20} {row['size']}")
    if asked.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
