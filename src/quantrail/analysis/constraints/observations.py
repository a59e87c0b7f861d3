"""What constraint rules learn from: one evaluated candidate each, with its traits and failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quantrail.domain.ids import FailureId, StrategyId


@dataclass(frozen=True, slots=True)
class ObservedFailure:
    failure_id: FailureId
    tag: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Traits:
    """What a candidate is, known before any backtest.

    ``feature_params``: values by (feature type, parameter), all occurrences. ``max_weight``: target
    weight of one position. ``stop_atr``: hard or trailing stop distance in ATR, smallest; None
    without one. ``signals_per_year``: times a year the entry condition becomes true, all symbols.
    """

    strategy_id: StrategyId
    template_id: str | None
    feature_params: Mapping[tuple[str, str], tuple[float, ...]]
    ast_depth: int
    cmp_count: int
    feature_count: int
    max_weight: float
    stop_atr: float | None
    signals_per_year: float


@dataclass(frozen=True, slots=True)
class Observation:
    """A candidate that ran, in either arm."""

    traits: Traits
    failures: tuple[ObservedFailure, ...]
    passed: bool

    def failures_with(self, tags: frozenset[str], min_confidence: float) -> tuple[ObservedFailure, ...]:
        return tuple(f for f in self.failures if f.tag in tags and f.confidence >= min_confidence)
