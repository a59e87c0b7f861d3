"""Changes to a document: rewrites that keep its meaning, and alterations that do not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

Document = dict[str, Any]
Change = Callable[[Document, Random], Document]
SIDES = ("left", "right", "value", "low", "high")
MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
TRUE, FALSE = {"node": "TRUE"}, {"node": "FALSE"}


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree.get("children", [tree["child"]] if "child" in tree else []):
        yield from nodes(child)


def all_nodes(document: Document) -> list[dict[str, Any]]:
    return [node for tree in document["conditions"].values() for node in nodes(tree)]


def pick(document: Document, rng: Random, *kinds: str) -> dict[str, Any] | None:
    found = [node for node in all_nodes(document) if node["node"] in kinds]
    return rng.choice(found) if found else None


def become(node: dict[str, Any], other: dict[str, Any]) -> None:
    fresh = copy.deepcopy(other)
    node.clear()
    node.update(fresh)


# --- rewrites: same meaning -----------------------------------------------------------------------
def shuffle_keys(document: Document, rng: Random) -> Document:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = list(value)
            rng.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    return shuffled(document)  # type: ignore[no-any-return]


def whole_numbers_as_floats(document: Document, rng: Random) -> Document:
    def floated(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floated(item) for key, item in value.items()}
        if isinstance(value, list):
            return [floated(item) for item in value]
        return float(value) if type(value) is int and rng.random() < 0.7 else value

    return floated(document)  # type: ignore[no-any-return]


def rename_features(document: Document, rng: Random) -> Document:
    keys = list(document["features"])
    names = [f"g{index}" for index in range(len(keys))]
    rng.shuffle(names)
    new = dict(zip(keys, names, strict=True))

    def renamed(side: Any) -> Any:
        if isinstance(side, str):
            return new.get(side, side)
        return (
            {**side, "ref": new.get(side["ref"], side["ref"])}
            if isinstance(side, dict) and "ref" in side
            else side
        )

    for node in all_nodes(document):
        for side in SIDES:
            if side in node:
                node[side] = renamed(node[side])
    document["features"] = {
        new[key]: {
            **feature,
            **({"inputs": [new.get(i, i) for i in feature["inputs"]]} if "inputs" in feature else {}),
        }
        for key, feature in document["features"].items()
    }
    if document["modules"].get("selection"):
        document["modules"]["selection"]["feature"] = new[document["modules"]["selection"]["feature"]]
    return document


def rename_conditions(document: Document, rng: Random) -> Document:
    new = {key: f"{key}_{rng.randint(0, 9)}" for key in document["conditions"]}
    document["conditions"] = {new[key]: tree for key, tree in document["conditions"].items()}
    for name, module in document["modules"].items():
        if name.endswith(("entry", "exit")):
            for use in ("condition", "filter"):
                if module.get(use):
                    module[use] = {"ref": new[module[use]["ref"]]}
    return document


def shuffle_children(document: Document, rng: Random) -> Document:
    for node in all_nodes(document):
        if "children" in node:
            rng.shuffle(node["children"])
    return document


def repeat_a_child(document: Document, rng: Random) -> Document:
    node = pick(document, rng, "AND", "OR")
    if node:
        node["children"].append(copy.deepcopy(rng.choice(node["children"])))
    return document


def repeat_a_comparison(document: Document, rng: Random) -> Document:
    node = pick(document, rng, "CMP", "CROSS_ABOVE", "CROSS_BELOW", "IN")
    if node:
        become(node, {"node": rng.choice(["AND", "OR"]), "children": [dict(node), dict(node)]})
    return document


def swap_sides(document: Document, rng: Random) -> Document:
    node = pick(document, rng, "CMP")
    if node:
        become(node, {"node": "CMP", "left": node["right"], "op": MIRROR[node["op"]], "right": node["left"]})
    return document


def mirror_a_crossing(document: Document, rng: Random) -> Document:
    node = pick(document, rng, "CROSS_ABOVE", "CROSS_BELOW")
    if node:
        other = "CROSS_BELOW" if node["node"] == "CROSS_ABOVE" else "CROSS_ABOVE"
        become(node, {"node": other, "left": node["right"], "right": node["left"]})
    return document


def negate_twice(document: Document, rng: Random) -> Document:
    node = rng.choice(all_nodes(document))
    become(node, {"node": "NOT", "child": {"node": "NOT", "child": dict(node)}})
    return document


def split_a_between(document: Document, rng: Random) -> Document:
    node = pick(document, rng, "BETWEEN")
    if node:
        low, high = (">=", "<=") if node.get("inclusive", True) else (">", "<")
        parts = [
            {"node": "CMP", "left": node["value"], "op": low, "right": node["low"]},
            {"node": "CMP", "left": node["value"], "op": high, "right": node["high"]},
        ]
        become(node, {"node": "AND", "children": parts})
    return document


def join_a_constant(document: Document, rng: Random) -> Document:
    node = rng.choice(all_nodes(document))
    kind, neutral = rng.choice([("AND", TRUE), ("OR", FALSE)])
    become(node, {"node": kind, "children": [neutral, dict(node)]})
    return document


def group_children(document: Document, rng: Random) -> Document:
    node = pick(document, rng, "AND", "OR")
    if node and len(node["children"]) > 2:
        head, tail = node["children"][:1], node["children"][1:]
        node["children"] = [*head, {"node": node["node"], "children": tail}]
    return document


def filter_into_condition(document: Document, rng: Random) -> Document:
    entry = document["modules"]["entry"]
    if entry.get("filter"):
        trees = [document["conditions"][entry[use]["ref"]] for use in ("filter", "condition")]
        document["conditions"]["joined"] = {"node": "AND", "children": [copy.deepcopy(t) for t in trees]}
        entry["condition"] = {"ref": "joined"}
        del entry["filter"]
    return document


def spell_operands(document: Document, rng: Random) -> Document:
    for node in all_nodes(document):
        for side in SIDES:
            value = node.get(side)
            if isinstance(value, str):
                node[side] = rng.choice([value, {"ref": value}, {"ref": value, "lag": 0, "scale": 1.0}])
            elif isinstance(value, int | float):
                node[side] = rng.choice([value, {"value": value}])
    return document


def add_unused(document: Document, rng: Random) -> Document:
    document["features"]["spare"] = {"type": "rsi", "params": {"period": rng.randint(2, 99)}}
    document["features"]["spare_lag"] = {"type": "lag", "inputs": ["spare"]}
    document["conditions"]["spare"] = {"node": "CMP", "left": "spare_lag", "op": ">", "right": 3}
    return document


def split_a_feature(document: Document, rng: Random) -> Document:
    key = rng.choice(list(document["features"]))
    twin = f"twin{len(document['features'])}"
    document["features"][twin] = copy.deepcopy(document["features"][key])
    for node in all_nodes(document):
        for side in SIDES:
            if node.get(side) == key and rng.random() < 0.5:
                node[side] = twin
    return document


def relabel(document: Document, rng: Random) -> Document:
    document["name"] = f"name {rng.randint(0, 99)}"
    document["logging"] = {"level": "debug"}
    document["metadata"] = {**document.get("metadata", {}), "notes": "한국어 ✓", "created_by": "rewrite"}
    return document


def reorder_symbols(document: Document, rng: Random) -> Document:
    if document.get("universe", {}).get("symbols"):
        rng.shuffle(document["universe"]["symbols"])
    return document


def through_json(document: Document, rng: Random) -> Document:
    return json.loads(json.dumps(document, ensure_ascii=rng.random() < 0.5))  # type: ignore[no-any-return]


REWRITES: tuple[Change, ...] = (
    shuffle_keys,
    whole_numbers_as_floats,
    rename_features,
    rename_conditions,
    shuffle_children,
    repeat_a_child,
    repeat_a_comparison,
    swap_sides,
    mirror_a_crossing,
    negate_twice,
    split_a_between,
    join_a_constant,
    group_children,
    filter_into_condition,
    spell_operands,
    add_unused,
    split_a_feature,
    relabel,
    reorder_symbols,
    through_json,
)


def yaml_text(document: Document) -> str:
    return str(yaml.safe_dump(document, allow_unicode=True))


# --- alterations: another meaning ------------------------------------------------------------------
def _used(document: Document) -> list[dict[str, Any]]:
    refs = {
        module[use]["ref"]
        for name, module in document["modules"].items()
        if name.endswith(("entry", "exit"))
        for use in ("condition", "filter")
        if module.get(use)
    }
    return [node for ref in sorted(refs) for node in nodes(document["conditions"][ref])]


def _used_comparison(document: Document, rng: Random, *kinds: str) -> dict[str, Any] | None:
    found = [node for node in _used(document) if node["node"] in kinds]
    return rng.choice(found) if found else None


def other_constant(document: Document, rng: Random) -> Document | None:
    node = _used_comparison(document, rng, "CMP", "CROSS_ABOVE", "CROSS_BELOW")
    if node is None:
        return None
    node["right"] = 777 + rng.random()
    return document


def other_lag(document: Document, rng: Random) -> Document | None:
    node = _used_comparison(document, rng, "CMP", "CROSS_ABOVE", "CROSS_BELOW", "IN")
    if node is None:
        return None
    side = "value" if node["node"] == "IN" else "left"
    written = node[side] if isinstance(node[side], dict) else {"ref": node[side]}
    node[side] = {**written, "lag": written.get("lag", 0) + 17}
    return document


def other_scale(document: Document, rng: Random) -> Document | None:
    node = _used_comparison(document, rng, "CMP", "CROSS_ABOVE", "CROSS_BELOW", "BETWEEN")
    if node is None:
        return None
    side = "value" if node["node"] == "BETWEEN" else "left"
    written = node[side] if isinstance(node[side], dict) else {"ref": node[side]}
    node[side] = {**written, "scale": 1.375}
    return document


def other_set(document: Document, rng: Random) -> Document | None:
    node = _used_comparison(document, rng, "IN")
    if node is None:
        return None
    node["set"] = [*node["set"], 777.5]
    return document


def wider_between(document: Document, rng: Random) -> Document | None:
    node = _used_comparison(document, rng, "BETWEEN")
    if node is None:
        return None
    node["high"] = 777.25
    return document


def other_feature(document: Document, rng: Random) -> Document | None:
    node = _used_comparison(document, rng, "CMP", "CROSS_ABOVE", "CROSS_BELOW")
    if node is None:
        return None
    document["features"]["new"] = {"type": "ema", "params": {"period": 777}}
    node["left"] = "new"
    return document


def entry_also_needs_more(document: Document, rng: Random) -> Document | None:
    entry = document["modules"]["entry"]
    if entry.get("filter"):
        return None
    document["conditions"]["more"] = {"node": "CMP", "left": "volume", "op": ">", "right": 777.75}
    entry["filter"] = {"ref": "more"}
    return document


def other_direction(document: Document, rng: Random) -> Document | None:
    modules = document["modules"]
    if modules["direction"] == "both":
        return None
    modules["direction"] = "short" if modules["direction"] == "long" else "long"
    return document


def longer_cooldown(document: Document, rng: Random) -> Document:
    entry = document["modules"]["entry"]
    entry["cooldown_bars"] = entry.get("cooldown_bars", 0) + 1
    return document


def other_time_stop(document: Document, rng: Random) -> Document:
    leave = document["modules"]["exit"]
    bars = leave.get("time_stop", {"max_holding_bars": 0})["max_holding_bars"]
    leave["time_stop"] = {"max_holding_bars": bars + 1}
    return document


def other_selection(document: Document, rng: Random) -> Document | None:
    selection = document["modules"].get("selection")
    if selection is None:
        return None
    selection["order"] = "asc"
    return document


def other_stop(document: Document, rng: Random) -> Document:
    document.setdefault("risk", {}).setdefault("trade_risk", {})["hard_stop"] = {
        "type": "pct",
        "value": 0.777,
    }
    return document


def other_costs(document: Document, rng: Random) -> Document:
    document.setdefault("cost_model", {})["fees"] = {"value_bps": 77.5}
    return document


def other_positions(document: Document, rng: Random) -> Document:
    document.setdefault("portfolio_constraints", {})["max_positions"] = 777
    return document


def other_universe(document: Document, rng: Random) -> Document:
    document["universe"] = {"symbols": ["NEW", *document.get("universe", {}).get("symbols", [])]}
    return document


def other_policy(document: Document, rng: Random) -> Document:
    metadata = document.setdefault("metadata", {})
    before = metadata.get("nan_policy", "DISALLOW_TRADE")
    metadata["nan_policy"] = "ERROR" if before != "ERROR" else "TREAT_AS_FALSE"
    return document


ALTERATIONS: tuple[Callable[[Document, Random], Document | None], ...] = (
    other_constant,
    other_lag,
    other_scale,
    other_set,
    wider_between,
    other_feature,
    entry_also_needs_more,
    other_direction,
    longer_cooldown,
    other_time_stop,
    other_selection,
    other_stop,
    other_costs,
    other_positions,
    other_universe,
    other_policy,
)
