"""Walking bars without events in one go gives the bits of taking every bar through every rule.

The series of a single record are simulated bar by bar, a screen is not: both must meet.
"""

from __future__ import annotations

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars, Period
from quantrail.engine import prepare, screen
from quantrail.testing.engines import bars_of, compare_with, feature, hard_market, random_spec, spec_of

CONTRACT = CalcContract(borrow_rate_annual=0.03)
COSTS = ((0, 0, 0), (1, 2, 3), (25, 5, 40))


def calm_market(n_symbols: int, n_bars: int, seed: int) -> Bars:
    """Random walks without a missing bar."""
    rng = np.random.default_rng(seed)
    rows = {}
    for s in range(n_symbols):
        close = 100 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n_bars)))
        opens = close * np.exp(rng.normal(0.0, 0.01, n_bars))
        high, low = np.maximum(opens, close) * 1.004, np.minimum(opens, close) * 0.996
        rows[f"S{s:02d}"] = list(zip(opens, high, low, close, strict=True))
    return bars_of(rows)


@pytest.mark.parametrize(
    ("market", "n_symbols", "n_bars", "seed"),
    [
        (calm_market, 1, 400, 1),
        (calm_market, 6, 300, 2),
        (calm_market, 64, 90, 3),
        (hard_market, 1, 400, 4),
        (hard_market, 6, 300, 5),
        (hard_market, 65, 90, 6),
    ],
)
def test_quiet_bars_in_one_go_have_the_bits_of_single_steps(
    market: type, n_symbols: int, n_bars: int, seed: int
) -> None:
    bars = market(n_symbols=n_symbols, n_bars=n_bars, seed=seed)
    rng = np.random.default_rng(seed)
    specs = [random_spec(rng, bars.symbols, COSTS[k % 3]) for k in range(60)]
    found = screen(prepare(bars, specs), Period(bars.sessions[30].item(), bars.sessions[-1].item()), CONTRACT)
    assert found.errors == [None] * 60
    assert len(found.trades) > 60
    for k in range(60):
        stepped = found.result(k)
        assert found.equity[k].tobytes() == stepped.equity.tobytes()
        for name, column in found.trades.of(k).items():
            np.testing.assert_array_equal(column, getattr(stepped.trades, name))
        assert found.metrics["avg_exposure"][k] == np.cumsum(stepped.gross_exposure)[-1] / len(stepped.equity)
        assert found.metrics["exposure_max"][k] == stepped.gross_exposure.max()


def test_an_entry_wish_of_a_full_portfolio_takes_the_slot_a_gap_through_the_stop_frees() -> None:
    # A is entered first and is stopped out by the gap of bar 4; B has wanted in all along and takes over.
    steady = (100.0, 101.0, 99.0, 100.0)
    rows = {
        "A": [steady] * 4 + [(80.0, 81.0, 79.0, 80.0)] + [(80.0, 81.0, 79.0, 80.0)] * 3,
        "B": [steady] * 8,
    }
    bars = bars_of(rows)
    name, definition = feature("lag", bars=1)
    spec = spec_of(
        ["A", "B"],
        entry=compare_with("close", ">", 90.0),
        leave=compare_with("close", ">", 1e9),
        features={name: definition},
        hard_stop={"type": "pct", "value": 0.1},
        max_positions=1,
    )
    found = screen(prepare(bars, [spec]), Period(bars.sessions[0].item(), bars.sessions[-1].item()), CONTRACT)
    assert list(zip(found.trades.symbol, found.trades.entry_bar, found.trades.exit_bar, strict=True)) == [
        (0, 1, 4),
        (1, 4, 7),
    ]
