"""What changes between two strategies, by meaning: spelling, names and order do not show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from quantrail.strategy.complexity import module_trees
from quantrail.strategy.explain import condition_text
from quantrail.strategy.normal import NormalSpec


@dataclass(frozen=True, slots=True)
class Difference:
    """``path`` in the canonical form; ``before`` or ``after`` is None where there is nothing."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


def diff(before: NormalSpec, after: NormalSpec) -> list[Difference]:
    """Every difference in meaning, by path; empty exactly when both have the same strategy_id.

    Conditions are shown as sentences, features by what they compute.
    """
    old, new = _flat(before), _flat(after)
    return [
        Difference(path, old.get(path), new.get(path))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    ]


def _flat(spec: NormalSpec) -> dict[str, Any]:
    flat: dict[str, Any] = {f"features.{name}": "used" for name in spec["features"]}
    flat |= {f"modules.{name}": condition_text(tree) for name, tree in module_trees(spec["modules"]).items()}
    for name in ("long", "short"):
        side = spec["modules"][name]
        for key in ("cooldown_bars", "max_holding_bars"):
            if side is not None and side[key]:
                flat[f"modules.{name}.{key}"] = side[key]
    rest: dict[str, Any] = {key: value for key, value in spec.items() if key not in ("features", "modules")}
    rest["modules"] = {key: spec["modules"][key] for key in ("regime", "selection")}
    return flat | dict(_leaves((), rest))


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, str(key)), item)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for index, item in enumerate(value):
            yield from _leaves((*path, str(index)), item)
    elif value not in (None, []):
        yield ".".join(path), value
