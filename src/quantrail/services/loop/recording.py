"""S95: everything an iteration found, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quantrail.domain.answers import Written
from quantrail.domain.ids import FailureId, StrategyId
from quantrail.domain.ports import KnowledgeStore, KnowledgeUnit
from quantrail.domain.records import ArtifactRef, Backtest
from quantrail.services.loop import result_records as results
from quantrail.services.loop import trial_records as trials
from quantrail.services.loop.learning import Learnt
from quantrail.services.loop.screening import Screened
from quantrail.services.loop.state import Evaluated, RunFrame, RunState, Verification
from quantrail.services.near import stored_mark


@dataclass(frozen=True, slots=True)
class Iterated:
    """What one iteration brings to the store. ``screen_rows``: rows of ``screen_file`` by strategy."""

    iteration: int
    screened: Screened
    verified: Verification
    learnt: Learnt
    screen_file: str
    screen_rows: dict[StrategyId, int]
    shortlist_dirs: dict[StrategyId, str]

    @property
    def fresh(self) -> list[Evaluated]:
        """Screened in this iteration, not known before."""
        return [e for e in self.screened.evaluated if not e.cached]

    @property
    def around(self) -> list[Evaluated]:
        """Neighbours of the shortlist, each looked at once per strategy it is a neighbour of."""
        return [n for v in self.verified.fresh for n in v.neighbours]


def record_iteration(state: RunState, unit: KnowledgeUnit, done: Iterated) -> None:
    """Parents before children, so that every reference is there when it is made."""
    around = _distinct(done.around, done.fresh)
    candidates = (*done.screened.candidates, *(n.candidate for n in around))
    unit.upsert_strategies(results.strategy_records(candidates))
    tests = _backtests(state.frame, done, around)
    written = unit.insert_backtests(tests)
    unit.save_fingerprints([f for f in map(stored_mark, done.fresh) if f is not None])
    _record_results(state, unit, done, around, known_failures(state.services.store, tests, written))
    unit.save_constraint_set(state.run_id, done.iteration, done.learnt.constraint_set, done.learnt.provenance)
    _record_trials(state, unit, done)
    for event in done.learnt.events:
        unit.set_constraint_status(event)


def _backtests(frame: RunFrame, done: Iterated, around: Sequence[Evaluated]) -> list[Backtest]:
    made = []
    for entry in done.fresh:
        row = done.screen_rows.get(entry.candidate.strategy_id)
        ref = None if row is None else ArtifactRef(done.screen_file, row)
        made.append(results.backtest_record(frame, done.iteration, entry, ref))
    made.extend(results.backtest_record(frame, done.iteration, entry, None) for entry in around)
    for verified in done.verified.fresh:
        ref = ArtifactRef(done.shortlist_dirs[verified.b.candidate.strategy_id])
        for entry in (verified.a, verified.b):
            made.append(results.backtest_record(frame, done.iteration, entry, ref))
    return made


def _record_results(
    state: RunState,
    unit: KnowledgeUnit,
    done: Iterated,
    around: Sequence[Evaluated],
    known: set[FailureId],
) -> None:
    frame = state.frame
    judged = [*done.fresh, *(v.b for v in done.verified.fresh)]
    measured = [*judged, *around, *(v.a for v in done.verified.fresh)]
    unit.save_metrics([results.metrics_record(e) for e in measured if e.outcome.error_code is None])
    unit.save_scores([results.score_record(e) for e in judged if e.outcome.score is not None])
    found = [f for e in judged for f in results.failure_records(frame, e)]
    unit.save_failures([f for f in found if f.failure_id not in known])
    unit.save_comparisons([v.comparison for v in done.verified.fresh])
    unit.save_robustness_cases([c for v in done.verified.fresh for c in results.robustness_records(frame, v)])


def known_failures(store: KnowledgeStore, tests: Sequence[Backtest], written: Written) -> set[FailureId]:
    """What is stored already of backtests that were: by a run meanwhile, or judged under another policy.

    The first finding stays. What a rule says may depend on how much had been tried when its run began.
    """
    known = [one.backtest_id for one, new in zip(tests, written.is_new, strict=True) if not new]
    rows = store.find_backtests(known) if known else {}
    return {failure.failure_id for row in rows.values() for failure in row.failures}


def _record_trials(state: RunState, unit: KnowledgeUnit, done: Iterated) -> None:
    """Draws in order, then neighbours of the shortlist, then looks at validation, each a trial."""
    frame, train, later = state.frame, state.screen.period, state.verify.period
    ran = {e.candidate.ordinal: e for e in done.screened.evaluated}
    asked = [
        *((c, train, ran.get(c.ordinal)) for c in done.screened.candidates),
        *((e.candidate, train, e) for e in done.around),
        *((e.candidate, later, e) for e in done.verified.looks),
    ]
    unit.save_trials(
        [
            trials.trial_record(frame, done.iteration, ordinal, candidate, period, entry)
            for ordinal, (candidate, period, entry) in enumerate(asked)
        ]
    )
    if state.applied_set_id is not None:
        unit.save_trial_constraints(
            trials.trial_constraints(frame, done.iteration, done.screened.candidates, state.applied_set_id)
        )


def _distinct(entries: Sequence[Evaluated], known: Sequence[Evaluated]) -> list[Evaluated]:
    """Entries whose backtest is not among ``known``, each once."""
    seen = {e.backtest_id for e in known}
    kept = []
    for entry in entries:
        if entry.backtest_id not in seen:
            seen.add(entry.backtest_id)
            kept.append(entry)
    return kept
