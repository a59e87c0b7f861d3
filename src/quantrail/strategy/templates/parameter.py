"""Typed parameters of templates and atoms: bounds, grids, and rules between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from quantrail.strategy.problems import ProblemList, nearest

Value = int | float


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter on a grid ``low, low + step .. high``, both ends included.

    ``targets`` names what it sets, as (feature type, feature parameter) or (feature type, "threshold"),
    so that a limit on a feature's range can be read as a limit on this parameter.
    """

    name: str
    kind: Literal["int", "float"]
    low: Value
    high: Value
    step: Value
    default: Value
    meaning: str
    targets: tuple[tuple[str, str], ...] = ()

    def grid(self, low: Value | None = None, high: Value | None = None) -> tuple[Value, ...]:
        """Every value on the grid within the bounds, or within narrower ones; may be empty."""
        whole = _grid_of(self)
        if low is None and high is None:
            return whole
        floor = self.low if low is None else low
        ceiling = self.high if high is None else high
        return tuple(value for value in whole if floor <= value <= ceiling)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of this parameter; its grid's step, which starts at the minimum, is ``x-step``."""
        return {
            "type": "integer" if self.kind == "int" else "number",
            "minimum": self.low,
            "maximum": self.high,
            "x-step": self.step,
            "default": self.default,
            "description": self.meaning,
        }


@lru_cache(maxsize=1024)
def _grid_of(parameter: Parameter) -> tuple[Value, ...]:
    count = round((parameter.high - parameter.low) / parameter.step)
    values = (parameter.low + index * parameter.step for index in range(count + 1))
    return tuple(value if parameter.kind == "int" else round(float(value), 10) for value in values)


@dataclass(frozen=True, slots=True)
class Rule:
    """Parameter ``larger`` must exceed parameter ``smaller``."""

    larger: str
    smaller: str

    def holds(self, params: Mapping[str, Value]) -> bool:
        return params[self.larger] > params[self.smaller]

    def __str__(self) -> str:
        return f"{self.larger} > {self.smaller}"


def check_params(
    parameters: tuple[Parameter, ...],
    rules: tuple[Rule, ...],
    params: Mapping[str, Any],
    problems: ProblemList,
) -> dict[str, Value]:
    """Complete parameters, defaults filled in; what is wrong goes to ``problems``."""
    known = {parameter.name: parameter for parameter in parameters}
    for name, value in params.items():
        if name not in known:
            hint = nearest(name, known) or "this template has no parameters"
            problems.add(("params", name), "UNKNOWN_NAME", "no such parameter", value, hint)
        else:
            _check_value(known[name], value, problems)
    complete = {name: params.get(name, parameter.default) for name, parameter in known.items()}
    if not problems.items:
        for rule in rules:
            if not rule.holds(complete):
                values = [complete[rule.larger], complete[rule.smaller]]
                problems.add(("params", rule.larger), "CROSS_RULE", f"needs {rule}", values)
    return complete


def _check_value(parameter: Parameter, value: Any, problems: ProblemList) -> None:
    path = ("params", parameter.name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(path, "WRONG_TYPE", f"{parameter.name} is a number", value)
    elif parameter.kind == "int" and value != int(value):
        problems.add(path, "WRONG_TYPE", f"{parameter.name} is a whole number", value)
    elif not parameter.low <= value <= parameter.high:
        bounds = f"{parameter.low}..{parameter.high}"
        problems.add(path, "OUT_OF_RANGE", f"{parameter.name} is within {bounds}", value)
