"""What reads of the knowledge store return. Times are aware UTC, ratios fractions, undefined is None."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import BacktestStatus, EngineMode, RunStatus, StageStatus, Tier, TrialArm
from quantrail.domain.identity import ReproductionKey
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ConstraintSetId,
    DataVersion,
    FailureId,
    ResultHash,
    RunId,
    StrategyId,
    TrialId,
)
from quantrail.domain.records import ArtifactRef, Constraint, ConstraintSet, Failure, Metrics, Score, Strategy

T = TypeVar("T")


class IdKind(StrEnum):
    """What an id names."""

    STRATEGY = "strategy"
    BACKTEST = "backtest"
    RUN = "run"
    TRIAL = "trial"
    FAILURE = "failure"
    CONSTRAINT = "constraint"
    CONSTRAINT_SET = "constraint_set"


class LeaderboardOrder(StrEnum):
    """Best first, undefined last, ties in the order they were stored."""

    SCORE = "score_total"
    SHARPE = "sharpe_net"
    DRAWDOWN = "max_drawdown_net"
    RETURN = "return_total_net"
    CAGR = "cagr_net"


class FailureKey(StrEnum):
    """What repeated failures are counted by."""

    TAG = "tag"
    CATEGORY = "category"
    TEMPLATE = "template"
    ATOM = "atom"


@dataclass(frozen=True, slots=True)
class Written:
    """One write: for each record handed in, in order, whether its row is new."""

    is_new: tuple[bool, ...]

    @property
    def new(self) -> int:
        return sum(self.is_new)

    @property
    def known(self) -> int:
        return len(self.is_new) - self.new


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of an ordered list; hand ``cursor`` back for the next one, None at the end."""

    rows: tuple[T, ...]
    cursor: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class LeaderboardFilter:
    """All that is set must hold. ``metrics`` maps a metric name to its (lowest, highest) value.

    ``engine_mode`` None: B rows, and A rows of strategies that have no B row under the policy.
    ``policy_version`` None: the score policy used last. ``run_id``: evaluated or met again in that run.
    """

    engine_mode: EngineMode | None = None
    policy_version: str | None = None
    run_id: RunId | None = None
    template_id: str | None = None
    tier: Tier | None = None
    market: str | None = None
    strategy_id: StrategyId | None = None
    passed: bool | None = None
    metrics: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    backtest_id: BacktestId
    strategy_id: StrategyId
    engine_mode: EngineMode
    engine_version: str
    data_version: DataVersion
    universe_version: str
    period_start: date
    period_end: date
    template_id: str | None
    name: str | None
    tier: Tier
    score_total: float
    passed: bool
    fail_reasons: tuple[str, ...]
    policy_version: str
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class RunRow:
    run_id: RunId
    created_at: datetime
    ended_at: datetime | None
    project_version: str
    code_version: str
    door: str
    status: RunStatus
    config: Mapping[str, Any]
    requested_by: str | None


@dataclass(frozen=True, slots=True)
class IterationRow:
    run_id: RunId
    iteration_id: int
    started_at: datetime
    ended_at: datetime | None
    constraint_set_id_applied: ConstraintSetId | None
    summary: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class StageEventRow:
    run_id: RunId
    iteration_id: int | None
    stage: str
    event: str
    status: StageStatus
    attempt: int
    error_code: str | None
    reason: str | None
    payload: Mapping[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StrategyRow:
    strategy: Strategy
    created_at: datetime
    tier: Tier


@dataclass(frozen=True, slots=True)
class BacktestRow:
    """A stored backtest with all that a re-run needs, and all that was said about it."""

    backtest_id: BacktestId
    key: ReproductionKey
    run_id: RunId
    iteration_id: int
    calc_contract: CalcContract
    model_versions: ModelVersions
    status: BacktestStatus
    result_hash: ResultHash | None
    error_code: str | None
    error_message: str | None
    artifacts_dir: ArtifactRef | None
    snapshot_version: DataVersion | None
    code_version: str
    created_at: datetime
    metrics: Metrics | None
    scores: tuple[Score, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class FailureCount:
    """``count`` failures; ``strategies`` distinct ones, None where only the maintained count was read."""

    key: str
    count: int
    strategies: int | None = None


@dataclass(frozen=True, slots=True)
class BlockCount:
    """How many trials of one iteration one constraint would have blocked, by arm."""

    run_id: RunId
    iteration_id: int
    constraint_set_id: ConstraintSetId
    constraint_id: ConstraintId
    arm: TrialArm
    trials: int


@dataclass(frozen=True, slots=True)
class BlockedTrial:
    trial_id: TrialId
    run_id: RunId
    iteration_id: int
    ordinal: int
    arm: TrialArm
    strategy_id: StrategyId
    backtest_id: BacktestId | None
    constraint_set_id: ConstraintSetId
    constraint_id: ConstraintId
    sole_blocker: bool


@dataclass(frozen=True, slots=True)
class ProvenanceRow:
    constraint_set_id: ConstraintSetId
    constraint_id: ConstraintId
    failure_id: FailureId
    mapping_rule: str
    run_id: RunId
    created_at_iteration: int


@dataclass(frozen=True, slots=True)
class StoredConstraintSet:
    set: ConstraintSet
    created_at: datetime
    run_id: RunId
    iteration_id: int


@dataclass(frozen=True, slots=True)
class StoredConstraint:
    constraint: Constraint
    constraint_set_id: ConstraintSetId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LineageNode:
    """``label`` is one readable line, for people."""

    kind: str
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Edges point from cause to effect: (cause kind:id, effect kind:id, relation)."""

    root: LineageNode
    nodes: tuple[LineageNode, ...]
    edges: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class TrialCount:
    """Distinct strategies tried (evaluated, cached, error), stress and synthetic left out.

    ``market_overlap`` is N for deflation: same home market, overlapping periods. ``exact_window`` counts
    the same universe and dates. ``looks`` counts every such trial, repeats included.
    """

    market_overlap: int
    exact_window: int
    looks: int


@dataclass(frozen=True, slots=True)
class Tried:
    """Has this been tried? Same strategy, and the same logic on other universes or costs."""

    strategy_id: StrategyId
    known: bool
    trials: int
    backtests: tuple[BacktestId, ...]
    same_logic: tuple[StrategyId, ...]
    failure_tags: Mapping[str, int]
    blocked_by: tuple[ConstraintId, ...]
