"""Closed vocabularies. Values are the spelling in Python, SQL, JSON and URLs alike."""

from __future__ import annotations

from enum import StrEnum


class EngineMode(StrEnum):
    """A screens batches, B verifies one strategy bar by bar."""

    A = "A"
    B = "B"


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    PARTIAL = "PARTIAL"


class BacktestStatus(StrEnum):
    DONE = "DONE"
    FAILED = "FAILED"


class TrialDoor(StrEnum):
    """Where an evaluation was asked for."""

    LOOP = "loop"
    GRID = "grid"
    OPTUNA = "optuna"
    CLI = "cli"
    API = "api"
    WEB = "web"
    NOTEBOOK = "notebook"
    LLM = "llm"
    MCP = "mcp"
    STRESS = "stress"
    CALIBRATE = "calibrate"


class TrialArm(StrEnum):
    MAIN = "main"
    EXPLORATION = "exploration"


class TrialOutcome(StrEnum):
    EVALUATED = "evaluated"
    CACHED = "cached"
    BLOCKED = "blocked"
    DUPLICATE = "duplicate"
    ERROR = "error"


class Severity(StrEnum):
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class FailureState(StrEnum):
    OPEN = "OPEN"
    CONFIRMED = "CONFIRMED"
    RESOLVED = "RESOLVED"
    DEPRECATED = "DEPRECATED"


class FailureCategory(StrEnum):
    DATA = "DATA"
    LOOKAHEAD = "LOOKAHEAD"
    SIGNAL = "SIGNAL"
    EDGE = "EDGE"
    COST = "COST"
    EXECUTION = "EXECUTION"
    RISK = "RISK"
    OVERFIT = "OVERFIT"
    REGIME = "REGIME"
    ENGINE = "ENGINE"


class ConstraintScope(StrEnum):
    GENERATOR = "generator"
    PORTFOLIO = "portfolio"
    EXECUTION = "execution"
    RISK = "risk"
    DATA = "data"


class ConstraintType(StrEnum):
    """The constraint catalogue; the scope of each stands in ``SCOPE_OF``."""

    BAN_TEMPLATE = "BAN_TEMPLATE"
    ALLOW_FEATURES_ONLY = "ALLOW_FEATURES_ONLY"
    BAN_FEATURES = "BAN_FEATURES"
    LIMIT_PARAM_RANGE = "LIMIT_PARAM_RANGE"
    MAX_COMPLEXITY = "MAX_COMPLEXITY"
    MIN_SIGNAL_DENSITY = "MIN_SIGNAL_DENSITY"
    MAX_SIGNAL_DENSITY = "MAX_SIGNAL_DENSITY"
    MAX_POSITIONS = "MAX_POSITIONS"
    MAX_POSITION_WEIGHT = "MAX_POSITION_WEIGHT"
    SECTOR_CAP = "SECTOR_CAP"
    SECTOR_TILT = "SECTOR_TILT"
    MAX_CORR_TO_PORTFOLIO = "MAX_CORR_TO_PORTFOLIO"
    LEVERAGE_LIMIT = "LEVERAGE_LIMIT"
    ADV_PARTICIPATION_CAP = "ADV_PARTICIPATION_CAP"
    SPREAD_BPS_CAP = "SPREAD_BPS_CAP"
    ORDER_TYPE_ALLOWLIST = "ORDER_TYPE_ALLOWLIST"
    LATENCY_GUARD = "LATENCY_GUARD"
    MAX_DAILY_LOSS_PCT = "MAX_DAILY_LOSS_PCT"
    MAX_DRAWDOWN_PCT = "MAX_DRAWDOWN_PCT"
    STOP_DISTANCE_MIN_MAX = "STOP_DISTANCE_MIN_MAX"
    NO_LOOKAHEAD = "NO_LOOKAHEAD"
    NAN_POLICY = "NAN_POLICY"
    CALENDAR_POLICY = "CALENDAR_POLICY"


class ConstraintStatus(StrEnum):
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DEPRECATED = "DEPRECATED"


class ConstraintOrigin(StrEnum):
    """Where a constraint came from (``derived_from_type``)."""

    FAILURE = "failure"
    USER = "user"
    BASELINE = "baseline"


class ConstraintSetState(StrEnum):
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class StageStatus(StrEnum):
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    PARTIAL = "PARTIAL"
    SKIPPED = "SKIPPED"
    RETRYING = "RETRYING"
    STOPPED = "STOPPED"


class DriftCause(StrEnum):
    """Why a re-run differs from what was stored."""

    DATA = "data"
    CODE = "code"
    DEPENDENCY = "dependency"
    NUMERICS = "numerics"
    SEED = "seed"
    MISSING = "missing"


class Tier(StrEnum):
    """The promotion ladder: candidate, verified, robust, paper, live-ready, core template."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"


SCOPE_OF: dict[ConstraintType, ConstraintScope] = {
    ConstraintType.BAN_TEMPLATE: ConstraintScope.GENERATOR,
    ConstraintType.ALLOW_FEATURES_ONLY: ConstraintScope.GENERATOR,
    ConstraintType.BAN_FEATURES: ConstraintScope.GENERATOR,
    ConstraintType.LIMIT_PARAM_RANGE: ConstraintScope.GENERATOR,
    ConstraintType.MAX_COMPLEXITY: ConstraintScope.GENERATOR,
    ConstraintType.MIN_SIGNAL_DENSITY: ConstraintScope.GENERATOR,
    ConstraintType.MAX_SIGNAL_DENSITY: ConstraintScope.GENERATOR,
    ConstraintType.MAX_POSITIONS: ConstraintScope.PORTFOLIO,
    ConstraintType.MAX_POSITION_WEIGHT: ConstraintScope.PORTFOLIO,
    ConstraintType.SECTOR_CAP: ConstraintScope.PORTFOLIO,
    ConstraintType.SECTOR_TILT: ConstraintScope.PORTFOLIO,
    ConstraintType.MAX_CORR_TO_PORTFOLIO: ConstraintScope.PORTFOLIO,
    ConstraintType.LEVERAGE_LIMIT: ConstraintScope.PORTFOLIO,
    ConstraintType.ADV_PARTICIPATION_CAP: ConstraintScope.EXECUTION,
    ConstraintType.SPREAD_BPS_CAP: ConstraintScope.EXECUTION,
    ConstraintType.ORDER_TYPE_ALLOWLIST: ConstraintScope.EXECUTION,
    ConstraintType.LATENCY_GUARD: ConstraintScope.EXECUTION,
    ConstraintType.MAX_DAILY_LOSS_PCT: ConstraintScope.RISK,
    ConstraintType.MAX_DRAWDOWN_PCT: ConstraintScope.RISK,
    ConstraintType.STOP_DISTANCE_MIN_MAX: ConstraintScope.RISK,
    ConstraintType.NO_LOOKAHEAD: ConstraintScope.DATA,
    ConstraintType.NAN_POLICY: ConstraintScope.DATA,
    ConstraintType.CALENDAR_POLICY: ConstraintScope.DATA,
}
