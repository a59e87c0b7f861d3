"""From a checked document to the one form that everything with the same meaning shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.strategy.models import StrategySpec
from quantrail.strategy.naming import name_features, with_inputs
from quantrail.strategy.normal import NormalModules, NormalSide, NormalSpec
from quantrail.strategy.settings import (
    normal_execution,
    normal_portfolio,
    normal_regime,
    normal_risk,
    normal_universe,
    plain,
)
from quantrail.strategy.tree import FALSE, conjunction, normal_tree, references

REGIME_VARIABLES = frozenset({"regime_state", "regime_score"})


def normal_spec(spec: StrategySpec) -> NormalSpec:
    """The canonical form of a checked spec."""
    document = spec.model_dump()
    names, contents = name_features(document["features"])
    modules = _normal_modules(document, names)
    universe = normal_universe(document["universe"])
    symbols = universe["symbols"]
    return {
        "schema_version": document["schema_version"],
        "universe": universe,
        "nan_policy": document["metadata"]["nan_policy"],
        "features": with_inputs(used_names(modules), contents),
        "modules": modules,
        "risk": normal_risk(document["risk"]),
        "portfolio_constraints": normal_portfolio(
            document["portfolio_constraints"], None if symbols is None else len(symbols)
        ),
        "execution": normal_execution(document["execution"]),
        "cost_model": plain(document["cost_model"]),
    }


def used_names(modules: NormalModules) -> set[str]:
    """Everything the modules read: features, columns and variables."""
    used: set[str] = set()
    for side in (modules["long"], modules["short"]):
        if side is not None:
            used |= references(side["entry"]) | references(side["exit"])
    if modules["selection"] is not None:
        used.add(modules["selection"]["feature"])
    return used


def _normal_modules(document: Mapping[str, Any], names: Mapping[str, str]) -> NormalModules:
    modules = document["modules"]
    trees = {name: normal_tree(tree, names) for name, tree in document["conditions"].items()}
    first = _side(modules["entry"], modules["exit"], trees)
    second = _side(modules["short_entry"], modules["short_exit"], trees) if modules["short_entry"] else None
    direction = modules["direction"]
    selection = modules["selection"]
    normal: NormalModules = {
        "long": None if direction == "short" else first,
        "short": first if direction == "short" else second,
        "regime": None,
        "selection": None
        if selection is None or not selection["enabled"]
        else {
            "feature": names[selection["feature"]],
            "top_n": selection["top_n"],
            "order": selection["order"],
        },
    }
    if used_names(normal) & REGIME_VARIABLES:
        normal["regime"] = normal_regime(modules["regime"])
    return normal


def _side(entry: Mapping[str, Any], exit_: Mapping[str, Any], trees: Mapping[str, Any]) -> NormalSide:
    stop = exit_["time_stop"]
    return {
        "entry": _module_tree(entry, trees),
        "exit": _module_tree(exit_, trees),
        "cooldown_bars": entry["cooldown_bars"],
        "max_holding_bars": stop["max_holding_bars"] if stop and stop["enabled"] else None,
    }


def _module_tree(module: Mapping[str, Any], trees: Mapping[str, Any]) -> Any:
    if not module["enabled"]:
        return FALSE
    condition = trees[module["condition"]["ref"]]
    if module["filter"] is None:
        return condition
    return conjunction([trees[module["filter"]["ref"]], condition])
