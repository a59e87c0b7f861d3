"""Condition trees as packed bits: what is true and what is blocked, per symbol and session.

Arrays are uint64 (W, T): bit ``s & 63`` of word ``s >> 6`` is symbol s. Each distinct comparison and
each distinct subtree is evaluated once and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.domain.market import Bars
from quantrail.engine.signals.features import FeatureStore
from quantrail.errors import SpecInvalid, Unsupported

Words = NDArray[np.uint64]
Tree = Mapping[str, Any]
_OPERATORS = {">": 0, ">=": 1, "<": 2, "<=": 3, "==": 4}
KEPT_BYTES = 256 * 1024 * 1024
_REGIME_VALUE = {"RISK_ON": 1.0, "RISK_OFF": 0.0}


@dataclass(frozen=True, slots=True)
class Truth:
    """``true`` and ``blocked`` (W, T); ``blocked`` None where nothing is."""

    true: Words
    blocked: Words | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a strategy's names mean: feature definitions, universe rows, regime settings, NaN policy."""

    features: Mapping[str, Any]
    members: NDArray[np.int64]
    regime: Mapping[str, Any] | None
    nan_policy: str


def word_count(n_symbols: int) -> int:
    """Words of 64 bits that hold one bit per symbol."""
    return (n_symbols + 63) >> 6


def pack(mask: NDArray[np.bool_]) -> Words:
    """Booleans (S, T) as words (W, T)."""
    rows, columns = mask.shape
    words = np.zeros((word_count(rows), columns), np.uint64)
    for s in range(rows):
        words[s >> 6] |= mask[s].astype(np.uint64) << np.uint64(s & 63)
    return words


