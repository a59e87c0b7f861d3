"""Orders of engine B and their log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    ENTRY = "ENTRY"
    EXIT = "EXIT"
    RESIZE = "RESIZE"


class OrderState(StrEnum):
    WAITING = "WAITING"
    FILLED = "FILLED"
    PARTIAL = "PARTIAL"
    REJECTED = "REJECTED"
    LAPSED = "LAPSED"
    CANCELLED = "CANCELLED"


ORDER_FIELDS = (
    "order_id", "decided_bar", "closed_bar", "symbol", "side", "intent", "kind", "asked", "filled", "state",
    "reason",
)  # fmt: skip


@dataclass(slots=True)
class Order:
    """A wish decided at the close of ``decided_bar``. ``side`` is that of the position it serves.

    ``quantity`` None: sized when it fills. ``kind`` MKT, LMT or STP.
    """

    order_id: int
    symbol: int
    side: int
    intent: Intent
    decided_bar: int
    rank: int = 0
    quantity: float | None = None
    kind: str = "MKT"
    limit: float | None = None
    filled: float = 0.0
    active_from: int = 0

    def open_to(self, opens: float) -> bool:
        """Whether the order fills at an open of ``opens``: a limit that is better, a stop jumped over."""
        return self.limit is None or self._toward() * (opens - self.limit) <= 0.0

    def touched(self, opens: float, low: float, high: float, *, after_open: bool = True) -> float | None:
        """The level, where the bar touches it; ``after_open``: only where the open did not fill it."""
        if self.limit is None or (after_open and self.open_to(opens)):
            return None
        reached = low <= self.limit if self._toward() > 0 else high >= self.limit
        return self.limit if reached else None

    def _toward(self) -> int:
        # A limit waits for prices to come to it, a stop for prices to run through it.
        return self.side if self.kind == "LMT" else -self.side

    def split(self, ratio: float) -> None:
        """New shares for old ones: quantities grow, levels fall."""
        if self.quantity is not None:
            self.quantity *= ratio
        self.filled *= ratio
        if self.limit is not None:
            self.limit /= ratio
