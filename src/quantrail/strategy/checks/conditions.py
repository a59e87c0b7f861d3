"""Conditions: names, kinds of values, and limits of the trees as written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quantrail.strategy.catalogue import BAR_COLUMNS, REGIME_STATES, VARIABLES
from quantrail.strategy.limits import MAX_AST_DEPTH, MAX_COMPARISONS
from quantrail.strategy.problems import Path, ProblemList, nearest
from quantrail.strategy.support import SUPPORTED

_SIDES = ("left", "right", "value", "low", "high")


@dataclass(frozen=True, slots=True)
class _Scope:
    features: frozenset[str]
    has_regime: bool


def check_conditions(document: dict[str, Any], problems: ProblemList) -> None:
    """Adds every problem of ``conditions``; what has the wrong shape is left to the models."""
    conditions = document.get("conditions")
    if not isinstance(conditions, dict):
        return
    features = document.get("features")
    scope = _Scope(frozenset(features) if isinstance(features, dict) else frozenset(), _has_regime(document))
    for name, tree in conditions.items():
        path: Path = ("conditions", name)
        for where, node in _walk(path, tree):
            _check_node(where, node, scope, problems)
        _check_size(path, tree, problems)


def _has_regime(document: dict[str, Any]) -> bool:
    modules = document.get("modules")
    regime = modules.get("regime") if isinstance(modules, dict) else None
    return isinstance(regime, dict) and regime.get("enabled", True) is True


def _walk(path: Path, node: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    if not isinstance(node, dict):
        return
    yield path, node
    for index, child in enumerate(_children(node)):
        step: Path = ("child",) if "child" in node else ("children", index)
        yield from _walk((*path, *step), child)


def _children(node: dict[str, Any]) -> list[Any]:
    if "child" in node:
        return [node["child"]]
    children = node.get("children")
    return children if isinstance(children, list) else []


def _check_size(path: Path, tree: Any, problems: ProblemList) -> None:
    deep, count = depth(tree), comparisons(tree)
    if deep > MAX_AST_DEPTH:
        problems.add(path, "LIMIT", f"{deep} levels deep, the limit is {MAX_AST_DEPTH}", deep)
    if count > MAX_COMPARISONS:
        problems.add(path, "LIMIT", f"{count} comparisons, the limit is {MAX_COMPARISONS}", count)


def depth(node: Any) -> int:
    """Levels of a tree; a lone comparison has one."""
    if not isinstance(node, dict):
        return 0
    return 1 + max((depth(child) for child in _children(node)), default=0)


def comparisons(node: Any) -> int:
    """Comparisons of a tree; BETWEEN counts as two, TRUE and FALSE as none."""
    if not isinstance(node, dict):
        return 0
    own = {"CMP": 1, "CROSS_ABOVE": 1, "CROSS_BELOW": 1, "IN": 1, "BETWEEN": 2}.get(str(node.get("node")), 0)
    return own + sum(comparisons(child) for child in _children(node))


def _check_node(path: Path, node: dict[str, Any], scope: _Scope, problems: ProblemList) -> None:
    kinds: dict[str, str] = {}
    # Beside a text variable a bare word is a text constant, else it must be a name.
    textual = any(_variable_kind(node.get(side)) == "string" for side in _SIDES)
    for side in _SIDES:
        if side in node:
            kind = _check_operand((*path, side), node[side], scope, textual, problems)
            if kind:
                kinds[side] = kind
    members = node.get("set")
    if isinstance(members, list) and members:
        kinds["set"] = "string" if isinstance(members[0], str) else "number"
        if len({isinstance(member, str) for member in members}) > 1:
            problems.add((*path, "set"), "TYPE_MISMATCH", "a set holds numbers or texts, not both", members)
    _check_kinds(path, node, kinds, problems)


def _check_kinds(path: Path, node: dict[str, Any], kinds: dict[str, str], problems: ProblemList) -> None:
    found = set(kinds.values())
    if len(found) > 1:
        sides = ", ".join(f"{side} is a {kind}" for side, kind in kinds.items())
        problems.add(path, "TYPE_MISMATCH", f"cannot compare: {sides}")
    elif found == {"string"} and node.get("node") not in ("IN",) and node.get("op") not in ("==", "!="):
        problems.add(path, "TYPE_MISMATCH", "texts compare with == and != only", node.get("op"))
    if _constant(node.get("low")) and _constant(node.get("high")):
        low, high = node["low"], node["high"]
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            problems.add(path, "CROSS_RULE", "low is above high, so this can never hold", [low, high])
    _check_regime_words(path, node, problems)


def _constant(operand: Any) -> bool:
    return isinstance(operand, int | float) and not isinstance(operand, bool)


def _check_regime_words(path: Path, node: dict[str, Any], problems: ProblemList) -> None:
    if not any(_name_of(node.get(side)) == "regime_state" for side in _SIDES):
        return
    words = [_text_of(node.get(side)) for side in ("left", "right")]
    members = node.get("set")
    words += members if isinstance(members, list) else []
    for word in words:
        if isinstance(word, str) and word not in REGIME_STATES and word not in VARIABLES:
            problems.add(path, "BAD_VALUE", "no such regime state", word, nearest(word, REGIME_STATES))


def _name_of(operand: Any) -> Any:
    return operand.get("ref") if isinstance(operand, dict) else operand


def _text_of(operand: Any) -> Any:
    return operand.get("value") if isinstance(operand, dict) else operand


def _variable_kind(operand: Any) -> str | None:
    name = _name_of(operand)
    return VARIABLES.get(name) if isinstance(name, str) else None


def _check_operand(
    path: Path, operand: Any, scope: _Scope, textual: bool, problems: ProblemList
) -> str | None:
    if isinstance(operand, dict) and "value" in operand:
        return _literal_kind(operand["value"])
    name = _name_of(operand)
    if not isinstance(name, str):
        return _literal_kind(operand)
    known = (*BAR_COLUMNS, *VARIABLES, *scope.features)
    if name not in known:
        if textual and isinstance(operand, str):
            return "string"
        where = (*path, "ref") if isinstance(operand, dict) else path
        hint = nearest(name, known)
        problems.add(where, "UNKNOWN_NAME", "no such feature, bar column or variable", name, hint)
        return None
    return _check_reference(path, operand, name, scope, problems)


def _check_reference(path: Path, operand: Any, name: str, scope: _Scope, problems: ProblemList) -> str:
    kind = VARIABLES.get(name, "number")
    if name in VARIABLES and name not in SUPPORTED["variable"]:
        problems.add(path, "NO_DATA_SOURCE", f"no source supplies {name} yet", name)
    if name.startswith("regime_") and name in VARIABLES and not scope.has_regime:
        hint = "add modules.regime, for example {benchmark: SPY}"
        problems.add(path, "NO_DATA_SOURCE", f"{name} needs modules.regime", name, hint)
    if isinstance(operand, dict):
        if operand.get("scale", 1) == 0:
            problems.add((*path, "scale"), "BAD_VALUE", "a scale of 0 erases the value", 0)
        if kind == "string" and operand.get("scale", 1) != 1:
            problems.add((*path, "scale"), "TYPE_MISMATCH", f"{name} is a text, it has no scale", name)
        if name == "symbol" and operand.get("lag", 0) != 0:
            problems.add((*path, "lag"), "BAD_VALUE", "a symbol never changes, it has no lag", operand["lag"])
    return kind


def _literal_kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None
