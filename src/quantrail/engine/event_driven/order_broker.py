"""Engine B's broker for the light contract with limits, stops, volume caps and orders that wait."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.broker import Broker, Room
from quantrail.engine.event_driven.capped_broker import CappedBroker
from quantrail.engine.event_driven.ledger import Position
from quantrail.engine.event_driven.orders import Intent, Order, OrderState
from quantrail.engine.event_driven.policy import is_dust
from quantrail.engine.order_rules import OrderRules

_MARKET = OrderRules("MKT", good_till_cancelled=False, share=None, too_wide=False, halt_after=None)


@dataclass(slots=True)
class OrderBroker(CappedBroker):
    """Within one bar: exits at the open, what is left of entries filled in part, resizing, entries at the
    open, entries inside the bar one by one, then stops before targets. What was bought inside a bar may be
    stopped out on it, but takes no profit on it: the order of its extremes is unknown.
    """

    rules: OrderRules = field(default=_MARKET)

    # the bar

    def at_open(self, t: int) -> None:
        self.left = {}
        for position in self.ledger.by_symbol():
            if not math.isnan(self.tape.opens[t][position.symbol]):
                self._exit_at_open(position, t)
        if self.resize:
            # Resizing aims at the whole weight; what is left of an entry would come on top.
            for order in [o for o in self.entries if o.symbol in self.ledger.positions]:
                self._drop(order, t, OrderState.CANCELLED, "REBALANCE")
        self._meet(t, at_open=True)
        if self.entries or self.resize:
            self._size_and_fill(t)
            self.resize = False

    def inside_bar(self, t: int) -> None:
        self._meet(t, at_open=False)
        for position in self.ledger.by_symbol():
            low, high = self.tape.lows[t][position.symbol], self.tape.highs[t][position.symbol]
            if math.isnan(low):
                continue
            # What is already on its way out has used up its volume.
            if position.exit_reason is None:
                self._stop_or_target(position, t, low, high)
            if position.symbol in self.ledger.positions:
                position.saw(low, high)
        if not self.rules.good_till_cancelled:
            for order in [o for o in self.entries if not math.isnan(self.tape.opens[t][o.symbol])]:
                self._drop(order, t, OrderState.LAPSED, "END_OF_DAY")

    def _stop_or_target(self, position: Position, t: int, low: float, high: float) -> None:
        worst, best = (low, high) if position.side > 0 else (high, low)
        stop = position.stop()
        if stop is not None and position.side * (worst - stop[0]) <= 0.0:
            self._close(position, t, stop[0], stop[1])
            return
        self._take_profits(position, t, best, at_open=False)
        if position.side * (best - position.watermark) > 0.0:
            position.watermark = best

    # entries

    def size_at_decision(self, order: Order, t: int) -> None:
        Broker.size_at_decision(self, order, t)
        order.kind = self.rules.kind
        if order.kind != "MKT":
            order.limit = self.tape.closes[t][order.symbol]

    def waiting_for(self, symbol: int) -> bool:
        """Whether an entry order for ``symbol`` is still alive."""
        return any(order.symbol == symbol for order in self.entries)

    def _ready(self, t: int) -> list[Order]:
        ready = []
        for order in [o for o in self.entries if o.symbol not in self.ledger.positions]:
            price = self.tape.opens[t][order.symbol]
            if math.isnan(price) or not order.open_to(price):
                continue
            if self.rules.too_wide:
                self._drop(order, t, OrderState.REJECTED, "SPREAD_TOO_WIDE")
            else:
                self.entries.remove(order)
                ready.append(order)
        return sorted(ready, key=lambda o: (o.rank, o.symbol))

    def _meet(self, t: int, *, at_open: bool) -> None:
        """At the open go on with what was filled in part; inside the bar fill every order it touches."""
        due = [(o, self._price(o, t, at_open=at_open)) for o in self.entries]
        ready = [(order, price) for order, price in due if price is not None]
        if not ready:
            return
        room = Room(*self.marked_at_open(t))
        start = room.equity
        for order, price in sorted(ready, key=lambda pair: (pair[0].rank, pair[0].symbol)):
            if order.filled == 0.0:
                if self.rules.too_wide:
                    self._drop(order, t, OrderState.REJECTED, "SPREAD_TOO_WIDE")
                    continue
                if len(self.ledger.positions) >= self.policy.max_positions:
                    self._drop(order, t, OrderState.LAPSED, "NO_FREE_SLOT")
                    continue
            self.entries.remove(order)
            (weight,) = self.policy.weights([self._volatility(order.decided_bar, order.symbol)])
            self._fill(order, t, price, weight * start, start, room, at_open=at_open)

    def _price(self, order: Order, t: int, *, at_open: bool) -> float | None:
        tape, s = self.tape, order.symbol
        opens = tape.opens[t][s]
        if math.isnan(opens):
            return None
        if at_open:
            return opens if order.filled > 0.0 and order.open_to(opens) else None
        return order.touched(opens, tape.lows[t][s], tape.highs[t][s])

    def _enter(self, order: Order, t: int, target: float, equity: float, room: Room) -> None:
        self._fill(order, t, self.tape.opens[t][order.symbol], target, equity, room, at_open=True)

    def _fill(
        self, order: Order, t: int, price: float, target: float, start: float, room: Room, *, at_open: bool
    ) -> None:
        """Fill what money and volume allow; what volume leaves over goes back to the waiting list."""
        cost = self.models.costs.rate
        wanted = None if order.quantity is None else order.quantity - order.filled
        wish = target if wanted is None else wanted * price * (1.0 + cost)
        value = self.policy.affordable(wish, order.side, room.equity, room.gross, room.net, cost)
        able = self._lots(value / (price * (1.0 + cost)))
        if is_dust(value, start) or able <= 0.0:
            lots = order.quantity == 0.0 or not is_dust(value, start)
            why = "LESS_THAN_ONE_LOT" if lots else "NO_BUYING_POWER"
            self._log_end(order, t, OrderState.REJECTED, why)
            return
        quantity = min(able, self._volume_left(order.symbol, t))
        if quantity <= 0.0:
            self.entries.append(order)
            return
        short = value < wish * (1.0 - 1e-12)
        self._add(order, t, quantity, price, at_open=at_open)
        room.spend(quantity * price, order.side, cost)
        if quantity < able:
            order.quantity = order.filled + (able - quantity)
            self.entries.append(order)
            return
        state, why = (OrderState.PARTIAL, "CASH_SHORT") if short else (OrderState.FILLED, "ENTRY")
        self._fate(order, t, state, why)

    def _add(self, order: Order, t: int, quantity: float, price: float, *, at_open: bool) -> None:
        held, before = self.ledger.positions.get(order.symbol), order.filled
        if held is None:
            self._open(order, t, quantity, price)
            held = self.ledger.positions[order.symbol]
        else:
            charge = self.charge(order.symbol, quantity, price, t)
            self.ledger.buy_in(held, quantity, price, charge, t, order.order_id, "ENTRY")
            held.first_quantity += quantity
        order.filled = before + quantity
        self._use(order.symbol, quantity)
        if not at_open:
            held.targets_from = t + 1

    # the end of an order

    def review(self, t: int) -> None:
        tape = self.tape
        for order in [o for o in self.entries if o.symbol not in self.ledger.positions]:
            s = order.symbol
            if not tape.present[t] >> s & 1:
                continue
            opposite = tape.sides.get(-order.side)
            if tape.sides[order.side].exits[t] >> s & 1:
                self._drop(order, t, OrderState.CANCELLED, "SIGNAL")
            elif tape.members is not None and not tape.members[t] >> s & 1:
                self._drop(order, t, OrderState.CANCELLED, "SELECTION")
            elif opposite is not None and opposite.entries[t] >> s & 1:
                self._drop(order, t, OrderState.CANCELLED, "OPPOSITE_ENTRY")

    def end(self, t: int) -> None:
        for order in self.entries:
            self._fate(order, t, OrderState.WAITING, "END_OF_PERIOD")

    def ask_exit(self, position: Position, reason: ExitReason, t: int) -> None:
        Broker.ask_exit(self, position, reason, t)
        self._cancel_rest(position.symbol, t, reason.name)

    def _close(self, position: Position, t: int, price: float, reason: ExitReason) -> None:
        self._cancel_rest(position.symbol, t, reason.name)
        CappedBroker._close(self, position, t, price, reason)

    def _reduce(
        self, position: Position, t: int, quantity: float, price: float, intent: Intent, why: str
    ) -> float:
        if intent is Intent.EXIT:
            self._cancel_rest(position.symbol, t, why)
        return CappedBroker._reduce(self, position, t, quantity, price, intent, why)

    def _cancel_rest(self, symbol: int, t: int, why: str) -> None:
        for order in [o for o in self.entries if o.symbol == symbol]:
            self._drop(order, t, OrderState.CANCELLED, why)

    def _drop(self, order: Order, t: int, state: OrderState, why: str) -> None:
        self.entries.remove(order)
        self._log_end(order, t, state, why)

    def _log_end(self, order: Order, t: int, state: OrderState, why: str) -> None:
        if order.filled > 0.0:
            state = OrderState.PARTIAL
        self.failures += state is OrderState.REJECTED
        self._fate(order, t, state, why)
