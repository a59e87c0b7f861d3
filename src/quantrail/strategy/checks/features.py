"""Features: types, inputs, parameters, and the graph they form."""

from __future__ import annotations

import re
from typing import Any

from quantrail.strategy.catalogue import BAR_COLUMNS, FEATURE_TYPES, VARIABLES, FeatureParam, FeatureType
from quantrail.strategy.limits import MAX_FEATURE_DEPTH, SERIES
from quantrail.strategy.problems import Path, ProblemList, nearest
from quantrail.strategy.support import SUPPORTED


def check_features(document: dict[str, Any], problems: ProblemList) -> None:
    """Adds every problem of ``features``; what has the wrong shape is left to the models."""
    features = document.get("features")
    if not isinstance(features, dict):
        return
    for key, feature in features.items():
        if key in BAR_COLUMNS or key in VARIABLES:
            problems.add(("features", key), "DUPLICATE", f"{key!r} is already a bar column or variable", key)
        if isinstance(feature, dict) and isinstance(feature.get("type"), str):
            check_feature(("features", key), feature, features, problems)
    _check_graph(features, problems)


def check_feature(
    path: Path, feature: dict[str, Any], features: dict[str, Any], problems: ProblemList
) -> None:
    """Adds every problem of one feature; ``features`` holds the keys its inputs may name."""
    kind = FEATURE_TYPES.get(feature["type"])
    if kind is None:
        hint = nearest(feature["type"], FEATURE_TYPES)
        problems.add((*path, "type"), "UNKNOWN_NAME", "no such feature type", feature["type"], hint)
        return
    if kind.name not in SUPPORTED["feature"]:
        problems.add((*path, "type"), "UNSUPPORTED", f"no engine computes {kind.name} yet", kind.name)
    _check_inputs(path, kind, feature.get("inputs"), features, problems)
    params = feature.get("params", {})
    if isinstance(params, dict):
        _check_params((*path, "params"), kind, params, problems)


def _check_inputs(
    path: Path, kind: FeatureType, inputs: Any, features: dict[str, Any], problems: ProblemList
) -> None:
    if inputs is None:
        if len(kind.inputs) != kind.arity:
            problems.add((*path, "inputs"), "MISSING", f"{kind.name} needs {kind.arity} input(s)")
        return
    if not isinstance(inputs, list):
        return
    where = (*path, "inputs")
    if not kind.free_inputs and tuple(inputs) != kind.inputs:
        reads = ", ".join(kind.inputs) or f"the table {kind.records}"
        problems.add(where, "BAD_VALUE", f"{kind.name} reads {reads}; leave inputs out", inputs)
    elif len(inputs) != kind.arity:
        problems.add(where, "BAD_VALUE", f"{kind.name} takes {kind.arity} input(s)", inputs)
    for index, name in enumerate(inputs):
        if isinstance(name, str) and name not in BAR_COLUMNS and name not in features:
            hint = nearest(name, {*BAR_COLUMNS, *features})
            problems.add((*where, index), "UNKNOWN_NAME", "no such bar column or feature", name, hint)


def _check_params(path: Path, kind: FeatureType, params: dict[str, Any], problems: ProblemList) -> None:
    known = {param.name: param for param in kind.params}
    for name, value in params.items():
        if name in kind.texts:
            _check_text((*path, name), name, value, problems)
        elif name not in known:
            hint = nearest(name, {*known, *kind.texts}) or f"{kind.name} has no parameters"
            problems.add((*path, name), "UNKNOWN_NAME", f"{kind.name} has no such parameter", value, hint)
        elif isinstance(value, str):
            problems.add((*path, name), "WRONG_TYPE", f"{name} is a number; write it without quotes", value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _check_value((*path, name), known[name], value, problems)
    for name in kind.texts:
        if name not in params:
            problems.add((*path, name), "MISSING", f"{kind.name} needs {name}, the name of a stored series")
    _check_order(path, kind, params, problems)


def _check_text(path: Path, name: str, value: Any, problems: ProblemList) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        problems.add(path, "WRONG_TYPE", f"{name} is a text; put it in quotes", value)
    elif isinstance(value, str) and re.fullmatch(SERIES, value) is None:
        allowed = "1 to 64 letters, digits, spaces or . _ - / : % & + ^, beginning with a letter or digit"
        problems.add(path, "BAD_VALUE", f"{name} is {allowed}", value)


def _check_value(path: Path, param: FeatureParam, value: int | float, problems: ProblemList) -> None:
    if param.kind == "int" and value != int(value):
        problems.add(path, "WRONG_TYPE", f"{param.name} is a whole number", value)
    elif not param.low <= value <= param.high:
        problems.add(path, "OUT_OF_RANGE", f"{param.name} is within {param.low}..{param.high}", value)


def _check_order(path: Path, kind: FeatureType, params: dict[str, Any], problems: ProblemList) -> None:
    values = {param.name: params.get(param.name, param.default) for param in kind.params}
    for small, large in kind.ordered:
        pair = values[small], values[large]
        if all(isinstance(value, int | float) for value in pair) and not pair[0] < pair[1]:
            problems.add(path, "CROSS_RULE", f"{small} must be smaller than {large}", list(pair))


def _check_graph(features: dict[str, Any], problems: ProblemList) -> None:
    depths: dict[str, int] = {}
    for key in features:
        cycle = _depth(key, features, depths, ())
        if cycle:
            text = " -> ".join(cycle)
            problems.add(("features", cycle[0], "inputs"), "CYCLE", f"features in a circle: {text}", cycle[0])
    for key, depth in depths.items():
        if depth > MAX_FEATURE_DEPTH:
            problems.add(
                ("features", key), "LIMIT", f"nested {depth} deep, the limit is {MAX_FEATURE_DEPTH}", key
            )


def _depth(
    key: str, features: dict[str, Any], depths: dict[str, int], trail: tuple[str, ...]
) -> tuple[str, ...]:
    # Depth of each feature by memoised descent; a cycle is returned from its smallest name on.
    if key in depths:
        return ()
    if key in trail:
        ring = trail[trail.index(key) :]
        start = ring.index(min(ring))
        return (*ring[start:], *ring[:start], ring[start])
    deepest = 0
    for name in _feature_inputs(features, key):
        cycle = _depth(name, features, depths, (*trail, key))
        if cycle:
            return cycle
        deepest = max(deepest, depths[name])
    depths[key] = deepest + 1
    return ()


def _feature_inputs(features: dict[str, Any], key: str) -> list[str]:
    feature = features[key]
    inputs = feature.get("inputs") if isinstance(feature, dict) else None
    return (
        [name for name in inputs if isinstance(name, str) and name in features]
        if isinstance(inputs, list)
        else []
    )
