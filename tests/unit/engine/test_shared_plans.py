"""Strategies of one batch share plans and room for trades; each has the results it has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars, Period
from quantrail.engine import prepare, screen
from quantrail.engine.screening.trade_columns import ROOM
from quantrail.strategy import NormalSpec
from quantrail.testing.engines import bars_of, compare_with, feature, hard_market, spec_of

CONTRACT = CalcContract()
# One change each to everything a plan is made of besides the signals.
CHANGES: list[dict[str, Any]] = [
    {"cooldown": 4},
    {"holding": 6},
    {"hard_stop": {"type": "pct", "value": 0.02}},
    {"hard_stop": {"type": "atr", "value": 1.0, "period": 7}},
    {"trailing_stop": {"type": "pct", "value": 0.03}},
    {"trailing_stop": {"type": "atr", "value": 1.0, "period": 9}},
    {"take_profit": [{"type": "pct", "value": 0.02, "fraction": 0.5}]},
    {"daily_loss": 0.02},
    {"drawdown": 0.03},
    {"max_positions": 2},
    {"max_weight": 0.1},
    {"max_gross": 0.4},
    {"sizing": {"type": "fixed_fraction", "fraction": 0.11}},
    {"sizing": {"type": "inverse_vol"}},
    {"rebalance": "weekly"},
    {"costs_bps": (30, 2, 3)},
    {"costs_bps": (1, 40, 3)},
    {"costs_bps": (1, 2, 50)},
    {"order": {"type": "LMT"}},
    {"symbols": ["S00", "S01", "S02"]},
]


def period_of(bars: Bars) -> Period:
    return Period(bars.sessions[30].item(), bars.sessions[-1].item())


def crossing(fast: int, slow: int, **extra: Any) -> NormalSpec:
    (a, fast_def), (b, slow_def) = feature("sma", period=fast), feature("sma", period=slow)
    return spec_of(
        extra.pop("symbols", None),
        entry=compare_with(a, ">", b),
        leave=compare_with(a, "<", b),
        features={a: fast_def, b: slow_def},
        **extra,
    )


def everything(found: Any, k: int) -> list[bytes]:
    parts = [found.equity[k], *found.trades.of(k).values(), *(column[k] for column in found.metrics.values())]
    return [np.asarray(part).tobytes() for part in parts]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_strategy_that_differs_from_its_neighbours_in_one_rule_keeps_it(change: dict[str, Any]) -> None:
    bars = hard_market(3, n_symbols=6, n_bars=250)
    specs = [crossing(3, 12), crossing(3, 12, **change), crossing(3, 12), crossing(4, 15)]
    together = screen(prepare(bars, specs), period_of(bars), CONTRACT)
    alone = [screen(prepare(bars, [spec]), period_of(bars), CONTRACT) for spec in specs]
    for k, single in enumerate(alone):
        assert everything(together, k) == everything(single, 0)
    assert everything(together, 0) == everything(together, 2)
    assert everything(together, 0) != everything(together, 1)


def zigzag(n_symbols: int, n_bars: int) -> Bars:
    """Prices that go up and down every other bar, so that each symbol trades every other bar."""
    price = 100.0 + np.arange(n_bars) % 2
    rows = {f"S{s:02d}": list(zip(price, price + 1, price - 1, price, strict=True)) for s in range(n_symbols)}
    return bars_of(rows)


def test_strategies_with_more_trades_than_the_room_holds_have_them_all_in_order() -> None:
    bars = zigzag(20, 400)
    name, definition = feature("lag", bars=1)

    def often(threshold: float) -> NormalSpec:
        return spec_of(
            entry=compare_with("close", ">", threshold),
            leave=compare_with("close", "<", 100.5),
            features={name: definition},
        )

    few, many = often(200.0), often(100.5)
    specs = [few, few, many, few, many, many, few]
    found = screen(prepare(bars, specs), period_of(bars), CONTRACT)
    counts = np.diff(found.trades.offsets)
    assert counts[2] > ROOM
    assert counts.tolist() == [0, 0, counts[2], 0, counts[2], counts[2], 0]
    assert len(found.trades) == found.trades.offsets[-1]
    single = screen(prepare(bars, [many]), period_of(bars), CONTRACT)
    for k in (2, 4, 5):
        assert everything(found, k) == everything(single, 0)
