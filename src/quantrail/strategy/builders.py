"""Specs written in Python: values that compare to conditions, and ``spec`` that makes the document.

>>> from quantrail.strategy import bar, ind, spec
>>> document = spec(
...     entry=(ind.sma(20) > ind.sma(100)) & ind.rsi(14).between(30, 70),
...     exit=ind.sma(20).crosses_below(ind.sma(100)),
...     symbols=["SPY"],
...     hard_stop={"type": "pct", "value": 0.08},
... )
>>> sorted(document["features"])
['rsi_14', 'sma_100', 'sma_20']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quantrail.errors import InvalidInput
from quantrail.strategy.catalogue import BAR_COLUMNS, FEATURE_TYPES, VARIABLES
from quantrail.strategy.problems import nearest

Scalar = int | float | str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition tree whose operands are still values; joined with ``&``, ``|`` and ``~``."""

    node: str
    parts: tuple[tuple[str, Any], ...]

    def __and__(self, other: Condition) -> Condition:
        return Condition("AND", (("children", (self, other)),))

    def __or__(self, other: Condition) -> Condition:
        return Condition("OR", (("children", (self, other)),))

    def __invert__(self) -> Condition:
        return Condition("NOT", (("child", self),))

    def __bool__(self) -> bool:
        raise InvalidInput("a condition has no truth in Python; join with &, | and ~, with brackets")


