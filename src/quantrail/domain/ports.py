"""The interfaces that services hold and adapters fulfil.

Every method may raise BackendError (BackendBusy after a minute's wait for another writer,
BackendCorrupt when the file is damaged). Ids are full ids; prefixes go through ``resolve``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from quantrail.domain import answers as a
from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.enums import RunStatus
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

Clock = Callable[[], datetime]  # aware UTC


class KnowledgeUnit(Protocol):
    """One transaction. Nothing counts until ``commit``; leaving without it undoes everything.

    All writes are idempotent and say per record whether it was new. The same key with other content
    raises Conflict naming both; a reference to something that is not there raises NotFound; values
    that cannot be stored (NaN, naive times, NUL, over-long text, wrong types, unknown words) raise
    InvalidInput. After any error the unit is spent: leave it, nothing was changed.
    """

    def commit(self) -> None:
        """Make everything durable and visible, at once."""

    # --- registers: what others refer to -------------------------------------------------------
    def save_policies(self, policies: Sequence[r.Policy]) -> a.Written: ...
    def save_universes(self, universes: Sequence[r.Universe]) -> a.Written: ...
    def save_snapshots(self, snapshots: Sequence[r.Snapshot]) -> a.Written: ...
    def save_templates(self, templates: Sequence[ledger.TemplateEntry]) -> a.Written:
        """Tier, status, confidence, texts of a known template are replaced; usage counts stay."""

    def save_atoms(self, atoms: Sequence[ledger.AtomEntry]) -> a.Written: ...
    def save_files(self, files: Sequence[r.ArtifactFile]) -> a.Written:
        """Artifact files, before or after the rows that refer to them. Another hash is a Conflict."""

    # --- runs -----------------------------------------------------------------------------------
    def insert_run(self, run: r.Run) -> a.Written: ...
    def set_run_status(self, run_id: RunId, status: RunStatus) -> None:
        """Anything but RUNNING stamps the end. NotFound for an unknown run."""

    def insert_iteration(self, iteration: r.Iteration) -> a.Written: ...
    def finish_iteration(self, run_id: RunId, iteration_id: int, summary: r.Json) -> None:
        """Stamps the end and stores the summary; finishing again replaces both."""

    def save_stage_events(self, events: Sequence[r.StageEvent]) -> None:
        """Appends; order is kept."""

    # --- the main path --------------------------------------------------------------------------
    def upsert_strategy(self, strategy: r.Strategy) -> a.Written:
        """InvalidInput when the id is not the SHA-256 of the spec's bytes."""

    def upsert_strategies(self, strategies: Sequence[r.Strategy]) -> a.Written:
        """Batch form; ``derived_from`` may point to a strategy of the same batch."""

    def insert_backtest(self, backtest: r.Backtest) -> BacktestId:
        """Single form; InvalidInput when the id is not that of the key."""

    def insert_backtests(self, backtests: Sequence[r.Backtest]) -> a.Written:
        """Another ``result_hash`` under a known key is a Conflict. DONE replaces a stored FAILED whole, but
        for its key; FAILED changes nothing that is stored."""

    def save_metrics(self, metrics: r.Metrics | Sequence[r.Metrics]) -> a.Written:
        """One or many; each must echo its backtest's contract hash. InvalidInput for a FAILED backtest."""

    def save_score(self, score: r.Score) -> a.Written:
        """Single form of ``save_scores``."""

    def save_scores(self, scores: Sequence[r.Score]) -> a.Written:
        """Each needs its metrics stored before; the policy must be registered."""

    def save_failures(self, failures: Sequence[r.Failure]) -> a.Written:
        """Of one backtest or of many; each needs evidence, in place or as a file."""

    def save_comparisons(self, comparisons: Sequence[r.EngineComparison]) -> a.Written: ...
    def save_constraint_set(
        self,
        run_id: RunId,
        iteration_id: int,
        constraint_set: r.ConstraintSet,
        provenance: Sequence[r.Provenance],
    ) -> a.Written:
        """The set that iteration wrote; of another iteration that meets the same rules, only provenance is
        added. Fewer or more members under its id are a Conflict. A constraint derived from failures needs
        provenance, here or in an earlier set that held it; else InvalidInput."""

    def save_trial(self, trial: r.Trial) -> a.Written:
        """Single form of ``save_trials``."""

    def save_trials(self, trials: Sequence[r.Trial]) -> a.Written:
        """A known trial_id keeps what it holds; anything else under it is a Conflict, but for how an
        evaluation that is done again ended."""

    def save_trial_constraints(self, rows: Sequence[r.TrialConstraint]) -> a.Written: ...

    # --- judgement, trust, live operation -------------------------------------------------------
    def save_robustness_cases(self, cases: Sequence[ledger.RobustnessCase]) -> a.Written: ...
    def save_reports(self, reports: Sequence[ledger.Report]) -> a.Written:
        """A known report gains its ``doc_store_id`` when it had none; another one is a Conflict."""

    def save_promotions(self, promotions: Sequence[ledger.Promotion]) -> None:
        """Appends, in order; ``tier_to`` is where the strategy then stands.

        Raises InvalidInput unless ``tier_from`` is where it stands before, only PROMOTE leads up and never
        down, and whatever reaches T3, T4 or T5 names an approver.
        """

    def save_fingerprints(self, fingerprints: Sequence[ledger.Fingerprint]) -> a.Written: ...
    def save_holdout_read(self, read: ledger.HoldoutRead) -> None: ...
    def save_reproductions(self, reproductions: Sequence[ledger.Reproduction]) -> None: ...
    def save_recall(self, recall: ledger.Recall) -> None: ...
    def save_data_findings(self, findings: Sequence[ledger.DataFinding]) -> a.Written: ...
    def save_live_trades(self, trades: Sequence[ledger.LiveTrade]) -> a.Written: ...
    def save_replays(self, replays: Sequence[ledger.Replay]) -> a.Written: ...
    def set_failure_state(self, event: ledger.FailureEvent) -> None:
        """Changes the state and appends the event."""

    def set_constraint_status(self, event: ledger.ConstraintEvent) -> None:
        """Changes the status in every ACTIVE set that holds it and appends the event."""

    def archive_constraint_set(self, constraint_set_id: ConstraintSetId) -> None: ...


