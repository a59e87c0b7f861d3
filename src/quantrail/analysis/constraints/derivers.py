"""Derivers: each turns observations into proposals for one constraint type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.constraints.evidence import Evidence, Sample, tail_cuts
from quantrail.analysis.constraints.observations import Observation
from quantrail.analysis.constraints.rules import ConstraintRule
from quantrail.domain.enums import ConstraintType

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A constraint that the evidence may support; whether it does is judged with all others."""

    rule: ConstraintRule
    type: ConstraintType
    params: dict[str, Any]
    evidence: Evidence
    # Of proposals with the same topic only the strongest can become a constraint.
    topic: tuple[str, ...]


Deriver = Callable[[ConstraintRule, Sample], Iterator[Proposal]]
Trait = Callable[[Observation], float]


def ban_template(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Templates none of whose candidates passed."""
    named = np.array([o.traits.template_id or "" for o in sample.observations], dtype=np.str_)
    passed = np.array([o.passed for o in sample.observations], dtype=np.bool_)
    templates = sorted({str(name) for name in named} - {""})
    if len(templates) <= rule.keep:
        return
    for template in templates:
        inside = named == template
        evidence = None if (passed & inside).any() else sample.weigh(inside)
        if evidence is not None:
            params = {"template_id": template, "reason": rule.rule_id}
            yield Proposal(rule, ConstraintType.BAN_TEMPLATE, params, evidence, ("template", template))


def limit_param_range(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Low or high ends of feature parameters."""
    keys = sorted({key for o in sample.observations for key in o.traits.feature_params})
    for feature, param in keys:
        key = (feature, param)
        used = sample.where(lambda o, k=key: k in o.traits.feature_params)  # type: ignore[misc]
        lows = used.values(lambda o, k=key: min(o.traits.feature_params[k]))  # type: ignore[misc]
        highs = used.values(lambda o, k=key: max(o.traits.feature_params[k]))  # type: ignore[misc]
        values = np.array([v for o in used.observations for v in o.traits.feature_params[key]])
        for side, cut, evidence in _tails(used, lows, highs):
            low = float(values[values > cut].min()) if side == "low" else None
            high = float(values[values < cut].max()) if side == "high" else None
            params = {"feature": feature, "param": param, "min": low, "max": high}
            yield Proposal(
                rule, ConstraintType.LIMIT_PARAM_RANGE, params, evidence, ("param", feature, param)
            )


def max_signal_density(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Entries that come too often."""
    density = sample.values(_density)
    for side, cut, evidence in _tails(sample, density, density):
        # The bound itself is allowed, so it is the nearest density outside the region.
        outside = density[density < cut]
        if side == "high" and len(outside):
            params = {"max_trades_per_year": float(outside.max())}
            yield Proposal(rule, ConstraintType.MAX_SIGNAL_DENSITY, params, evidence, ("max_density",))


def min_signal_density(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Entries that hardly ever come."""
    density = sample.values(_density)
    for side, cut, evidence in _tails(sample, density, density):
        outside = density[density > cut]
        if side == "low" and len(outside):
            params = {"min_trades_per_year": float(outside.min())}
            yield Proposal(rule, ConstraintType.MIN_SIGNAL_DENSITY, params, evidence, ("min_density",))


def max_complexity(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Specs with many comparisons."""
    count = sample.values(lambda o: o.traits.cmp_count)
    for side, cut, evidence in _tails(sample, count, count):
        if side == "high" and cut > 2:
            params = {"max_cmp_count": int(cut) - 1, "max_ast_depth": None, "max_feature_count": None}
            yield Proposal(rule, ConstraintType.MAX_COMPLEXITY, params, evidence, ("complexity",))


def max_position_weight(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Large single positions; the cap is the largest weight that did not stand out."""
    weight = sample.values(lambda o: o.traits.max_weight)
    for side, cut, evidence in _tails(sample, weight, weight):
        below = weight[weight < cut]
        if side == "high" and len(below):
            params = {"value": round(float(below.max()), 6)}
            yield Proposal(rule, ConstraintType.MAX_POSITION_WEIGHT, params, evidence, ("weight",))


def stop_distance(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Stops closer than the market's own noise."""
    used = sample.where(lambda o: o.traits.stop_atr is not None)
    distance = np.array([o.traits.stop_atr for o in used.observations], dtype=np.float64)
    for side, cut, evidence in _tails(used, distance, distance):
        wider = distance[distance > cut]
        if side == "low" and len(wider):
            params = {"min_atr_mult": float(wider.min()), "max_atr_mult": None}
            yield Proposal(rule, ConstraintType.STOP_DISTANCE_MIN_MAX, params, evidence, ("stop",))


def max_drawdown(rule: ConstraintRule, sample: Sample) -> Iterator[Proposal]:
    """Deep drawdowns anywhere: a circuit breaker for every candidate, so there is no rest to compare."""
    evidence = sample.weigh(np.ones(len(sample), dtype=np.bool_))
    if evidence is not None and evidence.hits >= rule.min_failures:
        params = {"value": rule.value}
        yield Proposal(rule, ConstraintType.MAX_DRAWDOWN_PCT, params, evidence, ("drawdown",))


def _density(observation: Observation) -> float:
    return observation.traits.signals_per_year


def _tails(sample: Sample, lows: Floats, highs: Floats) -> Iterator[tuple[str, float, Evidence]]:
    """The low and the high ends of a trait whose least and largest value each observation has."""
    if len(sample) < 2:
        return
    low_cuts, high_cuts = tail_cuts(lows)
    regions = [("low", cut, lows <= cut) for cut in low_cuts]
    regions += [("high", cut, highs >= cut) for cut in high_cuts]
    for side, cut, inside in regions:
        evidence = sample.weigh(inside)
        if evidence is not None and evidence.rest_n > 0:
            yield side, cut, evidence


DERIVERS: dict[str, Deriver] = {
    deriver.__name__: deriver
    for deriver in (
        ban_template,
        limit_param_range,
        max_signal_density,
        min_signal_density,
        max_complexity,
        max_position_weight,
        stop_distance,
        max_drawdown,
    )
}
