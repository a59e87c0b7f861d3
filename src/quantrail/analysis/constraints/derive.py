"""From observations to constraints: propose, test together, keep the strongest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantrail.analysis.constraints.derivers import DERIVERS, Proposal
from quantrail.analysis.constraints.evidence import FailureQuery, Sample
from quantrail.analysis.constraints.observations import Observation
from quantrail.analysis.constraints.rules import ConstraintRules
from quantrail.domain.enums import SCOPE_OF, ConstraintOrigin, ConstraintType, Severity
from quantrail.domain.identity import constraint_id
from quantrail.domain.ids import FailureId
from quantrail.domain.records import Constraint


@dataclass(frozen=True, slots=True)
class DerivedConstraint:
    """A constraint, the rule that made it, and the failures it cites (a sample when there are many)."""

    constraint: Constraint
    mapping_rule: str
    failure_ids: tuple[FailureId, ...]


def derive_constraints(
    rules: ConstraintRules, observed: Sequence[Observation], in_force: Sequence[Constraint]
) -> list[DerivedConstraint]:
    """New constraints that the observations support, strongest first; none that one in force implies.

    Deterministic: the order of ``observed`` matters only for which failures are cited.
    """
    proposals = [
        proposal
        for rule in rules.rules
        for proposal in DERIVERS[rule.derive](
            rule, Sample.of(observed, FailureQuery(rule.tags, rules.min_confidence))
        )
    ]
    fresh = [p for p in _supported(proposals, rules) if not _implied(p, in_force)]
    left = _limit_bans(fresh, observed, in_force)
    return [_constraint(p, rules.cited_failures) for p in left[: rules.max_new]]


def _implied(proposal: Proposal, in_force: Sequence[Constraint]) -> bool:
    """Whether a constraint that applies everywhere already forbids all that this one would."""
    return any(
        c.type is proposal.type
        and not c.applies_to
        and all(_as_tight(key, c.params.get(key), value) for key, value in proposal.params.items())
        for c in in_force
    )


def _as_tight(key: str, held: Any, wanted: Any) -> bool:
    if wanted is None or held == wanted:
        return True
    if held is None or isinstance(wanted, str):
        return False
    return bool(held >= wanted) if key.startswith("min") else bool(held <= wanted)


def _supported(proposals: list[Proposal], rules: ConstraintRules) -> list[Proposal]:
    survivors = [p for p, ok in zip(proposals, _survive_fdr(proposals, rules.max_fdr), strict=True) if ok]
    enough = [
        p
        for p in survivors
        if p.evidence.hits >= p.rule.min_failures and p.evidence.rate_interval[0] >= p.rule.min_rate
    ]
    enough.sort(key=lambda p: (p.evidence.p_value, -p.evidence.hits, p.topic))
    best: dict[tuple[str, ...], Proposal] = {}
    for proposal in enough:
        best.setdefault(proposal.topic, proposal)
    return list(best.values())


def _survive_fdr(proposals: list[Proposal], max_fdr: float) -> list[bool]:
    """Benjamini-Hochberg over proposals that compare a region; those without a rest need no test."""
    tested = [i for i, p in enumerate(proposals) if p.evidence.rest_n > 0]
    survive = [p.evidence.rest_n == 0 for p in proposals]
    p_values = np.array([proposals[i].evidence.p_value for i in tested])
    order = np.argsort(p_values, kind="stable")
    passing = p_values[order] <= max_fdr * np.arange(1, len(order) + 1) / max(len(order), 1)
    last = int(np.flatnonzero(passing).max()) if passing.any() else -1
    for rank in range(last + 1):
        survive[tested[int(order[rank])]] = True
    return survive


def _limit_bans(
    proposals: list[Proposal], observed: Sequence[Observation], in_force: Sequence[Constraint]
) -> list[Proposal]:
    """Bans must leave the search something to search, those in force counted."""
    banned = {c.params["template_id"] for c in in_force if c.type is ConstraintType.BAN_TEMPLATE}
    left = len({o.traits.template_id for o in observed if o.traits.template_id} - banned)
    kept = []
    for proposal in proposals:
        if proposal.type is ConstraintType.BAN_TEMPLATE:
            if left <= proposal.rule.keep:
                continue
            left -= 1
        kept.append(proposal)
    return kept


def _constraint(proposal: Proposal, cited: int) -> DerivedConstraint:
    scope = SCOPE_OF[proposal.type]
    strongest = sorted(proposal.evidence.failures, key=lambda f: (-f.confidence, f.failure_id))
    constraint = Constraint(
        constraint_id=constraint_id(scope.value, proposal.type.value, proposal.params, {}),
        scope=scope,
        type=proposal.type,
        params=proposal.params,
        severity=Severity.ERROR if proposal.evidence.rate_interval[0] > 0.5 else Severity.WARN,
        derived_from_type=ConstraintOrigin.FAILURE,
        statistics=proposal.evidence.statistics(),
    )
    return DerivedConstraint(
        constraint, proposal.rule.rule_id, tuple(f.failure_id for f in strongest[:cited])
    )
