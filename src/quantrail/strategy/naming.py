"""Features by content: what is computed is the name, so equal features meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quantrail.strategy.catalogue import FEATURE_TYPES
from quantrail.strategy.normal import NormalFeature
from quantrail.strategy.number import number_text, shortest


def normal_feature(feature: Mapping[str, Any], names: Mapping[str, str]) -> NormalFeature:
    """Defaults filled in, inputs by content name; ``names`` maps the keys named so far."""
    kind = FEATURE_TYPES[feature["type"]]
    given = feature.get("params") or {}
    inputs = feature.get("inputs")
    return {
        "type": kind.name,
        "inputs": [names.get(name, name) for name in (kind.inputs if inputs is None else inputs)],
        "params": {
            **{param.name: shortest(given.get(param.name, param.default)) for param in kind.params},
            **{name: given[name] for name in kind.texts},
        },
    }


def content_name(feature: NormalFeature) -> str:
    """For example ``sma(close;period=20)``, ``obv(close,volume)``, ``lag(sma(close;period=20);bars=1)``,
    ``econ(;series=CPI)``.
    """
    params = ",".join(f"{name}={_text(value)}" for name, value in sorted(feature["params"].items()))
    return f"{feature['type']}({','.join(feature['inputs'])}{';' if params else ''}{params})"


def _text(value: int | float | str) -> str:
    return value if isinstance(value, str) else number_text(value)


def name_features(
    features: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, str], dict[str, NormalFeature]]:
    """Key -> content name, and content name -> feature. ``features`` has no cycle."""
    names: dict[str, str] = {}
    contents: dict[str, NormalFeature] = {}

    def visit(key: str) -> None:
        if key in names or key not in features:
            return
        for name in features[key].get("inputs") or ():
            visit(name)
        content = normal_feature(features[key], names)
        names[key] = content_name(content)
        contents[names[key]] = content

    for key in features:
        visit(key)
    return names, contents


def with_inputs(used: Iterable[str], contents: Mapping[str, NormalFeature]) -> dict[str, NormalFeature]:
    """The ``used`` features and all they are computed from, by sorted name."""
    closed: set[str] = set()
    open_names = [name for name in used if name in contents]
    while open_names:
        name = open_names.pop()
        if name not in closed:
            closed.add(name)
            open_names += [source for source in contents[name]["inputs"] if source in contents]
    return {name: contents[name] for name in sorted(closed)}
