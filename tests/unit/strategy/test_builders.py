"""Specs written in Python mean what the same specs in YAML mean."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from quantrail.errors import InvalidInput
from quantrail.strategy import ALWAYS, FEATURE_TYPES, bar, builders, canonicalise, ind, parse_spec, spec

REFERENCES = Path(__file__).parents[2] / "golden" / "spec" / "references"


def id_of(name: str) -> str:
    return canonicalise(parse_spec(REFERENCES / f"{name}.yaml")).strategy_id


def test_reference_a_in_python() -> None:
    built = spec(entry=(ind.stoch_k(14, 3) >= 80) & (ind.rsi(14) <= 30), exit=ind.rsi(14) >= 55)
    assert canonicalise(built).strategy_id == id_of("a")


def test_reference_b_in_python() -> None:
    up, down = ind.di_plus(14), ind.di_minus(14)
    fast, middle, slow = ind.ema(8), ind.ema(21), ind.ema(55)
    built = spec(
        entry=(ind.adx(14) >= 20) & (up > down) & ((fast > middle) & (middle > slow)),
        exit=(up < down) | (fast < middle),
    )
    assert canonicalise(built).strategy_id == id_of("b")


def test_reference_c_in_python() -> None:
    built = spec(
        entry=ind.rsi(14) <= 35,
        exit=ind.rsi(14) >= 55,
        filter=bar.regime_state.equals("RISK_ON"),
        regime={"benchmark": "SPY"},
    )
    assert canonicalise(built).strategy_id == id_of("c")


def test_lags_scales_crossings_sets_and_nested_inputs() -> None:
    slope = ind.diff(of=(ind.sma(50), ind.lag(5, of=ind.sma(50))))
    built = spec(
        entry=(bar.close > ind.sma(20).lag(2) * 1.02)
        & ~bar.close.crosses_below(slope)
        & bar.symbol.is_in(["A", "B"]),
        exit=(0.5 * ind.rsi(7)).between(10, 20, inclusive=False),
        short_entry=bar.close.lag(1).lag(1) < 5,
        symbols=["A", "B", "C"],
        rank_by=ind.momentum(60),
        top_n=2,
        cooldown_bars=3,
        max_holding_bars=9,
        take_profit=[{"type": "atr", "value": 2}],
        name="everything",
        cost_model={"fees": {"value_bps": 0}},
    )
    written = {
        "universe": {"symbols": ["C", "B", "A"]},
        "features": {
            "m": {"type": "sma", "params": {"period": 50}},
            "b": {"type": "lag", "inputs": ["m"], "params": {"bars": 5}},
            "slope": {"type": "diff", "inputs": ["m", "b"]},
            "s": {"type": "sma"},
            "r": {"type": "rsi", "params": {"period": 7}},
            "mom": {"type": "momentum", "params": {"period": 60}},
        },
        "conditions": {
            "in": {
                "node": "AND",
                "children": [
                    {
                        "node": "CMP",
                        "left": "close",
                        "op": ">",
                        "right": {"ref": "s", "lag": 2, "scale": 1.02},
                    },
                    {"node": "NOT", "child": {"node": "CROSS_BELOW", "left": "close", "right": "slope"}},
                    {"node": "IN", "value": "symbol", "set": ["A", "B"]},
                ],
            },
            "out": {
                "node": "BETWEEN",
                "value": {"ref": "r", "scale": 0.5},
                "low": 10,
                "high": 20,
                "inclusive": False,
            },
            "short": {"node": "CMP", "left": {"ref": "close", "lag": 2}, "op": "<", "right": 5},
            "never": {"node": "FALSE"},
        },
        "modules": {
            "direction": "both",
            "entry": {"condition": {"ref": "in"}, "cooldown_bars": 3},
            "exit": {"condition": {"ref": "out"}, "time_stop": {"max_holding_bars": 9}},
            "short_entry": {"condition": {"ref": "short"}, "cooldown_bars": 3},
            "short_exit": {"condition": {"ref": "never"}, "time_stop": {"max_holding_bars": 9}},
            "selection": {"feature": "mom", "top_n": 2},
        },
        "risk": {"trade_risk": {"take_profit": [{"type": "atr", "value": 2}]}},
        "cost_model": {"fees": {"value_bps": 0}},
    }
    assert canonicalise(built).json == canonicalise(written).json


@pytest.mark.parametrize("name", FEATURE_TYPES)
def test_every_feature_type_is_a_function(name: str) -> None:
    kind = FEATURE_TYPES[name]
    of = () if len(kind.inputs) == kind.arity else (bar.close, bar.open)[: kind.arity]
    built = spec(entry=getattr(ind, name)(*("CPI" for _ in kind.texts), of=of) > 1)
    assert len(canonicalise(built).spec["features"]) == 1
    assert name in dir(ind)


def test_two_features_that_would_share_a_key_get_two() -> None:
    built = spec(entry=ind.sma(20) > ind.sma(20, of=bar.open))
    assert len(built["features"]) == 2
    assert len(canonicalise(built).spec["features"]) == 2


def test_what_reads_like_python_and_is_not_meant_is_refused() -> None:
    with pytest.raises(InvalidInput, match="brackets"):
        bool(ALWAYS)
    with pytest.raises(AttributeError, match="did you mean 'sma'"):
        ind.smaa(20)
    with pytest.raises(AttributeError, match="did you mean 'close'"):
        bar.clsoe.lag(1)
    with pytest.raises(InvalidInput, match="1 parameter"):
        ind.sma(20, 30)
    with pytest.raises(InvalidInput, match="lag or scale"):
        ind.sma(20, of=bar.close.lag(1))


def test_the_examples_in_the_docstrings_run() -> None:
    assert doctest.testmod(builders).failed == 0
