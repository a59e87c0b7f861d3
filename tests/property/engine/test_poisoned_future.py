"""Nothing after T may change anything up to T: every feature type, every module, both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.engine import prepare, screen, verify
from quantrail.strategy import FEATURE_TYPES, TEMPLATES, NormalSpec, canonicalise
from quantrail.testing.engines import (
    compare_with,
    feature,
    hard_market,
    random_orders,
    random_spec,
    spec_of,
    with_made_up_records,
    with_orders,
)

CONTRACT = CalcContract()
WARMUP = 30


def poisoned(bars: Bars, after: int, seed: int) -> Bars:
    """The same bars up to ``after``; beyond it other prices, absurd prices, or none."""
    rng = np.random.default_rng(seed)
    columns = {name: getattr(bars, name).copy() for name in BAR_COLUMNS}
    tail = (len(bars.symbols), len(bars.sessions) - after - 1)
    factor = np.exp(rng.normal(0, 2, tail))
    gone = rng.random(tail) < (0.3 if seed % 2 else 0.0)
    for column in columns.values():
        column[:, after + 1 :] = np.where(
            gone, np.nan, np.nan_to_num(column[:, after + 1 :], nan=7.0) * factor
        )
    records = {name: _other_tail(values, after, rng) for name, values in bars.records.items()}
    return replace(bars, **columns, records=records)


def _other_tail(values: Any, after: int, rng: np.random.Generator) -> Any:
    out = np.array(values)
    out[..., after + 1 :] = rng.uniform(-9, 9, out[..., after + 1 :].shape)
    return out


def past_of(bars: Bars, spec: NormalSpec, last: int) -> dict[str, Any]:
    """Everything both engines and the signals say up to bar ``last`` of the period."""
    period = Period(bars.sessions[WARMUP].item(), bars.sessions[-1].item())
    upto = Period(bars.sessions[WARMUP].item(), bars.sessions[WARMUP + last].item())
    batch = prepare(bars, [spec])
    assert batch.errors == [None]
    found: dict[str, Any] = {
        "entries": batch.entry_counts(upto).tolist(),
        "blocked": batch.blocked_counts(upto).tolist(),
    }
    event = verify(bars, spec, period, CONTRACT, ModelVersions())
    for name, result in (("A", screen(batch, period, CONTRACT).result(0)), ("B", event.result)):
        found[f"{name} equity"] = result.equity[: last + 1].tolist()
        found[f"{name} cash"] = result.cash[: last + 1].tolist()
        done = (result.trades.exit_bar <= last) & ~result.trades.is_open
        found[f"{name} trades"] = {k: v[done].tolist() for k, v in result.trades.columns().items()}
    logs = (
        ("decisions", "bar", event.decisions),
        ("fills", "bar", event.fills),
        ("orders", "closed_bar", event.orders),
    )
    for name, when, log in logs:
        kept = log[when] <= last
        # As text: a quantity that is not asked for is NaN, which equals nothing.
        found[name] = {k: [str(value) for value in v[kept]] for k, v in log.items()}
    return found


def assert_blind(bars: Bars, spec: NormalSpec, cuts: tuple[int, ...]) -> int:
    """Returns the trades closed before the last cut, so that a test can ask for some."""
    known = {}
    for cut in cuts:
        known = past_of(bars, spec, cut)
        for seed in (1, 2):
            assert past_of(poisoned(bars, WARMUP + cut, seed), spec, cut) == known
    return len(known["A trades"]["symbol"])


def with_short_windows(name: str) -> tuple[str, dict[str, Any]]:
    kind = FEATURE_TYPES[name]
    inputs = kind.inputs or ("close", "volume")[: kind.arity]
    shorter = {"fast_period": 3, "slow_period": 6, "num_std": 1.5}
    params: dict[str, Any] = {p.name: shorter.get(p.name, max(int(p.low), 5)) for p in kind.params}
    params |= dict.fromkeys(kind.texts, "CPI")
    return feature(name, inputs, **params)


@pytest.mark.parametrize("name", sorted(FEATURE_TYPES))
def test_no_feature_sees_the_future(name: str) -> None:
    bars = hard_market(11, n_symbols=4, n_bars=110)
    content, definition = with_short_windows(name)
    bars = with_made_up_records(bars, {content: definition})
    up = compare_with(content, ">", content, lag=1)
    down = {"node": "NOT", "child": compare_with(content, ">", content, lag=2)}
    spec = spec_of(entry=up, leave=down, features={content: definition}, max_positions=3)
    assert assert_blind(bars, spec, (20, 55)) > 0


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_no_shipped_template_sees_the_future(template: str) -> None:
    bars = hard_market(5, n_symbols=5, n_bars=420)
    shipped = TEMPLATES[template]
    document = shipped.build({p.name: p.default for p in shipped.parameters}, list(bars.symbols))
    assert_blind(bars, canonicalise(document).spec, (350,))


@pytest.mark.parametrize("seed", range(25))
def test_no_module_sees_the_future(seed: int) -> None:
    bars = hard_market(seed, n_bars=110)
    spec = random_spec(np.random.default_rng(seed), bars.symbols, (1, 2, 3))
    assert_blind(bars, spec, (10, 45))


@pytest.mark.parametrize("seed", range(25))
def test_no_kind_of_order_sees_the_future(seed: int) -> None:
    bars = hard_market(seed, n_bars=110)
    rng = np.random.default_rng(seed)
    spec = random_orders(rng, random_spec(rng, bars.symbols, (1, 2, 3)))
    assert_blind(bars, spec, (10, 45))


@pytest.mark.parametrize("kind", ["MKT", "LMT", "STP"])
@pytest.mark.parametrize("lasting", ["DAY", "GTC"])
def test_no_order_waiting_for_price_or_volume_sees_the_future(kind: str, lasting: str) -> None:
    bars = hard_market(4, n_bars=110)
    spec = with_orders(
        spec_of(entry=compare_with("close", ">", "close", lag=1), holding=3, costs_bps=(1, 2, 3)),
        halt_after=50, type=kind, time_in_force=lasting, max_adv_participation=0.001,
        reject_if_spread_bps_gt=20.0,
    )  # fmt: skip
    assert assert_blind(bars, spec, (20, 55)) > 0


def test_the_regime_of_a_benchmark_symbol_sees_no_future() -> None:
    bars = hard_market(2, n_bars=110)
    regime = {
        "source": "symbol", "symbol": "S03", "mean_period": 8, "vol_period": 4, "vol_window": 15,
        "vol_percentile": 80,
    }  # fmt: skip
    risk_on = {"node": "CMP", "left": {"ref": "regime_state"}, "op": "==", "right": {"value": "RISK_ON"}}
    spec = spec_of(entry=risk_on, leave={"node": "NOT", "child": risk_on}, regime=regime)
    assert assert_blind(bars, spec, (20, 60)) > 0


def test_the_limits_of_the_universe_see_no_future() -> None:
    bars = hard_market(3, n_bars=140)
    busy = compare_with("rvol", ">", 1.0)
    limits = {"min_avg_vol_60": 150_000, "min_dollar_vol_week": 2e7}
    ranking = {"type": "relative_strength", "period": 5, "top_n": 3}
    spec = spec_of(entry=busy, leave={"node": "NOT", "child": busy}, tradable_filter=limits, ranking=ranking)
    assert assert_blind(bars, spec, (40, 75)) > 0


def test_the_test_itself_notices_a_look_ahead() -> None:
    # The same machinery with the poison one bar too early must fail.
    bars = hard_market(11, n_symbols=4, n_bars=110)
    spec = spec_of(entry=compare_with("close", ">", "close", lag=1), holding=3)
    known = past_of(bars, spec, 40)
    assert past_of(poisoned(bars, WARMUP + 38, 2), spec, 40) != known
