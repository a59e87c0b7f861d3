"""The canonical form holds where the written tree holds, and is blocked where it is blocked."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from quantrail.errors import SpecInvalid
from quantrail.strategy import canonicalise
from quantrail.strategy.naming import name_features
from quantrail.strategy.tree import normal_tree

T = 6
OPS: dict[str, Any] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
Series = dict[str, list[float | None]]


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"meaning_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawn = _load("drawn")


def value(operand: Any, series: Series, ago: int = 0) -> float | None:
    """An operand, written or canonical, ``ago`` bars before the last one; None where it is missing."""
    if isinstance(operand, dict) and "value" in operand:
        operand = operand["value"]
    if isinstance(operand, int | float):
        return float(operand)
    written = {"ref": operand} if isinstance(operand, str) else operand
    found = series[written["ref"]][T - 1 - ago - int(written.get("lag", 0))]
    return None if found is None else found * written.get("scale", 1)


def compared(op: str, a: float | None, b: float | None) -> tuple[bool, bool]:
    if a is None or b is None:
        return False, True
    return bool(OPS[op](a, b)), False


def holds(node: dict[str, Any], series: Series) -> tuple[bool, bool]:
    """(truth, blocked) of a tree at the last bar; the truth means nothing where it is blocked."""
    kind = node["node"]
    if kind in ("AND", "OR"):
        parts = [holds(child, series) for child in node["children"]]
        truth = (all if kind == "AND" else any)(part[0] for part in parts)
        return truth, any(part[1] for part in parts)
    if kind == "NOT":
        truth, blocked = holds(node["child"], series)
        return not truth, blocked
    if kind == "CMP":
        return compared(node["op"], value(node["left"], series), value(node["right"], series))
    if kind == "BETWEEN":
        ops = (">=", "<=") if node.get("inclusive", True) else (">", "<")
        middle = value(node["value"], series)
        low = compared(ops[0], middle, value(node["low"], series))
        high = compared(ops[1], middle, value(node["high"], series))
        return low[0] and high[0], low[1] or high[1]
    if kind == "IN":
        found = value(node["value"], series)
        return (False, True) if found is None else (found in node["set"], False)
    return crossed(node, series)


def crossed(node: dict[str, Any], series: Series) -> tuple[bool, bool]:
    left, right = ("left", "right") if node["node"] == "CROSS_ABOVE" else ("right", "left")
    before = compared("<=", value(node[left], series, 1), value(node[right], series, 1))
    now = compared(">", value(node[left], series), value(node[right], series))
    return before[0] and now[0], before[1] or now[1]


def some_series(rng: Random) -> list[float | None]:
    # Few values, so that equal ones meet; some missing.
    missing = rng.choice([0.0, 0.0, 0.2])
    return [None if rng.random() < missing else rng.choice([-2.0, 0.0, 1.0, 4.0, 8.0]) for _ in range(T)]


@given(st.integers(0, 2**63).map(Random))
@settings(max_examples=400, deadline=None)
def test_the_canonical_form_holds_and_is_blocked_where_the_written_tree_is(rng: Random) -> None:
    document = drawn.document(rng)
    names, _ = name_features(document["features"])
    series: Series = {name: some_series(rng) for name in {*names.values(), *drawn.COLUMNS}}
    written = series | {key: series[name] for key, name in names.items()}
    for tree in document["conditions"].values():
        expected, found = holds(tree, written), holds(normal_tree(tree, names), series)
        assert found[1] == expected[1]
        if not expected[1]:
            assert found[0] == expected[0]


@given(st.integers(0, 2**63).map(Random))
@settings(max_examples=200, deadline=None)
def test_a_filter_and_its_condition_hold_together(rng: Random) -> None:
    document = drawn.document(rng)
    entry = document["modules"]["entry"]
    entry["filter"] = {"ref": rng.choice(list(document["conditions"]))}
    try:
        modules = canonicalise(document).spec["modules"]
    except SpecInvalid:
        return
    side = modules["long"] or modules["short"]
    assert side is not None
    names, _ = name_features(document["features"])
    series: Series = {name: some_series(rng) for name in {*names.values(), *drawn.COLUMNS}}
    written = series | {key: series[name] for key, name in names.items()}
    parts = [holds(document["conditions"][entry[use]["ref"]], written) for use in ("filter", "condition")]
    truth, blocked = holds(side["entry"], series)
    assert blocked == any(part[1] for part in parts)
    assert blocked or truth == all(part[0] for part in parts)
