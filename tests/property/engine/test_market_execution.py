"""Execution with limits, caps, latency, impact, splits and dividends: the books balance, nothing peeks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.engine import CorporateActions, VerifyResult, compare, prepare, screen, verify
from quantrail.testing.engines import hard_market, random_spec, spec_of

CONTRACT = CalcContract(borrow_rate_annual=0.02)
WARMUP = 30


def period_of(bars: Bars) -> Period:
    return Period(bars.sessions[WARMUP].item(), bars.sessions[-1].item())


def random_models(rng: np.random.Generator) -> ModelVersions:
    settings: dict[str, Any] = {
        "order_type": str(rng.choice(["MKT", "LMT", "STP"])),
        "time_in_force": str(rng.choice(["DAY", "GTC"])),
        "latency_bars": int(rng.integers(0, 3)),
        "limit_offset_bps": 20.0,
        "stop_offset_bps": 20.0,
        "impact_coefficient": float(rng.choice([0.0, 0.5])),
        "spread_estimate": str(rng.choice(["model", "high_low"])),
    }
    if rng.random() < 0.5:
        settings["max_adv_participation"] = 0.002
    if rng.random() < 0.3:
        settings["reject_if_spread_bps_gt"] = 80.0
    if rng.random() < 0.3:
        settings["maintenance_margin"] = 0.4
    portfolio = str(rng.choice(["whole_shares_v1", "fractional_v1"]))
    return ModelVersions(execution="market_v1", portfolio=portfolio, settings=tuple(sorted(settings.items())))


def random_actions(rng: np.random.Generator, bars: Bars) -> CorporateActions:
    days = [day.item() for day in bars.sessions]
    return CorporateActions(
        splits={(bars.symbols[0], days[60]): 2.0, (bars.symbols[3], days[90]): 0.5},
        dividends={(bars.symbols[k], days[int(rng.integers(40, 120))]): 0.7 for k in range(4)},
    )


def run(seed: int, bars: Bars) -> VerifyResult:
    rng = np.random.default_rng(seed)
    spec = random_spec(rng, bars.symbols, (4, 5, 6))
    models, actions = random_models(rng), random_actions(rng, bars)
    return verify(bars, spec, period_of(bars), CONTRACT, models, actions)


def test_every_bar_balances_with_splits_dividends_and_lending() -> None:
    fills = 0
    for seed in range(40):
        bars = hard_market(seed)
        found = run(seed, bars)
        balance(found, bars, random_actions_of(seed, bars))
        fills += len(found.fills["bar"])
    assert fills > 500


def random_actions_of(seed: int, bars: Bars) -> CorporateActions:
    rng = np.random.default_rng(seed)
    random_spec(rng, bars.symbols, (4, 5, 6))
    random_models(rng)
    return random_actions(rng, bars)


def balance(found: VerifyResult, bars: Bars, actions: CorporateActions) -> None:
    result, fills = found.result, found.fills
    span = bars.span(period_of(bars))
    close = bars.close[:, span]
    splits, paid = actions.split_table(bars)[:, span], actions.dividend_table(bars)[:, span]
    cash, held, mark, at = (
        CONTRACT.initial_capital,
        np.zeros(len(bars.symbols)),
        np.zeros(len(bars.symbols)),
        0,
    )
    for t in range(len(result.equity)):
        cash += float(held @ paid[:, t])
        held = held * splits[:, t]
        while at < len(fills["bar"]) and fills["bar"][at] == t:
            signed = fills["side"][at] * fills["quantity"][at]
            costs = fills["fees"][at] + fills["spread"][at] + fills["slippage"][at]
            cash -= signed * fills["price"][at] + costs
            held[int(fills["symbol"][at])] += signed
            at += 1
        mark = np.where(np.isnan(close[:, t]), mark, close[:, t])
        cash -= result.borrow[t]
        assert result.borrow[t] == pytest.approx(-(np.minimum(held, 0) @ mark) * 0.02 / 252, abs=1e-6)
        assert cash == pytest.approx(result.cash[t], abs=1e-5)
        assert cash + held @ mark == pytest.approx(result.equity[t], abs=1e-5)
    assert at == len(fills["bar"])
    lent_and_paid = result.borrow.sum()
    earned = result.equity[-1] - result.initial_capital
    assert earned == pytest.approx(result.trades.pnl_net.sum() - lent_and_paid, abs=1e-4)


def test_no_fill_takes_more_than_its_share_of_volume() -> None:
    bars = hard_market(3)
    models = ModelVersions(
        execution="market_v1", portfolio="whole_shares_v1",
        settings=(("max_adv_participation", 0.001), ("time_in_force", "GTC")),
    )  # fmt: skip
    found = verify(bars, spec_of(holding=5), period_of(bars), CalcContract(), models)
    volume = bars.volume
    span = bars.span(period_of(bars))
    taken: dict[tuple[int, int], float] = {}
    for bar, symbol, quantity in zip(
        *(found.fills[k].tolist() for k in ("bar", "symbol", "quantity")), strict=True
    ):
        taken[bar, symbol] = taken.get((bar, symbol), 0.0) + quantity
    assert len(taken) > 50
    for (bar, symbol), quantity in taken.items():
        before = volume[symbol, span.start + bar - 20 : span.start + bar]
        assert quantity <= 0.001 * np.nanmean(before) + 1e-9
        assert quantity == int(quantity)


def test_nothing_after_a_bar_changes_its_past_under_market_execution() -> None:
    cut = 45
    for seed in range(20):
        bars = hard_market(seed)
        changed = {name: getattr(bars, name).copy() for name in BAR_COLUMNS}
        noise = np.random.default_rng(seed).lognormal(0, 1, (len(bars.symbols), 1))
        for column in changed.values():
            column[:, WARMUP + cut + 1 :] *= noise
        one, other = run(seed, bars), run(seed, replace(bars, **changed))
        np.testing.assert_array_equal(one.result.equity[: cut + 1], other.result.equity[: cut + 1])
        for name in ("fills", "decisions"):
            logs = [getattr(found, name) for found in (one, other)]
            kept = [{k: v[log["bar"] <= cut].tolist() for k, v in log.items()} for log in logs]
            assert kept[0] == kept[1]


def test_the_difference_to_engine_a_is_named() -> None:
    bars = hard_market(8)
    spec = spec_of(holding=6, max_positions=3)
    light = screen(prepare(bars, [spec]), period_of(bars), CONTRACT).result(0)
    models = ModelVersions(
        execution="market_v1", portfolio="whole_shares_v1", settings=(("latency_bars", 1),)
    )
    full = verify(bars, spec, period_of(bars), CONTRACT, models).result
    found = compare(light, full)
    assert not found.agree
    assert found.reason in ("TRADE_MISSING", "TRADE_EXTRA")
    assert found.first_difference is not None
    assert found.pnl_effect == full.equity[-1] - light.equity[-1]
    whole = ModelVersions(portfolio="whole_shares_v1")
    near = compare(light, verify(bars, spec, period_of(bars), CONTRACT, whole).result)
    assert near.reason == "QUANTITY"
    assert near.trades_a == near.trades_b > 20


@pytest.mark.parametrize("column", ["mfe", "mae"])
def test_a_difference_of_excursions_alone_is_named(column: str) -> None:
    bars = hard_market(8)
    spec = spec_of(holding=6, max_positions=3)
    one = verify(bars, spec, period_of(bars), CONTRACT, ModelVersions()).result
    moved = getattr(one.trades, column).copy()
    moved[0] += 1e-6
    comparison = compare(one, replace(one, trades=replace(one.trades, **{column: moved})))
    assert (comparison.agree, comparison.reason) == (False, "EXCURSION")
    assert column in str(comparison.first_difference)
    assert compare(one, one).agree
