"""S80 and S90: failures become observations, observations the constraints of the next iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quantrail.analysis.constraints import (
    ConstraintEffect,
    DerivedConstraint,
    Observation,
    ObservedFailure,
    constraint_effect,
    derive_constraints,
)
from quantrail.domain.enums import ConstraintStatus, TrialArm
from quantrail.domain.identity import constraint_set_id, failure_id
from quantrail.domain.ids import BacktestId, ConstraintId, StrategyId
from quantrail.domain.ledger import ConstraintEvent
from quantrail.domain.records import Constraint, ConstraintSet, Provenance
from quantrail.services.evaluation import Outcome
from quantrail.services.loop.candidates import Gathered
from quantrail.services.loop.screening import Screened
from quantrail.services.loop.state import Evaluated, RunState, Verification

MIN_EXPLORED_TO_RETIRE = 10


@dataclass(slots=True)
class Learnt:
    """The set that binds the next iteration, what is new in it and why, and what was let go."""

    constraint_set: ConstraintSet
    derived: list[DerivedConstraint]
    provenance: list[Provenance]
    events: list[ConstraintEvent] = field(default_factory=list)
    effects: dict[ConstraintId, ConstraintEffect] = field(default_factory=dict)


def learn(state: RunState, gathered: Gathered, screened: Screened, verified: Verification) -> Learnt:
    """Constraints for the next iteration from everything this run has observed."""
    by_id = {look.candidate.strategy_id: look for look in verified.looks}
    state.observations.extend(_observe(e, by_id) for e in screened.evaluated if e.outcome.score)
    effects = _effects(state, screened)
    retired = _retired(state, effects)
    state.dropped.update(e.constraint_id for e in retired)
    kept = state.binding
    derived = [
        d
        for d in derive_constraints(state.constraint_rules, state.observations, kept)
        if d.constraint.constraint_id not in state.dropped
    ]
    members = (*kept, *(d.constraint for d in derived))
    base = state.applied_set_id
    return Learnt(
        constraint_set=ConstraintSet(
            constraint_set_id=constraint_set_id((m.constraint_id for m in members), base),
            members=members,
            policy_version=state.constraint_rules.version,
            base_constraint_set_id=base,
        ),
        derived=derived,
        provenance=[
            Provenance(d.constraint.constraint_id, f, d.mapping_rule) for d in derived for f in d.failure_ids
        ],
        events=[*_relaxed_events(gathered), *retired],
        effects=effects,
    )


def _observe(entry: Evaluated, verified: dict[StrategyId, Evaluated]) -> Observation:
    failures = list(_observed(entry.backtest_id, entry.outcome))
    later = verified.get(entry.candidate.strategy_id)
    if later is not None:
        failures.extend(_observed(later.backtest_id, later.outcome))
    score = entry.outcome.score
    return Observation(entry.candidate.traits, tuple(failures), score is not None and score.passed)


def _observed(backtest: BacktestId, outcome: Outcome) -> list[ObservedFailure]:
    return [
        ObservedFailure(failure_id(backtest, f.rule.rule_id, f.rule.version), f.rule.tag, f.confidence)
        for f in outcome.failures
    ]


def _effects(state: RunState, screened: Screened) -> dict[ConstraintId, ConstraintEffect]:
    """Each constraint's effect in this iteration, credited where it was the only one to block."""
    main = [e for e in screened.evaluated if e.candidate.arm is TrialArm.MAIN]
    allowed_passed = sum(_passed(e) for e in main)
    effects = {}
    for constraint in state.binding:
        sole = [c for c in screened.candidates if _only_blocked_by(c.blocked_by, constraint)]
        if not sole:
            continue
        ids = {c.strategy_id for c in sole}
        explored = [e for e in screened.evaluated if e.candidate.strategy_id in ids]
        effects[constraint.constraint_id] = constraint_effect(
            len(sole), len(explored), sum(_passed(e) for e in explored), len(main), allowed_passed
        )
    return effects


def _only_blocked_by(blocked_by: Sequence[Constraint], constraint: Constraint) -> bool:
    return len(blocked_by) == 1 and blocked_by[0].constraint_id == constraint.constraint_id


def _passed(entry: Evaluated) -> bool:
    return entry.outcome.score is not None and entry.outcome.score.passed


def _retired(state: RunState, effects: dict[ConstraintId, ConstraintEffect]) -> list[ConstraintEvent]:
    return [
        ConstraintEvent(
            key,
            ConstraintStatus.DEPRECATED,
            f"what it blocked passed more often than what it let through: uplift {effect.uplift:.2f} "
            f"({effect.uplift_low:.2f}..{effect.uplift_high:.2f}), {effect.explored} explored",
        )
        for key, effect in effects.items()
        if effect.harmful and effect.explored >= MIN_EXPLORED_TO_RETIRE
    ]


def _relaxed_events(gathered: Gathered) -> list[ConstraintEvent]:
    return [
        ConstraintEvent(
            c.constraint_id, ConstraintStatus.INACTIVE, "set aside: it left too few candidates to search"
        )
        for c in gathered.relaxed
    ]