ALWAYS = Condition("TRUE", ())
NEVER = Condition("FALSE", ())


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A bar column, variable or feature; comparing one makes a condition.

    ``x * 1.02`` scales it and ``x.lag(1)`` looks back.

    ``equals`` and ``differs`` stand for == and !=, which keep their meaning in Python.
    """

    name: str
    inputs: tuple[Value, ...] = ()
    params: tuple[tuple[str, Scalar], ...] = ()
    bars: int = 0
    scale: int | float = 1

    def lag(self, bars: int) -> Value:
        return replace(self, bars=self.bars + bars)

    def __mul__(self, factor: float) -> Value:
        return replace(self, scale=self.scale * factor)

    __rmul__ = __mul__

    def __gt__(self, other: Value | Scalar) -> Condition:
        return self._compared(">", other)

    def __ge__(self, other: Value | Scalar) -> Condition:
        return self._compared(">=", other)

    def __lt__(self, other: Value | Scalar) -> Condition:
        return self._compared("<", other)

    def __le__(self, other: Value | Scalar) -> Condition:
        return self._compared("<=", other)

    def equals(self, other: Value | Scalar) -> Condition:
        return self._compared("==", other)

    def differs(self, other: Value | Scalar) -> Condition:
        return self._compared("!=", other)

    def crosses_above(self, other: Value | Scalar) -> Condition:
        return Condition("CROSS_ABOVE", (("left", self), ("right", other)))

    def crosses_below(self, other: Value | Scalar) -> Condition:
        return Condition("CROSS_BELOW", (("left", self), ("right", other)))

    def between(self, low: Value | Scalar, high: Value | Scalar, *, inclusive: bool = True) -> Condition:
        parts = (("value", self), ("low", low), ("high", high), ("inclusive", inclusive))
        return Condition("BETWEEN", parts)

    def is_in(self, members: Sequence[Scalar]) -> Condition:
        return Condition("IN", (("value", self), ("set", list(members))))

    def _compared(self, op: str, other: Value | Scalar) -> Condition:
        return Condition("CMP", (("left", self), ("op", op), ("right", other)))

    @property
    def is_feature(self) -> bool:
        return self.name in FEATURE_TYPES

    @property
    def unlagged(self) -> Value:
        return replace(self, bars=0, scale=1)


class Indicators:
    """Every feature type as a function: ``ind.sma(20)``, ``ind.ema(9, of=bar.volume)``, ``ind.macd()``.

    Positional values fill the parameters in the catalogue's order, names such as a series' first;
    ``of`` gives the input, or several as a tuple.
    """

    def __getattr__(self, name: str) -> Callable[..., Value]:
        if name not in FEATURE_TYPES:
            raise AttributeError(f"no feature type {name!r}; {nearest(name, FEATURE_TYPES)}")
        return lambda *numbers, of=(), **params: _feature(name, numbers, of, params)

    def __dir__(self) -> list[str]:
        return sorted(FEATURE_TYPES)


def _feature(
    name: str, numbers: Sequence[Scalar], of: Value | Sequence[Value], params: Mapping[str, Any]
) -> Value:
    names = [*FEATURE_TYPES[name].texts, *(param.name for param in FEATURE_TYPES[name].params)]
    if len(numbers) > len(names):
        raise InvalidInput(f"{name} has {len(names)} parameter(s), got {len(numbers)}")
    inputs = (of,) if isinstance(of, Value) else tuple(of)
    for value in inputs:
        if value.bars or value.scale != 1:
            raise InvalidInput(f"an input of {name} has a lag or scale; use ind.lag(n, of=...)")
    given = {**dict(zip(names, numbers, strict=False)), **params}
    return Value(name, inputs, tuple(sorted(given.items())))


class Bar:
    """Bar columns and system variables: ``bar.close``, ``bar.regime_state``."""

    def __getattr__(self, name: str) -> Value:
        if name not in BAR_COLUMNS and name not in VARIABLES:
            hint = nearest(name, {*BAR_COLUMNS, *VARIABLES})
            raise AttributeError(f"no bar column or variable {name!r}; {hint}")
        return Value(name)

    def __dir__(self) -> list[str]:
        return sorted({*BAR_COLUMNS, *VARIABLES})


ind = Indicators()
bar = Bar()


def _spelt(value: Scalar) -> str:
    if isinstance(value, str):
        return re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
    return f"{value:g}".replace(".", "p").replace("-", "m")


class _Writer:
    """Gives each distinct feature a readable key while conditions are written out."""

    def __init__(self) -> None:
        self.features: dict[str, dict[str, Any]] = {}

    def key(self, value: Value) -> str:
        if not value.is_feature:
            return value.name
        written: dict[str, Any] = {"type": value.name, "params": dict(value.params)}
        if value.inputs:
            written["inputs"] = [self.key(source) for source in value.inputs]
        stem = "_".join([value.name, *(_spelt(given) for _, given in value.params)])[:56]
        key, count = stem, 1
        while self.features.get(key, written) != written:
            count += 1
            key = f"{stem}_v{count}"
        self.features[key] = written
        return key

    def operand(self, value: Any) -> Any:
        if not isinstance(value, Value):
            return {"value": value} if isinstance(value, str) else value
        key = self.key(value.unlagged)
        if not value.bars and value.scale == 1:
            return key
        return {"ref": key, "lag": value.bars, "scale": value.scale}

    def tree(self, condition: Condition) -> dict[str, Any]:
        node: dict[str, Any] = {"node": condition.node}
        for name, part in condition.parts:
            if name == "children":
                node[name] = [self.tree(child) for child in part]
            elif name == "child":
                node[name] = self.tree(part)
            else:
                node[name] = part if name in ("op", "set", "inclusive") else self.operand(part)
        return node


def spec(
    *,
    entry: Condition,
    exit: Condition = NEVER,
    filter: Condition | None = None,
    short_entry: Condition | None = None,
    short_exit: Condition = NEVER,
    direction: str | None = None,
    symbols: Sequence[str] | None = None,
    name: str | None = None,
    rank_by: Value | None = None,
    top_n: int | None = None,
    cooldown_bars: int = 0,
    max_holding_bars: int | None = None,
    hard_stop: Mapping[str, Any] | None = None,
    trailing_stop: Mapping[str, Any] | None = None,
    take_profit: Sequence[Mapping[str, Any]] = (),
    regime: Mapping[str, Any] | None = None,
    **sections: Any,
) -> dict[str, Any]:
    """An ordinary spec document; ``sections`` are its other top-level parts, as they are written in YAML.

    ``direction`` is long, or both when ``short_entry`` is given. ``rank_by`` with ``top_n`` selects the
    symbols that may be held. Nothing is checked here: :func:`~quantrail.strategy.parse_spec` does.
    """
    writer = _Writer()
    trees = {"entry": entry, "exit": exit, "filter": filter}
    if short_entry is not None:
        trees |= {"short_entry": short_entry, "short_exit": short_exit}
    conditions = {key: writer.tree(tree) for key, tree in trees.items() if tree is not None}
    modules: dict[str, Any] = {
        "direction": direction or ("long" if short_entry is None else "both"),
        **_sides(conditions, cooldown_bars, max_holding_bars),
    }
    if rank_by is not None:
        modules["selection"] = {"feature": writer.key(rank_by), "top_n": top_n}
    if regime is not None:
        modules["regime"] = dict(regime)
    document: dict[str, Any] = {
        "schema_version": "1.0",
        "features": writer.features,
        "conditions": conditions,
        "modules": modules,
        "risk": {"trade_risk": _trade_risk(hard_stop, trailing_stop, take_profit)},
    }
    if name is not None:
        document["name"] = name
    if symbols is not None:
        document["universe"] = {"symbols": list(symbols)}
    return {**document, **sections}


def _sides(conditions: Mapping[str, Any], cooldown_bars: int, max_holding_bars: int | None) -> dict[str, Any]:
    sides: dict[str, Any] = {}
    for key in conditions:
        if key.endswith("entry"):
            sides[key] = {"condition": {"ref": key}, "cooldown_bars": cooldown_bars}
            if "filter" in conditions:
                sides[key]["filter"] = {"ref": "filter"}
        elif key.endswith("exit"):
            sides[key] = {"condition": {"ref": key}}
            if max_holding_bars is not None:
                sides[key]["time_stop"] = {"max_holding_bars": max_holding_bars}
    return sides


def _trade_risk(
    hard_stop: Mapping[str, Any] | None,
    trailing_stop: Mapping[str, Any] | None,
    take_profit: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "hard_stop": None if hard_stop is None else dict(hard_stop),
        "trailing_stop": None if trailing_stop is None else dict(trailing_stop),
        "take_profit": [dict(level) for level in take_profit],
    }
