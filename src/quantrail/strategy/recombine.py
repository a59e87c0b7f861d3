"""Documents out of documents: a stored form back to a document, and one parent's logic with another's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from quantrail.strategy.normal import NormalSide, NormalSpec
from quantrail.strategy.tree import children_of

_ENTRY_PARTS = ("entry", "short_entry")


def to_document(spec: NormalSpec) -> dict[str, Any]:
    """An ordinary document with the same identity as ``spec``; features are named f1, f2, ..."""
    keys = {name: f"f{index}" for index, name in enumerate(sorted(spec["features"]), 1)}
    conditions: dict[str, Any] = {}
    modules = _modules(spec, keys, conditions)
    universe = dict(spec["universe"])
    universe["universe_source"] = universe.pop("source")
    return {
        "schema_version": spec["schema_version"],
        "metadata": {"nan_policy": spec["nan_policy"]},
        "universe": universe,
        "features": {
            keys[name]: {
                "type": feature["type"],
                "inputs": [keys.get(source, source) for source in feature["inputs"]],
                "params": dict(feature["params"]),
            }
            for name, feature in spec["features"].items()
        },
        "conditions": conditions,
        "modules": modules,
        "risk": copy.deepcopy(spec["risk"]),
        "portfolio_constraints": copy.deepcopy(spec["portfolio_constraints"]),
        "execution": copy.deepcopy(spec["execution"]),
        "cost_model": copy.deepcopy(spec["cost_model"]),
    }


def _modules(spec: NormalSpec, keys: Mapping[str, str], conditions: dict[str, Any]) -> dict[str, Any]:
    given = spec["modules"]
    modules: dict[str, Any] = {}
    sides = [side for side in (given["long"], given["short"]) if side is not None]
    modules["direction"] = "both" if len(sides) == 2 else "long" if given["long"] else "short"
    for prefix, side in zip(("", "short_"), sides, strict=False):
        _put_side(prefix, side, keys, modules, conditions)
    regime = given["regime"]
    if regime is not None:
        rest = {key: value for key, value in regime.items() if key not in ("source", "symbol")}
        modules["regime"] = {"benchmark": regime["symbol"], **rest}
    selection = given["selection"]
    if selection is not None:
        modules["selection"] = {**selection, "feature": keys[selection["feature"]]}
    return modules


def _put_side(
    prefix: str,
    side: NormalSide,
    keys: Mapping[str, str],
    modules: dict[str, Any],
    conditions: dict[str, Any],
) -> None:
    entry, exit_ = f"{prefix}entry", f"{prefix}exit"
    conditions[entry] = rename_tree(side["entry"], keys)
    conditions[exit_] = rename_tree(side["exit"], keys)
    modules[entry] = {"condition": {"ref": entry}, "cooldown_bars": side["cooldown_bars"]}
    modules[exit_] = {"condition": {"ref": exit_}}
    if side["max_holding_bars"] is not None:
        modules[exit_]["time_stop"] = {"max_holding_bars": side["max_holding_bars"]}


def rename_tree(node: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """A copy of a tree, written or canonical, in which ``keys`` replace the names of features."""
    renamed = {key: _rename_operand(value, keys) for key, value in node.items()}
    if "children" in node:
        renamed["children"] = [rename_tree(child, keys) for child in node["children"]]
    elif children_of(dict(node)):
        renamed["child"] = rename_tree(node["child"], keys)
    return renamed


def _rename_operand(value: Any, keys: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return keys.get(value, value)
    if isinstance(value, Mapping) and "ref" in value:
        return {**value, "ref": keys.get(value["ref"], value["ref"])}
    return copy.deepcopy(value)


def recombine(entry_parent: Mapping[str, Any], exit_parent: Mapping[str, Any]) -> dict[str, Any]:
    """A document that enters like one parent and exits, sizes and stops like the other.

    Features of the exit parent whose key stands for something else in the entry parent are renamed.
    Both parents are documents with the same direction; neither is changed. Metadata is left to the caller.
    """
    child = copy.deepcopy({key: value for key, value in exit_parent.items() if key != "metadata"})
    keys = _free_keys(entry_parent.get("features", {}), child.get("features", {}))
    child["features"] = {
        **copy.deepcopy(dict(entry_parent.get("features", {}))),
        **_renamed_features(child.get("features", {}), keys),
    }
    trees = {f"exit_{name}": rename_tree(tree, keys) for name, tree in child["conditions"].items()}
    child["conditions"] = {**copy.deepcopy(dict(entry_parent["conditions"])), **trees}
    child["modules"] = _joined_modules(entry_parent["modules"], child["modules"], keys)
    child["universe"] = copy.deepcopy(dict(entry_parent.get("universe", {})))
    return child


def _free_keys(taken: Mapping[str, Any], features: Mapping[str, Any]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for key, feature in features.items():
        name = key
        # The inputs of an equal feature may differ in meaning, so only plain ones are shared.
        while name in taken and (taken[name] != feature or _reads_features(feature, features)):
            name = f"{name}_x"
        keys[key] = name
    return keys


def _reads_features(feature: Mapping[str, Any], features: Mapping[str, Any]) -> bool:
    return any(source in features for source in feature.get("inputs") or ())


def _renamed_features(features: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    renamed = {}
    for key, feature in features.items():
        renamed[keys[key]] = dict(feature)
        if feature.get("inputs"):
            renamed[keys[key]]["inputs"] = [keys.get(source, source) for source in feature["inputs"]]
    return renamed


def _joined_modules(
    entries: Mapping[str, Any], exits: dict[str, Any], keys: Mapping[str, str]
) -> dict[str, Any]:
    modules = dict(exits)
    for name in ("exit", "short_exit"):
        if modules.get(name):
            modules[name] = _prefixed(modules[name])
    for name in _ENTRY_PARTS:
        modules.pop(name, None)
        if entries.get(name):
            modules[name] = copy.deepcopy(dict(entries[name]))
    if modules.get("selection"):
        feature = modules["selection"]["feature"]
        modules["selection"] = {**modules["selection"], "feature": keys.get(feature, feature)}
    if entries.get("regime"):
        modules["regime"] = copy.deepcopy(dict(entries["regime"]))
    return modules


def _prefixed(module: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(module)
    for use in ("condition", "filter"):
        if out.get(use):
            out[use] = {"ref": f"exit_{out[use]['ref']}"}
    return out
