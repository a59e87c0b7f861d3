"""The loop itself: stages in order, events recorded, progress told, a clean end whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from quantrail.domain.enums import RunStatus, Severity, StageStatus, TrialDoor
from quantrail.domain.ids import RunId
from quantrail.domain.records import Iteration, StageEvent
from quantrail.errors import DataInvalid, QuantrailError
from quantrail.services.loop.artifacts import write_iteration_files, write_summary
from quantrail.services.loop.candidates import Gathered, gather
from quantrail.services.loop.learning import Learnt, learn
from quantrail.services.loop.recording import Iterated, record_iteration
from quantrail.services.loop.screening import Screened, remember, screen_gathered, shortlist
from quantrail.services.loop.start import active_members, start_run
from quantrail.services.loop.state import RunState, Services, Verification
from quantrail.services.loop.summary import iteration_summary
from quantrail.services.loop.uncollected import uncollected
from quantrail.services.loop.verification import verify_shortlist
from quantrail.services.progress import Funnel, Listener, Progress, silent
from quantrail.services.run_config import RunConfig
from quantrail.services.workers import Workers, open_workers

TITLES = {
    "S00": "prepare (the first run also compiles the engines)",
    "S20": "generate",
    "S40": "check data",
    "S50": "screen (engine A)",
    "S60": "score",
    "S70": "verify (engine B)",
    "S90": "learn constraints",
    "S95": "record",
}


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended. ``summaries``: one per finished iteration, as stored.

    ``advice``: what flatters its results, as far as its universe tells.
    """

    run_id: RunId
    status: RunStatus
    summaries: tuple[dict[str, Any], ...]
    base_run_id: RunId | None
    n_base_constraints: int
    seconds: float
    advice: tuple[str, ...] = ()


@dataclass(slots=True)
class _Watch:
    """What the listener is told, updated as the run goes."""

    state: RunState
    listener: Listener
    iteration: int = 0
    funnel: Funnel = field(default_factory=Funnel)

    def tell(self, stage: str, done: int = 0, total: int = 0) -> None:
        state = self.state
        self.listener(
            Progress(
                iteration=self.iteration,
                iterations=state.config.search.budget.iterations,
                stage=stage,
                title=TITLES[stage],
                done=done,
                total=total,
                best=state.best,
                best_label=state.best_label,
                funnel=self.funnel,
            )
        )


def run_loop(
    services: Services,
    config: RunConfig,
    listener: Listener = silent,
    door: TrialDoor = TrialDoor.LOOP,
) -> RunOutcome:
    """Run ``config`` to its end; what was finished stays, also when interrupted.

    Raises ConfigInvalid, NotFound, DataInvalid before anything is recorded when data or settings do
    not fit; KeyboardInterrupt after the run was marked STOPPED.
    """
    begun = services.clock()
    state = start_run(services, config, door)
    watch = _Watch(state, listener)
    n_base = len(state.constraints)
    summaries: list[dict[str, Any]] = []
    try:
        _check_data(state, watch)
        watch.tell("S00")
        with open_workers(config.workers, state.screen, state.verify) as workers:
            for iteration in range(1, config.search.budget.iterations + 1):
                watch.iteration, watch.funnel = iteration, Funnel()
                with uncollected():
                    summaries.append(_iterate(state, workers, watch))
                if _out_of_time(state, begun):
                    break
    except KeyboardInterrupt:
        _end(state, RunStatus.STOPPED, "interrupted")
        raise
    except BaseException as error:
        _end(state, RunStatus.FAILED, str(error))
        raise
    _end(state, RunStatus.DONE, None)
    return RunOutcome(
        state.run_id,
        RunStatus.DONE,
        tuple(summaries),
        state.base_run_id,
        n_base,
        (services.clock() - begun).total_seconds(),
        state.members.advice if state.members else (),
    )


def _iterate(state: RunState, workers: Workers, watch: _Watch) -> dict[str, Any]:
    applied = state.applied_set_id
    with state.services.store.unit() as unit:
        unit.insert_iteration(Iteration(state.run_id, watch.iteration, applied))
        unit.commit()
    with _stage(state, watch, "S20"):
        gathered = gather(state, watch.iteration)
        _count_gathered(watch.funnel, gathered)
    with _stage(state, watch, "S50"):
        total = len(gathered.running)
        screened = screen_gathered(state, workers, gathered, lambda done: watch.tell("S50", done, total))
        _count_screened(watch.funnel, screened)
    with _stage(state, watch, "S60"):
        chosen = shortlist(state, screened.evaluated)
        remember(state, screened.evaluated)
        watch.funnel.shortlisted = len(chosen)
    with _stage(state, watch, "S70"):
        verified = verify_shortlist(state, workers, chosen, lambda done: watch.tell("S70", done, len(chosen)))
        watch.funnel.verified = len(verified.fresh)
    with _stage(state, watch, "S90"):
        learnt = learn(state, gathered, screened, verified)
    with _stage(state, watch, "S95"):
        summary = _persist(state, watch, gathered, screened, verified, learnt)
    # From the store, not from memory: what binds next is what was kept.
    stored = state.services.store.get_constraint_set(learnt.constraint_set.constraint_set_id)
    state.constraints = active_members(stored)
    state.applied_set_id = stored.set.constraint_set_id
    return summary


