"""Condition trees in canonical form.

AND and OR flattened, sorted and without duplicates; comparisons oriented; BETWEEN as two comparisons;
CROSS_BELOW mirrored; double NOT removed; constants folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from quantrail.strategy.catalogue import BAR_COLUMNS, VARIABLES
from quantrail.strategy.normal import Node
from quantrail.strategy.number import shortest
from quantrail.strategy.printing import canonical_text

FLIPPED = {"==": "==", "!=": "!=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
TRUE: Node = {"node": "TRUE"}
FALSE: Node = {"node": "FALSE"}
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
}


def normal_tree(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    """Canonical form of a checked tree; ``names`` maps feature keys to content names."""
    return _RULES[node["node"]](node, names)


def conjunction(parts: list[Node]) -> Node:
    """All of ``parts``, which are canonical."""
    return _junction("AND", parts)


def walk(node: Node) -> Iterator[Node]:
    """Every node of a tree, the root first."""
    yield node
    for child in children_of(node):
        yield from walk(child)


def children_of(node: Node) -> list[Node]:
    return node["children"] if "children" in node else [node["child"]] if "child" in node else []


def references(node: Node) -> set[str]:
    """Names of every feature, column and variable that a canonical tree reads."""
    sides = (part[side] for part in walk(node) for side in ("left", "right", "value") if side in part)
    return {side["ref"] for side in sides if isinstance(side, dict) and "ref" in side}


def normal_operand(operand: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """A Ref or a Constant. A bare word that names nothing is a text constant."""
    if isinstance(operand, str):
        return _reference(operand, 0, 1, names) or {"value": operand}
    if not isinstance(operand, dict):
        return {"value": shortest(operand)}
    if "value" in operand:
        value = operand["value"]
        return {"value": value if isinstance(value, str) else shortest(value)}
    found = _reference(operand["ref"], operand.get("lag", 0), operand.get("scale", 1), names)
    return cast("dict[str, Any]", found)


def _reference(name: str, lag: float, scale: float, names: Mapping[str, str]) -> dict[str, Any] | None:
    if name not in names and name not in BAR_COLUMNS and name not in VARIABLES:
        return None
    operand: dict[str, Any] = {"ref": names.get(name, name)}
    if lag:
        operand["lag"] = shortest(lag)
    if scale != 1:
        operand["scale"] = shortest(scale)
    return operand


def _order(operand: dict[str, Any]) -> tuple[Any, ...]:
    # Constants last; then by name, lag, scale.
    if "value" in operand:
        return (1, "", 0, 0)
    return (0, operand["ref"], operand.get("lag", 0), operand.get("scale", 1))


def _compare(left: dict[str, Any], op: str, right: dict[str, Any]) -> Node:
    if "value" in left and "value" in right:
        return TRUE if _HOLDS[op](left["value"], right["value"]) else FALSE
    if _order(right) < _order(left):
        left, op, right = right, FLIPPED[op], left
    if left == right:
        op = "==" if op in ("==", ">=", "<=") else "!="
    return {"node": "CMP", "left": left, "op": op, "right": right}


def _cmp(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    return _compare(normal_operand(node["left"], names), node["op"], normal_operand(node["right"], names))


def _cross(left: dict[str, Any], right: dict[str, Any]) -> Node:
    if "value" in left and "value" in right:
        return FALSE
    return {"node": "CROSS_ABOVE", "left": left, "right": right}


def _cross_above(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    return _cross(normal_operand(node["left"], names), normal_operand(node["right"], names))


def _cross_below(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    return _cross(normal_operand(node["right"], names), normal_operand(node["left"], names))


def _between(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    low, high = (">=", "<=") if node.get("inclusive", True) else (">", "<")
    value = normal_operand(node["value"], names)
    parts = [
        _compare(value, low, normal_operand(node["low"], names)),
        _compare(value, high, normal_operand(node["high"], names)),
    ]
    return _junction("AND", parts)


def _in(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    value = normal_operand(node["value"], names)
    members = sorted({item if isinstance(item, str) else shortest(item) for item in node["set"]})
    if "value" in value:
        return TRUE if value["value"] in members else FALSE
    if len(members) == 1:
        return _compare(value, "==", {"value": members[0]})
    return {"node": "IN", "value": value, "set": members}


def _not(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    child = normal_tree(node["child"], names)
    if child["node"] == "NOT":
        return cast("Node", child["child"])
    if child["node"] in ("TRUE", "FALSE"):
        return FALSE if child["node"] == "TRUE" else TRUE
    return {"node": "NOT", "child": child}


def _and_or(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    return _junction(node["node"], [normal_tree(child, names) for child in node["children"]])


def _junction(kind: str, parts: list[Node]) -> Node:
    neutral, decisive = (TRUE, FALSE) if kind == "AND" else (FALSE, TRUE)
    flat = [inner for part in parts for inner in (part["children"] if part["node"] == kind else [part])]
    unique = {canonical_text(part): part for part in flat if part["node"] != neutral["node"]}
    if any(part["node"] == decisive["node"] for part in unique.values()):
        return decisive
    if len(unique) < 2:
        return next(iter(unique.values()), neutral)
    return {"node": kind, "children": [unique[key] for key in sorted(unique)]}


def _constant(node: Mapping[str, Any], names: Mapping[str, str]) -> Node:
    return {"node": node["node"]}


_RULES: dict[str, Callable[[Mapping[str, Any], Mapping[str, str]], Node]] = {
    "CMP": _cmp,
    "CROSS_ABOVE": _cross_above,
    "CROSS_BELOW": _cross_below,
    "AND": _and_or,
    "OR": _and_or,
    "NOT": _not,
    "IN": _in,
    "BETWEEN": _between,
    "TRUE": _constant,
    "FALSE": _constant,
}
