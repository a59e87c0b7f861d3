"""Execution model ``market_v1``: orders that live with the market."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.broker import Broker, Room
from quantrail.engine.event_driven.capped_broker import CappedBroker
from quantrail.engine.event_driven.ledger import Charge, Position
from quantrail.engine.event_driven.liquidity import Liquidity
from quantrail.engine.event_driven.orders import Intent, Order, OrderState
from quantrail.engine.event_driven.policy import is_dust
from quantrail.engine.market_rules import MarketRules


@dataclass(slots=True)
class MarketBroker(CappedBroker):
    """A broker with latency, limit and stop entries, volume caps, spread checks and corporate actions.

    Within one bar: corporate actions, exits at the open, resizing, entries at the open, limit and stop
    entries inside the bar, then stops before targets. A position entered inside a bar may be
    stopped out on it, but takes no profit on it: the order of its extremes is unknown.
    """

    rules: MarketRules = field(default_factory=MarketRules)
    liquidity: Liquidity | None = None

    # the bar

    def at_open(self, t: int) -> None:
        self.left = {}
        self._corporate_actions(t)
        for position in self.ledger.by_symbol():
            if not math.isnan(self.tape.opens[t][position.symbol]):
                self._exit_at_open(position, t)
        if self.resize:
            waiting, self.entries = self.entries, []
            self._size_and_fill(t)
            self.entries = waiting
            self.resize = False
        self._meet_market(t, at_open=True)

    def inside_bar(self, t: int) -> None:
        self._meet_market(t, at_open=False)
        Broker.inside_bar(self, t)
        if self.rules.time_in_force == "DAY":
            self._end_of_day(t)

    def _end_of_day(self, t: int) -> None:
        seen = [
            o for o in self.entries if t >= o.active_from and not math.isnan(self.tape.opens[t][o.symbol])
        ]
        for order in seen:
            state = OrderState.PARTIAL if order.filled > 0.0 else OrderState.LAPSED
            self._fate(order, t, state, "END_OF_DAY")
            self.entries.remove(order)

    # entries

    def size_at_decision(self, order: Order, t: int) -> None:
        """Quantity, limit and first live bar, from what is known at the close of ``t``."""
        price = self.tape.closes[t][order.symbol]
        equity = self.ledger.cash + sum(
            p.side * p.quantity * self.tape.closes[t][s] for s, p in sorted(self.ledger.positions.items())
        )
        (weight,) = self.policy.weights([self._volatility(t, order.symbol)])
        order.quantity = self._lots(weight * equity / (price * (1.0 + self.models.costs.rate)))
        order.kind = self.rules.order_type
        order.active_from = t + 1 + self.rules.latency_bars
        if order.kind == "LMT":
            order.limit = price * (1.0 - order.side * self.rules.limit_offset_bps / 1e4)
        elif order.kind == "STP":
            order.limit = price * (1.0 + order.side * self.rules.stop_offset_bps / 1e4)

    def waiting_for(self, symbol: int) -> bool:
        """Whether an entry order for ``symbol`` is still alive."""
        return any(order.symbol == symbol for order in self.entries)

    def _meet_market(self, t: int, *, at_open: bool) -> None:
        if not self.entries:
            return
        room = Room(*self.marked_at_open(t))
        start = room.equity
        for order in sorted(self.entries, key=lambda o: (o.decided_bar, o.rank, o.symbol)):
            if t < order.active_from or math.isnan(self.tape.opens[t][order.symbol]):
                continue
            price = self._price(order, t, at_open=at_open)
            if price is not None:
                self._try(order, t, price, start, room, at_open=at_open)

    def _price(self, order: Order, t: int, *, at_open: bool) -> float | None:
        """Where the order would fill at the open, or inside the bar; None where it would not."""
        tape, s = self.tape, order.symbol
        opens = float(tape.opens[t][s])
        if at_open:
            return opens if order.open_to(opens) else None
        return order.touched(opens, tape.lows[t][s], tape.highs[t][s], after_open=False)

    def _try(self, order: Order, t: int, price: float, start: float, room: Room, *, at_open: bool) -> None:
        refusal = self._refusal(order, t)
        if refusal is not None:
            self._drop(order, t, refusal)
            return
        assert order.quantity is not None
        cost = self._rate(order.symbol, order.quantity - order.filled, t)
        wish = (order.quantity - order.filled) * price * (1.0 + cost)
        value = self.policy.affordable(wish, order.side, room.equity, room.gross, room.net, cost)
        affordable = self._lots(value / (price * (1.0 + cost)))
        quantity = min(affordable, self._volume_left(order.symbol, t))
        if affordable <= 0.0 or is_dust(affordable * price, start):
            power = order.quantity > 0.0 and is_dust(value, start)
            self._drop(order, t, "NO_BUYING_POWER" if power else "LESS_THAN_ONE_LOT")
            return
        if quantity <= 0.0:
            return  # no volume left in this bar; a GTC order tries again at the next
        self._fill_entry(order, t, quantity, price, at_open=at_open)
        room.spend(quantity * price, order.side, cost)
        short_of_cash = affordable < (order.quantity - order.filled + quantity) * (1.0 - 1e-12)
        if order.filled >= order.quantity * (1.0 - 1e-12) or short_of_cash:
            state, why = (OrderState.PARTIAL, "CASH_SHORT") if short_of_cash else (OrderState.FILLED, "ENTRY")
            self._fate(order, t, state, why)
            self.entries.remove(order)

    def _fill_entry(self, order: Order, t: int, quantity: float, price: float, *, at_open: bool) -> None:
        held = self.ledger.positions.get(order.symbol)
        before = order.filled
        if held is None:
            self._open(order, t, quantity, price)
            held = self.ledger.positions[order.symbol]
        else:
            charge = self.charge(order.symbol, quantity, price, t)
            self.ledger.buy_in(held, quantity, price, charge, t, order.order_id, "ENTRY")
            held.first_quantity += quantity
        order.filled = before + quantity
        if not at_open:
            held.targets_from = t + 1
        self._use(order.symbol, quantity)

    def _refusal(self, order: Order, t: int) -> str | None:
        if order.filled == 0.0 and len(self.ledger.positions) >= self.policy.max_positions:
            return "NO_FREE_SLOT"
        limit = self.rules.reject_if_spread_bps_gt
        if limit is not None and self.liquidity is not None:
            spread = self.liquidity.spread_bps[t][order.symbol]
            if not spread <= limit:
                return "SPREAD_TOO_WIDE"
        return None

    def _drop(self, order: Order, t: int, why: str) -> None:
        state = OrderState.LAPSED if why == "NO_FREE_SLOT" else OrderState.REJECTED
        if order.filled > 0.0:
            state = OrderState.PARTIAL
        self.failures += state is OrderState.REJECTED
        self._fate(order, t, state, why)
        self.entries.remove(order)

    # exits

    def ask_exit(self, position: Position, reason: ExitReason, t: int) -> None:
        position.exit_reason = reason
        position.exit_from = t + 1 + self.rules.latency_bars
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
        """What is still wanted of an entry is not bought once the position is on its way out."""
        for order in [o for o in self.entries if o.symbol == symbol]:
            state = OrderState.PARTIAL if order.filled > 0.0 else OrderState.CANCELLED
            self._fate(order, t, state, why)
            self.entries.remove(order)

    # costs

    def _impact(self, symbol: int, quantity: float, t: int) -> float:
        if self.rules.impact_coefficient == 0.0 or self.liquidity is None:
            return 0.0
        mean, vol = self.liquidity.mean_volume[t][symbol], self.liquidity.volatility[t][symbol]
        if not mean > 0.0 or math.isnan(vol):
            return 0.0
        return float(self.rules.impact_coefficient * vol * math.sqrt(quantity / mean))

    def _rate(self, symbol: int, quantity: float, t: int) -> float:
        return self.models.costs.rate + self._impact(symbol, quantity, t)

    def charge(self, symbol: int, quantity: float, price: float, t: int) -> Charge:
        plain = Broker.charge(self, symbol, quantity, price, t)
        more = quantity * price * self._impact(symbol, quantity, t)
        return replace(plain, slippage=plain.slippage + more)

    # corporate actions

    def _corporate_actions(self, t: int) -> None:
        assert self.liquidity is not None
        for symbol, position in sorted(self.ledger.positions.items()):
            cash = self.liquidity.dividends[t][symbol] * position.quantity * position.side
            if cash != 0.0:
                self.ledger.pay_dividend(position, cash)
            ratio = self.liquidity.splits[t][symbol]
            if ratio != 1.0:
                position.split(ratio)
        for order in self.entries:
            ratio = self.liquidity.splits[t][order.symbol]
            if ratio != 1.0:
                order.split(ratio)