class KnowledgeStore(Protocol):
    """Everything that was tried, why it failed, and what follows: one source of truth.

    Reads see committed work only. ``get_`` raises NotFound, ``find_`` may be None, lists state their
    order, NULLs last. A ``limit`` is 0 or more; other limits, words outside a vocabulary and values of a
    wrong type raise InvalidInput.
    """

    def unit(self, durable: bool = False) -> AbstractContextManager[KnowledgeUnit]:
        """A commit survives a killed process; with ``durable`` a power cut too."""

    def close(self) -> None: ...

    def resolve(self, prefix: str, kind: a.IdKind | None = None) -> tuple[a.IdKind, str]:
        """The one id that starts with ``prefix`` (4 characters or more, dashes optional).

        Raises InvalidInput naming the matches when there are several, NotFound when there is none.
        """

    # --- runs -----------------------------------------------------------------------------------
    def get_run(self, run_id: RunId) -> a.RunRow: ...
    def list_runs(self, limit: int = 50) -> list[a.RunRow]:
        """Newest first."""

    def list_iterations(self, run_id: RunId) -> list[a.IterationRow]:
        """By iteration."""

    def list_stage_events(self, run_id: RunId, iteration_id: int | None = None) -> list[a.StageEventRow]:
        """As they happened."""

    # --- strategies and results -----------------------------------------------------------------
    def get_strategy(self, strategy_id: StrategyId) -> a.StrategyRow: ...
    def known_strategies(self, ids: Sequence[StrategyId]) -> set[StrategyId]: ...
    def get_backtest(self, backtest_id: BacktestId) -> a.BacktestRow: ...
    def find_backtests(self, ids: Sequence[BacktestId]) -> dict[BacktestId, a.BacktestRow]:
        """Those that are stored, whole (the cache lookup of a batch); unknown ids are left out."""

    def list_backtests(
        self, run_id: RunId | None = None, strategy_id: StrategyId | None = None, limit: int = 1000
    ) -> list[BacktestId]:
        """In the order they were stored. ``run_id``: those its trials point to."""

    def leaderboard(
        self,
        where: a.LeaderboardFilter | None = None,
        order: a.LeaderboardOrder = a.LeaderboardOrder.SCORE,
        limit: int = 20,
        cursor: str | None = None,
    ) -> a.Page[a.LeaderboardRow]: ...

    def compare(self, ids: Sequence[BacktestId]) -> list[a.BacktestRow]:
        """In the order asked; NotFound names the ids that are not there."""

    def comparisons_of(self, backtest_id: BacktestId) -> list[r.EngineComparison]: ...
    def strategy_history(self, strategy_id: StrategyId) -> list[a.BacktestRow]:
        """Every backtest of the strategy, oldest first."""

    def fingerprints_of(self, strategy_id: StrategyId) -> list[ledger.Fingerprint]:
        """By algorithm and data version."""

    def fingerprints_among(
        self, strategy_ids: Sequence[StrategyId]
    ) -> dict[StrategyId, list[ledger.Fingerprint]]:
        """``fingerprints_of`` for many, read together; without those that have none."""

    def list_fingerprints(self, algorithm: str, data_version: DataVersion) -> list[ledger.Fingerprint]:
        """All that compare with each other, in the order they were stored."""

    def has_fingerprints(self, algorithm: str, data_version: DataVersion) -> bool: ...
    def fingerprints_meeting(self, mark: ledger.Fingerprint) -> list[ledger.Fingerprint]:
        """Stored marks of the same algorithm and data, ``mark`` itself included when it is stored: all
        that agree with a minhash128 mark in 116 or more of its 128 bins, and a few that agree in fewer;
        none for marks of another kind. In the order they were stored, without reading the others.
        InvalidInput if the mark is cut short."""

    def tried(self, strategy_id: StrategyId, logic_hash: str | None = None) -> a.Tried: ...

    # --- failures and constraints ---------------------------------------------------------------
    def repeated_failures(
        self, top_n: int = 10, by: a.FailureKey = a.FailureKey.TAG, run_id: RunId | None = None
    ) -> list[a.FailureCount]:
        """Most frequent first, ties by name. With a run: failures of the backtests its trials met."""

    def get_failure(self, failure_id: FailureId) -> r.Failure: ...
    def list_failures(
        self, tag: str | None = None, run_id: RunId | None = None, limit: int = 100
    ) -> list[r.Failure]:
        """Most severe first, then most confident, then by id."""

    def latest_constraint_set(self) -> a.StoredConstraintSet | None:
        """The ACTIVE set stored last."""

    def get_constraint_set(self, constraint_set_id: ConstraintSetId) -> a.StoredConstraintSet: ...
    def list_constraints(self, active_only: bool = True) -> list[a.StoredConstraint]:
        """Each constraint once, as its newest set holds it; highest priority first, ties by id."""

    def provenance_of(self, constraint_id: ConstraintId) -> list[a.ProvenanceRow]: ...
    def block_counts(self, run_id: RunId | None = None) -> list[a.BlockCount]:
        """By run, iteration, constraint, arm."""

    def blocked_trials(self, constraint_id: ConstraintId, limit: int = 1000) -> list[a.BlockedTrial]:
        """By run, iteration, ordinal."""

    # --- trails, counts, trust ------------------------------------------------------------------
    def lineage(self, kind: a.IdKind, id: str, limit: int = 200) -> a.Lineage:
        """What led here and what followed, at most ``limit`` nodes per step."""

    def trial_count(
        self,
        universe_version: UniverseVersion,
        period_start: date,
        period_end: date,
        before_run: RunId | None = None,
        up_to_run: RunId | None = None,
        besides: StrategyId | None = None,
    ) -> a.TrialCount:
        """``before_run`` leaves out that run's own trials and all later ones, ``up_to_run`` those of runs
        begun after that run, ``besides`` those of that strategy. NotFound when a run is unknown."""

    def list_trials(self, run_id: RunId, iteration_id: int | None = None) -> list[r.Trial]:
        """By iteration and ordinal."""

    def find_universe(self, universe_version: UniverseVersion) -> r.Universe | None: ...
    def find_snapshot(self, data_version: DataVersion) -> r.Snapshot | None: ...
    def data_versions(self) -> set[DataVersion]:
        """What market data must be kept for: the snapshots that runs were opened on, and the slices of
        results that name no snapshot."""

    def list_templates(self) -> list[tuple[ledger.TemplateEntry, int]]:
        """With usage counts; by id."""

    def list_atoms(self) -> list[tuple[ledger.AtomEntry, int]]:
        """With usage counts; by id."""

    def list_promotions(self, strategy_id: StrategyId | None = None) -> list[ledger.Promotion]:
        """Newest first."""

    def list_robustness_cases(self, backtest_id: BacktestId) -> list[ledger.RobustnessCase]: ...
    def list_reproductions(self, backtest_id: BacktestId) -> list[ledger.Reproduction]:
        """Newest first."""

    def list_reports(
        self, run_id: RunId | None = None, backtest_id: BacktestId | None = None
    ) -> list[ledger.Report]: ...
    def list_files(self, folder: str | None = None) -> list[r.ArtifactFile]:
        """By path; with ``folder`` only those below it."""

    def holdout_reads(self, strategy_id: StrategyId | None = None) -> int: ...
    def counts(self) -> dict[str, int]:
        """Rows per table."""


__all__ = ["Clock", "KnowledgeStore", "KnowledgeUnit"]
