"""Candidate sources: fresh draws from templates, and children of what did well.

Every source emits an ordinary spec document that goes through the same gate as a stranger's. All
randomness comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantrail.domain.ids import StrategyId
from quantrail.strategy import Template, copy_tree, recombine

Document = dict[str, Any]
MAX_DRAWS = 64
POSITIONS = (3, 5, 8, 10, 15, 20, 30)
STOPS: tuple[Document, ...] = (
    {},
    {"hard_stop": {"type": "pct", "value": 0.05}},
    {"hard_stop": {"type": "pct", "value": 0.08}},
    {"hard_stop": {"type": "pct", "value": 0.12}},
    {"hard_stop": {"type": "atr", "value": 1.0}},
    {"hard_stop": {"type": "atr", "value": 2.0}},
    {"hard_stop": {"type": "atr", "value": 3.0}},
    {"trailing_stop": {"type": "pct", "value": 0.10}},
    {"trailing_stop": {"type": "atr", "value": 2.0}},
    {"trailing_stop": {"type": "atr", "value": 4.0}},
)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A spec document with where it came from. ``template_id`` of a child is its entry's."""

    document: Document
    created_from: str  # template | mutation
    template_id: str | None
    params: Mapping[str, Any]
    parent: StrategyId | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """A strategy that did well enough to have children."""

    strategy_id: StrategyId
    document: Document
    template_id: str | None
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceWeights:
    """Relative, not necessarily summing to 1."""

    template: float
    mutation: float


def propose(
    rng: np.random.Generator,
    templates: Sequence[Template],
    parents: Sequence[Parent],
    weights: SourceWeights,
    symbols: Sequence[str],
) -> Proposed:
    """One candidate. Without parents every candidate is a fresh draw from a template.

    ``parents`` are ordered best first; better ones are drawn more often.
    """
    share = weights.mutation / (weights.template + weights.mutation)
    if not parents or rng.random() >= share:
        return _from_template(rng, templates[int(rng.integers(len(templates)))], symbols)
    parent = parents[_ranked(rng, len(parents))]
    by_id = {t.template_id: t for t in templates}
    kind = rng.random()
    if kind < 0.5 and parent.template_id in by_id and parent.params:
        return _perturbed(rng, by_id[parent.template_id], parent, symbols)
    if kind < 0.8 and len(parents) > 1:
        other = parents[_ranked(rng, len(parents))]
        return _child(parent, recombine(parent.document, other.document), {})
    document = copy_tree(parent.document)
    _draw_frame(rng, document)
    return _child(parent, document, parent.params)


def _from_template(rng: np.random.Generator, template: Template, symbols: Sequence[str]) -> Proposed:
    params = _draw_params(rng, template)
    document = template.build(params, symbols)
    _draw_frame(rng, document)
    return Proposed(document, "template", template.template_id, params)


def _draw_params(rng: np.random.Generator, template: Template) -> dict[str, Any]:
    for _ in range(MAX_DRAWS):
        drawn = {p.name: p.grid()[int(rng.integers(len(p.grid())))] for p in template.parameters}
        if not template.problems(drawn).items:
            return drawn
    return {p.name: p.default for p in template.parameters}


def _perturbed(
    rng: np.random.Generator, template: Template, parent: Parent, symbols: Sequence[str]
) -> Proposed:
    for _ in range(MAX_DRAWS):
        moved = dict(parent.params)
        for parameter in template.parameters:
            if rng.random() < 0.6:
                moved[parameter.name] = _step(rng, parameter.grid(), moved[parameter.name])
        if moved != dict(parent.params) and not template.problems(moved).items:
            document = template.build(moved, symbols)
            for section in ("risk", "portfolio_constraints"):
                if section in parent.document:
                    document[section] = copy_tree(parent.document[section])
            return _child(parent, document, moved)
    return _from_template(rng, template, symbols)


def _step(rng: np.random.Generator, grid: Sequence[float], value: float) -> float:
    near = min(range(len(grid)), key=lambda i: abs(grid[i] - value))
    reach = max(1, len(grid) // 8)
    return grid[min(len(grid) - 1, max(0, near + int(rng.integers(-reach, reach + 1))))]


def _draw_frame(rng: np.random.Generator, document: Document) -> None:
    """How many positions, and which stop: the frame around an idea."""
    limits = dict(document.get("portfolio_constraints") or {})
    limits["max_positions"] = int(POSITIONS[int(rng.integers(len(POSITIONS)))])
    document["portfolio_constraints"] = limits
    risk = dict(document.get("risk") or {})
    risk["trade_risk"] = copy_tree(STOPS[int(rng.integers(len(STOPS)))])
    document["risk"] = risk


def _child(parent: Parent, document: Document, params: Mapping[str, Any]) -> Proposed:
    return Proposed(document, "mutation", parent.template_id, params, parent.strategy_id)


def _ranked(rng: np.random.Generator, n: int) -> int:
    """An index into a list ordered best first; the first is drawn twice as often as the middle."""
    return int(n * (1.0 - np.sqrt(rng.random())))
