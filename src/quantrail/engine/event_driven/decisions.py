"""Engine B's decisions at the close: who leaves, who wants in, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.bitrows import ones
from quantrail.engine.event_driven.broker import Broker
from quantrail.engine.event_driven.logs import ColumnLog
from quantrail.engine.event_driven.orders import Intent, Order
from quantrail.engine.event_driven.tape import SideTape, Tape


class Decision(StrEnum):
    ENTER = "ENTER"
    EXIT = "EXIT"
    SKIP = "SKIP"


DECISION_FIELDS = ("bar", "symbol", "side", "decision", "reason", "order_id")


@dataclass(slots=True)
class Guard:
    """Portfolio risk limits, as positive fractions; None where unset. Tripped once, tripped for good."""

    daily_loss: float | None
    drawdown: float | None
    peak: float
    previous: float
    tripped: bool = False
    maintenance: float | None = None
    max_failures: int | None = None

    def watches(self) -> bool:
        """Whether a close may break a limit before equity is gone."""
        return bool(self.daily_loss or self.drawdown or self.maintenance is not None)

    def breached(self, equity: float) -> bool:
        """Whether this close breaks a limit; ruin always does."""
        broken = equity <= 0.0
        if not broken and self.daily_loss:
            broken = equity <= self.previous * (1.0 - self.daily_loss)
        self.peak = max(self.peak, equity)
        if not broken and self.drawdown:
            broken = equity <= self.peak * (1.0 - self.drawdown)
        self.previous = equity
        return broken


@dataclass(slots=True)
class Decider:
    """Reads the tape at the close of each bar and hands orders to the broker."""

    tape: Tape
    broker: Broker
    guard: Guard
    log: ColumnLog = field(default_factory=lambda: ColumnLog(DECISION_FIELDS))

    def at_close(self, t: int, equity: float) -> None:
        """Decide on data up to and including the close of ``t``; orders fill from ``t + 1``."""
        if not self.guard.tripped and self.guard.breached(equity):
            self._halt(t, ExitReason.PORTFOLIO_RISK)
        limit = self.guard.max_failures
        if not self.guard.tripped and limit is not None and self.broker.failures >= limit:
            self._halt(t, ExitReason.EXECUTION_FAILURES)
        if self.guard.tripped:
            return
        if self._margin_called(t, equity):
            return
        if self.tape.rebalance[t]:
            self.broker.resize = bool(self.broker.ledger.positions)
        self._exits(t)
        self.broker.review(t)
        self._missing(t)
        for side, signals in self.tape.sides.items():
            self._entries(t, side, signals)

    def _halt(self, t: int, why: ExitReason) -> None:
        self.guard.tripped = True
        self._flatten(t, why)

    def _flatten(self, t: int, why: ExitReason) -> None:
        self.broker.cancel_entries(t, why.name)
        for position in self.broker.ledger.positions.values():
            self.broker.ask_exit(position, why, t)
            self._note(t, position.symbol, position.side, Decision.EXIT, why.name)

    def _margin_called(self, t: int, equity: float) -> bool:
        if self.guard.maintenance is None:
            return False
        closes, positions = self.tape.closes[t], self.broker.ledger.positions
        gross = sum(p.quantity * closes[s] for s, p in sorted(positions.items()))
        called = bool(equity < self.guard.maintenance * gross)
        if called:
            self._flatten(t, ExitReason.MARGIN_CALL)
        return called

    def _exits(self, t: int) -> None:
        book = self.broker.ledger
        for symbol in ones(self._may_leave(t) & (book.longs | book.shorts) & self.tape.present[t]):
            position = book.positions[symbol]
            if position.exit_reason is not None:
                continue
            signals = self.tape.sides[position.side]
            held = t - position.entry_bar + 1
            reason = None
            if signals.exits[t] >> symbol & 1:
                reason = ExitReason.SIGNAL
            elif self.tape.members is not None and not self.tape.members[t] >> symbol & 1:
                reason = ExitReason.SELECTION
            elif signals.max_holding and held >= signals.max_holding:
                reason = ExitReason.TIME_STOP
            if reason is not None:
                self.broker.ask_exit(position, reason, t)
                self._note(t, symbol, position.side, Decision.EXIT, reason.name)

    def _may_leave(self, t: int) -> int:
        """Symbols with any reason to leave, if they are held."""
        tape, reasons = self.tape, 0
        if tape.members is not None:
            reasons = ~tape.members[t]
        for signals in tape.sides.values():
            reasons |= -1 if signals.max_holding else signals.exits[t]
        return reasons

    def _missing(self, t: int) -> None:
        book = self.broker.ledger
        for symbol in ones(self.tape.blocked[t] & ~(book.longs | book.shorts)):
            self._note(t, symbol, 0, Decision.SKIP, "DATA_MISSING")

    def _entries(self, t: int, side: int, signals: SideTape) -> None:
        book = self.broker.ledger
        for symbol in ones(signals.entries[t] & ~(book.longs | book.shorts)):
            if self.broker.waiting_for(symbol):
                continue
            last = self.broker.last_exit.get((symbol, side))
            if last is not None and t < last + signals.cooldown:
                self._note(t, symbol, side, Decision.SKIP, "COOLDOWN")
                continue
            rank = 0 if self.tape.places is None else self.tape.places[t][symbol]
            order = Order(self.broker.new_id(), symbol, side, Intent.ENTRY, t, rank)
            self.broker.size_at_decision(order, t)
            self.broker.entries.append(order)
            self._note(t, symbol, side, Decision.ENTER, "SIGNAL", order.order_id)

    def _note(self, t: int, symbol: int, side: int, decision: Decision, reason: str, order: int = -1) -> None:
        self.log.add(t, symbol, side, decision.value, reason, order)
