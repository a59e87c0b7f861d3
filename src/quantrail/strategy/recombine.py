"""Documents out of documents: a stored form back to a document, and one parent's logic with another's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from quantrail.strategy.copying import copy_tree
from quantrail.strategy.normal import NormalSide, NormalSpec
from quantrail.strategy.tree import children_of


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
        "risk": copy_tree(spec["risk"]),
        "portfolio_constraints": copy_tree(spec["portfolio_constraints"]),
        "execution": copy_tree(spec["execution"]),
        "cost_model": copy_tree(spec["cost_model"]),
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
    return copy_tree(value)


def recombine(entry_parent: Mapping[str, Any], exit_parent: Mapping[str, Any]) -> dict[str, Any]:
    """A document that enters like one parent and exits, sizes and stops like the other.

    It holds only the conditions and features that it uses, so that children of children stay small.
    Features of the exit parent whose key stands for something else in the entry parent are renamed.
    Both parents are documents with the same direction; neither is changed. Metadata is left to the caller.
    """
    modules, conditions = _taken(entry_parent, _ENTRIES, {})
    features = _used_features(entry_parent, conditions.values(), ())
    keys, more = _renamed_apart(exit_parent, features)
    exits, exit_conditions = _taken(exit_parent, _EXITS, keys)
    child: dict[str, Any] = copy_tree(
        {key: value for key, value in exit_parent.items() if key not in _REPLACED}
    )
    child["features"] = features | more
    child["conditions"] = conditions | exit_conditions
    child["modules"] = {**_frame(entry_parent, exit_parent, keys), **modules, **exits}
    child["universe"] = copy_tree(dict(entry_parent.get("universe", {})))
    return child


_ENTRIES, _EXITS = ("entry", "short_entry"), ("exit", "short_exit")
_REPLACED = ("metadata", "name", "family", "features", "conditions", "modules", "universe")


def _taken(
    parent: Mapping[str, Any], names: tuple[str, ...], keys: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    # Modules of one parent, and their conditions under the modules' names.
    modules: dict[str, Any] = {}
    conditions: dict[str, Any] = {}
    for name in names:
        if parent["modules"].get(name):
            modules[name] = copy_tree(dict(parent["modules"][name]))
            for use, key in (("condition", name), ("filter", f"{name}_filter")):
                if modules[name].get(use):
                    conditions[key] = rename_tree(parent["conditions"][modules[name][use]["ref"]], keys)
                    modules[name][use] = {"ref": key}
    return modules, conditions


def _used_features(
    parent: Mapping[str, Any], trees: Iterable[Mapping[str, Any]], more: tuple[str, ...]
) -> dict[str, Any]:
    features = parent.get("features", {})
    waiting = [*more, *(name for tree in trees for name in _names(tree))]
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in features and name not in used:
            used.add(name)
            waiting += features[name].get("inputs") or ()
    return {key: copy_tree(dict(features[key])) for key in features if key in used}


def _names(tree: Mapping[str, Any]) -> Iterator[str]:
    for key, value in tree.items():
        if key in ("left", "right", "value", "low", "high"):
            name = value.get("ref") if isinstance(value, Mapping) else value
            if isinstance(name, str):
                yield name
    for child in children_of(dict(tree)):
        yield from _names(child)


def _renamed_apart(
    parent: Mapping[str, Any], taken: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    # Features of the exit parent under keys that mean nothing else in ``taken``.
    _, conditions = _taken(parent, _EXITS, {})
    selection = parent["modules"].get("selection")
    features = _used_features(parent, conditions.values(), (selection["feature"],) if selection else ())
    keys: dict[str, str] = {}
    for key, feature in features.items():
        # The inputs of an equal feature may differ in meaning, so only plain ones are shared.
        shared = taken.get(key) == feature and not any(
            name in features for name in feature.get("inputs") or ()
        )
        keys[key] = key if shared or key not in taken else _free_key(key, {*taken, *features, *keys.values()})
    return keys, {keys[key]: _with_keys(feature, keys) for key, feature in features.items()}


def _free_key(key: str, taken: set[str]) -> str:
    stem = key.partition("_x")[0]
    return next(name for name in (f"{stem}_x{number}" for number in count(2)) if name not in taken)


def _with_keys(feature: dict[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    if feature.get("inputs"):
        return {**feature, "inputs": [keys.get(name, name) for name in feature["inputs"]]}
    return feature


def _frame(
    entry_parent: Mapping[str, Any], exit_parent: Mapping[str, Any], keys: Mapping[str, str]
) -> dict[str, Any]:
    # Direction, selection and regime; the entry's regime wins, since filters stand with entries.
    entries, exits = entry_parent["modules"], exit_parent["modules"]
    frame = {key: copy_tree(exits[key]) for key in ("direction", "selection", "regime") if key in exits}
    if frame.get("selection"):
        feature = frame["selection"]["feature"]
        frame["selection"] = {**frame["selection"], "feature": keys.get(feature, feature)}
    if entries.get("regime"):
        frame["regime"] = copy_tree(entries["regime"])
    return frame
