"""The fast path's condition trees: canonical data and canonical text in one descent.

Knows numeric comparisons and the regime state; constants that would fold, sets, and everything
that is not plainly right raise NotFast.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from quantrail.strategy.catalogue import BAR_COLUMNS, REGIME_STATES
from quantrail.strategy.fast.blocks import NotFast
from quantrail.strategy.limits import (
    MAX_AST_DEPTH,
    MAX_CHILDREN,
    MAX_COMPARISONS,
    MAX_LAG,
    MAX_NUMBER,
)
from quantrail.strategy.normal import Node
from quantrail.strategy.number import number_text, shortest
from quantrail.strategy.tree import FLIPPED


class Side(NamedTuple):
    order: tuple[Any, ...]
    text: str
    operand: dict[str, Any]


class Tree(NamedTuple):
    """``uses``: names read. ``depth``, ``comparisons``: as written; ``levels``: depth of ``node``.

    ``parts``: children of AND and OR.
    """

    text: str
    node: Node
    uses: frozenset[str]
    depth: int
    comparisons: int
    levels: int
    parts: tuple[Tree, ...] = ()


_LEAVES = {
    word: Tree(f'{{"node":"{word}"}}', {"node": word}, frozenset(), 1, 0, 1) for word in ("TRUE", "FALSE")
}
FALSE_TREE = _LEAVES["FALSE"]


def fast_tree(node: Any, names: Mapping[str, str]) -> Tree:
    """The canonical tree of a written one, which is within all limits."""
    tree = _tree(node, names, MAX_AST_DEPTH)
    if tree.comparisons > MAX_COMPARISONS or tree.levels > MAX_AST_DEPTH:
        raise NotFast
    return tree


def conjunction(first: Tree, second: Tree) -> Tree:
    """Filter and condition together."""
    if first.node is _LEAVES["TRUE"].node:
        return second
    joined = _joined("AND", [first, second])
    if joined.comparisons > MAX_COMPARISONS or joined.levels > MAX_AST_DEPTH:
        raise NotFast
    return joined


def _tree(node: Any, names: Mapping[str, str], levels: int) -> Tree:
    if levels == 0 or type(node) is not dict:
        raise NotFast
    kind = node.get("node")
    if type(kind) is not str:
        raise NotFast
    if kind == "CMP" and len(node) == 4:
        return _cmp(node, names)
    if kind in ("AND", "OR") and len(node) == 2:
        return _junction(kind, node, names, levels)
    if kind in ("CROSS_ABOVE", "CROSS_BELOW") and len(node) == 3:
        return _cross(kind, node, names)
    if kind == "NOT" and len(node) == 2:
        return _not(node, names, levels)
    if kind == "BETWEEN":
        return _between(node, names)
    if kind in _LEAVES and len(node) == 1:
        return _LEAVES[kind]
    raise NotFast


def _cmp(node: dict[str, Any], names: Mapping[str, str]) -> Tree:
    left, op, right = node.get("left"), node.get("op"), node.get("right")
    if type(op) is not str or op not in FLIPPED:
        raise NotFast
    if left == "regime_state" and type(left) is str:
        return _regime(op, right)
    if type(left) is str and type(right) is str:
        return _names_compared(_known(left, names), op, _known(right, names))
    return _compare(_side(left, names), op, _side(right, names))


@lru_cache(16_384)
def _names_compared(left: str, op: str, right: str) -> Tree:
    return _compare(_reference(left, 0, 1), op, _reference(right, 0, 1))


def _compare(left: Side, op: str, right: Side) -> Tree:
    if right.order < left.order:
        left, op, right = right, FLIPPED[op], left
    if left.order[0] == 1 or left.order == right.order:
        raise NotFast
    return _leaf("CMP", left, op, right)


def _leaf(kind: str, left: Side, op: str | None, right: Side) -> Tree:
    middle = "" if op is None else f',"op":"{op}"'
    text = f'{{"left":{left.text},"node":"{kind}"{middle},"right":{right.text}}}'
    node: Node = {"node": kind, "left": left.operand}
    if op is not None:
        node["op"] = op
    node["right"] = right.operand
    uses = frozenset(side.order[1] for side in (left, right) if side.order[0] == 0)
    return Tree(text, node, uses, 1, 1, 1)


def _regime(op: str, state: Any) -> Tree:
    if type(state) is dict and len(state) == 1:
        state = state.get("value")
    if type(state) is not str or state not in REGIME_STATES or op not in ("==", "!="):
        raise NotFast
    right = Side((1, "", 0, 0), f'{{"value":"{state}"}}', {"value": state})
    return _leaf("CMP", _reference("regime_state", 0, 1), op, right)


def _cross(kind: str, node: dict[str, Any], names: Mapping[str, str]) -> Tree:
    left, right = _side(node.get("left"), names), _side(node.get("right"), names)
    if left.order[0] == 1 and right.order[0] == 1:
        raise NotFast
    if kind == "CROSS_BELOW":
        left, right = right, left
    return _leaf("CROSS_ABOVE", left, None, right)


def _not(node: dict[str, Any], names: Mapping[str, str], levels: int) -> Tree:
    child = _tree(node.get("child"), names, levels - 1)
    if child.node["node"] in ("NOT", "TRUE", "FALSE"):
        raise NotFast
    text = f'{{"child":{child.text},"node":"NOT"}}'
    negated: Node = {"node": "NOT", "child": child.node}
    return Tree(text, negated, child.uses, child.depth + 1, child.comparisons, child.levels + 1)


def _between(node: dict[str, Any], names: Mapping[str, str]) -> Tree:
    inclusive = node.get("inclusive", True)
    if (
        inclusive not in (True, False)
        or type(inclusive) is not bool
        or len(node) != 4 + ("inclusive" in node)
    ):
        raise NotFast
    value, low, high = (_side(node.get(part), names) for part in ("value", "low", "high"))
    if value.order[0] == 1 or (low.order[0] == high.order[0] == 1 and node["low"] > node["high"]):
        raise NotFast
    ops = (">=", "<=") if inclusive else (">", "<")
    pair = _joined("AND", [_compare(value, ops[0], low), _compare(value, ops[1], high)])
    return pair._replace(depth=1, comparisons=2)


def _junction(kind: str, node: dict[str, Any], names: Mapping[str, str], levels: int) -> Tree:
    children = node.get("children")
    if type(children) is not list or not 2 <= len(children) <= MAX_CHILDREN:
        raise NotFast
    return _joined(kind, [_tree(child, names, levels - 1) for child in children])


def _joined(kind: str, trees: list[Tree]) -> Tree:
    unique: dict[str, Tree] = {}
    for tree in trees:
        if tree.node["node"] in _LEAVES:
            raise NotFast
        for part in tree.parts if tree.node["node"] == kind else (tree,):
            unique[part.text] = part
    total = sum(tree.comparisons for tree in trees)
    depth = 1 + max(tree.depth for tree in trees)
    if len(unique) == 1:
        return next(iter(unique.values()))._replace(depth=depth, comparisons=total)
    parts = tuple(unique[text] for text in sorted(unique))
    text = f'{{"children":[{",".join(part.text for part in parts)}],"node":"{kind}"}}'
    node: Node = {"node": kind, "children": [part.node for part in parts]}
    uses = frozenset().union(*(part.uses for part in parts))
    levels = 1 + max(part.levels for part in parts)
    return Tree(text, node, uses, depth, total, levels, parts)


def _side(operand: Any, names: Mapping[str, str]) -> Side:
    kind = type(operand)
    if kind is str:
        return _reference(_known(operand, names), 0, 1)
    if kind is int or kind is float:
        return _constant(operand) if abs(operand) <= MAX_NUMBER else _refuse()
    if kind is dict and "ref" in operand:
        return _written_reference(operand, names)
    return _refuse()


def _written_reference(operand: dict[str, Any], names: Mapping[str, str]) -> Side:
    name, lag, scale = operand["ref"], operand.get("lag", 0), operand.get("scale", 1)
    extra = len(operand) - 1 - ("lag" in operand) - ("scale" in operand)
    plain = type(name) is str and type(lag) is int and type(scale) in (int, float)
    if extra or not plain or not 0 <= lag <= MAX_LAG or not 0 < abs(scale) <= MAX_NUMBER:
        raise NotFast
    return _reference(_known(name, names), lag, scale)


def _refuse() -> Side:
    raise NotFast


def _known(name: str, names: Mapping[str, str]) -> str:
    if name in names:
        return names[name]
    if name not in BAR_COLUMNS and name != "regime_score":
        raise NotFast
    return name


@lru_cache(16_384)
def _reference(name: str, lag: int, scale: int | float) -> Side:
    operand: dict[str, Any] = {"ref": name}
    text = f'"ref":"{name}"'
    if lag:
        operand["lag"] = lag
        text = f'"lag":{lag},{text}'
    if scale != 1:
        operand["scale"] = shortest(scale)
        text = f'{text},"scale":{number_text(scale)}'
    return Side((0, name, lag, scale), f"{{{text}}}", operand)


@lru_cache(16_384)
def _constant(value: int | float) -> Side:
    return Side((1, "", 0, 0), f'{{"value":{number_text(value)}}}', {"value": shortest(value)})
