"""The structural half of a second validator: a table of shapes says what each place holds.

Written from the language's description alone; shares no code with quantrail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Found = Iterator[tuple[str, str]]
KEY, SYMBOL = r"[a-z][a-z0-9_]{0,63}", r"[A-Za-z0-9^][A-Za-z0-9._\-:/=^]{0,31}"
BIG = 2**53 - 1


# Shapes: (kind, ...). A trailing True on numbers marks an open lower or upper bound.
def num(low: float, high: float, open_low: bool = False, open_high: bool = False) -> tuple[Any, ...]:
    return ("num", low, high, open_low, open_high)


def whole(low: int, high: int) -> tuple[Any, ...]:
    return ("int", low, high)


def obj(required: dict[str, Any], optional: dict[str, Any] | None = None) -> tuple[Any, ...]:
    return ("obj", required, optional or {})


def opt(shape: Any) -> tuple[Any, ...]:
    return ("opt", shape)


ANY, BOOL, TEXT = ("any",), ("bool",), ("text", None)
SHARE, TEXT_OR_NUMBER = num(0, 1, True), ("either", num(-BIG, BIG))
REF = obj({"ref": TEXT})
STOP = ("tagged", "type", {
    "pct": obj({"type": TEXT, "value": num(0, 1, True, True)}),
    "atr": obj({"type": TEXT, "value": num(0, 100, True)}, {"period": whole(1, 1000)}),
})  # fmt: skip
TARGET = ("tagged", "type", {
    "pct": obj({"type": TEXT, "value": num(0, 100, True)}, {"fraction": SHARE}),
    "atr": obj({"type": TEXT, "value": num(0, 100, True)}, {"period": whole(1, 1000), "fraction": SHARE}),
})  # fmt: skip
ENTRY = obj({"condition": REF}, {"filter": opt(REF), "enabled": BOOL, "cooldown_bars": whole(0, 10_000)})
TIME_STOP = obj({"max_holding_bars": whole(1, 10_000)}, {"enabled": BOOL})
EXIT = obj({"condition": REF}, {"filter": opt(REF), "enabled": BOOL, "time_stop": opt(TIME_STOP)})
SIZING = ("tagged", "type", {
    "equal_weight": obj({"type": TEXT}),
    "inverse_vol": obj({"type": TEXT}),
    "fixed_fraction": obj({"type": TEXT, "fraction": SHARE}),
    "vol_target": obj({"type": TEXT, "target_volatility_annual": num(0, 10, True)}),
})  # fmt: skip
COST = obj({"value_bps": num(0, 10_000)}, {"type": ("choice", ["bps"])})
ORDERS = ("choice", ["MKT", "LMT", "STP"])
LEVERAGE = obj({}, {"max_gross": num(0, 10, True), "max_net": opt(num(0, 10, True))})
REGIME = obj(
    {},
    {
        "benchmark": opt(("text", SYMBOL)),
        "enabled": BOOL,
        **{name: whole(2, 1000) for name in ("mean_period", "vol_period", "vol_window")},
        "vol_percentile": num(0, 100, True, True),
    },
)
LIMITS = ("min_avg_vol_60", "min_dollar_vol_week", "max_spread_bps")
TRADABLE = obj({}, {name: opt(num(0, BIG)) for name in LIMITS})
RANKING = obj(
    {"top_n": whole(1, 10_000)}, {"type": ("choice", ["relative_strength"]), "period": whole(1, 10_000)}
)
DOCUMENT = obj(
    {
        "conditions": ("map", KEY, ("tree",)),
        "modules": obj(
            {"entry": ENTRY, "exit": EXIT},
            {
                "direction": ("choice", ["long", "short", "both"]),
                "short_entry": opt(ENTRY),
                "short_exit": opt(EXIT),
                "regime": opt(REGIME),
                "selection": opt(
                    obj(
                        {"feature": TEXT, "top_n": whole(1, 10_000)},
                        {"enabled": BOOL, "order": ("choice", ["asc", "desc"])},
                    )
                ),
            },
        ),
    },
    {
        "schema_version": ("choice", ["1.0"]),
        "name": opt(TEXT),
        "family": opt(TEXT),
        "metadata": ANY,
        "logging": ANY,
        "universe": obj(
            {},
            {
                "asset_class": TEXT,
                "symbols": ("list", ("text", SYMBOL)),
                "universe_source": TEXT,
                "params": ANY,
                "tradable_filter": opt(TRADABLE),
                "ranking": opt(RANKING),
            },
        ),
        "features": (
            "map",
            KEY,
            obj(
                {"type": TEXT},
                {"inputs": opt(("list", TEXT)), "params": ("map", ".*", TEXT_OR_NUMBER)},
            ),
        ),
        "risk": obj(
            {},
            {
                "trade_risk": obj(
                    {}, {"hard_stop": opt(STOP), "trailing_stop": opt(STOP), "take_profit": ("list", TARGET)}
                ),
                "portfolio_risk": ANY,
            },
        ),
        "portfolio_constraints": obj(
            {},
            {
                "max_positions": opt(whole(1, 10_000)),
                "max_position_weight": SHARE,
                "max_sector_weight": opt(SHARE),
                "leverage": LEVERAGE,
                "sizing": SIZING,
            },
        ),
        "execution": obj(
            {},
            {
                "fill_policy": obj({}, {"use_next_bar": BOOL}),
                "order": obj({}, {"type": ORDERS, "default_order_type": ORDERS, "time_in_force": TEXT}),
                "mode": ("choice", ["backtest", "paper", "live"]),
                "rebalance": opt(("choice", ["weekly", "monthly"])),
            },
        ),
        "cost_model": obj({}, {"fees": COST, "spread": COST, "slippage": COST}),
    },
)
OPERAND = ("operand",)
NODES = {
    "CMP": {"left": OPERAND, "op": ("choice", ["==", "!=", ">", ">=", "<", "<="]), "right": OPERAND},
    "CROSS_ABOVE": {"left": OPERAND, "right": OPERAND},
    "CROSS_BELOW": {"left": OPERAND, "right": OPERAND},
    "AND": {"children": ("list", ("tree",), 2, 8)},
    "OR": {"children": ("list", ("tree",), 2, 8)},
    "NOT": {"child": ("tree",)},
    "IN": {"value": OPERAND, "set": ("list", ANY, 1, 500)},
    "BETWEEN": {"value": OPERAND, "low": OPERAND, "high": OPERAND},
    "TRUE": {},
    "FALSE": {},
}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shape_of(shape: Any, value: Any, path: str) -> Found:
    kind = shape[0]
    if kind == "any" or (kind == "opt" and value is None):
        return
    if kind == "opt":
        yield from shape_of(shape[1], value, path)
    elif kind in ("num", "int"):
        yield from number(shape, value, path)
    elif kind == "either":
        yield from shape_of(TEXT if isinstance(value, str) else shape[1], value, path)
    elif kind == "bool" and not isinstance(value, bool):
        yield path, "WRONG_TYPE"
    elif kind == "text":
        if not isinstance(value, str):
            yield path, "WRONG_TYPE"
        elif shape[1] and not re.fullmatch(shape[1], value):
            yield path, "BAD_VALUE"
    elif kind == "choice" and value not in shape[1]:
        yield path, "BAD_VALUE"
    elif kind in ("list", "map", "obj", "tagged", "tree", "operand"):
        yield from CONTAINERS[kind](shape, value, path)


def number(shape: Any, value: Any, path: str) -> Found:
    if not is_number(value) or (shape[0] == "int" and value != int(value)):
        yield path, "WRONG_TYPE"
        return
    open_low, open_high = shape[3:] if shape[0] == "num" else (False, False)
    below = value < shape[1] or (open_low and value == shape[1])
    if below or value > shape[2] or (open_high and value == shape[2]):
        yield path, "OUT_OF_RANGE"


def of_list(shape: Any, value: Any, path: str) -> Found:
    if not isinstance(value, list):
        yield path, "WRONG_TYPE"
        return
    if len(shape) > 2 and not shape[2] <= len(value) <= shape[3]:
        yield path, "LIMIT"
    for index, item in enumerate(value):
        yield from shape_of(shape[1], item, f"{path}[{index}]")


def of_map(shape: Any, value: Any, path: str) -> Found:
    for key, item in value.items():
        if not re.fullmatch(shape[1], key):
            yield f"{path}.{key}", "BAD_VALUE"
        yield from shape_of(shape[2], item, f"{path}.{key}")


def of_obj(shape: Any, value: Any, path: str) -> Found:
    if not isinstance(value, dict):
        yield path, "WRONG_TYPE"
        return
    known = {**shape[1], **shape[2]}
    yield from ((f"{path}.{key}", "MISSING") for key in shape[1] if key not in value)
    for key, item in value.items():
        if key in known:
            yield from shape_of(known[key], item, f"{path}.{key}")
        else:
            yield f"{path}.{key}", "UNKNOWN_KEY"


def of_tagged(shape: Any, value: Any, path: str) -> Found:
    if shape[1] not in value:
        yield path, "MISSING"
    elif value[shape[1]] not in shape[2]:
        yield path, "BAD_VALUE"
    else:
        yield from of_obj(shape[2][value[shape[1]]], value, path)


def of_tree(shape: Any, value: Any, path: str) -> Found:
    if "node" not in value:
        yield path, "MISSING"
    elif value["node"] not in NODES:
        yield path, "BAD_VALUE"
    else:
        extra = {"inclusive": BOOL} if value["node"] == "BETWEEN" else {}
        yield from of_obj(obj({"node": TEXT, **NODES[value["node"]]}, extra), value, path)


def of_operand(shape: Any, value: Any, path: str) -> Found:
    if isinstance(value, dict) and "ref" in value:
        fields = {"lag": whole(0, 1000), "scale": num(-BIG, BIG)}
        yield from of_obj(obj({"ref": TEXT}, fields), value, path)
    elif isinstance(value, dict):
        yield from of_obj(obj({"value": ANY}), value, path)
    elif not isinstance(value, str) and not is_number(value):
        yield path, "WRONG_TYPE"


CONTAINERS = {
    "list": of_list,
    "map": of_map,
    "obj": of_obj,
    "tagged": of_tagged,
    "tree": of_tree,
    "operand": of_operand,
}


def structure(document: Any) -> set[tuple[str, str]]:
    """Every (path, code) of what has the wrong shape."""
    return set(shape_of(DOCUMENT, document, "$"))
