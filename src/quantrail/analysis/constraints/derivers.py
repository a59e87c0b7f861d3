"""Derivers: each turns observations into proposals for one constraint type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantrail.analysis.constraints.evidence import Evidence, FailureQuery, tail_cuts, weigh
from quantrail.analysis.constraints.observations import Observation
from quantrail.analysis.constraints.rules import ConstraintRule
from quantrail.domain.enums import ConstraintType


@dataclass(frozen=True, slots=True)
class Proposal:
    """A constraint that the evidence may support; whether it does is judged with all others."""

    rule: ConstraintRule
    type: ConstraintType
    params: dict[str, Any]
    evidence: Evidence
    # Of proposals with the same topic only the strongest can become a constraint.
    topic: tuple[str, ...]


Deriver = Callable[[ConstraintRule, Sequence[Observation], FailureQuery], Iterator[Proposal]]
Trait = Callable[[Observation], float | None]


def ban_template(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Templates none of whose candidates passed."""
    templates = sorted({o.traits.template_id for o in observed if o.traits.template_id})
    if len(templates) <= rule.keep:
        return
    for template in templates:
        if any(o.passed for o in observed if o.traits.template_id == template):
            continue
        evidence = weigh(observed, query, lambda o, t=template: o.traits.template_id == t)  # type: ignore[misc]
        if evidence is not None:
            params = {"template_id": template, "reason": rule.rule_id}
            yield Proposal(rule, ConstraintType.BAN_TEMPLATE, params, evidence, ("template", template))


def limit_param_range(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Low or high ends of feature parameters."""
    keys = sorted({key for o in observed for key in o.traits.feature_params})
    for feature, param in keys:
        used = [o for o in observed if (feature, param) in o.traits.feature_params]
        for side, cut, evidence in _tails(
            used,
            query,
            lambda o, k=(feature, param): min(o.traits.feature_params[k]),  # type: ignore[misc]
            lambda o, k=(feature, param): max(o.traits.feature_params[k]),  # type: ignore[misc]
        ):
            values = [v for o in used for v in o.traits.feature_params[feature, param]]
            bound = min(v for v in values if v > cut) if side == "low" else max(v for v in values if v < cut)
            low, high = (bound, None) if side == "low" else (None, bound)
            params = {"feature": feature, "param": param, "min": low, "max": high}
            yield Proposal(
                rule, ConstraintType.LIMIT_PARAM_RANGE, params, evidence, ("param", feature, param)
            )


def max_signal_density(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Entries that come too often."""
    density: Trait = lambda o: o.traits.signals_per_year  # noqa: E731
    for side, cut, evidence in _tails(observed, query, density, density):
        # The bound itself is allowed, so it is the nearest density outside the region.
        outside = [o.traits.signals_per_year for o in observed if o.traits.signals_per_year < cut]
        if side == "high" and outside:
            params = {"max_trades_per_year": max(outside)}
            yield Proposal(rule, ConstraintType.MAX_SIGNAL_DENSITY, params, evidence, ("max_density",))


def min_signal_density(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Entries that hardly ever come."""
    density: Trait = lambda o: o.traits.signals_per_year  # noqa: E731
    for side, cut, evidence in _tails(observed, query, density, density):
        outside = [o.traits.signals_per_year for o in observed if o.traits.signals_per_year > cut]
        if side == "low" and outside:
            params = {"min_trades_per_year": min(outside)}
            yield Proposal(rule, ConstraintType.MIN_SIGNAL_DENSITY, params, evidence, ("min_density",))


def max_complexity(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Specs with many comparisons."""
    count: Trait = lambda o: float(o.traits.cmp_count)  # noqa: E731
    for side, cut, evidence in _tails(observed, query, count, count):
        if side == "high" and cut > 2:
            params = {"max_cmp_count": int(cut) - 1, "max_ast_depth": None, "max_feature_count": None}
            yield Proposal(rule, ConstraintType.MAX_COMPLEXITY, params, evidence, ("complexity",))


def max_position_weight(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Large single positions; the cap is the largest weight that did not stand out."""
    weight: Trait = lambda o: o.traits.max_weight  # noqa: E731
    for side, cut, evidence in _tails(observed, query, weight, weight):
        below = [o.traits.max_weight for o in observed if o.traits.max_weight < cut]
        if side == "high" and below:
            params = {"value": round(max(below), 6)}
            yield Proposal(rule, ConstraintType.MAX_POSITION_WEIGHT, params, evidence, ("weight",))


def stop_distance(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Stops closer than the market's own noise."""
    used = [o for o in observed if o.traits.stop_atr is not None]
    for side, cut, evidence in _tails(used, query, lambda o: o.traits.stop_atr, lambda o: o.traits.stop_atr):
        wider = [o.traits.stop_atr for o in used if o.traits.stop_atr is not None and o.traits.stop_atr > cut]
        if side == "low" and wider:
            params = {"min_atr_mult": min(wider), "max_atr_mult": None}
            yield Proposal(rule, ConstraintType.STOP_DISTANCE_MIN_MAX, params, evidence, ("stop",))


def max_drawdown(
    rule: ConstraintRule, observed: Sequence[Observation], query: FailureQuery
) -> Iterator[Proposal]:
    """Deep drawdowns anywhere: a circuit breaker for every candidate, so there is no rest to compare."""
    evidence = weigh(observed, query, lambda _: True)
    if evidence is not None and evidence.hits >= rule.min_failures:
        params = {"value": rule.value}
        yield Proposal(rule, ConstraintType.MAX_DRAWDOWN_PCT, params, evidence, ("drawdown",))


def _tails(
    observed: Sequence[Observation], query: FailureQuery, low_trait: Trait, high_trait: Trait
) -> Iterator[tuple[str, float, Evidence]]:
    values = np.array([v for o in observed if (v := low_trait(o)) is not None], dtype=np.float64)
    if len(values) < 2:
        return
    lows, highs = tail_cuts(values)
    for side, cuts, trait, sign in (("low", lows, low_trait, 1.0), ("high", highs, high_trait, -1.0)):
        for cut in cuts:
            evidence = weigh(
                observed,
                query,
                lambda o, t=trait, c=cut, s=sign: (v := t(o)) is not None and s * v <= s * c,  # type: ignore[misc]
            )
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
