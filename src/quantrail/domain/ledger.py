"""Records beside the main path: library entries, robustness, promotion, trust, live operation.

The same rules as in :mod:`quantrail.domain.records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from quantrail.domain.enums import ConstraintStatus, DriftCause, FailureState, Severity, Tier
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    DataVersion,
    FailureId,
    ResultHash,
    RunId,
    StrategyId,
)
from quantrail.domain.records import ArtifactRef, Json


@dataclass(frozen=True, slots=True)
class TemplateEntry:
    """A template of the library. How often it was used is counted from the strategies."""

    template_id: str
    name: str
    tier: Tier
    status: str
    confidence: float
    parameter_schema: Json
    rationale: str = ""
    reference: str = ""
    atoms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AtomEntry:
    """An atom of the library. How often it was used is counted from the strategies."""

    atom_id: str
    kind: str  # entry | filter | exit | sizing | risk
    tier: Tier
    status: str
    confidence: float
    parameter_schema: Json
    rationale: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class RobustnessCase:
    """One stress of one backtest, judged under one policy."""

    backtest_id: BacktestId
    type: str
    params: Json
    passed: bool
    policy_version: str
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    metrics_ref: ArtifactRef | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Files made for one run or one backtest; exactly one of the two is named."""

    run_id: RunId | None = None
    backtest_id: BacktestId | None = None
    tearsheet_html_path: str | None = None
    tearsheet_pdf_path: str | None = None
    summary_json_path: str | None = None
    doc_store_id: str | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """A verdict on the ladder: PROMOTE, HOLD or REJECT, with what it rests on."""

    strategy_id: StrategyId
    decision: str
    tier_from: Tier
    tier_to: Tier
    policy_version: str
    evidence_refs: tuple[str, ...]
    backtest_id: BacktestId | None = None
    approver: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LiveTrade:
    """A fill of a live or paper account. Price in currency, costs in currency, quantity signed."""

    live_trade_id: str
    strategy_id: StrategyId
    account: str
    symbol: str
    quantity: float
    price: float
    costs_total: float
    executed_at: datetime
    backtest_id: BacktestId | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """A stretch of live operation replayed against a backtest."""

    replay_id: str
    strategy_id: StrategyId
    backtest_id: BacktestId
    period_start: date
    period_end: date
    agree: bool
    difference: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A behaviour fingerprint of a strategy's signals on named data."""

    strategy_id: StrategyId
    algorithm: str
    data_version: DataVersion
    value: bytes


@dataclass(frozen=True, slots=True)
class HoldoutRead:
    """One look at the holdout, recorded before it happens."""

    strategy_id: StrategyId
    purpose: str
    period_start: date
    period_end: date
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One re-run of a stored backtest. ``cause`` is None exactly when ``equal``."""

    backtest_id: BacktestId
    equal: bool
    cause: DriftCause | None
    result_hash_stored: ResultHash | None
    result_hash_found: ResultHash | None
    code_version: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """A recall of everything that rested on one wrong part, and what it found."""

    kind: str  # data | engine | symbol | rule | metric
    target: str
    reason: str
    outcome: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataFinding:
    """What the quality gate found in a snapshot."""

    data_version: DataVersion
    symbol: str
    date: date | None
    kind: str
    severity: Severity
    detail: str
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class FailureEvent:
    """A change of a failure's state, with its reason."""

    failure_id: FailureId
    state: FailureState
    reason: str
    requested_by: str | None = None


@dataclass(frozen=True, slots=True)
class ConstraintEvent:
    """A change of a constraint's status, with its reason; later sets read it."""

    constraint_id: ConstraintId
    status: ConstraintStatus
    reason: str
    requested_by: str | None = None