class Conditions:
    """Evaluates condition trees over one set of bars, with every part kept for the next strategy."""

    def __init__(self, bars: Bars, features: FeatureStore) -> None:
        self._bars = bars
        self._features = features
        self._shape = (word_count(len(bars.symbols)), len(bars.sessions))
        self._kept: dict[Any, Truth] = {}
        self._kernels = load_kernels("quantrail.engine.kernels.bits")
        self.comparisons = 0

    def evaluate(self, node: Tree, scope: Scope) -> Truth:
        """Truth of ``node`` at every symbol and session. SpecInvalid or Unsupported for what cannot run."""
        kind = node["node"]
        if kind in ("AND", "OR"):
            return self._join(kind, [self.evaluate(child, scope) for child in node["children"]])
        if kind == "NOT":
            inner = self.evaluate(node["child"], scope)
            return Truth(~inner.true, inner.blocked)
        if kind in ("TRUE", "FALSE"):
            return Truth(np.full(self._shape, -int(kind == "TRUE"), np.int64).view(np.uint64), None)
        return self._leaf(kind, node, scope)

    def trim(self) -> None:
        """Drop what is kept once it has outgrown its share of memory; it is worked out again on demand."""
        words = self._shape[0] * self._shape[1]
        if len(self._kept) * 16 * words > KEPT_BYTES:
            self._kept.clear()

    def _join(self, kind: str, parts: list[Truth]) -> Truth:
        true = parts[0].true
        blocked = parts[0].blocked
        for part in parts[1:]:
            true = true & part.true if kind == "AND" else true | part.true
            if part.blocked is not None:
                blocked = part.blocked if blocked is None else blocked | part.blocked
        return Truth(true, blocked)

    def _leaf(self, kind: str, node: Tree, scope: Scope) -> Truth:
        key = (_leaf_key(kind, node), scope.nan_policy, *self._context(node, scope))
        found = self._kept.get(key)
        if found is None:
            true, missing = self._compute(kind, node, scope)
            found = self._kept[key] = _apply_policy(true, missing, scope.nan_policy)
            self.comparisons += 1
        return found

    def _context(self, node: Tree, scope: Scope) -> tuple[Any, ...]:
        refs = [part["ref"] for part in _operands(node) if "ref" in part]
        if any(ref.startswith("regime") for ref in refs):
            return (str(scope.regime), scope.members.tobytes())
        if any(self._features.is_cross_section(ref, scope.features) for ref in refs):
            return (scope.members.tobytes(),)
        return ()

    def _compute(self, kind: str, node: Tree, scope: Scope) -> tuple[Words, Words]:
        if kind == "CMP":
            return self._compare(node["left"], node["op"], node["right"], scope)
        if kind == "CROSS_ABOVE":
            return self._cross(node, scope)
        if kind == "IN":
            parts = [self._compare(node["value"], "==", {"value": v}, scope) for v in node["set"]]
            return np.bitwise_or.reduce([part[0] for part in parts]), parts[0][1]
        raise Unsupported(f"condition node {kind!r} is not known to the engines", node=kind)

    def _cross(self, node: Tree, scope: Scope) -> tuple[Words, Words]:
        above, missing = self._compare(node["left"], ">", node["right"], scope)
        before = np.zeros_like(above)
        before[:, 1:] = above[:, :-1]
        missing = missing.copy()
        missing[:, 1:] |= missing[:, :-1].copy()
        missing[:, 0] = ~np.uint64(0)
        # not above and not missing one bar ago means at or below
        return above & ~before & ~missing, missing

    def _compare(self, left: Tree, op: str, right: Tree, scope: Scope) -> tuple[Words, Words]:
        if op == "!=":
            equal, missing = self._compare(left, "==", right, scope)
            return ~equal & ~missing, missing
        if "ref" not in left:
            return self._compare(right, _MIRROR[op], left, scope)
        if left["ref"] == "symbol":
            return self._symbol_is(right)
        true = np.zeros(self._shape, np.uint64)
        missing = np.zeros(self._shape, np.uint64)
        if "ref" in right:
            if op in ("<", "<="):
                left, op, right = right, _MIRROR[op], left
            a, b = self._operand(left, scope), self._operand(right, scope)
            self._kernels.compare_pair(*a, *b, _OPERATORS[op], true, missing)
        else:
            a = self._operand(left, scope)
            self._kernels.compare_literal(*a, _literal(right["value"]), _OPERATORS[op], true, missing)
        return true, missing

    def _symbol_is(self, right: Tree) -> tuple[Words, Words]:
        hit = np.array([symbol == right.get("value") for symbol in self._bars.symbols])
        mask = np.broadcast_to(hit[:, None], (len(hit), self._shape[1]))
        return pack(mask), np.zeros(self._shape, np.uint64)

    def _operand(self, part: Tree, scope: Scope) -> tuple[NDArray[np.float64], int, float]:
        return (self._values(part["ref"], scope), int(part.get("lag", 0)), float(part.get("scale", 1.0)))

    def _values(self, ref: str, scope: Scope) -> NDArray[np.float64]:
        if ref not in ("regime_state", "regime_score"):
            return self._features.value(ref, scope.features, scope.members)
        if scope.regime is None:
            raise SpecInvalid(f"{ref} is used but modules.regime is not set", ref=ref)
        score = self._features.regime(scope.regime, scope.members)
        if ref == "regime_state":
            score = np.where(np.isnan(score), np.nan, (score == 1.0).astype(float))
        return np.ascontiguousarray(np.broadcast_to(score, (len(self._bars.symbols), len(score))))


_MIRROR = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}


def _operands(node: Tree) -> list[Tree]:
    return [node["value"]] if node["node"] == "IN" else [node["left"], node["right"]]


def _leaf_key(kind: str, node: Tree) -> tuple[Any, ...]:
    parts = [
        (p["ref"], p.get("lag", 0), p.get("scale", 1)) if "ref" in p else (p["value"],)
        for p in _operands(node)
    ]
    return (kind, node.get("op"), tuple(node.get("set", ())), *parts)


def _literal(value: Any) -> float:
    if isinstance(value, str):
        if value not in _REGIME_VALUE:
            raise SpecInvalid(f"{value!r} is compared with a number; use a number", value=value)
        return _REGIME_VALUE[value]
    return float(value)


def _apply_policy(true: Words, missing: Words, policy: str) -> Truth:
    if not missing.any():
        return Truth(true, None)
    if policy == "TREAT_AS_FALSE":
        return Truth(true & ~missing, None)
    if policy == "TREAT_AS_TRUE":
        return Truth(true | missing, None)
    return Truth(true & ~missing, missing)
