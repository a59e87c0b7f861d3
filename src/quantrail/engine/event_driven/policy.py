"""The spec's rules as engine B reads them: limits, sizes, stops. Plain Python, no arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.engine.plan import DUST
from quantrail.strategy import NormalSpec


@dataclass(frozen=True, slots=True)
class Policy:
    """Portfolio limits and sizing of one spec."""

    max_positions: int
    max_weight: float
    max_gross: float
    max_net: float
    sizing: str
    sizing_value: float

    def weights(self, volatilities: Sequence[float]) -> list[float]:
        """Target weight of each symbol of a group that is sized together, given 20-bar volatilities."""
        base = self.max_gross / self.max_positions
        if self.sizing == "fixed_fraction":
            raw = [self.sizing_value for _ in volatilities]
        elif self.sizing == "inverse_vol":
            inverse = [1.0 / v for v in volatilities]
            total = sum(inverse)
            raw = [base * len(inverse) * share / total for share in inverse]
        elif self.sizing == "vol_target":
            raw = [base * min(1.0, self.sizing_value / (v * 252.0**0.5)) for v in volatilities]
        else:
            raw = [base for _ in volatilities]
        return [min(weight, self.max_weight) for weight in raw]

    def affordable(
        self, wish: float, side: int, equity: float, gross: float, net: float, cost: float
    ) -> float:
        """The part of ``wish`` (value with costs) that keeps gross and net in their limits after costs.

        Buying value v at cost rate c adds v / (1 + c) to gross and takes c v / (1 + c) from equity;
        solving gross' = limit * equity' for v gives the room.
        """

        def room(limit: float, used: float) -> float:
            return (limit * equity - used) * (1.0 + cost) / (1.0 + limit * cost)

        return max(0.0, min(wish, room(self.max_gross, gross), room(self.max_net, side * net)))


def build_policy(spec: NormalSpec, n_members: int) -> Policy:
    """Limits of ``spec`` for a universe of ``n_members`` symbols."""
    limits = spec["portfolio_constraints"]
    leverage = limits["leverage"]
    sizing: dict[str, Any] = limits["sizing"]
    net = leverage.get("max_net")
    return Policy(
        max_positions=int(limits["max_positions"] or n_members),
        max_weight=float(limits["max_position_weight"]),
        max_gross=float(leverage["max_gross"]),
        max_net=float(leverage["max_gross"] if net is None else net),
        sizing=sizing["type"],
        sizing_value=float(sizing.get("fraction", sizing.get("target_volatility_annual", 0.0))),
    )


def is_dust(value: float, equity: float) -> bool:
    """Whether a wish is too small to send an order for."""
    return value <= DUST * max(equity, 0.0)
