"""How much a strategy has been told: depth, comparisons and features of its canonical form."""

from __future__ import annotations

from dataclasses import dataclass

from quantrail.strategy.normal import Node, NormalModules, NormalSpec
from quantrail.strategy.tree import children_of, walk

_COMPARISONS = ("CMP", "CROSS_ABOVE", "IN")


@dataclass(frozen=True, slots=True)
class Complexity:
    """``ast_depth`` of the deepest tree; ``cmp_count`` and ``feature_count`` over all trees together."""

    ast_depth: int
    cmp_count: int
    feature_count: int


def complexity(spec: NormalSpec) -> Complexity:
    trees = list(module_trees(spec["modules"]).values())
    return Complexity(
        ast_depth=max(tree_depth(tree) for tree in trees),
        cmp_count=sum(comparison_count(tree) for tree in trees),
        feature_count=len(spec["features"]),
    )


def module_trees(modules: NormalModules) -> dict[str, Node]:
    """The entry and exit trees there are, by name: long_entry, long_exit, short_entry, short_exit."""
    sides = (("long", modules["long"]), ("short", modules["short"]))
    found: dict[str, Node] = {}
    for name, side in sides:
        if side is not None:
            found[f"{name}_entry"], found[f"{name}_exit"] = side["entry"], side["exit"]
    return found


def tree_depth(node: Node) -> int:
    """A lone comparison has depth 1."""
    return 1 + max((tree_depth(child) for child in children_of(node)), default=0)


def comparison_count(node: Node) -> int:
    return sum(part["node"] in _COMPARISONS for part in walk(node))
