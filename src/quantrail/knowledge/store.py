"""The knowledge store on SQL: one class for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from quantrail.domain import answers as a
from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ConstraintSetId,
    DataVersion,
    FailureId,
    RunId,
    StrategyId,
    UniverseVersion,
)
from quantrail.errors import QuantrailError
from quantrail.knowledge import counts, fingerprints, lineage, read_learning, read_results, read_runs, resolve
from quantrail.knowledge.backend import Backend
from quantrail.knowledge.beside_blocks import ALSO
from quantrail.knowledge.blocks import Sealer
from quantrail.knowledge.driver_errors import misfit
from quantrail.knowledge.keys import Cache
from quantrail.knowledge.leaderboard import leaderboard
from quantrail.knowledge.metric_blocks import METRICS
from quantrail.knowledge.score_blocks import SCORES
from quantrail.knowledge.session import Session
from quantrail.knowledge.statistics import Statistics
from quantrail.knowledge.unit import SqlKnowledgeUnit
from quantrail.knowledge.upgrade import require_head

P = ParamSpec("P")
T = TypeVar("T")


def open_store(url: str | Path, clock: Callable[[], datetime]) -> SqlKnowledgeStore:
    """Open a store that is there and up to date.

    ``url`` is a file path, ``sqlite:///file`` or ``postgresql://…``; ``clock`` gives aware times.
    Raises SchemaOutdated with the command that mends it, when the database is older, newer or empty.
    """
    backend = Backend(url)
    try:
        require_head(backend)
    except BaseException:
        backend.close()
        raise
    return SqlKnowledgeStore(backend, clock)


class SqlKnowledgeStore:
    """See :class:`quantrail.domain.ports.KnowledgeStore`. May be shared between threads."""

    def __init__(self, backend: Backend, clock: Callable[[], datetime]) -> None:
        self.backend = backend
        self._clock = clock
        self._shared: Cache = {}
        self._statistics = Statistics(backend)
        self._sealer = Sealer(backend, METRICS, ALSO, SCORES)

    def close(self) -> None:
        self.backend.close()

    @contextmanager
    def unit(self, durable: bool = False) -> Iterator[SqlKnowledgeUnit]:
        """One transaction. ``durable`` makes its commit survive a power cut too, not only a killed
        process; on PostgreSQL every commit does."""
        with self.backend.writing(durable) as session:
            unit = SqlKnowledgeUnit(session, self._clock, self._shared)
            try:
                yield unit
            finally:
                unit.end()
        if unit.committed:
            self._sealer.after(unit.next_keys)
            self._statistics.after(unit.rows_written)

    def _read(self, read: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with self.backend.reading() as session:
                return read(session, *args, **kwargs)
        except QuantrailError:
            raise
        except Exception as error:
            self.backend.raise_if_damaged(error)
            ours = misfit(read.__name__, error)
            if ours is None:
                raise
            raise ours from error

    def resolve(self, prefix: str, kind: a.IdKind | None = None) -> tuple[a.IdKind, str]:
        return self._read(resolve.resolve, prefix, kind)

    # --- runs -------------------------------------------------------------------------------------
    def get_run(self, run_id: RunId) -> a.RunRow:
        return self._read(read_runs.get_run, run_id)

    def list_runs(self, limit: int = 50) -> list[a.RunRow]:
        return self._read(read_runs.list_runs, limit)

    def list_iterations(self, run_id: RunId) -> list[a.IterationRow]:
        return self._read(read_runs.list_iterations, run_id)

    def list_stage_events(self, run_id: RunId, iteration_id: int | None = None) -> list[a.StageEventRow]:
        return self._read(read_runs.list_stage_events, run_id, iteration_id)

    # --- strategies and results -------------------------------------------------------------------
    def get_strategy(self, strategy_id: StrategyId) -> a.StrategyRow:
        return self._read(read_results.get_strategy, strategy_id)

    def known_strategies(self, ids: Sequence[StrategyId]) -> set[StrategyId]:
        return self._read(read_results.known_strategies, ids)

    def get_backtest(self, backtest_id: BacktestId) -> a.BacktestRow:
        return self._read(read_results.get_backtest, backtest_id)

    def find_backtests(self, ids: Sequence[BacktestId]) -> dict[BacktestId, a.BacktestRow]:
        return self._read(read_results.find_backtests, ids)

    def list_backtests(
        self, run_id: RunId | None = None, strategy_id: StrategyId | None = None, limit: int = 1000
    ) -> list[BacktestId]:
        return self._read(read_results.list_backtests, run_id, strategy_id, limit)

    def leaderboard(
        self,
        where: a.LeaderboardFilter | None = None,
        order: a.LeaderboardOrder = a.LeaderboardOrder.SCORE,
        limit: int = 20,
        cursor: str | None = None,
    ) -> a.Page[a.LeaderboardRow]:
        return self._read(leaderboard, where or a.LeaderboardFilter(), order, limit, cursor)

    def compare(self, ids: Sequence[BacktestId]) -> list[a.BacktestRow]:
        return self._read(read_results.compare, ids)

    def comparisons_of(self, backtest_id: BacktestId) -> list[r.EngineComparison]:
        return self._read(read_results.comparisons_of, backtest_id)

    def strategy_history(self, strategy_id: StrategyId) -> list[a.BacktestRow]:
        return self._read(read_results.strategy_history, strategy_id)

    def fingerprints_of(self, strategy_id: StrategyId) -> list[ledger.Fingerprint]:
        return self._read(fingerprints.fingerprints_of, strategy_id)

    def fingerprints_among(
        self, strategy_ids: Sequence[StrategyId]
    ) -> dict[StrategyId, list[ledger.Fingerprint]]:
        return self._read(fingerprints.fingerprints_among, strategy_ids)

    def list_fingerprints(self, algorithm: str, data_version: DataVersion) -> list[ledger.Fingerprint]:
        return self._read(fingerprints.list_fingerprints, algorithm, data_version)

    def has_fingerprints(self, algorithm: str, data_version: DataVersion) -> bool:
        return self._read(fingerprints.has_fingerprints, algorithm, data_version)

    def fingerprints_meeting(self, mark: ledger.Fingerprint) -> list[ledger.Fingerprint]:
        return self._read(fingerprints.fingerprints_meeting, mark)

    def tried(self, strategy_id: StrategyId, logic_hash: str | None = None) -> a.Tried:
        return self._read(counts.tried, strategy_id, logic_hash)

    # --- failures and constraints -----------------------------------------------------------------
    def repeated_failures(
        self, top_n: int = 10, by: a.FailureKey = a.FailureKey.TAG, run_id: RunId | None = None
    ) -> list[a.FailureCount]:
        return self._read(read_learning.repeated_failures, top_n, by, run_id)

    def get_failure(self, failure_id: FailureId) -> r.Failure:
        return self._read(read_learning.get_failure, failure_id)

    def list_failures(
        self, tag: str | None = None, run_id: RunId | None = None, limit: int = 100
    ) -> list[r.Failure]:
        return self._read(read_learning.list_failures, tag, run_id, limit)

    def latest_constraint_set(self) -> a.StoredConstraintSet | None:
        return self._read(read_learning.latest_constraint_set)

    def get_constraint_set(self, constraint_set_id: ConstraintSetId) -> a.StoredConstraintSet:
        return self._read(read_learning.get_constraint_set, constraint_set_id)

    def list_constraints(self, active_only: bool = True) -> list[a.StoredConstraint]:
        return self._read(read_learning.list_constraints, active_only)

    def provenance_of(self, constraint_id: ConstraintId) -> list[a.ProvenanceRow]:
        return self._read(read_learning.provenance_of, constraint_id)

    def block_counts(self, run_id: RunId | None = None) -> list[a.BlockCount]:
        return self._read(read_learning.block_counts, run_id)

    def blocked_trials(self, constraint_id: ConstraintId, limit: int = 1000) -> list[a.BlockedTrial]:
        return self._read(read_learning.blocked_trials, constraint_id, limit)

    # --- trails, counts, trust --------------------------------------------------------------------
    def lineage(self, kind: a.IdKind, id: str, limit: int = 200) -> a.Lineage:
        return self._read(lineage.lineage, kind, id, limit)

    def trial_count(
        self,
        universe_version: UniverseVersion,
        period_start: date,
        period_end: date,
        before_run: RunId | None = None,
        up_to_run: RunId | None = None,
        besides: StrategyId | None = None,
    ) -> a.TrialCount:
        limits = (before_run, up_to_run, besides)
        return self._read(counts.trial_count, universe_version, period_start, period_end, *limits)

    def list_trials(self, run_id: RunId, iteration_id: int | None = None) -> list[r.Trial]:
        return self._read(read_runs.list_trials, run_id, iteration_id)

    def find_universe(self, universe_version: UniverseVersion) -> r.Universe | None:
        return self._read(read_runs.find_universe, universe_version)

    def find_snapshot(self, data_version: DataVersion) -> r.Snapshot | None:
        return self._read(read_runs.find_snapshot, data_version)

    def data_versions(self) -> set[DataVersion]:
        return self._read(read_runs.data_versions)

    def list_templates(self) -> list[tuple[ledger.TemplateEntry, int]]:
        return self._read(read_runs.list_templates)

    def list_atoms(self) -> list[tuple[ledger.AtomEntry, int]]:
        return self._read(read_runs.list_atoms)

    def list_promotions(self, strategy_id: StrategyId | None = None) -> list[ledger.Promotion]:
        return self._read(read_runs.list_promotions, strategy_id)

    def list_robustness_cases(self, backtest_id: BacktestId) -> list[ledger.RobustnessCase]:
        return self._read(read_runs.list_robustness_cases, backtest_id)

    def list_reproductions(self, backtest_id: BacktestId) -> list[ledger.Reproduction]:
        return self._read(read_runs.list_reproductions, backtest_id)

    def list_reports(
        self, run_id: RunId | None = None, backtest_id: BacktestId | None = None
    ) -> list[ledger.Report]:
        return self._read(read_runs.list_reports, run_id, backtest_id)

    def list_files(self, folder: str | None = None) -> list[r.ArtifactFile]:
        return self._read(read_runs.list_files, folder)

    def holdout_reads(self, strategy_id: StrategyId | None = None) -> int:
        return self._read(read_runs.holdout_reads, strategy_id)

    def counts(self) -> dict[str, int]:
        return self._read(counts.counts)
