"""Fills limited by volume: what one bar may take or give, exits that go on at the next open."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.broker import Broker
from quantrail.engine.event_driven.ledger import Position
from quantrail.engine.event_driven.orders import Intent
from quantrail.engine.event_driven.tape import Rows


@dataclass(slots=True)
class CappedBroker(Broker):
    """``share`` of ``mean_volume`` [t][s] may fill per symbol and bar, all fills together; None: any."""

    share: float | None = None
    mean_volume: Rows | None = None
    left: dict[int, float] = field(default_factory=dict)  # volume left in this bar, by symbol

    def is_calm(self) -> bool:
        """Never taken for granted: orders live here for many bars."""
        return False

    def follows(self) -> bool:
        """Always: excursions follow every bar, since exits may take several."""
        return True

    def see(self, position: Position, low: float, high: float) -> None:
        position.saw(low, high)

    def look_back(self, position: Position, stop: int) -> None:
        """Nothing: every bar was seen."""

    def _volume_left(self, symbol: int, t: int) -> float:
        if self.share is None or self.mean_volume is None:
            return math.inf
        left = self.left.get(symbol)
        if left is None:
            mean = self.mean_volume[t][symbol]
            left = self.left[symbol] = self._lots(self.share * mean) if mean > 0.0 else 0.0
        return left

    def _use(self, symbol: int, quantity: float) -> None:
        if symbol in self.left:
            self.left[symbol] -= quantity

    def _close(self, position: Position, t: int, price: float, reason: ExitReason) -> None:
        room = self._volume_left(position.symbol, t)
        if position.quantity <= room:
            self._use(position.symbol, position.quantity)
            Broker._close(self, position, t, price, reason)
            return
        # What volume does not let out now goes on as a market order at the next open.
        position.exit_reason, position.exit_from = reason, t + 1
        if room > 0.0:
            self._use(position.symbol, room)
            self._let_out(position, t, room, price, Intent.EXIT, "VOLUME_CAP")

    def _reduce(
        self, position: Position, t: int, quantity: float, price: float, intent: Intent, why: str
    ) -> float:
        # What the volume cap leaves of a target or a reduction stays held.
        quantity = min(quantity, self._volume_left(position.symbol, t))
        if quantity > 0.0:
            self._use(position.symbol, quantity)
            self._let_out(position, t, quantity, price, intent, why)
        return quantity
