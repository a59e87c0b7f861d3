"""The fast path from a generated document to its canonical form and text.

Ten times the speed of models plus a general serialiser, for documents made of parts that were seen
before. It never decides that a document is wrong: what it does not know it leaves to the plain path,
and what it prints is what the plain path prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from quantrail.strategy.catalogue import BAR_COLUMNS
from quantrail.strategy.fast.blocks import (
    SECTIONS,
    NamedFeature,
    NotFast,
    feature_block,
    is_feature_key,
    is_key,
    key_of,
    surroundings,
    universe_block,
)
from quantrail.strategy.fast.modules import Joined, joined, module_plan
from quantrail.strategy.fast.trees import fast_tree
from quantrail.strategy.limits import (
    MAX_CONDITIONS,
    MAX_FEATURE_DEPTH,
    MAX_FEATURES,
    MAX_NUMBER,
)
from quantrail.strategy.normal import NormalSpec
from quantrail.strategy.support import SUPPORTED

_TOP = frozenset(
    {
        "schema_version",
        "name",
        "family",
        "metadata",
        "universe",
        "features",
        "conditions",
        "modules",
        "risk",
        "portfolio_constraints",
        "execution",
        "cost_model",
    }
)
_METADATA_TEXTS = frozenset({"created_by", "notes", "template_id"})
_METADATA_LISTS = frozenset({"tags", "derived_from"})
_LONG_TEXT = 1000
_MANY = 100


class FastForm(NamedTuple):
    """Canonical data, its text, and the text that the logic hash covers."""

    normal: NormalSpec
    text: str
    logic: str


def fast_form(document: Any) -> FastForm | None:
    """The canonical form, or None if the plain path has to decide."""
    try:
        return _form(document)
    except NotFast:
        return None


def _form(document: Any) -> FastForm:
    if (
        type(document) is not dict
        or not document.keys() <= _TOP
        or document.get("schema_version", "1.0") != "1.0"
    ):
        raise NotFast
    _check_texts((document.get("name"), document.get("family")))
    policy = _nan_policy(document.get("metadata", {}))
    features = _features(document.get("features", {}))
    names = {key: feature.name for key, feature in features.items()}
    conditions = document.get("conditions")
    if type(conditions) is not dict or len(conditions) > MAX_CONDITIONS:
        raise NotFast
    trees = {key: fast_tree(tree, names) for key, tree in conditions.items() if _is_key(key)}
    modules = joined(module_plan(key_of(document.get("modules"))), trees, names)
    used = _with_inputs(modules.uses, features.values())
    return _print(document, policy, modules, used)


def _print(document: dict[str, Any], policy: str, modules: Joined, used: list[NamedFeature]) -> FastForm:
    universe = universe_block(key_of(document.get("universe", {})))
    symbols = universe.normal["symbols"]
    count = None if symbols is None else len(symbols)
    around = surroundings(key_of([document.get(name, {}) for name in SECTIONS]), count)
    portfolio, risk, execution, cost = around.blocks
    logic = f'"features":{{{",".join([item.text for item in used])}}},"modules":{modules.text}'
    text = f'{{{around.head},{logic},"nan_policy":"{policy}",{around.tail},"universe":{universe.text}}}'
    normal: NormalSpec = {
        "schema_version": "1.0",
        "universe": universe.normal,
        "nan_policy": policy,
        "features": {item.name: item.content for item in used},
        "modules": modules.normal,
        "risk": risk,
        "portfolio_constraints": portfolio,
        "execution": execution,
        "cost_model": cost,
    }
    return FastForm(normal, text, f"{{{logic}}}")


def _is_key(key: Any) -> bool:
    if type(key) is not str or not is_key(key):
        raise NotFast
    return True


def _check_texts(values: Iterable[Any]) -> None:
    for value in values:
        if value is None:
            continue
        if type(value) is not str or len(value) > _LONG_TEXT or not value.isascii():
            raise NotFast


def _is_plain_text(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONG_TEXT and value.isascii()


def _nan_policy(metadata: Any) -> str:
    if type(metadata) is not dict:
        raise NotFast
    policy = "DISALLOW_TRADE"
    for key, value in metadata.items():
        if key == "params":
            _check_params(value)
        elif key in _METADATA_TEXTS:
            _check_texts((value,))
        elif key in _METADATA_LISTS and type(value) is list and len(value) <= _MANY and None not in value:
            _check_texts(value)
        elif key == "nan_policy" and type(value) is str and value in SUPPORTED["nan_policy"]:
            policy = value
        else:
            raise NotFast
    return policy


def _check_params(params: Any) -> None:
    if type(params) is not dict or len(params) > _MANY:
        raise NotFast
    for key, value in params.items():
        if not (type(key) is str and len(key) <= _MANY and key.isascii()):
            raise NotFast
        kind = type(value)
        number = (kind is int or kind is float) and abs(value) <= MAX_NUMBER
        if not (number or _is_plain_text(value)):
            raise NotFast


def _features(features: Any) -> dict[str, NamedFeature]:
    if type(features) is not dict or len(features) > MAX_FEATURES:
        raise NotFast
    named: dict[str, NamedFeature] = {}
    for key in features:
        _name(key, features, named, MAX_FEATURE_DEPTH)
    return named


def _name(key: Any, features: dict[str, Any], named: dict[str, NamedFeature], levels: int) -> str:
    if key in named:
        return named[key].name
    feature = features[key]
    if levels == 0 or type(key) is not str or not is_feature_key(key) or type(feature) is not dict:
        raise NotFast
    inputs = feature.get("inputs")
    if type(inputs) is list:
        resolved = [
            name if name in BAR_COLUMNS else _source(name, features, named, levels) for name in inputs
        ]
        if resolved != inputs:
            _check_depth(resolved)
            feature = {**feature, "inputs": resolved}
    named[key] = block = feature_block(key_of(feature))
    return block.name


def _source(name: Any, features: dict[str, Any], named: dict[str, NamedFeature], levels: int) -> str:
    if type(name) is not str or name not in features:
        raise NotFast
    return _name(name, features, named, levels - 1)


def _check_depth(inputs: list[str]) -> None:
    # Brackets count the nesting, whichever of the features was met first.
    deepest = 0
    for name in inputs:
        level = 0
        for letter in name:
            level += (letter == "(") - (letter == ")")
            deepest = max(deepest, level)
    if deepest >= MAX_FEATURE_DEPTH:
        raise NotFast


def _with_inputs(used: frozenset[str], features: Iterable[NamedFeature]) -> list[NamedFeature]:
    by_name = {feature.name: feature for feature in features}
    closed = used & by_name.keys()
    waiting = [source for name in closed for source in by_name[name].sources]
    while waiting:
        name = waiting.pop()
        if name not in closed:
            closed |= {name}
            waiting += by_name[name].sources
    return [by_name[name] for name in sorted(closed)]
