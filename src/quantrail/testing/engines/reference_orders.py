"""Orders of the light contract in the plainest Python: limits, stops, volume caps, orders that wait."""

from __future__ import annotations

import math
from typing import Any

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars, Period
from quantrail.strategy import NormalSpec
from quantrail.testing.engines.reference_loop import ReferenceLoop, ReferenceRun

Order = dict[str, Any]


def reference_run(bars: Bars, spec: NormalSpec, period: Period, contract: CalcContract) -> ReferenceRun:
    """Simulate ``spec`` over ``period`` under the light contract."""
    plain = {
        "type": "MKT", "time_in_force": "DAY", "max_adv_participation": None, "reject_if_spread_bps_gt": None,
    }  # fmt: skip
    halts = spec["risk"]["portfolio_risk"]["halt_on_n_exec_failures"] is not None
    loop = ReferenceOrders if halts or spec["execution"]["order"] != plain else ReferenceLoop
    return loop(bars, spec, period, contract).run()


class ReferenceOrders(ReferenceLoop):
    """A waiting order has ``left``: shares still wanted once it was filled in part, None before."""

    def __init__(self, bars: Bars, spec: NormalSpec, period: Period, contract: CalcContract) -> None:
        super().__init__(bars, spec, period, contract)
        self.order: Any = spec["execution"]["order"]
        self.day = self.order["time_in_force"] == "DAY"
        spread = 2 * spec["cost_model"]["spread"]["value_bps"] if contract.include_spread else 0.0
        limit = self.order["reject_if_spread_bps_gt"]
        self.too_wide = limit is not None and spread > limit
        self.failures = 0
        self.taken: dict[tuple[int, int], float] = {}

    # volume

    def volume_room(self, s: int, t: int) -> float:
        if self.order["max_adv_participation"] is None:
            return math.inf
        g = t + self.first
        known = [float(v) for v in self.bars.volume[s, max(0, g - 20) : g] if v == v]
        cap = self.order["max_adv_participation"] * sum(known) / len(known) if known else 0.0
        room = cap - self.taken.get((s, t), 0.0)
        return room if room > 1e-9 * cap else 0.0

    def take(self, s: int, t: int, quantity: float) -> None:
        self.taken[s, t] = self.taken.get((s, t), 0.0) + quantity

    # exits

    def sell(self, s: int, quantity: float, price: float, t: int, why: str) -> None:
        p, room = self.held[s], self.volume_room(s, t)
        if why != "REBALANCE":
            self.waiting.pop(s, None)
        if quantity >= p["quantity"] * (1 - 1e-12):
            if p["quantity"] > room:
                p["leave"] = why
            quantity = p["quantity"]
        quantity = min(quantity, room)
        if quantity > 0:
            self.take(s, t, quantity)
            super().sell(s, quantity, price, t, why)

    def targets(self, s: int, price: float, t: int, at_open: bool) -> None:
        if at_open or self.held[s].get("inside") != t:
            super().targets(s, price, t, at_open)

    # entries

    def at_open(self, s: int, g: int) -> bool:
        """Whether the waiting order fills at the open of bar g."""
        order = self.waiting[s]
        ahead = (float(self.bars.open[s, g]) - order["level"]) * order["side"]
        return bool({"MKT": True, "LMT": ahead <= 0, "STP": ahead >= 0}[self.order["type"]])

    def touched(self, s: int, g: int) -> bool:
        """Whether the bar, after its open, reaches the waiting order's level."""
        order = self.waiting[s]
        if self.at_open(s, g):
            return False
        falls = (order["side"] > 0) == (self.order["type"] == "LMT")
        low, high = float(self.bars.low[s, g]), float(self.bars.high[s, g])
        return bool(low <= order["level"] if falls else high >= order["level"])

    def entries_at_open(self, t: int, g: int) -> None:
        if self.resize:
            self.waiting = {s: o for s, o in self.waiting.items() if s not in self.held}
        here = [s for s in self.waiting if self.has_bar(s, g) and self.at_open(s, g)]
        started = [s for s in here if s in self.held]
        self.one_by_one(started, t, g, inside=False)
        others = {s: o for s, o in self.waiting.items() if s not in here or s in started}
        self.waiting = {s: o for s, o in self.waiting.items() if s not in others}
        if self.too_wide:
            self.failures += len(self.waiting)
            self.waiting = {}
        super().entries_at_open(t, g)
        self.waiting |= others

    def inside(self, t: int, g: int) -> None:
        here = [s for s in self.waiting if self.has_bar(s, g)]
        self.one_by_one([s for s in here if self.touched(s, g)], t, g, inside=True)
        super().inside(t, g)
        if self.day:
            self.waiting = {s: o for s, o in self.waiting.items() if not self.has_bar(s, g)}

    def one_by_one(self, symbols: list[int], t: int, g: int, *, inside: bool) -> None:
        # What fills in this round counts at its fill price, everything else at the open.
        account = self.value_at_open(g)
        start = account[0]
        for s in sorted(symbols, key=lambda s: (self.waiting[s]["rank"], s)):
            order = self.waiting.pop(s)
            price = order["level"] if inside else float(self.bars.open[s, g])
            if order["left"] is not None:
                wish = order["left"] * price * (1 + self.cost)
            elif self.too_wide:
                self.failures += 1
                continue
            elif len(self.held) >= self.slots:
                continue
            else:
                wish = self.weights([(s, order["decided"])])[0] * start
            value = min(wish, self.room_in(account, order["side"]))
            if value <= 1e-6 * max(start, 0.0):
                self.rejected(order)
                continue
            wanted = value / (price * (1 + self.cost))
            now = min(wanted, self.volume_room(s, t)) * price
            self.buy(s, order["side"], wanted, price, t, order)
            if inside and now > 0:
                self.held[s]["inside"] = t
            equity, gross, net = account
            account = (equity - now * self.cost, gross + now, net + order["side"] * now)

    def buy(self, s: int, side: int, quantity: float, price: float, t: int, order: Order | None) -> None:
        now = min(quantity, self.volume_room(s, t))
        if order is not None and now < quantity:
            self.waiting[s] = {**order, "left": quantity - now if now > 0 else order["left"]}
        if now <= 0:
            return
        more = s in self.held and order is not None
        self.take(s, t, now)
        super().buy(s, side, now, price, t, order)
        if more:
            self.held[s]["first"] += now

    def rejected(self, order: Order | None) -> None:
        if order is not None and order["left"] is None:
            self.failures += 1

    # decisions

    def too_many_failures(self) -> bool:
        limit = self.spec["risk"]["portfolio_risk"]["halt_on_n_exec_failures"]
        return bool(limit) and self.failures >= limit

    def decide(self, t: int, g: int) -> None:
        super().decide(t, g)
        for s, p in self.held.items():
            if p["leave"] is not None:
                self.waiting.pop(s, None)

    def decide_flat(self, s: int, t: int, g: int) -> None:
        old = self.waiting.pop(s, None)
        if old is not None and not self.says(old["side"], "exit", s, g):
            ranked = self.spec["modules"]["selection"] is None or s in self.member_now
            if ranked and not self.wants(-old["side"], s, g):
                self.waiting[s] = old
                return
        super().decide_flat(s, t, g)
        if s in self.waiting:
            self.waiting[s] |= {"left": None, "level": self.last_close(s, g)}

    def wants(self, side: int, s: int, g: int) -> bool:
        """Whether the strategy would enter on this side and on no other."""
        sides = [x for x in (1, -1) if self.says(x, "entry", s, g) and not self.says(x, "exit", s, g)]
        return sides == [side] and bool(self.tradable(s, g)) and self.ready(s, g)
