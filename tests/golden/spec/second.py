"""A second implementation of the canonical form, written from the language's description alone.

It shares no code with quantrail: tables of its own, terms as tuples, rewriting until nothing changes,
its own number printer after ECMAScript's Number::toString, the standard library's JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

HLC = ["high", "low", "close"]
# type: (default inputs, default parameters)
TYPES: dict[str, tuple[list[str] | None, dict[str, Any]]] = {
    **{name: (["close"], {"period": 20}) for name in ("sma", "ema", "wma", "zscore", "volatility")},
    **{name: (["close"], {"period": 20}) for name in ("bbands_middle", "momentum")},
    **{name: (["close"], {"period": 20, "num_std": 2}) for name in ("bbands_upper", "bbands_lower")},
    **{name: (HLC, {"period": 14}) for name in ("atr", "atr_pct", "adx", "di_plus", "di_minus")},
    "rsi": (["close"], {"period": 14}),
    "stoch_k": (HLC, {"k_period": 14, "k_smooth": 3}),
    "stoch_d": (HLC, {"k_period": 14, "k_smooth": 3, "d_period": 3}),
    "macd": (["close"], {"fast_period": 12, "slow_period": 26}),
    "macd_signal": (["close"], {"fast_period": 12, "slow_period": 26, "signal_period": 9}),
    "roc": (["close"], {"period": 10}),
    "donchian_high": (["high"], {"period": 20}),
    "donchian_low": (["low"], {"period": 20}),
    "obv": (["close", "volume"], {}),
    "volume_sma": (["volume"], {"period": 20}),
    "rs_percentile": (["close"], {"period": 60}),
    "lag": (None, {"bars": 1}),
    "ratio": (None, {}),
    "diff": (None, {}),
    "econ": ([], {}),
    "news_sentiment": ([], {"days": 7}),
}
WORDS = {
    "open",
    "high",
    "low",
    "close",
    "volume",
    "regime_state",
    "regime_score",
    "symbol",
    "sector",
    "position_qty",
    "position_avg_price",
    "exposure_weight",
    "spread_bps",
    "rvol",
}
MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


def tradable(given: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("min_avg_vol_60", "min_dollar_vol_week", "max_spread_bps")
    filled = {name: (given or {}).get(name) for name in names}
    return filled if any(value is not None for value in filled.values()) else None


def ranking(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else {"type": "relative_strength", "period": 60, **given}


def number(x: int | float) -> str:
    """ECMAScript's Number::toString, from the digits and exponent of the shortest decimal."""
    if x == 0:
        return "0"
    if isinstance(x, int):
        return str(x)
    sign, digits, exponent = Decimal(repr(x)).normalize().as_tuple()
    text, n = "".join(map(str, digits)), len(digits) + exponent
    k = len(text)
    if k <= n <= 21:
        out = text + "0" * (n - k)
    elif 0 < n <= 21:
        out = text[:n] + "." + text[n:]
    elif -6 < n <= 0:
        out = "0." + "0" * -n + text
    else:
        mantissa = text if k == 1 else text[0] + "." + text[1:]
        out = f"{mantissa}e{'+' if n > 0 else '-'}{abs(n - 1)}"
    return ("-" if sign else "") + out


def spelt(x: int | float | str) -> str:
    return x if isinstance(x, str) else number(x)


