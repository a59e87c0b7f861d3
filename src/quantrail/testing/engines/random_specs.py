"""Random canonical specs that reach every rule of the light contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quantrail.strategy import Node, NormalSpec
from quantrail.testing.engines.specs import compare_with, feature, spec_of, with_orders

Rng = np.random.Generator
_COLUMNS = ("high", "low", "close")


def random_spec(rng: Rng, symbols: Sequence[str], costs_bps: tuple[float, float, float]) -> NormalSpec:
    """One spec over ``symbols`` or a part of them."""
    features: dict[str, Any] = {}
    direction = rng.choice(["long", "short", "both"], p=[0.5, 0.15, 0.35])
    long = (_tree(rng, features, 2), _tree(rng, features, 1))
    short = (_tree(rng, features, 2), _tree(rng, features, 1))
    chosen = [s for s in symbols if rng.random() < 0.85] or list(symbols)
    gross = float(rng.choice([1.0, 0.6, 1.5, 2.0]))
    return spec_of(
        chosen,
        entry=long[0] if direction != "short" else None,
        leave=long[1],
        short=short if direction != "long" else None,
        features=features,
        cooldown=int(rng.choice([0, 0, 1, 5])),
        holding=_maybe(rng, lambda: int(rng.integers(1, 12))),
        selection=_maybe(rng, lambda: _selection(rng, features), 0.3),
        regime=_REGIME,
        hard_stop=_maybe(rng, lambda: _distance(rng)),
        trailing_stop=_maybe(rng, lambda: _distance(rng), 0.3),
        take_profit=_targets(rng),
        daily_loss=_maybe(rng, lambda: float(rng.choice([0.02, 0.05])), 0.1),
        drawdown=_maybe(rng, lambda: float(rng.choice([0.05, 0.2])), 0.15),
        max_positions=_maybe(rng, lambda: int(rng.integers(1, 5))),
        max_weight=float(rng.choice([1.0, 0.3])),
        max_gross=gross,
        max_net=_maybe(rng, lambda: gross / 2, 0.2),
        sizing=_sizing(rng),
        rebalance=[None, "weekly", "monthly"][int(rng.choice(3, p=[0.6, 0.2, 0.2]))],
        costs_bps=costs_bps,
        nan_policy=str(rng.choice(["DISALLOW_TRADE", "DISALLOW_TRADE", "TREAT_AS_FALSE", "TREAT_AS_TRUE"])),
        tradable_filter=_maybe(
            rng, lambda: {"min_dollar_vol_week": float(rng.choice([1e5, 3e6, 1e7]))}, 0.15
        ),
        ranking=_maybe(rng, lambda: {"type": "relative_strength", "period": 5, "top_n": 2}, 0.15),
    )


def random_orders(rng: Rng, spec: NormalSpec) -> NormalSpec:
    """``spec`` with limit, stop or market orders, capped or not, patient or not; never plain ones."""
    kind = str(rng.choice(["MKT", "LMT", "LMT", "STP", "STP"]))
    share = _maybe(rng, lambda: float(rng.choice([0.0005, 0.002, 0.01])), 1.0 if kind == "MKT" else 0.5)
    return with_orders(
        spec,
        halt_after=_maybe(rng, lambda: int(rng.integers(1, 6)), 0.2),
        type=kind,
        time_in_force=str(rng.choice(["DAY", "GTC", "GTC"])),
        max_adv_participation=share,
        reject_if_spread_bps_gt=_maybe(rng, lambda: float(rng.choice([15.0, 90.0])), 0.2),
    )


_REGIME = {
    "source": "universe_mean", "symbol": None, "mean_period": 10, "vol_period": 5, "vol_window": 20,
    "vol_percentile": 80,
}  # fmt: skip


_TURNOVER = {"min_dollar_vol_week": 4.5e7}


def _maybe(rng: Rng, make: Any, chance: float = 0.5) -> Any:
    return make() if rng.random() < chance else None


def _tree(rng: Rng, features: dict[str, Any], depth: int) -> Node:
    kind = rng.choice(["CMP", "CROSS", "AND", "OR", "NOT", "OTHER"], p=[0.35, 0.2, 0.12, 0.13, 0.1, 0.1])
    if depth > 0 and kind in ("AND", "OR"):
        return {"node": str(kind), "children": [_tree(rng, features, depth - 1) for _ in range(2)]}
    if depth > 0 and kind == "NOT":
        return {"node": "NOT", "child": _tree(rng, features, depth - 1)}
    if kind == "CROSS":
        left, right = _pair(rng, features)
        return {"node": "CROSS_ABOVE", "left": {"ref": left}, "right": {"ref": right, "scale": 0.999}}
    if kind == "OTHER":
        return _other(rng)
    if rng.random() < 0.5:
        name, level = _oscillator(rng, features)
        return compare_with(name, str(rng.choice(["<", ">", "<=", ">="])), level, lag=int(rng.integers(0, 3)))
    left, right = _pair(rng, features)
    return compare_with(left, str(rng.choice(["<", ">", ">=", "!="])), right)


def _other(rng: Rng) -> Node:
    return [
        {"node": "TRUE"},
        compare_with("regime_score", ">=", 0.5),
        compare_with("rvol", ">", 1.0),
        {"node": "IN", "value": {"ref": "symbol"}, "set": ["S00", "S02", "S03"]},
        compare_with("close", ">", "close", lag=int(rng.integers(1, 4)), scale=1.01),
    ][rng.integers(5)]


def _pair(rng: Rng, features: dict[str, Any]) -> tuple[str, str]:
    kind = str(rng.choice(["sma", "ema"]))
    slow, definition = feature(kind, period=int(rng.integers(4, 15)))
    features[slow] = definition
    if rng.random() < 0.5:
        return str(rng.choice(_COLUMNS)), slow
    fast, definition = feature(kind, period=int(rng.integers(2, 4)))
    features[fast] = definition
    return fast, slow


def _oscillator(rng: Rng, features: dict[str, Any]) -> tuple[str, float]:
    name, definition = [
        feature("rsi", period=int(rng.integers(2, 8))),
        feature("zscore", period=int(rng.integers(3, 12))),
        feature("momentum", period=int(rng.integers(1, 10))),
        feature("rs_percentile", period=5),
    ][choice := int(rng.integers(4))]
    features[name] = definition
    levels = [(30.0, 50.0, 70.0), (-1.0, 0.0, 1.0), (-0.02, 0.0, 0.02), (25.0, 50.0, 75.0)][choice]
    return name, levels[int(rng.integers(3))]


def _distance(rng: Rng) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"type": "pct", "value": float(rng.choice([0.01, 0.03, 0.08]))}
    return {"type": "atr", "value": float(rng.choice([0.5, 2.0])), "period": int(rng.integers(2, 6))}


def _targets(rng: Rng) -> list[dict[str, Any]]:
    count = int(rng.choice([0, 0, 1, 2, 3]))
    start = _distance(rng)
    return [
        {**start, "value": start["value"] * (k + 1), "fraction": round(1.0 / count, 4)} for k in range(count)
    ]


def _sizing(rng: Rng) -> dict[str, Any]:
    options: list[dict[str, Any]] = [
        {"type": "equal_weight"},
        {"type": "fixed_fraction", "fraction": 0.35},
        {"type": "inverse_vol"},
        {"type": "vol_target", "target_volatility_annual": 0.15},
    ]
    return options[int(rng.choice(4, p=[0.4, 0.2, 0.2, 0.2]))]


def _selection(rng: Rng, features: dict[str, Any]) -> dict[str, Any]:
    name, definition = feature("momentum", period=int(rng.integers(2, 10)))
    features[name] = definition
    return {"feature": name, "top_n": int(rng.integers(1, 4)), "order": str(rng.choice(["asc", "desc"]))}
