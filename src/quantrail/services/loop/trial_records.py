"""Every evaluation asked for, as a trial; and which constraints would have blocked it."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail.domain.enums import TrialDoor, TrialOutcome
from quantrail.domain.identity import trial_id
from quantrail.domain.ids import ConstraintSetId
from quantrail.domain.records import Trial, TrialConstraint
from quantrail.services.evaluation import Setting
from quantrail.services.loop.state import Candidate, Evaluated, RunState


def loop_trial(state: RunState, iteration: int, candidate: Candidate, ran: Evaluated | None) -> Trial:
    return _made_trial(
        state, iteration, candidate.ordinal, candidate, _outcome(candidate, ran), state.screen, ran
    )


def _outcome(candidate: Candidate, ran: Evaluated | None) -> TrialOutcome:
    if candidate.duplicate:
        return TrialOutcome.DUPLICATE
    if ran is None:
        return TrialOutcome.BLOCKED
    if ran.outcome.error_code:
        return TrialOutcome.ERROR
    return TrialOutcome.CACHED if ran.cached else TrialOutcome.EVALUATED


def stress_trial(state: RunState, iteration: int, ordinal: int, entry: Evaluated) -> Trial:
    result = _outcome(entry.candidate, entry)
    return _made_trial(state, iteration, ordinal, entry.candidate, result, state.screen, entry)


def validation_look(state: RunState, iteration: int, ordinal: int, entry: Evaluated) -> Trial:
    """A look at validation is a trial of its own: its figures deflate by how often it was looked at."""
    result = _outcome(entry.candidate, entry)
    return _made_trial(state, iteration, ordinal, entry.candidate, result, state.verify, entry)


def _made_trial(
    state: RunState,
    iteration: int,
    ordinal: int,
    candidate: Candidate,
    outcome: TrialOutcome,
    setting: Setting,
    ran: Evaluated | None,
) -> Trial:
    return Trial(
        trial_id=trial_id(state.run_id, iteration, ordinal),
        run_id=state.run_id,
        iteration_id=iteration,
        ordinal=ordinal,
        door=ran.door if ran is not None else TrialDoor.LOOP,
        strategy_id=candidate.strategy_id,
        outcome=outcome,
        universe_version=state.universe_version,
        period_start=setting.period.start,
        period_end=setting.period.end,
        arm=candidate.arm,
        backtest_id=ran.backtest_id if ran is not None else None,
    )


def trial_constraints(
    state: RunState, iteration: int, candidates: Iterable[Candidate], applied: ConstraintSetId
) -> list[TrialConstraint]:
    return [
        TrialConstraint(trial_id(state.run_id, iteration, c.ordinal), applied, b.constraint_id, c.arm)
        for c in candidates
        if not c.duplicate
        for b in c.blocked_by
    ]