def dump(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(dump(item) for item in value) + "]"
    return "{" + ",".join(f"{json.dumps(key)}:{dump(value[key])}" for key in sorted(value)) + "}"


def over(default: dict[str, Any], given: Any) -> dict[str, Any]:
    """Defaults, replaced by what is given, recursively for mappings."""
    out = dict(default)
    for key, value in (given or {}).items():
        nested = isinstance(out.get(key), dict) and isinstance(value, dict)
        out[key] = over(out[key], value) if nested else value
    return out


class Features:
    def __init__(self, written: dict[str, Any]) -> None:
        self.written = written
        self.table: dict[str, dict[str, Any]] = {}

    def name(self, key: str) -> str:
        if key not in self.written:
            return key
        feature = self.written[key]
        inputs, defaults = TYPES[feature["type"]]
        params = over(defaults, feature.get("params"))
        sources = [self.name(source) for source in (feature.get("inputs") or inputs or [])]
        printed = ",".join(f"{name}={spelt(params[name])}" for name in sorted(params))
        name = feature["type"] + "(" + ",".join(sources) + (";" + printed if printed else "") + ")"
        self.table[name] = {"type": feature["type"], "inputs": sources, "params": params}
        return name

    def needed(self, names: set[str]) -> dict[str, Any]:
        reached = {name for name in names if name in self.table}
        while True:
            more = {source for name in reached for source in self.table[name]["inputs"]} & set(self.table)
            if more <= reached:
                return {name: self.table[name] for name in reached}
            reached |= more


# Terms: ("ref", name, lag, scale) and ("lit", value) are operands; ("cmp", left, op, right),
# ("cross", left, right), ("in", operand, members), ("and"/"or", terms...), ("not", term), True, False.
def operand(written: Any, features: Features) -> tuple[Any, ...]:
    if isinstance(written, dict) and "value" in written:
        return ("lit", written["value"])
    if isinstance(written, dict):
        name = features.name(written["ref"])
        return ("ref", name, written.get("lag", 0), written.get("scale", 1))
    if isinstance(written, str) and (written in features.written or written in WORDS):
        return ("ref", features.name(written), 0, 1)
    return ("lit", written)


def term(node: dict[str, Any], features: Features) -> Any:
    def side(key: str) -> tuple[Any, ...]:
        return operand(node[key], features)

    match node["node"]:
        case "TRUE" | "FALSE":
            return node["node"] == "TRUE"
        case "CMP":
            return ("cmp", side("left"), node["op"], side("right"))
        case "CROSS_ABOVE":
            return ("cross", side("left"), side("right"))
        case "CROSS_BELOW":
            return ("cross", side("right"), side("left"))
        case "BETWEEN":
            low, high = (">=", "<=") if node.get("inclusive", True) else (">", "<")
            value = side("value")
            return ("and", ("cmp", value, low, side("low")), ("cmp", value, high, side("high")))
        case "IN":
            return ("in", side("value"), tuple(sorted(set(node["set"]))))
        case "NOT":
            return ("not", term(node["child"], features))
    return (node["node"].lower(), *(term(child, features) for child in node["children"]))


def settle(t: Any) -> Any:
    """Rewrites until nothing changes."""
    while True:
        after = step(t)
        if after == t and type(after) is type(t):
            return t
        t = after


def step(t: Any) -> Any:
    if isinstance(t, bool):
        return t
    kind = t[0]
    if kind == "cmp":
        return step_cmp(t)
    if kind == "cross":
        return False if t[1][0] == t[2][0] == "lit" else t
    if kind == "in":
        if t[1][0] == "lit":
            return t[1][1] in t[2]
        return ("cmp", t[1], "==", ("lit", t[2][0])) if len(t[2]) == 1 else t
    if kind == "not":
        inner = settle(t[1])
        if isinstance(inner, bool):
            return not inner
        return inner[1] if inner[0] == "not" else ("not", inner)
    return step_junction(kind, [settle(part) for part in t[1:]])


def step_cmp(t: Any) -> Any:
    _, left, op, right = t
    if left[0] == right[0] == "lit":
        a, b = left[1], right[1]
        return {
            "<": lambda: a < b,
            ">": lambda: a > b,
            "<=": lambda: a <= b,
            ">=": lambda: a >= b,
            "==": lambda: a == b,
            "!=": lambda: a != b,
        }[op]()
    if left == right and op not in ("==", "!="):
        return ("cmp", left, "!=" if op in "<>" else "==", right)
    swap = left[0] == "lit" or (right[0] == "ref" and right[1:] < left[1:])
    return ("cmp", right, MIRROR[op], left) if swap else t


def step_junction(kind: str, parts: list[Any]) -> Any:
    ends = kind == "or"  # True ends an OR, False ends an AND
    if any(part is ends for part in parts):
        return ends
    flat: list[Any] = []
    for part in parts:
        if isinstance(part, bool):
            continue
        flat.extend(part[1:] if part[0] == kind else [part])
    distinct = {dump(write(part)): part for part in flat}
    if not distinct:
        return not ends
    ordered = [distinct[text] for text in sorted(distinct)]
    return ordered[0] if len(ordered) == 1 else (kind, *ordered)


def write(t: Any) -> dict[str, Any]:
    """A term as JSON data."""
    if isinstance(t, bool):
        return {"node": "TRUE" if t else "FALSE"}
    match t[0]:
        case "cmp":
            return {"node": "CMP", "left": write_side(t[1]), "op": t[2], "right": write_side(t[3])}
        case "cross":
            return {"node": "CROSS_ABOVE", "left": write_side(t[1]), "right": write_side(t[2])}
        case "in":
            return {"node": "IN", "value": write_side(t[1]), "set": list(t[2])}
        case "not":
            return {"node": "NOT", "child": write(t[1])}
    return {"node": t[0].upper(), "children": [write(part) for part in t[1:]]}


def write_side(side: tuple[Any, ...]) -> dict[str, Any]:
    if side[0] == "lit":
        return {"value": side[1]}
    _, name, lag, scale = side
    return {"ref": name} | ({"lag": lag} if lag else {}) | ({"scale": scale} if scale != 1 else {})


def names_in(data: Any) -> set[str]:
    if isinstance(data, dict):
        own = {data["ref"]} if "ref" in data else set()
        return own.union(*(names_in(value) for value in data.values()))
    return set().union(*(names_in(item) for item in data)) if isinstance(data, list) else set()


def one_side(document: dict[str, Any], prefix: str, features: Features) -> dict[str, Any]:
    modules, conditions = document["modules"], document["conditions"]
    entry, leave = modules[f"{prefix}entry"], modules[f"{prefix}exit"]

    def whole(module: dict[str, Any]) -> dict[str, Any]:
        if not module.get("enabled", True):
            return {"node": "FALSE"}
        refs = [module[use]["ref"] for use in ("filter", "condition") if module.get(use)]
        return write(settle(("and", *(term(conditions[ref], features) for ref in refs))))

    stop = leave.get("time_stop") or {"enabled": False}
    return {
        "entry": whole(entry),
        "exit": whole(leave),
        "cooldown_bars": entry.get("cooldown_bars", 0),
        "max_holding_bars": stop["max_holding_bars"] if stop.get("enabled", True) else None,
    }


REGIME = {"benchmark": None, "mean_period": 200, "vol_period": 20, "vol_window": 252, "vol_percentile": 80}


def logic(document: dict[str, Any]) -> dict[str, Any]:
    features, modules = Features(document.get("features", {})), document["modules"]
    direction = modules.get("direction", "long")
    first = one_side(document, "", features)
    second = one_side(document, "short_", features) if direction == "both" else None
    sides = [None, first] if direction == "short" else [first, second]
    used = names_in(sides)
    regime = None
    if used & {"regime_state", "regime_score"}:
        given = over(REGIME, modules["regime"])
        given.pop("enabled", None)
        symbol = given.pop("benchmark")
        regime = {"source": "symbol" if symbol else "universe_mean", "symbol": symbol, **given}
    selection = modules.get("selection")
    if selection and selection.get("enabled", True):
        name = features.name(selection["feature"])
        used.add(name)
        selection = {"feature": name, "top_n": selection["top_n"], "order": selection.get("order", "desc")}
    else:
        selection = None
    whole = {"long": sides[0], "short": sides[1], "regime": regime, "selection": selection}
    return {"features": features.needed(used), "modules": whole}


def target(level: dict[str, Any]) -> dict[str, Any]:
    return over({"fraction": 1} | ({"period": 14} if level["type"] == "atr" else {}), level)


def stop(distance: Any) -> Any:
    return over({"period": 14}, distance) if distance and distance["type"] == "atr" else distance


def surroundings(document: dict[str, Any]) -> dict[str, Any]:
    universe = document.get("universe", {})
    symbols = universe.get("symbols")
    trade = document.get("risk", {}).get("trade_risk", {})
    limits = {"max_daily_loss_pct": None, "max_drawdown_pct": None, "halt_on_n_exec_failures": None}
    portfolio = over(
        {
            "max_positions": None,
            "max_position_weight": 1,
            "max_sector_weight": None,
            "max_corr_to_portfolio": None,
            "leverage": {"max_gross": 1, "max_net": None},
            "sizing": {"type": "equal_weight"},
        },
        document.get("portfolio_constraints"),
    )
    if portfolio["max_positions"] is None and symbols:
        portfolio["max_positions"] = len(symbols)
    execution = document.get("execution", {})
    order = dict(execution.get("order", {}))
    kind = order.pop("type", None) or order.pop("default_order_type", None) or "MKT"
    order.pop("default_order_type", None)
    plain_order = {"time_in_force": "DAY", "max_adv_participation": None, "reject_if_spread_bps_gt": None}
    costs = {"fees": 1, "spread": 2, "slippage": 3}
    return {
        "schema_version": "1.0",
        "universe": {
            "asset_class": universe.get("asset_class", "equity"),
            "symbols": sorted(symbols) if symbols else None,
            "source": None if symbols else universe.get("universe_source") or "all",
            "params": universe.get("params", {}),
            "tradable_filter": tradable(universe.get("tradable_filter")),
            "ranking": ranking(universe.get("ranking")),
        },
        "nan_policy": document.get("metadata", {}).get("nan_policy", "DISALLOW_TRADE"),
        "risk": {
            "trade_risk": {
                "hard_stop": stop(trade.get("hard_stop")),
                "trailing_stop": stop(trade.get("trailing_stop")),
                "take_profit": sorted(map(target, trade.get("take_profit", [])), key=lambda x: x["value"]),
            },
            "portfolio_risk": over(limits, document.get("risk", {}).get("portfolio_risk")),
        },
        "portfolio_constraints": portfolio,
        "execution": {
            "rebalance": execution.get("rebalance"),
            "order": {"type": kind, **over(plain_order, order)},
            "fill_policy": {"use_next_bar": True},
        },
        "cost_model": {
            name: over({"type": "bps", "value_bps": bps}, document.get("cost_model", {}).get(name))
            for name, bps in costs.items()
        },
    }


def canonical(document: dict[str, Any]) -> tuple[str, str, str]:
    """Canonical text, strategy_id and logic_hash of a valid document."""
    thinking = logic(document)
    text = dump({**surroundings(document), **thinking})
    return text, _sha(text), _sha(dump(thinking))


def _sha(text: str) -> str:
    assert not re.search(r"\bNaN\b|Infinity", text)
    return hashlib.sha256(text.encode()).hexdigest()
