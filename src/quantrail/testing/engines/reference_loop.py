"""The light contract in the plainest Python: one dictionary per position, one comparison at a time.

Slow on purpose and written from the rules, not from the engines. It shares only feature values with
them (those have oracles of their own).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars, Period
from quantrail.strategy import NormalSpec
from quantrail.testing.engines.reference_signals import ReferenceSignals


@dataclass
class ReferenceRun:
    """Equity and cash per bar, fills (bar, symbol, signed quantity, price) and trades as dictionaries."""

    equity: list[float] = field(default_factory=list)
    cash: list[float] = field(default_factory=list)
    fills: list[tuple[int, int, float, float]] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)


class ReferenceLoop(ReferenceSignals):
    """Plain market orders; :mod:`quantrail.testing.engines.reference_orders` has the others."""

    def __init__(self, bars: Bars, spec: NormalSpec, period: Period, contract: CalcContract) -> None:
        super().__init__(bars, spec, period)
        self.contract = contract
        limits = spec["portfolio_constraints"]
        self.slots = limits["max_positions"] or len(self.members)
        self.gross_limit = limits["leverage"]["max_gross"]
        net = limits["leverage"]["max_net"]
        self.net_limit = self.gross_limit if net is None else net
        costs = spec["cost_model"]
        self.cost = sum(costs[k]["value_bps"] for k in ("fees", "spread", "slippage")) / 10_000
        self.out = ReferenceRun()
        self.cash = contract.initial_capital
        self.held: dict[int, dict[str, Any]] = {}
        self.waiting: dict[int, dict[str, Any]] = {}
        self.last_exit: dict[tuple[int, int], int] = {}
        self.resize = False
        self.halted = False

    def trade(self, s: int, signed: float, price: float, t: int, position: dict[str, Any]) -> None:
        value = abs(signed) * price
        self.cash -= signed * price + value * self.cost
        position["costs"] += value * self.cost
        self.out.fills.append((t, s, signed, price))

    def sell(self, s: int, quantity: float, price: float, t: int, why: str) -> None:
        p = self.held[s]
        whole = quantity >= p["quantity"] * (1 - 1e-12)
        quantity = p["quantity"] if whole else quantity
        self.trade(s, -p["side"] * quantity, price, t, p)
        p["quantity"] -= quantity
        p["out"] += quantity * price
        if whole:
            self.finish(s, t, why)

    def finish(self, s: int, t: int, why: str) -> None:
        p = self.held.pop(s)
        pnl = p["side"] * (p["out"] - p["in"]) - p["costs"]
        self.out.trades.append(
            {"symbol": s, "side": p["side"], "entry": p["entry"], "exit": t, "why": why, "pnl": pnl}
        )
        self.last_exit[s, p["side"]] = t

    def stop_of(self, p: dict[str, Any]) -> tuple[float, str] | None:
        options = []
        if p["hard"] is not None:
            options.append((p["hard"], "HARD_STOP"))
        if p["trail"] is not None:
            kind, size = p["trail"]
            gap = size * p["peak"] if kind == "pct" else size
            options.append((p["peak"] - p["side"] * gap, "TRAILING_STOP"))
        if not options:
            return None
        return max(options, key=lambda o: (o[0] * p["side"], o[1] == "HARD_STOP"))

    def targets(self, s: int, price: float, t: int, at_open: bool) -> None:
        while s in self.held and self.held[s]["targets"] and self.held[s]["leave"] is None:
            p = self.held[s]
            level, fraction = p["targets"][0]
            if (price - level) * p["side"] < 0:
                return
            p["targets"] = p["targets"][1:]
            self.sell(s, fraction * p["first"], price if at_open else level, t, "TAKE_PROFIT")

    def exits_at_open(self, t: int, g: int) -> None:
        for s in sorted(self.held):
            p, price = self.held[s], float(self.bars.open[s, g])
            if not self.has_bar(s, g):
                continue
            stop = self.stop_of(p)
            if p["leave"] is not None:
                self.sell(s, p["quantity"], price, t, p["leave"])
            elif stop is not None and (price - stop[0]) * p["side"] <= 0:
                self.sell(s, p["quantity"], price, t, stop[1])
            else:
                self.targets(s, price, t, at_open=True)

    def value_at_open(self, g: int) -> tuple[float, float, float]:
        gross = net = 0.0
        for s, p in self.held.items():
            price = float(self.bars.open[s, g]) if self.has_bar(s, g) else self.last_close(s, g)
            gross += p["quantity"] * price
            net += p["side"] * p["quantity"] * price
        return self.cash + net, gross, net

    def weights(self, group: list[tuple[int, int]]) -> list[float]:
        """Target weights of (symbol, decision bar) pairs sized together."""
        limits = self.spec["portfolio_constraints"]
        sizing, base = limits["sizing"], self.gross_limit / self.slots
        kind = sizing["type"]
        vols = [float(self.store.sizing_volatility()[s, g]) for s, g in group]
        if kind == "fixed_fraction":
            raw = [sizing["fraction"]] * len(group)
        elif kind == "inverse_vol":
            raw = [len(group) * base * (1 / v) / sum(1 / w for w in vols) for v in vols]
        elif kind == "vol_target":
            raw = [base * min(1, sizing["target_volatility_annual"] / (v * math.sqrt(252))) for v in vols]
        else:
            raw = [base] * len(group)
        return [min(w, limits["max_position_weight"]) for w in raw]

    def entries_at_open(self, t: int, g: int) -> None:
        sized = self.spec["portfolio_constraints"]["sizing"]["type"] in ("inverse_vol", "vol_target")
        kept = []
        if self.resize:
            for s in sorted(self.held):
                usable = self.store.sizing_volatility()[s, g - 1] > 0 if sized else True
                if self.has_bar(s, g) and usable and self.held[s]["leave"] is None:
                    kept.append(s)
        self.resize = False
        ready = sorted(
            (s for s in self.waiting if self.has_bar(s, g)), key=lambda s: (self.waiting[s]["rank"], s)
        )
        orders = {s: self.waiting.pop(s) for s in ready}
        ready = ready[: max(0, self.slots - len(self.held))]
        group = [(s, g - 1) for s in kept] + [(s, orders[s]["decided"]) for s in ready]
        weights = dict(zip([s for s, _ in group], self.weights(group), strict=True))
        start = self.value_at_open(g)[0]
        for s in kept:
            p, price = self.held[s], float(self.bars.open[s, g])
            excess = p["quantity"] - weights[s] * start / price
            if start > 0 and excess * price > 1e-6 * start:
                self.sell(s, excess, price, t, "REBALANCE")
        for s in kept + ready:
            kept_one: Any = self.held.get(s)
            price = float(self.bars.open[s, g])
            side = kept_one["side"] if kept_one else orders[s]["side"]
            spent = kept_one["quantity"] * price if kept_one else 0.0
            value = min(weights[s] * start - spent, self.room(g, side))
            if value <= 1e-6 * max(start, 0.0):
                self.rejected(orders.get(s))
                continue
            self.buy(s, side, value / (price * (1 + self.cost)), price, t, orders.get(s))

    def buy(
        self, s: int, side: int, quantity: float, price: float, t: int, order: dict[str, Any] | None
    ) -> None:
        """Enlarge a position, or open one for an entry order."""
        p = self.held.get(s)
        if p is None:
            assert order is not None
            p = self.held[s] = self.opened(s, side, price, quantity, t, order["decided"])
        self.trade(s, side * quantity, price, t, p)
        p["quantity"] += quantity
        p["in"] += quantity * price

    def rejected(self, order: dict[str, Any] | None) -> None:
        """Called for an entry order (None: resizing) without money."""

    def room(self, g: int, side: int) -> float:
        """The largest value, costs included, after which gross and net still respect their limits."""
        return self.room_in(self.value_at_open(g), side)

    def room_in(self, account: tuple[float, float, float], side: int) -> float:
        """The same for a given equity, gross and net value."""
        equity, gross, net = account
        c = self.cost
        by_gross = (self.gross_limit * equity - gross) / ((1 + self.gross_limit * c) / (1 + c))
        by_net = (self.net_limit * equity - side * net) / ((1 + self.net_limit * c) / (1 + c))
        return float(max(0.0, min(by_gross, by_net)))

    def opened(
        self, s: int, side: int, price: float, quantity: float, t: int, decided: int
    ) -> dict[str, Any]:
        risk = self.spec["risk"]["trade_risk"]

        def gap(d: dict[str, Any]) -> float:
            return float(
                d["value"] * (price if d["type"] == "pct" else self.store.atr(d["period"])[s, decided])
            )

        hard, trail = risk["hard_stop"], risk["trailing_stop"]
        trailing = None
        if trail:
            trailing = (trail["type"], trail["value"] if trail["type"] == "pct" else gap(trail))
        return {
            "side": side, "quantity": 0.0, "first": quantity, "entry": t, "in": 0.0, "out": 0.0, "costs": 0.0,
            "leave": None, "peak": price,
            "hard": price - side * gap(hard) if hard else None,
            "trail": trailing,
            "targets": [(price + side * gap(d), d["fraction"]) for d in risk["take_profit"]],
        }  # fmt: skip

    def inside(self, t: int, g: int) -> None:
        for s in sorted(self.held):
            if not self.has_bar(s, g) or self.held[s]["leave"] is not None:
                continue
            p, low, high = self.held[s], float(self.bars.low[s, g]), float(self.bars.high[s, g])
            bad, good = (low, high) if p["side"] > 0 else (high, low)
            stop = self.stop_of(p)
            if stop is not None and (bad - stop[0]) * p["side"] <= 0:
                self.sell(s, p["quantity"], stop[0], t, stop[1])
                continue
            self.targets(s, good, t, at_open=False)
            if s in self.held:
                p["peak"] = max(p["peak"], high) if p["side"] > 0 else min(p["peak"], low)

    # the loop

    def run(self) -> ReferenceRun:
        for g in range(self.first):
            self.update_members(g)
        best = previous = self.contract.initial_capital
        limits = self.spec["risk"]["portfolio_risk"]
        for g in range(self.first, self.stop):
            t = g - self.first
            if t > 0:
                self.exits_at_open(t, g)
                self.entries_at_open(t, g)
            self.inside(t, g)
            values = {s: p["quantity"] * self.last_close(s, g) for s, p in self.held.items()}
            shorts = sum(v for s, v in values.items() if self.held[s]["side"] < 0)
            self.cash -= shorts * self.contract.borrow_rate_annual / self.contract.annualization_factor
            equity = self.cash + sum(self.held[s]["side"] * v for s, v in values.items())
            self.out.equity.append(equity)
            self.out.cash.append(self.cash)
            self.update_members(g)
            if g == self.stop - 1:
                break
            best = max(best, equity)
            if not self.halted:
                loss, depth = limits["max_daily_loss_pct"], limits["max_drawdown_pct"]
                if (
                    equity <= 0
                    or (loss and equity <= previous * (1 - loss))
                    or (depth and equity <= best * (1 - depth))
                ):
                    self.halt("PORTFOLIO_RISK")
                elif self.too_many_failures():
                    self.halt("EXECUTION_FAILURES")
            previous = equity
            if not self.halted:
                self.decide(t, g)
        for s in sorted(self.held):
            p = self.held[s]
            p["out"] += p["quantity"] * self.last_close(s, self.stop - 1)
            self.finish(s, self.stop - 1 - self.first, "OPEN")
        return self.out

    def halt(self, why: str) -> None:
        self.halted = True
        self.waiting = {}
        for p in self.held.values():
            p["leave"] = why

    def too_many_failures(self) -> bool:
        return False

    def decide(self, t: int, g: int) -> None:
        if self.is_rebalance(g) and self.held:
            self.resize = True
        for s in self.members:
            if not self.has_bar(s, g):
                continue
            if s in self.held:
                self.decide_held(s, t, g)
            else:
                self.decide_flat(s, t, g)

    def decide_held(self, s: int, t: int, g: int) -> None:
        p = self.held[s]
        if p["leave"] is not None:
            return
        module: Any = self.spec["modules"]["long" if p["side"] > 0 else "short"]
        if self.says(p["side"], "exit", s, g):
            p["leave"] = "SIGNAL"
        elif self.spec["modules"]["selection"] is not None and s not in self.member_now:
            p["leave"] = "SELECTION"
        elif module["max_holding_bars"] and t - p["entry"] + 1 >= module["max_holding_bars"]:
            p["leave"] = "TIME_STOP"

    def decide_flat(self, s: int, t: int, g: int) -> None:
        if self.spec["modules"]["selection"] is not None and s not in self.member_now:
            return
        wants = [
            side for side in (1, -1) if self.says(side, "entry", s, g) and not self.says(side, "exit", s, g)
        ]
        if len(wants) != 1 or not self.tradable(s, g) or not self.ready(s, g):
            return
        side = wants[0]
        module: Any = self.spec["modules"]["long" if side > 0 else "short"]
        if t < self.last_exit.get((s, side), -(10**9)) + module["cooldown_bars"]:
            return
        rank = 0
        if self.spec["modules"]["selection"] is not None:
            order = self.places(g)
            rank = order.index(s) if s in order else 10**6
        self.waiting[s] = {"side": side, "decided": g, "rank": rank}