def _persist(
    state: RunState,
    watch: _Watch,
    gathered: Gathered,
    screened: Screened,
    verified: Verification,
    learnt: Learnt,
) -> dict[str, Any]:
    files = write_iteration_files(state, watch.iteration, screened, verified.fresh)
    done = Iterated(
        iteration=watch.iteration,
        screened=screened,
        verified=verified,
        learnt=learnt,
        screen_file=files.screen_file,
        screen_rows=files.screen_rows,
        shortlist_dirs=files.shortlist_dirs,
    )
    summary = iteration_summary(state, watch.funnel, gathered, done)
    written = [*files.written, write_summary(state, watch.iteration, summary)]
    with state.services.store.unit() as unit:
        unit.save_files(written)
        record_iteration(state, unit, done)
        unit.finish_iteration(state.run_id, watch.iteration, summary)
        unit.commit()
    return summary


def _check_data(state: RunState, watch: _Watch) -> None:
    """S40: findings that make any result worthless end the run before it begins."""
    with _stage(state, watch, "S40"):
        findings = state.services.market.check(
            state.symbols,
            version=state.snapshot_version,
            before=state.config.data.splits.holdout_start,
            alone=True,  # what else a home holds must not decide over a run
        )
        for finding in findings:
            if finding.severity is Severity.CRITICAL and not finding.quarantined:
                raise DataInvalid(
                    f"data quality stops the run: {finding.symbol} {finding.date}: {finding.detail}; "
                    "mend the data or leave the symbol out"
                )


@contextmanager
def _stage(state: RunState, watch: _Watch, stage: str) -> Iterator[None]:
    watch.tell(stage)
    _event(state, watch, stage, "STAGE_STARTED", StageStatus.RUNNING)
    try:
        yield
    except KeyboardInterrupt:
        _event(state, watch, stage, "STAGE_STOPPED", StageStatus.STOPPED, reason="interrupted")
        raise
    except QuantrailError as error:
        _event(state, watch, stage, "STAGE_FAILED", StageStatus.FAILED, error.code, error.message)
        raise
    _event(state, watch, stage, "STAGE_COMPLETED", StageStatus.SUCCESS)


def _event(
    state: RunState,
    watch: _Watch,
    stage: str,
    event: str,
    status: StageStatus,
    error_code: str | None = None,
    reason: str | None = None,
) -> None:
    made = StageEvent(state.run_id, stage, event, status, watch.iteration or None)
    with state.services.store.unit() as unit:
        unit.save_stage_events([replace(made, error_code=error_code, reason=reason)])
        unit.commit()


def _end(state: RunState, status: RunStatus, reason: str | None) -> None:
    with state.services.store.unit() as unit:
        unit.set_run_status(state.run_id, status)
        if reason is not None:
            stage_status = StageStatus.STOPPED if status is RunStatus.STOPPED else StageStatus.FAILED
            event = "STAGE_STOPPED" if status is RunStatus.STOPPED else "STAGE_FAILED"
            unit.save_stage_events([StageEvent(state.run_id, "S99", event, stage_status, reason=reason)])
        unit.commit()


def _out_of_time(state: RunState, begun: datetime) -> bool:
    seconds = state.config.search.budget.seconds
    return seconds is not None and (state.services.clock() - begun).total_seconds() >= seconds


def _count_gathered(funnel: Funnel, gathered: Gathered) -> None:
    funnel.generated = len(gathered.candidates) + gathered.refused
    funnel.refused = gathered.refused
    funnel.duplicate = sum(c.duplicate for c in gathered.candidates)
    funnel.rewritten = sum(bool(c.rewritten_by) for c in gathered.candidates)


def _count_screened(funnel: Funnel, screened: Screened) -> None:
    funnel.blocked = sum(bool(c.blocked_by) and not c.explore for c in screened.candidates)
    funnel.explored = sum(bool(c.blocked_by) and c.explore for c in screened.candidates)
    funnel.cached = sum(e.cached for e in screened.evaluated)
    funnel.screened = len(screened.evaluated) - funnel.cached
    funnel.errors = sum(e.outcome.error_code is not None for e in screened.evaluated)
    scores = [e.outcome.score for e in screened.evaluated]
    funnel.passed = sum(s is not None and s.passed for s in scores)
