"""Random valid documents: every choice goes through the Random that is handed in."""

from __future__ import annotations

from random import Random
from typing import Any

ONE_INPUT = (
    "sma",
    "ema",
    "wma",
    "rsi",
    "roc",
    "momentum",
    "zscore",
    "volatility",
    "lag",
    "rs_percentile",
    "bbands_upper",
)
FIXED = ("atr", "adx", "obv", "donchian_high", "stoch_k", "volume_sma", "di_plus")
COLUMNS = ("open", "high", "low", "close", "volume")
OPS = ("==", "!=", ">", ">=", "<", "<=")


def document(rng: Random) -> dict[str, Any]:
    features = drawn_features(rng)
    conditions = {f"c{index}": tree(rng, list(features), 3) for index in range(rng.randint(2, 4))}
    out: dict[str, Any] = {
        "features": features,
        "conditions": conditions,
        "modules": modules(rng, list(conditions), list(features)),
    }
    for section, draw in (
        ("universe", universe),
        ("risk", risk),
        ("portfolio_constraints", portfolio),
        ("execution", execution),
        ("cost_model", costs),
        ("metadata", metadata),
    ):
        if rng.random() < 0.5:
            out[section] = draw(rng)
    return out


def drawn_features(rng: Random) -> dict[str, Any]:
    features: dict[str, Any] = {}
    for index in range(rng.randint(1, 4)):
        pool = [*COLUMNS, *features]
        if rng.random() < 0.3:
            kind = rng.choice(FIXED)
            feature: dict[str, Any] = {"type": kind}
        elif rng.random() < 0.2:
            feature = {"type": rng.choice(["ratio", "diff"]), "inputs": [rng.choice(pool), rng.choice(pool)]}
        else:
            kind = rng.choice(ONE_INPUT)
            feature = {"type": kind, "inputs": [rng.choice(pool)]}
            if rng.random() < 0.8:
                feature["params"] = {"bars" if kind == "lag" else "period": rng.randint(2, 50)}
        features[f"f{index}"] = feature
    return features


def number(rng: Random) -> int | float:
    return rng.choice([rng.randint(-5, 100), rng.randint(-100, 100) / 8, rng.random()])


def operand(rng: Random, features: list[str]) -> Any:
    name = rng.choice([*features, *features, *COLUMNS])
    if rng.random() < 0.7:
        return name
    out: dict[str, Any] = {"ref": name}
    if rng.random() < 0.5:
        out["lag"] = rng.randint(0, 3)
    if rng.random() < 0.5:
        out["scale"] = rng.choice([1, 0.5, -1, 1.02, 2])
    return out


def comparison(rng: Random, features: list[str]) -> dict[str, Any]:
    left = operand(rng, features)
    right = number(rng) if rng.random() < 0.4 else operand(rng, features)
    kind = rng.choice(["CMP", "CMP", "CMP", "CROSS_ABOVE", "CROSS_BELOW", "BETWEEN", "IN"])
    if kind == "CMP":
        return {"node": "CMP", "left": left, "op": rng.choice(OPS), "right": right}
    if kind == "BETWEEN":
        low = rng.randint(0, 50)
        return {"node": "BETWEEN", "value": left, "low": low, "high": low + rng.randint(0, 9)}
    if kind == "IN":
        return {"node": "IN", "value": left, "set": [number(rng) for _ in range(rng.randint(1, 3))]}
    return {"node": kind, "left": left, "right": right}


def tree(rng: Random, features: list[str], levels: int) -> dict[str, Any]:
    if levels == 1 or rng.random() < 0.4:
        return comparison(rng, features)
    if rng.random() < 0.25:
        return {"node": "NOT", "child": tree(rng, features, levels - 1)}
    count = 2 if levels > 2 else rng.randint(2, 3)
    children = [tree(rng, features, levels - 1) for _ in range(count)]
    return {"node": rng.choice(["AND", "OR"]), "children": children}


def modules(rng: Random, conditions: list[str], features: list[str]) -> dict[str, Any]:
    def ref() -> dict[str, str]:
        return {"ref": rng.choice(conditions)}

    def pair(prefix: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"condition": ref()}
        leave: dict[str, Any] = {"condition": ref()}
        if rng.random() < 0.3:
            entry["filter"] = ref()
        if rng.random() < 0.3:
            entry["cooldown_bars"] = rng.randint(0, 5)
        if rng.random() < 0.3:
            leave["time_stop"] = {"max_holding_bars": rng.randint(1, 30)}
        return {f"{prefix}entry": entry, f"{prefix}exit": leave}

    direction = rng.choice(["long", "long", "short", "both"])
    out = {"direction": direction, **pair("")}
    if direction == "both":
        out |= pair("short_")
    if rng.random() < 0.3:
        out["selection"] = {"feature": rng.choice(features), "top_n": rng.randint(1, 5)}
    return out


def universe(rng: Random) -> dict[str, Any]:
    return {"symbols": rng.sample(["SPY", "QQQ", "AAPL", "MSFT", "XOM", "BRK.B"], rng.randint(1, 5))}


def distance(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.5:
        return {"type": "pct", "value": rng.randint(1, 30) / 100}
    return {"type": "atr", "value": rng.randint(1, 6)}


def risk(rng: Random) -> dict[str, Any]:
    trade: dict[str, Any] = {}
    for name in ("hard_stop", "trailing_stop"):
        if rng.random() < 0.5:
            trade[name] = distance(rng)
    if rng.random() < 0.4:
        trade["take_profit"] = [
            {"type": "pct", "value": 0.1 * (level + 1), "fraction": 0.25}
            for level in range(rng.randint(1, 3))
        ]
    return {"trade_risk": trade}


def portfolio(rng: Random) -> dict[str, Any]:
    sizing = rng.choice(
        [
            {"type": "equal_weight"},
            {"type": "inverse_vol"},
            {"type": "fixed_fraction", "fraction": 0.1},
            {"type": "vol_target", "target_volatility_annual": 0.2},
        ]
    )
    return {"max_positions": rng.randint(1, 9), "sizing": sizing}


def execution(rng: Random) -> dict[str, Any]:
    return {"rebalance": rng.choice([None, "weekly", "monthly"])}


def costs(rng: Random) -> dict[str, Any]:
    return {rng.choice(["fees", "spread", "slippage"]): {"value_bps": rng.randint(0, 9)}}


def metadata(rng: Random) -> dict[str, Any]:
    policies = ["DISALLOW_TRADE", "TREAT_AS_FALSE", "TREAT_AS_TRUE", "ERROR"]
    return {"nan_policy": rng.choice(policies), "tags": ["drawn"]}
