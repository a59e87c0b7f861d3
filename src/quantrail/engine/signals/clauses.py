"""Condition trees over plain boolean arrays, with every comparison kept as a clause that can be shown.

Engine B's own reading of the conditions: it shares feature values with engine A, nothing else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.engine.signals.conditions import Scope
from quantrail.engine.signals.features import FeatureStore
from quantrail.errors import SpecInvalid, Unsupported

Flags = NDArray[np.bool_]
Tree = Mapping[str, Any]
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison: its text, where it held and where it touched missing data, (S, T) each.

    ``left`` and ``right``: what was compared, (S, T), for showing; ``right`` None where it is a set.
    """

    text: str
    true: Flags
    missing: Flags
    left: NDArray[Any] | None = None
    right: NDArray[Any] | None = None

    def titled(self, title: str) -> Clause:
        """The same clause under a heading."""
        return replace(self, text=f"{title}: {self.text}")

    def within(self, span: slice) -> Clause:
        """The sessions of ``span`` only."""
        left, right = (None if v is None else v[:, span] for v in (self.left, self.right))
        return Clause(self.text, self.true[:, span], self.missing[:, span], left, right)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A condition at every symbol and session: ``true``, ``blocked`` (S, T), and its clauses."""

    true: Flags
    blocked: Flags
    clauses: tuple[Clause, ...]


def judge(node: Tree, scope: Scope, features: FeatureStore) -> Judgement:
    """Evaluate ``node`` under the scope's NaN policy. SpecInvalid or Unsupported for what cannot run."""
    kind = node["node"]
    if kind in ("AND", "OR"):
        parts = [judge(child, scope, features) for child in node["children"]]
        combine = np.logical_and if kind == "AND" else np.logical_or
        return Judgement(
            combine.reduce([part.true for part in parts]),
            np.logical_or.reduce([part.blocked for part in parts]),
            tuple(clause for part in parts for clause in part.clauses),
        )
    if kind == "NOT":
        inner = judge(node["child"], scope, features)
        return Judgement(~inner.true, inner.blocked, inner.clauses)
    if kind in ("TRUE", "FALSE"):
        shape = features.bars.close.shape
        return Judgement(np.full(shape, kind == "TRUE"), np.zeros(shape, np.bool_), ())
    return _leaf(node, scope, features)


def describe(node: Tree) -> str:
    """A comparison as people write it."""
    if node["node"] == "IN":
        return f"{_text(node['value'])} in {{{', '.join(map(str, node['set']))}}}"
    sign = "crosses above" if node["node"] == "CROSS_ABOVE" else node["op"]
    return f"{_text(node['left'])} {sign} {_text(node['right'])}"


def _leaf(node: Tree, scope: Scope, features: FeatureStore) -> Judgement:
    true, missing, left, right = _compare(node, scope, features)
    true = true & ~missing
    if scope.nan_policy == "TREAT_AS_TRUE":
        true = true | missing
    clause = Clause(describe(node), true, missing, left, right)
    treated = scope.nan_policy in ("TREAT_AS_TRUE", "TREAT_AS_FALSE")
    return Judgement(true, np.zeros_like(missing) if treated else missing, (clause,))


def _compare(
    node: Tree, scope: Scope, features: FeatureStore
) -> tuple[Flags, Flags, NDArray[Any], NDArray[Any] | None]:
    kind = node["node"]
    if kind == "IN":
        value, missing = _values(node["value"], scope, features)
        true = np.logical_or.reduce([value == _constant(member) for member in node["set"]])
        return true, missing, value, None
    if kind not in ("CMP", "CROSS_ABOVE"):
        raise Unsupported(f"condition node {kind!r} is not known to the engines", node=kind)
    left, left_missing = _values(node["left"], scope, features)
    right, right_missing = _values(node["right"], scope, features)
    missing = left_missing | right_missing
    if kind == "CMP":
        return _COMPARE[node["op"]](left, right), missing, left, right
    now, before = left > right, _ago(left <= right, 1, False)
    return now & before, missing | _ago(missing, 1, True), left, right


def _values(part: Tree, scope: Scope, features: FeatureStore) -> tuple[NDArray[Any], Flags]:
    bars = features.bars
    shape = bars.close.shape
    if "ref" not in part:
        return np.full(shape, _constant(part["value"])), np.zeros(shape, np.bool_)
    if part["ref"] == "symbol":
        return np.repeat(np.array(bars.symbols)[:, None], shape[1], axis=1), np.zeros(shape, np.bool_)
    values = _ago(_series(part["ref"], scope, features), int(part.get("lag", 0)), np.nan)
    return values * float(part.get("scale", 1.0)), np.isnan(values)


def _series(ref: str, scope: Scope, features: FeatureStore) -> NDArray[np.float64]:
    if ref not in ("regime_state", "regime_score"):
        return features.value(ref, scope.features, scope.members)
    if scope.regime is None:
        raise SpecInvalid(f"{ref} is used but modules.regime is not set", ref=ref)
    score = features.regime(scope.regime, scope.members)
    if ref == "regime_state":
        score = np.where(score == 1.0, 1.0, np.where(np.isnan(score), np.nan, 0.0))
    return np.tile(score, (len(features.bars.symbols), 1))


def _ago(values: NDArray[Any], bars: int, first: Any) -> NDArray[Any]:
    if bars == 0:
        return values
    out = np.full(values.shape, first, values.dtype)
    out[:, bars:] = values[:, :-bars]
    return out


def _constant(value: Any) -> Any:
    # Regime states are numbers inside, so that "missing" has one spelling.
    return {"RISK_ON": 1.0, "RISK_OFF": 0.0}.get(value, value) if isinstance(value, str) else float(value)


def _text(part: Tree) -> str:
    if "ref" not in part:
        return str(part["value"])
    scale = f"{part['scale']} * " if part.get("scale", 1) != 1 else ""
    lag = f"[{part['lag']} ago]" if part.get("lag", 0) else ""
    return f"{scale}{part['ref']}{lag}"


def universe_mask(bars: Bars, members: NDArray[np.int64]) -> Flags:
    """Symbol-bars that can decide: a member of the universe with a bar, (S, T)."""
    mask = np.zeros(bars.close.shape, np.bool_)
    mask[members] = ~np.isnan(bars.close[members])
    return mask
