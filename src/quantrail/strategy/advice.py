"""What is allowed but worth a second look."""

from __future__ import annotations

from quantrail.strategy.complexity import module_trees
from quantrail.strategy.normal import NormalSpec
from quantrail.strategy.tree import walk


def advisories(spec: NormalSpec) -> list[str]:
    """Warnings about a valid strategy; an empty list if there are none."""
    found = []
    if spec["nan_policy"] == "TREAT_AS_TRUE":
        found.append("nan_policy TREAT_AS_TRUE lets a missing value open a position")
    trees = module_trees(spec["modules"])
    for name, tree in trees.items():
        if name.endswith("entry") and tree["node"] == "FALSE":
            found.append(f"{name} can never hold, so that side never trades")
        if any(_against_itself(node) for node in walk(tree)):
            found.append(f"{name} compares a value with itself")
    used = {ref for tree in trees.values() for node in walk(tree) for ref in _refs(node)}
    long_windows = [name for name in spec["features"] if _longest(spec, name) > 500]
    found += [f"{name} needs more than 500 bars before its first value" for name in long_windows]
    if spec["modules"]["selection"] is None and not used and not _exits(spec):
        found.append("nothing the market does changes what this strategy holds")
    limit, spread = spec["execution"]["order"]["reject_if_spread_bps_gt"], _modelled_spread(spec)
    if limit is not None and spread > limit:
        found.append(
            f"the cost model's own spread, {spread:g} bps, is wider than reject_if_spread_bps_gt "
            f"{limit:g}, so every entry is rejected"
        )
    return found


def _modelled_spread(spec: NormalSpec) -> float:
    # The cost model's is the half paid per side.
    return float(2.0 * spec["cost_model"]["spread"]["value_bps"])


def _against_itself(node: dict[str, object]) -> bool:
    return node["node"] in ("CMP", "CROSS_ABOVE") and node["left"] == node["right"]


def _refs(node: dict[str, object]) -> list[object]:
    sides = [node.get(side) for side in ("left", "right", "value")]
    return [side["ref"] for side in sides if isinstance(side, dict) and "ref" in side]


def _longest(spec: NormalSpec, name: str) -> float:
    values = [value for value in spec["features"][name]["params"].values() if isinstance(value, int)]
    return max(values, default=0)


def _exits(spec: NormalSpec) -> bool:
    trade = spec["risk"]["trade_risk"]
    return bool(trade["hard_stop"] or trade["trailing_stop"] or trade["take_profit"])
