"""Every evaluation asked for, as a trial; and which constraints would have blocked it."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail.domain.enums import TrialDoor, TrialOutcome
from quantrail.domain.identity import trial_id
from quantrail.domain.ids import ConstraintSetId
from quantrail.domain.market import Period
from quantrail.domain.records import Trial, TrialConstraint
from quantrail.services.loop.state import Candidate, Evaluated, RunFrame


def trial_record(
    frame: RunFrame, iteration: int, ordinal: int, candidate: Candidate, period: Period, ran: Evaluated | None
) -> Trial:
    """A trial over ``period``. ``ran`` None: blocked, or a repeat that was dropped before any work."""
    return Trial(
        trial_id=trial_id(frame.run_id, iteration, ordinal),
        run_id=frame.run_id,
        iteration_id=iteration,
        ordinal=ordinal,
        door=ran.door if ran is not None else TrialDoor.LOOP,
        strategy_id=candidate.strategy_id,
        outcome=_outcome(candidate, ran),
        universe_version=frame.universe_version,
        period_start=period.start,
        period_end=period.end,
        arm=candidate.arm,
        backtest_id=ran.backtest_id if ran is not None else None,
    )


def _outcome(candidate: Candidate, ran: Evaluated | None) -> TrialOutcome:
    if candidate.duplicate:
        return TrialOutcome.DUPLICATE
    if ran is None:
        return TrialOutcome.BLOCKED
    if ran.outcome.error_code:
        return TrialOutcome.ERROR
    return TrialOutcome.CACHED if ran.cached else TrialOutcome.EVALUATED


def trial_constraints(
    frame: RunFrame, iteration: int, candidates: Iterable[Candidate], applied: ConstraintSetId
) -> list[TrialConstraint]:
    """Every constraint that would block a candidate, also where the candidate ran to measure it."""
    return [
        TrialConstraint(trial_id(frame.run_id, iteration, c.ordinal), applied, b.constraint_id, c.arm)
        for c in candidates
        if not c.duplicate
        for b in c.blocked_by
    ]
