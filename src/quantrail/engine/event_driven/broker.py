"""Engine B's broker: what orders, stops and targets become at the open and inside the bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.ledger import Charge, Ledger, Position
from quantrail.engine.event_driven.logs import ColumnLog
from quantrail.engine.event_driven.orders import ORDER_FIELDS, Intent, Order, OrderState
from quantrail.engine.event_driven.policy import Policy, is_dust
from quantrail.engine.event_driven.tape import Tape
from quantrail.engine.models import Models


@dataclass(slots=True)
class Broker:
    """Holds the waiting orders; every fill goes to the ledger, every fate of an order to the log."""

    tape: Tape
    ledger: Ledger
    models: Models
    policy: Policy
    trade_risk: Mapping[str, Any]
    entries: list[Order] = field(default_factory=list)
    log: ColumnLog = field(default_factory=lambda: ColumnLog(ORDER_FIELDS))
    last_exit: dict[tuple[int, int], int] = field(default_factory=dict)
    resize: bool = False
    next_id: int = 0
    failures: int = 0

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def watching(self) -> bool:
        """Whether a stop or target may fill without an order."""
        risk = self.trade_risk
        return bool(risk["hard_stop"] or risk["trailing_stop"] or risk["take_profit"])

    def follows(self) -> bool:
        """Whether positions must be looked at inside every bar."""
        return self.watching()

    def is_calm(self) -> bool:
        """Whether nothing happens before the next decision."""
        leaving = any(p.exit_reason is not None for p in self.ledger.positions.values())
        watched = self.ledger.positions and self.watching()
        return not (self.entries or self.resize or leaving or watched)

    def busy(self) -> bool:
        """Whether anything is held or waiting."""
        return bool(self.ledger.positions or self.entries)

    # at the open

    def at_open(self, t: int) -> None:
        """Exits first, then resizing, then entries in rank order."""
        watching, opens = self.watching(), self.tape.opens[t]
        for position in self.ledger.by_symbol():
            due = watching or position.exit_reason is not None
            if due and not math.isnan(opens[position.symbol]):
                self._exit_at_open(position, t)
        if self.entries or self.resize:
            self._size_and_fill(t)
            self.resize = False

    def _exit_at_open(self, position: Position, t: int) -> None:
        price = self.tape.opens[t][position.symbol]
        if position.exit_reason is not None and t >= position.exit_from:
            self._close(position, t, price, position.exit_reason)
            return
        stop = position.stop()
        if stop is not None and position.side * (price - stop[0]) <= 0.0:
            self._close(position, t, price, stop[1])
            return
        self._take_profits(position, t, price, at_open=True)

    # inside the bar

    def inside_bar(self, t: int) -> None:
        """Stops before targets at their levels; then watermarks follow the bar."""
        if not self.follows():
            return
        lows, highs = self.tape.lows[t], self.tape.highs[t]
        for position in self.ledger.by_symbol():
            low, high = lows[position.symbol], highs[position.symbol]
            if math.isnan(low):
                continue
            worst, best = (low, high) if position.side > 0 else (high, low)
            stop = position.stop()
            if stop is not None and position.side * (worst - stop[0]) <= 0.0:
                self._close(position, t, stop[0], stop[1])
                if position.symbol in self.ledger.positions:
                    self.see(position, low, high)
                continue
            self._take_profits(position, t, best, at_open=False)
            if position.symbol not in self.ledger.positions:
                continue
            if position.side * (best - position.watermark) > 0.0:
                position.watermark = best
            self.see(position, low, high)

    def see(self, position: Position, low: float, high: float) -> None:
        """Nothing: excursions are read from the bars when the position ends."""

    def look_back(self, position: Position, stop: int) -> None:
        """Excursions over the bars held to their close, those before ``stop``."""
        held = slice(position.entry_bar, stop)
        if position.entry_bar < stop:
            low = np.fmin.reduce(self.tape.low[position.symbol, held])
            high = np.fmax.reduce(self.tape.high[position.symbol, held])
            position.saw(float(low), float(high))

    def _take_profits(self, position: Position, t: int, price: float, *, at_open: bool) -> None:
        while position.targets and t >= position.targets_from:
            level, fraction = position.targets[0]
            if position.side * (price - level) < 0.0:
                return
            fill = price if at_open else level
            position.targets.pop(0)
            quantity = self._lots(fraction * position.first_quantity)
            # Fractions that add up to one may miss it by rounding.
            if quantity >= position.quantity * (1.0 - 1e-12):
                self._close(position, t, fill, ExitReason.TAKE_PROFIT)
                return
            if quantity > 0.0:
                self._reduce(position, t, quantity, fill, Intent.EXIT, ExitReason.TAKE_PROFIT.name)

    # sizes and fills

    def _size_and_fill(self, t: int) -> None:
        kept = self._resizable(t) if self.resize else []
        ready = self._ready(t)
        slots = max(0, self.policy.max_positions - len(self.ledger.positions))
        for order in ready[slots:]:
            self._fate(order, t, OrderState.LAPSED, "NO_FREE_SLOT")
        ready = ready[:slots]
        weights = self.policy.weights(
            [self._volatility(t - 1, p.symbol) for p in kept]
            + [self._volatility(o.decided_bar, o.symbol) for o in ready]
        )
        equity, gross, net = self.marked_at_open(t)
        account = Room(equity, gross, net)
        for position, weight in zip(kept, weights, strict=False):
            self._shrink(position, t, weight * equity, equity, account)
        for position, weight in zip(kept, weights, strict=False):
            self._grow(position, t, weight * equity, equity, account)
        for order, weight in zip(ready, weights[len(kept) :], strict=True):
            self._enter(order, t, weight * equity, equity, account)

    def _ready(self, t: int) -> list[Order]:
        """Orders to fill at this open, best rank first; they leave the waiting list."""
        ready = [o for o in self.entries if not math.isnan(self.tape.opens[t][o.symbol])]
        self.entries = [o for o in self.entries if math.isnan(self.tape.opens[t][o.symbol])]
        return sorted(ready, key=lambda o: (o.rank, o.symbol))

    def _resizable(self, t: int) -> list[Position]:
        def can(position: Position) -> bool:
            vol = self._volatility(t - 1, position.symbol)
            here = not math.isnan(self.tape.opens[t][position.symbol])
            return here and vol > 0.0 and position.exit_reason is None

        return [p for p in self.ledger.by_symbol() if can(p)]

    def _shrink(self, position: Position, t: int, target: float, equity: float, room: Room) -> None:
        price = self.tape.opens[t][position.symbol]
        excess = self._lots(position.quantity - target / price)
        if equity > 0.0 and excess > 0.0 and not is_dust(excess * price, equity):
            sold = self._reduce(position, t, excess, price, Intent.RESIZE, "REBALANCE")
            room.spend(-sold * price, position.side, self.models.costs.rate)

    def _grow(self, position: Position, t: int, target: float, equity: float, room: Room) -> None:
        price = self.tape.opens[t][position.symbol]
        cost = self.models.costs.rate
        wish = target - position.quantity * price
        value = self.policy.affordable(wish, position.side, room.equity, room.gross, room.net, cost)
        quantity = self._lots(value / (price * (1.0 + cost)))
        quantity = min(quantity, self._volume_left(position.symbol, t))
        if is_dust(value, equity) or quantity <= 0.0:
            return
        order = Order(self.new_id(), position.symbol, position.side, Intent.RESIZE, t - 1)
        charge = self.charge(position.symbol, quantity, price, t)
        self.ledger.buy_in(position, quantity, price, charge, t, order.order_id, "REBALANCE")
        order.filled = quantity
        self._use(position.symbol, quantity)
        self._fate(order, t, OrderState.FILLED, "REBALANCE")
        room.spend(quantity * price, position.side, cost)

    def _enter(self, order: Order, t: int, target: float, equity: float, room: Room) -> None:
        price = self.tape.opens[t][order.symbol]
        cost = self.models.costs.rate
        wish = target if order.quantity is None else order.quantity * price * (1.0 + cost)
        value = self.policy.affordable(wish, order.side, room.equity, room.gross, room.net, cost)
        if is_dust(value, equity):
            why = "LESS_THAN_ONE_LOT" if order.quantity == 0.0 else "NO_BUYING_POWER"
            self._fate(order, t, OrderState.REJECTED, why)
            return
        quantity = self._lots(value / (price * (1.0 + cost)))
        if quantity <= 0.0:
            self._fate(order, t, OrderState.REJECTED, "LESS_THAN_ONE_LOT")
            return
        self._open(order, t, quantity, price)
        room.spend(quantity * price, order.side, cost)
        short = value < wish * (1.0 - 1e-12)
        state, why = (OrderState.PARTIAL, "CASH_SHORT") if short else (OrderState.FILLED, "ENTRY")
        self._fate(order, t, state, why)

    def _open(self, order: Order, t: int, quantity: float, price: float) -> None:
        position = Position(order.symbol, order.side, 0.0, t, price, quantity, watermark=price)
        position.best = position.worst = price
        self._set_levels(position, order.decided_bar)
        charge = self.charge(order.symbol, quantity, price, t)
        self.ledger.buy_in(position, quantity, price, charge, t, order.order_id, "ENTRY")
        self.ledger.hold(position)
        order.filled = quantity

    def _set_levels(self, position: Position, decided: int) -> None:
        def gap(distance: Mapping[str, Any]) -> float:
            if distance["type"] == "pct":
                return float(distance["value"]) * position.entry_price
            atr = self.tape.atrs[int(distance["period"])][decided][position.symbol]
            return float(distance["value"]) * float(atr)

        hard, trail = self.trade_risk["hard_stop"], self.trade_risk["trailing_stop"]
        if hard:
            position.hard_stop = position.entry_price - position.side * gap(hard)
        if trail:
            size = float(trail["value"]) if trail["type"] == "pct" else gap(trail)
            position.trail_gap = (trail["type"], size)
        position.targets = [
            (position.entry_price + position.side * gap(level), float(level["fraction"]))
            for level in self.trade_risk["take_profit"]
        ]

    def _reduce(
        self, position: Position, t: int, quantity: float, price: float, intent: Intent, why: str
    ) -> float:
        self._let_out(position, t, quantity, price, intent, why)
        return quantity

    def _volume_left(self, symbol: int, t: int) -> float:
        """What the market may still take or give in this bar."""
        return math.inf

    def _use(self, symbol: int, quantity: float) -> None:
        """Note that this much volume is used up."""

    def _let_out(
        self, position: Position, t: int, quantity: float, price: float, intent: Intent, why: str
    ) -> None:
        order = Order(self.new_id(), position.symbol, position.side, intent, t - 1, quantity=quantity)
        charge = self.charge(position.symbol, quantity, price, t)
        self.ledger.let_out(position, quantity, price, charge, t, order.order_id, why)
        order.filled = quantity
        self._fate(order, t, OrderState.FILLED, why)

    def _close(self, position: Position, t: int, price: float, reason: ExitReason) -> None:
        self._let_out(position, t, position.quantity, price, Intent.EXIT, reason.name)
        position.quantity = 0.0
        self.look_back(position, t)
        self.ledger.close(position, t, reason)
        self.last_exit[position.symbol, position.side] = t

    def charge(self, symbol: int, quantity: float, price: float, t: int) -> Charge:
        """Costs of one fill."""
        return self.models.costs.charge(quantity * price)

    def ask_exit(self, position: Position, reason: ExitReason, t: int) -> None:
        """A market order to leave, decided at the close of ``t``."""
        position.exit_reason = reason
        position.exit_from = t + 1

    def marked_at_open(self, t: int) -> tuple[float, float, float]:
        """Equity, gross and net value at the open; a missing bar stands at its last close."""
        gross = net = 0.0
        for symbol, position in sorted(self.ledger.positions.items()):
            price = self.tape.opens[t][symbol]
            value = position.quantity * (self.tape.closes[t - 1][symbol] if math.isnan(price) else price)
            gross += value
            net += position.side * value
        return self.ledger.cash + net, gross, net

    def size_at_decision(self, order: Order, t: int) -> None:
        """Whole lots are decided at the close; fractional quantities wait for the fill."""
        if self.models.lot_size is None:
            return
        price = self.tape.closes[t][order.symbol]
        equity = self.ledger.cash + sum(
            p.side * p.quantity * self.tape.closes[t][s] for s, p in sorted(self.ledger.positions.items())
        )
        (weight,) = self.policy.weights([self._volatility(t, order.symbol)])
        order.quantity = self._lots(weight * equity / (price * (1.0 + self.models.costs.rate)))

    def review(self, t: int) -> None:
        """Cancel waiting entries that the close of ``t`` speaks against; none lives that long here."""

    def end(self, t: int) -> None:
        """Note what is still waiting after the last bar."""

    def waiting_for(self, symbol: int) -> bool:
        """Whether an entry order for ``symbol`` is still alive and must not be doubled."""
        return False

    def cancel_entries(self, t: int, why: str) -> None:
        for order in self.entries:
            self._fate(order, t, OrderState.CANCELLED, why)
        self.entries = []

    def _fate(self, order: Order, t: int, state: OrderState, why: str) -> None:
        self.log.add(
            order.order_id, order.decided_bar, t, order.symbol, order.side, order.intent.value, order.kind,
            math.nan if order.quantity is None else order.quantity, order.filled, state.value, why,
        )  # fmt: skip

    def _lots(self, quantity: float) -> float:
        lot = self.models.lot_size
        return quantity if lot is None else math.floor(quantity / lot + 1e-9) * lot

    def _volatility(self, t: int, symbol: int) -> float:
        return 1.0 if self.tape.volatility is None else float(self.tape.volatility[t][symbol])


@dataclass(slots=True)
class Room:
    """Equity, gross and net value while the fills of one open use them up."""

    equity: float
    gross: float
    net: float

    def spend(self, value: float, side: int, cost: float) -> None:
        self.gross += value
        self.net += side * value
        self.equity -= abs(value) * cost
