"""The other half of a second validator: plain functions say how the parts of a document fit together.

Written from the language's description alone; shares no code with quantrail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

Found = Iterator[tuple[str, str]]
COLUMNS = ["open", "high", "low", "close", "volume"]
TEXTS = ["regime_state", "symbol", "sector"]
NUMBERS = ["regime_score", "position_qty", "position_avg_price", "exposure_weight", "spread_bps", "rvol"]
SOURCED = ["regime_state", "regime_score", "symbol", "rvol"]
NODES = ["CMP", "CROSS_ABOVE", "CROSS_BELOW", "AND", "OR", "NOT", "IN", "BETWEEN", "TRUE", "FALSE"]
BIG = 2**53 - 1

# type: (fixed inputs or None, number of inputs, {parameter: (default, low, high)})
HLC, LONG = ["high", "low", "close"], 1000
STOCH = {"k_period": (14, 1, LONG), "k_smooth": (3, 1, LONG)}
MACD = {"fast_period": (12, 2, LONG), "slow_period": (26, 2, LONG)}
BANDS = {"period": (20, 2, LONG), "num_std": (2, 0.1, 10)}
TYPES: dict[str, Any] = {
    **{name: (None, 1, {"period": (20, 2, LONG)}) for name in ("sma", "ema", "wma", "zscore", "volatility")},
    **{name: (HLC, 3, {"period": (14, 2, LONG)}) for name in ("adx", "di_plus", "di_minus")},
    **{name: (HLC, 3, {"period": (14, 1, LONG)}) for name in ("atr", "atr_pct")},
    **dict.fromkeys(("bbands_upper", "bbands_lower"), (None, 1, BANDS)),
    "bbands_middle": (None, 1, {"period": (20, 2, LONG)}),
    "rsi": (None, 1, {"period": (14, 2, LONG)}),
    "roc": (None, 1, {"period": (10, 1, LONG)}),
    "momentum": (None, 1, {"period": (20, 1, LONG)}),
    "rs_percentile": (None, 1, {"period": (60, 1, LONG)}),
    "stoch_k": (HLC, 3, STOCH),
    "stoch_d": (HLC, 3, {**STOCH, "d_period": (3, 1, LONG)}),
    "macd": (None, 1, MACD),
    "macd_signal": (None, 1, {**MACD, "signal_period": (9, 1, LONG)}),
    "donchian_high": (["high"], 1, {"period": (20, 1, LONG)}),
    "donchian_low": (["low"], 1, {"period": (20, 1, LONG)}),
    "obv": (["close", "volume"], 2, {}),
    "volume_sma": (["volume"], 1, {"period": (20, 2, LONG)}),
    "lag": (None, 1, {"bars": (1, 1, LONG)}),
    "ratio": (None, 2, {}),
    "diff": (None, 2, {}),
    "econ": ([], 0, {}),
    "news_sentiment": ([], 0, {"days": (7, 1, 365)}),
}
NAMED = {"econ": "series"}
LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
NO_DEFAULT_INPUT = ("lag", "ratio", "diff")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def features(document: dict[str, Any]) -> Found:
    written = document.get("features", {})
    for key, feature in written.items():
        path = f"$.features.{key}"
        if key in COLUMNS + TEXTS + NUMBERS:
            yield path, "DUPLICATE"
        if feature.get("type") not in TYPES:
            yield f"{path}.type", "UNKNOWN_NAME"
            continue
        yield from one_feature(path, feature, written)
    for ring in sorted({min(ring) for ring in (cycle(key, written) for key in written) if ring}):
        yield f"$.features.{ring}.inputs", "CYCLE"


def one_feature(path: str, feature: dict[str, Any], written: dict[str, Any]) -> Found:
    fixed, count, params = TYPES[feature["type"]]
    inputs = feature.get("inputs")
    if inputs is None:
        if feature["type"] in NO_DEFAULT_INPUT:
            yield f"{path}.inputs", "MISSING"
    elif (fixed is not None and inputs != fixed) or len(inputs) != count:
        yield f"{path}.inputs", "BAD_VALUE"
    for index, name in enumerate(inputs or []):
        if name not in COLUMNS and name not in written:
            yield f"{path}.inputs[{index}]", "UNKNOWN_NAME"
    given = feature.get("params", {})
    named = NAMED.get(feature["type"])
    if named is not None and named not in given:
        yield f"{path}.params.{named}", "MISSING"
    for name, value in given.items():
        if name == named:
            yield from one_name(f"{path}.params.{name}", value)
        elif name not in params:
            yield f"{path}.params.{name}", "UNKNOWN_NAME"
        elif isinstance(value, str) or (is_number(value) and name != "num_std" and value != int(value)):
            yield f"{path}.params.{name}", "WRONG_TYPE"
        elif is_number(value) and not params[name][1] <= value <= params[name][2]:
            yield f"{path}.params.{name}", "OUT_OF_RANGE"
    full = {name: given.get(name, default[0]) for name, default in params.items()}
    if "fast_period" in full and not full["fast_period"] < full["slow_period"]:
        yield f"{path}.params", "CROSS_RULE"


def one_name(path: str, value: Any) -> Found:
    if is_number(value):
        yield path, "WRONG_TYPE"
    elif isinstance(value, str):
        inside = set(value) <= LETTERS | set(" ._-/:%&+^")
        ends = value[:1] in LETTERS and value[-1:] in LETTERS | {"%", "+"}
        if not (value and inside and ends and len(value) <= 64):
            yield path, "BAD_VALUE"


def cycle(key: str, written: dict[str, Any]) -> set[str]:
    """The features on a circle through ``key``, if there is one."""

    def reach(name: str) -> set[str]:
        seen, waiting = set(), [name]
        while waiting:
            for source in written[waiting.pop()].get("inputs") or []:
                if source in written and source not in seen:
                    seen.add(source)
                    waiting.append(source)
        return seen

    return {name for name in reach(key) if key in reach(name)} if key in reach(key) else set()


def depth(node: Any) -> int:
    below = node.get("children", [node["child"]] if "child" in node else [])
    return 1 + max(map(depth, below), default=0)


def spelt(node: dict[str, Any]) -> dict[str, Any]:
    """BETWEEN as a conjunction, ANDs and ORs within their like flattened: the depth that runs."""
    if node["node"] == "BETWEEN":
        return {"node": "AND", "children": [{"node": "CMP"}, {"node": "CMP", "other": 1}]}
    if "child" in node:
        inner = spelt(node["child"])
        return inner["child"] if inner["node"] == "NOT" else {"node": "NOT", "child": inner}
    children = [spelt(child) for child in node.get("children", [])]
    flat = [g for c in children for g in (c["children"] if c["node"] == node["node"] else [c])]
    return {**node, "children": flat} if flat else node


def conditions(document: dict[str, Any]) -> Found:
    regime = document.get("modules", {}).get("regime") is not None
    names = set(document.get("features", {})) | set(COLUMNS) | set(NUMBERS)
    for name, tree in document.get("conditions", {}).items():
        if "node" not in tree or tree["node"] not in NODES:
            continue
        if depth(tree) > 4:
            yield f"$.conditions.{name}", "LIMIT"
        for path, node in nodes(f"$.conditions.{name}", tree):
            yield from one_node(path, node, names, regime)


def nodes(path: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    if "child" in node:
        yield from nodes(f"{path}.child", node["child"])
    for index, child in enumerate(node.get("children", [])):
        yield from nodes(f"{path}.children[{index}]", child)


def one_node(path: str, node: dict[str, Any], names: set[str], regime: bool) -> Found:
    sides = {side: node[side] for side in ("left", "right", "value", "low", "high") if side in node}
    words = {side: value.get("ref") if isinstance(value, dict) else value for side, value in sides.items()}
    textual = any(word in TEXTS for word in words.values())
    kinds = set()
    for side, word in words.items():
        value = sides[side]
        if isinstance(value, dict) and "value" in value:
            kinds.add("text" if isinstance(value["value"], str) else "number")
        elif isinstance(word, str) and word in TEXTS + NUMBERS:
            kinds.add("text" if word in TEXTS else "number")
            if word not in SOURCED or (word.startswith("regime") and not regime):
                yield f"{path}.{side}", "NO_DATA_SOURCE"
        elif isinstance(word, str) and word in names:
            kinds.add("number")
        elif isinstance(word, str) and textual and not isinstance(value, dict):
            kinds.add("text")
            if "regime_state" in words.values() and word not in ("RISK_ON", "RISK_OFF"):
                yield path, "BAD_VALUE"
        elif isinstance(word, str):
            yield f"{path}.{side}.ref" if isinstance(value, dict) else f"{path}.{side}", "UNKNOWN_NAME"
        elif is_number(word):
            kinds.add("number")
        if isinstance(value, dict) and value.get("scale") == 0:
            yield f"{path}.{side}.scale", "BAD_VALUE"
    if len(kinds) > 1 or (kinds == {"text"} and node.get("op") in (">", ">=", "<", "<=")):
        yield path, "TYPE_MISMATCH"
    if is_number(node.get("low")) and is_number(node.get("high")) and node["low"] > node["high"]:
        yield path, "CROSS_RULE"


def modules(document: dict[str, Any]) -> Found:
    given, known = document.get("modules", {}), document.get("conditions", {})
    both = given.get("direction") == "both"
    for side in ("entry", "exit", "short_entry", "short_exit"):
        module = given.get(side)
        if side.startswith("short") and both != (module is not None):
            yield f"$.modules.{side}", "MISSING" if both else "CROSS_RULE"
        for use in ("condition", "filter"):
            if module and module.get(use) and module[use]["ref"] not in known:
                yield f"$.modules.{side}.{use}.ref", "UNKNOWN_NAME"
    selection = given.get("selection")
    if selection and selection["feature"] not in document.get("features", {}):
        yield "$.modules.selection.feature", "UNKNOWN_NAME"


def settings(document: dict[str, Any]) -> Found:
    universe, execution = document.get("universe", {}), document.get("execution", {})
    symbols = universe.get("symbols", [])
    for index, symbol in enumerate(symbols):
        if symbol in symbols[:index]:
            yield f"$.universe.symbols[{index}]", "DUPLICATE"
    if symbols and "universe_source" in universe:
        yield "$.universe.universe_source", "DUPLICATE"
    if (universe.get("tradable_filter") or {}).get("max_spread_bps") is not None:
        yield "$.universe.tradable_filter.max_spread_bps", "UNSUPPORTED"
    levels = document.get("risk", {}).get("trade_risk", {}).get("take_profit", [])
    if sum(level.get("fraction", 1) for level in levels) > 1:
        yield "$.risk.trade_risk.take_profit", "CROSS_RULE"
    if execution.get("fill_policy", {}).get("use_next_bar") is False:
        yield "$.execution.fill_policy.use_next_bar", "LOOKAHEAD_POLICY_VIOLATION"
    order = execution.get("order", {})
    if len({order[key] for key in ("type", "default_order_type") if key in order}) > 1:
        yield "$.execution.order", "DUPLICATE"
    if document.get("portfolio_constraints", {}).get("max_sector_weight"):
        yield "$.portfolio_constraints.max_sector_weight", "UNSUPPORTED"


def whole_trees(document: dict[str, Any]) -> Found:
    entry, known = document["modules"]["entry"], document["conditions"]
    trees = [known[entry[use]["ref"]] for use in ("filter", "condition") if entry.get(use)]
    tree = trees[0] if len(trees) == 1 else {"node": "AND", "children": trees}
    if depth(spelt(tree)) > 4:
        yield "$.modules.long_entry", "LIMIT"


def too_large(value: Any, path: str = "$") -> Found:
    if is_number(value) and abs(value) > BIG:
        yield path, "TOO_LARGE"
    items = value.items() if isinstance(value, dict) else []
    for key, item in items:
        yield from too_large(item, f"{path}.{key}")


def from_text(text: str) -> tuple[Any, list[tuple[str, str]]]:
    try:
        tree = yaml.compose(text)
        keys = [key.value for key, _ in tree.value] if isinstance(tree, yaml.MappingNode) else []
    except yaml.YAMLError:
        return None, [("$", "NOT_A_DOCUMENT")]
    if len(set(keys)) < len(keys):
        return None, [("$", "DUPLICATE_KEY")]
    if not isinstance(tree, yaml.MappingNode) or "NaN" in text:
        return None, [("$", "NOT_A_DOCUMENT")]
    return yaml.safe_load(text), []


def problems(data: Any, structure: Callable[[Any], set[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Every (path, code) of a document or text, sorted; empty if it is valid."""
    document, found = from_text(data) if isinstance(data, str) else (data, list(too_large(data)))
    if found:
        return sorted(set(found))
    places = structure(document)
    for part in (features, conditions, modules, settings):
        places |= set(part(document)) if _safe(places, part.__name__) else set()
    if not places:
        places = set(whole_trees(document))
    return sorted(places)


def _safe(places: set[tuple[str, str]], part: str) -> bool:
    # A part whose own shape is broken is not looked into.
    broken = {"MISSING", "WRONG_TYPE", "UNKNOWN_KEY"}
    roots = {"features": "$.features", "modules": "$.modules.exit", "settings": "$.execution.order"}
    root = roots.get(part, "$.conditions.none")
    return not any(path.startswith(root) and code in broken and path.count(".") < 3 for path, code in places)
