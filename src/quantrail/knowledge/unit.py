"""The unit of work: all writes of the port on one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import RunStatus
from quantrail.domain.ids import BacktestId, ConstraintSetId, RunId
from quantrail.errors import InvalidInput
from quantrail.knowledge import (
    values,
    write_backtests,
    write_constraint_sets,
    write_learning,
    write_ledger,
    write_promotions,
    write_registers,
    write_results,
    write_strategies,
)
from quantrail.knowledge.driver_errors import misfit, translate, translated
from quantrail.knowledge.keys import Cache, Keys
from quantrail.knowledge.session import Session

T = TypeVar("T")


class SqlKnowledgeUnit:
    """One transaction on either backend; see :class:`quantrail.domain.ports.KnowledgeUnit`."""

    def __init__(self, session: Session, clock: Callable[[], datetime], shared: Cache) -> None:
        self._keys = Keys(session, lambda: values.stamp(clock(), "the clock's time"), shared)
        self._shared = shared
        self._over: str | None = None

    def commit(self) -> None:
        self._check()
        with translated():
            self._keys.session.commit()
        self._over = "committed already"
        self._shared.update(self._keys.pending)

    def end(self) -> None:
        """Its block is left; the connection is the next unit's, so this one must not touch it again."""
        self._over = self._over or "over: its block has ended"

    @property
    def committed(self) -> bool:
        return self._over == "committed already"

    @property
    def rows_written(self) -> int:
        return self._keys.session.written

    @property
    def next_keys(self) -> Mapping[str, int]:
        """The key the next new row will get, of each table that has grown and maybe of others."""
        return self._keys.session.next_keys

    def _check(self) -> None:
        if self._over:
            raise InvalidInput(f"this unit of work is {self._over}; open a new one")

    def _do(self, write: Callable[..., T], *args: object) -> T:
        self._check()
        try:
            return write(self._keys, *args)
        except BaseException as error:
            self._over = "spent: a write in it failed"
            if not isinstance(error, Exception):
                raise
            ours = translate(error) or misfit(write.__name__, error)
            if ours is None:
                raise
            raise ours from error

    # --- registers -------------------------------------------------------------------------------
    def save_policies(self, policies: Sequence[r.Policy]) -> Written:
        return self._do(write_registers.save_policies, policies)

    def save_universes(self, universes: Sequence[r.Universe]) -> Written:
        return self._do(write_registers.save_universes, universes)

    def save_snapshots(self, snapshots: Sequence[r.Snapshot]) -> Written:
        return self._do(write_registers.save_snapshots, snapshots)

    def save_templates(self, templates: Sequence[ledger.TemplateEntry]) -> Written:
        return self._do(write_registers.save_templates, templates)

    def save_atoms(self, atoms: Sequence[ledger.AtomEntry]) -> Written:
        return self._do(write_registers.save_atoms, atoms)

    def save_files(self, files: Sequence[r.ArtifactFile]) -> Written:
        return self._do(write_registers.save_files, files)

    # --- runs ------------------------------------------------------------------------------------
    def insert_run(self, run: r.Run) -> Written:
        return self._do(write_registers.insert_run, run)

    def set_run_status(self, run_id: RunId, status: RunStatus) -> None:
        self._do(write_registers.set_run_status, run_id, status)

    def insert_iteration(self, iteration: r.Iteration) -> Written:
        return self._do(write_registers.insert_iteration, iteration)

    def finish_iteration(self, run_id: RunId, iteration_id: int, summary: r.Json) -> None:
        self._do(write_registers.finish_iteration, run_id, iteration_id, summary)

    def save_stage_events(self, events: Sequence[r.StageEvent]) -> None:
        self._do(write_registers.save_stage_events, events)

    # --- the main path ---------------------------------------------------------------------------
    def upsert_strategy(self, strategy: r.Strategy) -> Written:
        return self.upsert_strategies([strategy])

    def upsert_strategies(self, strategies: Sequence[r.Strategy]) -> Written:
        return self._do(write_strategies.upsert_strategies, strategies)

    def insert_backtest(self, backtest: r.Backtest) -> BacktestId:
        self.insert_backtests([backtest])
        return backtest.backtest_id

    def insert_backtests(self, backtests: Sequence[r.Backtest]) -> Written:
        return self._do(write_backtests.insert_backtests, backtests)

    def save_metrics(self, metrics: r.Metrics | Sequence[r.Metrics]) -> Written:
        many = [metrics] if isinstance(metrics, r.Metrics) else metrics
        return self._do(write_results.save_metrics, many)

    def save_score(self, score: r.Score) -> Written:
        return self.save_scores([score])

    def save_scores(self, scores: Sequence[r.Score]) -> Written:
        return self._do(write_results.save_scores, scores)

    def save_failures(self, failures: Sequence[r.Failure]) -> Written:
        return self._do(write_learning.save_failures, failures)

    def save_comparisons(self, comparisons: Sequence[r.EngineComparison]) -> Written:
        return self._do(write_results.save_comparisons, comparisons)

    def save_constraint_set(
        self,
        run_id: RunId,
        iteration_id: int,
        constraint_set: r.ConstraintSet,
        provenance: Sequence[r.Provenance],
    ) -> Written:
        return self._do(
            write_constraint_sets.save_constraint_set, run_id, iteration_id, constraint_set, provenance
        )

    def save_trial(self, trial: r.Trial) -> Written:
        return self.save_trials([trial])

    def save_trials(self, trials: Sequence[r.Trial]) -> Written:
        return self._do(write_results.save_trials, trials)

    def save_trial_constraints(self, rows: Sequence[r.TrialConstraint]) -> Written:
        return self._do(write_learning.save_trial_constraints, rows)

    # --- judgement, trust, live operation --------------------------------------------------------
    def save_robustness_cases(self, cases: Sequence[ledger.RobustnessCase]) -> Written:
        return self._do(write_ledger.save_robustness_cases, cases)

    def save_reports(self, reports: Sequence[ledger.Report]) -> Written:
        return self._do(write_ledger.save_reports, reports)

    def save_promotions(self, promotions: Sequence[ledger.Promotion]) -> None:
        self._do(write_promotions.save_promotions, promotions)

    def save_fingerprints(self, fingerprints: Sequence[ledger.Fingerprint]) -> Written:
        return self._do(write_ledger.save_fingerprints, fingerprints)

    def save_holdout_read(self, read: ledger.HoldoutRead) -> None:
        self._do(write_ledger.save_holdout_read, read)

    def save_reproductions(self, reproductions: Sequence[ledger.Reproduction]) -> None:
        self._do(write_ledger.save_reproductions, reproductions)

    def save_recall(self, recall: ledger.Recall) -> None:
        self._do(write_ledger.save_recall, recall)

    def save_data_findings(self, findings: Sequence[ledger.DataFinding]) -> Written:
        return self._do(write_ledger.save_data_findings, findings)

    def save_live_trades(self, trades: Sequence[ledger.LiveTrade]) -> Written:
        return self._do(write_ledger.save_live_trades, trades)

    def save_replays(self, replays: Sequence[ledger.Replay]) -> Written:
        return self._do(write_ledger.save_replays, replays)

    def set_failure_state(self, event: ledger.FailureEvent) -> None:
        self._do(write_learning.set_failure_state, event)

    def set_constraint_status(self, event: ledger.ConstraintEvent) -> None:
        self._do(write_learning.set_constraint_status, event)

    def archive_constraint_set(self, constraint_set_id: ConstraintSetId) -> None:
        self._do(write_learning.archive_constraint_set, constraint_set_id)
