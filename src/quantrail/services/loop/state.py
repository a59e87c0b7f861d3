"""What one run knows while it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.constraints import ConstraintRules, Observation, Traits
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import EngineMode, TrialArm, TrialDoor
from quantrail.domain.identity import ReproductionKey, backtest_id
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ConstraintSetId,
    DataVersion,
    RunId,
    StrategyId,
    UniverseVersion,
)
from quantrail.domain.market import Members, Period
from quantrail.domain.records import ArtifactRef, Constraint, EngineComparison
from quantrail.search import Parent, Proposed
from quantrail.services.context import Services as Services
from quantrail.services.evaluation import Outcome, Setting
from quantrail.services.records import RecordDesk
from quantrail.services.run_config import RunConfig
from quantrail.strategy import CanonicalSpec, Fingerprint

MODELS_A = ModelVersions()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal after normalising. ``source`` is its spec before constraints rewrote it, if they did.

    ``explore``: runs although constraints would block it. ``traits`` lack the signal density until
    signals were worked out.
    """

    ordinal: int
    proposed: Proposed
    canonical: CanonicalSpec
    source: CanonicalSpec | None
    rewritten_by: tuple[Constraint, ...]
    traits: Traits
    blocked_by: tuple[Constraint, ...] = ()
    explore: bool = False
    duplicate: bool = False

    @property
    def strategy_id(self) -> StrategyId:
        return self.canonical.strategy_id

    @property
    def arm(self) -> TrialArm:
        return TrialArm.EXPLORATION if self.blocked_by and self.explore else TrialArm.MAIN

    @property
    def runs(self) -> bool:
        return not self.duplicate and (not self.blocked_by or self.explore)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A candidate with what one engine found; ``cached`` when the store knew it already."""

    candidate: Candidate
    key: ReproductionKey
    outcome: Outcome
    cached: bool = False
    door: TrialDoor = TrialDoor.LOOP
    curve: ArtifactRef | None = None  # of a cached result: where its equity lies
    mark: Fingerprint | None = None  # of what was screened here
    backtest_id: BacktestId = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "backtest_id", backtest_id(self.key))


@dataclass(frozen=True, slots=True)
class Verified:
    """One of the shortlist: both engines over train and validation, compared."""

    a: Evaluated
    b: Evaluated
    comparison: EngineComparison
    neighbours: tuple[Evaluated, ...]
    curves: Mapping[str, Any]
    slices: Mapping[str, Any]
    trades: Mapping[str, Any]
    logs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Verification:
    """``fresh``: verified now; ``known``: the shortlist's engine B results that were in the store."""

    fresh: tuple[Verified, ...]
    known: tuple[Evaluated, ...]

    @property
    def looks(self) -> list[Evaluated]:
        """Engine B's results for the whole shortlist: each is a look at validation."""
        return [*(v.b for v in self.fresh), *self.known]


@dataclass(frozen=True, slots=True)
class RunFrame:
    """What every record of one run repeats."""

    run_id: RunId
    contract: CalcContract
    models: Mapping[EngineMode, ModelVersions]
    snapshot_version: DataVersion
    universe_version: UniverseVersion
    failure_policy: str


@dataclass(frozen=True, slots=True)
class Shown:
    """How a member of an earlier shortlist moved on train (bar returns), what it held, and its risk rules."""

    moves: NDArray[np.float32]
    mark: Fingerprint | None
    risk: Mapping[str, Any]


@dataclass(slots=True)
class RunState:
    """Frozen at S00: everything up to ``desk``. Grows with the run: the rest.

    The bars of ``verify`` (train and validation, with warm-up) are all that a run can ever see.
    """

    run_id: RunId
    config: RunConfig
    services: Services
    screen: Setting
    verify: Setting
    data_version_screen: DataVersion
    data_version_verify: DataVersion
    snapshot_version: DataVersion
    universe_version: UniverseVersion
    constraint_rules: ConstraintRules
    base_set_id: ConstraintSetId | None
    base_run_id: RunId | None
    constraints: tuple[Constraint, ...]
    n_trials: int
    symbols: tuple[str, ...]
    members: Members | None
    desk: RecordDesk
    applied_set_id: ConstraintSetId | None = None
    seen: set[StrategyId] = field(default_factory=set)
    verified: set[StrategyId] = field(default_factory=set)
    shown: list[Shown] = field(default_factory=list)
    # With their scores, best first.
    parents: list[tuple[float, Parent]] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    # Set aside or retired in this run: they bind no more, and the same evidence must not bring them back.
    dropped: set[ConstraintId] = field(default_factory=set)
    best: float | None = None
    best_label: str = ""

    @property
    def binding(self) -> tuple[Constraint, ...]:
        """The constraints that bind right now."""
        return tuple(c for c in self.constraints if c.constraint_id not in self.dropped)

    @property
    def frame(self) -> RunFrame:
        return RunFrame(
            run_id=self.run_id,
            contract=self.screen.contract,
            models={EngineMode.A: MODELS_A, EngineMode.B: self.models_b},
            snapshot_version=self.snapshot_version,
            universe_version=self.universe_version,
            failure_policy=self.config.failure_rules,
        )

    @property
    def models_b(self) -> ModelVersions:
        """The versioned parts of engine B in this run."""
        return self.config.engines.b.models()

    @property
    def train(self) -> Period:
        return self.screen.period


def draw(*content: object) -> float:
    """A number in [0, 1) from content alone, so that it does not depend on who asks, or when."""
    text = "|".join(str(part) for part in content).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big") / 2.0**56
