"""Records the loop hands to the knowledge store: what was tried, what came out, what was learnt.

Frozen values without a creation time: the store stamps that with the clock it was given. Mappings
must have a JSON form (no NaN, no infinities); times must be aware. Library entries, judgement and
trust records stand in :mod:`quantrail.domain.ledger`, what reads return in
:mod:`quantrail.domain.answers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import (
    BacktestStatus,
    ConstraintOrigin,
    ConstraintScope,
    ConstraintSetState,
    ConstraintStatus,
    ConstraintType,
    FailureCategory,
    FailureState,
    RunStatus,
    Severity,
    StageStatus,
    TrialArm,
    TrialDoor,
    TrialOutcome,
)
from quantrail.domain.identity import ReproductionKey
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ConstraintSetId,
    ContentHash,
    DataVersion,
    FailureId,
    LogicHash,
    ResultHash,
    RunId,
    StrategyId,
    TrialId,
    UniverseVersion,
)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """A file below the home's ``artifacts`` folder, or one row of it; spelt ``file#row``."""

    path: str
    row: int | None = None

    def __str__(self) -> str:
        return self.path if self.row is None else f"{self.path}#{self.row}"


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A written file: relative path, SHA-256 hex, size in bytes."""

    path: str
    sha256: ContentHash
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run from any door. ``config`` is the whole configuration."""

    run_id: RunId
    project_version: str
    config: Json
    door: TrialDoor
    code_version: str
    status: RunStatus = RunStatus.RUNNING
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class Iteration:
    run_id: RunId
    iteration_id: int
    constraint_set_id_applied: ConstraintSetId | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """An immutable strategy. ``strategy_id`` is the SHA-256 of ``normalized_spec_json``.

    ``template_id`` and ``atoms`` must be registered; ``derived_from`` is the strategy that mutation
    or a constraint's rewriting started from.
    """

    strategy_id: StrategyId
    normalized_spec_json: bytes
    logic_hash: LogicHash
    created_from: str  # template | mutation | import | llm | optuna | signals …
    spec_hash_version: str = "h1"
    schema_version: str = "1.0"
    kind: str = "spec"  # spec | signals
    name: str | None = None
    template_id: str | None = None
    params: Json | None = None
    atoms: tuple[str, ...] = ()
    derived_from: StrategyId | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """One execution of a strategy. ``backtest_id`` is worked out from ``key``.

    ``calc_contract`` and ``model_versions`` must hash to what the key says. ``result_hash`` is None
    only for a FAILED one. ``run_id`` and ``iteration_id`` name the first producer.
    """

    backtest_id: BacktestId
    key: ReproductionKey
    run_id: RunId
    iteration_id: int
    calc_contract: CalcContract
    model_versions: ModelVersions
    status: BacktestStatus = BacktestStatus.DONE
    result_hash: ResultHash | None = None
    error_code: str | None = None
    error_message: str | None = None
    artifacts_dir: ArtifactRef | None = None
    snapshot_version: DataVersion | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metric values by their contract names.

    A None needs its reason in ``undefined``; a name that is left out was not worked out.
    """

    backtest_id: BacktestId
    calc_contract_hash: ContentHash
    values: Mapping[str, float | int | None]
    undefined: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    metrics_json_path: ArtifactRef | None = None
    schema_version: str = "1"


@dataclass(frozen=True, slots=True)
class Score:
    """``score_total`` 0..1 under one policy; ``breakdown`` holds the terms that sum to it."""

    backtest_id: BacktestId
    policy_version: str
    score_total: float
    breakdown: Json
    passed: bool
    fail_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """One broken rule of one backtest. ``confidence`` 0..1. Evidence: a file, or JSON, or both."""

    failure_id: FailureId
    backtest_id: BacktestId
    rule_id: str
    rule_version: str
    policy_version: str
    category: FailureCategory
    tags: tuple[str, ...]
    severity: Severity
    confidence: float
    summary: str
    evidence_pack_path: ArtifactRef | None = None
    evidence: Json | None = None
    state: FailureState = FailureState.OPEN


@dataclass(frozen=True, slots=True)
class EngineComparison:
    """Engine A against B. ``max_abs_equity_diff`` relative, ``pnl_effect`` in currency (B minus A)."""

    backtest_a: BacktestId
    backtest_b: BacktestId
    agree: bool
    max_abs_equity_diff: float | None
    pnl_effect: float | None
    reason: str
    first_difference: Json | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """One typed rule. Empty ``applies_to`` = everywhere; ``priority`` 0..100."""

    constraint_id: ConstraintId
    scope: ConstraintScope
    type: ConstraintType
    params: Json
    applies_to: Json = field(default_factory=dict)
    priority: int = 50
    severity: Severity = Severity.WARN
    derived_from_type: ConstraintOrigin = ConstraintOrigin.FAILURE
    statistics: Json = field(default_factory=dict)
    status: ConstraintStatus = ConstraintStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class ConstraintSet:
    """The rules that bind one iteration: all members, inherited ones too."""

    constraint_set_id: ConstraintSetId
    members: tuple[Constraint, ...]
    policy_version: str
    base_constraint_set_id: ConstraintSetId | None = None
    state: ConstraintSetState = ConstraintSetState.ACTIVE


@dataclass(frozen=True, slots=True)
class Provenance:
    """This failure led to this constraint, by this mapping rule."""

    constraint_id: ConstraintId
    failure_id: FailureId
    mapping_rule: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluation asked for. ``backtest_id`` is None only when blocked or duplicate.

    ``period_start`` and ``period_end`` are inclusive session dates.
    """

    trial_id: TrialId
    run_id: RunId
    iteration_id: int
    ordinal: int
    door: TrialDoor
    strategy_id: StrategyId
    outcome: TrialOutcome
    universe_version: UniverseVersion
    period_start: date
    period_end: date
    arm: TrialArm = TrialArm.MAIN
    backtest_id: BacktestId | None = None
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class TrialConstraint:
    """This constraint would block this trial; in the exploration arm it ran anyway."""

    trial_id: TrialId
    constraint_set_id: ConstraintSetId
    constraint_id: ConstraintId
    arm: TrialArm


@dataclass(frozen=True, slots=True)
class StageEvent:
    """A step of the loop's state machine; ``event`` as STAGE_STARTED, STAGE_COMPLETED …"""

    run_id: RunId
    stage: str  # S00 … S99
    event: str
    status: StageStatus
    iteration_id: int | None = None
    attempt: int = 1
    error_code: str | None = None
    reason: str | None = None
    payload: Json | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A versioned policy file, frozen: the same version with another body is a Conflict."""

    policy_version: str  # score_v1, rules_v1 …
    kind: str  # score | failure_rules | constraint_rules | robustness | promotion
    body: Json


@dataclass(frozen=True, slots=True)
class Universe:
    """``market`` is the home market that trials are counted over; synthetic ones count nowhere."""

    universe_version: UniverseVersion
    name: str
    market: str
    symbols: tuple[str, ...]
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Provenance of bars: an imported snapshot's Merkle version and its span."""

    data_version: DataVersion
    source: str
    symbols: int
    rows: int
    period_start: date
    period_end: date
    manifest_path: str | None = None
