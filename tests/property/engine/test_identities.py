"""What must hold whatever the strategy: monotone costs, symbol order, scale, dead symbols."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.domain.results import ExitReason
from quantrail.engine import VerifyResult, prepare, screen, verify
from quantrail.strategy import NormalSpec
from quantrail.testing.engines import hard_market, random_orders, random_spec, spec_of, with_orders
from quantrail.testing.engines.specs import FALSE, TRUE

CONTRACT = CalcContract()
SEEDS = range(15)
RATIOS = (
    "return_total_net", "cagr_net", "sharpe_net", "sortino_net", "max_drawdown_net", "calmar_net", "skewness",
    "kurtosis", "turnover_annual", "avg_exposure", "hit_rate_trades", "profit_factor", "avg_trade_return_net",
    "var_95", "cvar_95", "ulcer_index",
)  # fmt: skip


def period_of(bars: Bars) -> Period:
    return Period(bars.sessions[30].item(), bars.sessions[-1].item())


def scaled(bars: Bars, factor: float) -> Bars:
    return replace(bars, **{name: getattr(bars, name) * factor for name in BAR_COLUMNS[:4]})


def reordered(bars: Bars, order: list[int]) -> Bars:
    columns = {name: np.ascontiguousarray(getattr(bars, name)[order]) for name in BAR_COLUMNS}
    return replace(bars, symbols=tuple(bars.symbols[k] for k in order), **columns)


@pytest.mark.parametrize("seed", SEEDS)
def test_scaling_prices_and_cash_changes_no_ratio(seed: int) -> None:
    bars = hard_market(seed)
    spec = random_spec(np.random.default_rng(seed), bars.symbols, (1, 2, 3))
    # A power of two, so that scaling itself rounds nothing.
    rich = CalcContract(initial_capital=CONTRACT.initial_capital * 8)
    plain = screen(prepare(bars, [spec]), period_of(bars), CONTRACT)
    large = screen(prepare(scaled(bars, 8.0), [spec]), period_of(bars), rich)
    np.testing.assert_array_equal(large.equity, plain.equity * 8)
    for name in RATIOS:
        np.testing.assert_allclose(large.metrics[name], plain.metrics[name], rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_without_a_part_in_the_universe_change_nothing(seed: int) -> None:
    bars = hard_market(seed)
    names = list(bars.symbols[:3])
    spec = random_spec(np.random.default_rng(seed), names, (1, 2, 3))
    alone = reordered(bars, [0, 1, 2])
    wide = screen(prepare(bars, [spec]), period_of(bars), CONTRACT)
    narrow = screen(prepare(alone, [spec]), period_of(bars), CONTRACT)
    assert wide.result_hash(0) == narrow.result_hash(0)


@pytest.mark.parametrize("seed", SEEDS)
def test_renaming_symbols_changes_nothing_when_nothing_is_scarce(seed: int) -> None:
    bars = hard_market(seed, n_symbols=4)
    # One slot each, no ranking, nobody named: order could only matter through ties and scarcity.
    rng = np.random.default_rng(seed)
    made = random_spec(rng, bars.symbols, (1, 2, 3))
    while "symbol" in repr(made["modules"]["long"]) + repr(made["modules"]["short"]):
        made = random_spec(rng, bars.symbols, (1, 2, 3))
    limits = {**made["portfolio_constraints"], "max_positions": None, "max_position_weight": 0.1}
    modules = {**made["modules"], "selection": None}
    universe = {**made["universe"], "symbols": None, "source": "all"}
    spec = {**made, "portfolio_constraints": limits, "modules": modules, "universe": universe}
    backwards = replace(reordered(bars, [3, 2, 1, 0]), symbols=bars.symbols)
    one = screen(prepare(bars, [spec]), period_of(bars), CONTRACT)  # type: ignore[list-item]
    other = screen(prepare(backwards, [spec]), period_of(bars), CONTRACT)  # type: ignore[list-item]
    np.testing.assert_allclose(other.equity, one.equity, rtol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_dearer_trading_never_makes_a_fixed_schedule_richer(seed: int) -> None:
    bars = hard_market(seed)
    # Entries and exits by the calendar of fills only, so that costs cannot change what is traded when.
    specs = [
        spec_of(holding=4, cooldown=2, max_positions=2, costs_bps=(fee, 2, 3)) for fee in (0, 1, 5, 20, 80)
    ]
    found = screen(prepare(bars, specs), period_of(bars), CONTRACT)
    final = found.equity[:, -1]
    assert (np.diff(final) < 0).all()
    assert (np.diff(found.metrics["fees_total"]) > 0).all()


@pytest.mark.parametrize("ordered", [False, True], ids=["market orders", "other orders"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_bar_of_engine_b_balances_fill_by_fill(seed: int, ordered: bool) -> None:
    bars = hard_market(seed)
    rng = np.random.default_rng(seed)
    spec = random_spec(rng, bars.symbols, (4, 5, 6))
    spec = random_orders(rng, spec) if ordered else spec
    found = verify(bars, spec, period_of(bars), CONTRACT, ModelVersions())
    result, fills = found.result, found.fills
    span = bars.span(period_of(bars))
    close = bars.close[:, span]
    cash, held, at = CONTRACT.initial_capital, np.zeros(len(bars.symbols)), 0
    mark = np.zeros(len(bars.symbols))
    for t in range(len(result.equity)):
        while at < len(fills["bar"]) and fills["bar"][at] == t:
            signed = fills["side"][at] * fills["quantity"][at]
            paid = fills["fees"][at] + fills["spread"][at] + fills["slippage"][at]
            cash -= signed * fills["price"][at] + paid
            held[int(fills["symbol"][at])] += signed
            at += 1
        mark = np.where(np.isnan(close[:, t]), mark, close[:, t])
        assert cash == pytest.approx(result.cash[t], abs=1e-6)
        assert cash + held @ mark == pytest.approx(result.equity[t], abs=1e-6)
    assert at == len(fills["bar"])


@pytest.mark.parametrize("borrow", [0.0, 0.4])
@pytest.mark.parametrize("seed", range(30))
def test_bars_without_events_marked_together_or_one_by_one_give_the_same_bits(
    seed: int, borrow: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = hard_market(seed)
    spec = random_spec(np.random.default_rng(seed), bars.symbols, (1, 2, 3))
    # Without stops there are such bars while something is held.
    calm = {"hard_stop": None, "trailing_stop": None, "take_profit": []}
    spec = {**spec, "risk": {**spec["risk"], "trade_risk": calm}}  # type: ignore[typeddict-item]
    together_and_one_by_one(bars, spec, CalcContract(borrow_rate_annual=borrow), monkeypatch)


def test_ruin_ends_bars_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = hard_market(1, n_symbols=1)
    spec = spec_of(entry=None, short=(TRUE, FALSE), max_gross=2.0, max_weight=2.0)
    # Lending takes a sixth of equity a bar and more, with nothing else going on.
    found = together_and_one_by_one(bars, spec, CalcContract(borrow_rate_annual=15.0), monkeypatch)
    assert (found.result.equity <= 0.0).any()
    assert found.result.trades.exit_reason.tolist() == [ExitReason.PORTFOLIO_RISK]
    assert found.result.trades.bars_held[0] > 5


def together_and_one_by_one(
    bars: Bars, spec: NormalSpec, contract: CalcContract, monkeypatch: pytest.MonkeyPatch
) -> VerifyResult:
    found = []
    for least in (1, 10**9):
        monkeypatch.setattr("quantrail.engine.event_driven.calm._WORTH_IT", least)
        found.append(verify(bars, spec, period_of(bars), contract, ModelVersions()))
    together, alone = found
    assert together.result.result_hash == alone.result.result_hash
    for name in ("equity", "cash", "gross_exposure", "net_exposure", "traded_value", "fees", "borrow"):
        np.testing.assert_array_equal(getattr(together.result, name), getattr(alone.result, name))
    for log in ("decisions", "orders", "fills", "trades"):
        for name, column in getattr(together, log).items():
            np.testing.assert_array_equal(column, getattr(alone, log)[name])
    return together


@pytest.mark.parametrize("kind", ["MKT", "LMT", "STP"])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_bar_fills_more_than_its_share_of_volume(seed: int, kind: str) -> None:
    bars = hard_market(seed)
    base = spec_of(holding=5, max_positions=3, hard_stop={"type": "pct", "value": 0.02})
    order = {"type": kind, "time_in_force": "GTC", "max_adv_participation": 0.001}
    found = verify(bars, with_orders(base, **order), period_of(bars), CONTRACT, ModelVersions())
    start = bars.span(period_of(bars)).start
    taken: dict[tuple[int, int], float] = {}
    for bar, symbol, quantity in zip(
        *(found.fills[k].tolist() for k in ("bar", "symbol", "quantity")), strict=True
    ):
        taken[bar, symbol] = taken.get((bar, symbol), 0.0) + quantity
    assert len(taken) > 50
    for (bar, symbol), quantity in taken.items():
        mean = np.nanmean(bars.volume[symbol, start + bar - 20 : start + bar])
        assert quantity <= 0.001 * mean * (1 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_exposure_stays_within_its_limits_at_every_entry(seed: int) -> None:
    bars = hard_market(seed)
    spec = spec_of(max_gross=1.0, max_positions=3, holding=5, costs_bps=(10, 10, 10))
    result = screen(prepare(bars, [spec]), period_of(bars), CONTRACT).result(0)
    assert (result.cash >= -1e-6).all()
