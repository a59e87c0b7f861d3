"""The calculation contract: every convention that changes a number, stored with each number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from quantrail.domain.identity import content_hash
from quantrail.domain.ids import ContentHash


@dataclass(frozen=True, slots=True)
class CalcContract:
    """Conventions of one backtest. Ratios as fractions, capital in ``currency``."""

    initial_capital: float = 100_000.0
    currency: str = "USD"
    returns_type: str = "simple"
    include_fees: bool = True
    include_slippage: bool = True
    include_spread: bool = True
    execution_timing: str = "next_bar"
    risk_free_rate_annual: float = 0.0
    annualization_factor: float = 252.0
    drawdown_method: str = "peak_to_trough"
    price_basis: str = "as_stored"
    borrow_rate_annual: float = 0.0
    benchmark: str | None = None
    # Start of validation, ISO date: slices before it are train. None: one slice only.
    validation_start: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def hash(self) -> ContentHash:
        return _hash_of(self)


@dataclass(frozen=True, slots=True)
class ModelVersions:
    """Versioned parts that turn decisions into fills; ``settings`` holds what overrides the spec."""

    cost: str = "bps_per_side_v1"
    execution: str = "next_open_v2"
    portfolio: str = "fractional_v1"
    settings: tuple[tuple[str, float | int | str | bool], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "cost": self.cost,
            "execution": self.execution,
            "portfolio": self.portfolio,
            "settings": dict(self.settings),
        }

    @property
    def hash(self) -> ContentHash:
        return _hash_of(self)


@lru_cache(maxsize=256)
def _hash_of(part: CalcContract | ModelVersions) -> ContentHash:
    # A run asks for the same few hashes once per backtest.
    return content_hash(part.to_json())
