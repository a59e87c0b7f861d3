"""What the reference loop sees: feature values, truth of conditions, members of a selection."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np

from quantrail.domain.market import Bars, Period
from quantrail.engine.signals.features import FeatureStore
from quantrail.strategy import NormalSpec


class ReferenceSignals:
    """Decisions worked out one symbol and one bar at a time; ``g`` counts bars of the data."""

    def __init__(self, bars: Bars, spec: NormalSpec, period: Period) -> None:
        self.bars, self.spec = bars, spec
        self.first, self.stop = bars.span(period).start, bars.span(period).stop
        self.store = FeatureStore(bars)
        names = spec["universe"]["symbols"] or bars.symbols
        self.members = [bars.symbols.index(name) for name in names]
        self.member_now: set[int] = set()

    # values

    def feature(self, name: str, s: int, g: int) -> float:
        if name == "rvol":
            return self.relative_volume(s, g)
        if name in ("regime_score", "regime_state"):
            settings: Any = self.spec["modules"]["regime"]
            score = self.store.regime(settings, np.array(self.members))[g]
            if name == "regime_state" and not math.isnan(score):
                return 1.0 if score == 1.0 else 0.0
            return float(score)
        return float(self.store.value(name, self.spec["features"], np.array(self.members))[s, g])

    def window(self, column: str, s: int, g: int, count: int) -> list[float]:
        """The last ``count`` values up to bar g; NaN before the data."""
        values = getattr(self.bars, column)
        return [float(values[s, k]) if k >= 0 else math.nan for k in range(g - count + 1, g + 1)]

    def relative_volume(self, s: int, g: int) -> float:
        mean = sum(self.window("volume", s, g - 1, 20)) / 20
        return float(self.bars.volume[s, g]) / mean if mean > 0 else math.nan

    def tradable(self, s: int, g: int) -> bool | None:
        """Whether the universe lets symbol s in at bar g; None where that is not known."""
        limits = self.spec["universe"].get("tradable_filter") or {}
        answers: list[bool | None] = []
        if limits.get("min_avg_vol_60") is not None:
            mean = sum(self.window("volume", s, g, 60)) / 60
            answers.append(None if math.isnan(mean) else mean >= limits["min_avg_vol_60"])
        if limits.get("min_dollar_vol_week") is not None:
            pairs = zip(self.window("close", s, g, 5), self.window("volume", s, g, 5), strict=True)
            turnover = sum(close * volume for close, volume in pairs)
            answers.append(None if math.isnan(turnover) else turnover >= limits["min_dollar_vol_week"])
        ranking = self.spec["universe"].get("ranking")
        if ranking is not None:
            change = {m: self.strength(m, g, ranking["period"]) for m in self.members}
            known = sorted((m for m in change if not math.isnan(change[m])), key=lambda m: (-change[m], m))
            answers.append(None if math.isnan(change[s]) else s in known[: ranking["top_n"]])
        if None in answers:
            return None
        return all(answers)

    def strength(self, s: int, g: int, period: int) -> float:
        """Change over ``period`` bars; missing where a bar between is missing."""
        closes = self.window("close", s, g, period + 1)
        if any(math.isnan(close) for close in closes) or closes[0] == 0:
            return math.nan
        return closes[-1] / closes[0] - 1

    def operand(self, part: dict[str, Any], s: int, g: int) -> Any:
        if "value" in part:
            return {"RISK_ON": 1.0, "RISK_OFF": 0.0}.get(part["value"], part["value"])
        if part["ref"] == "symbol":
            return self.bars.symbols[s]
        g -= part.get("lag", 0)
        return math.nan if g < 0 else self.feature(part["ref"], s, g) * part.get("scale", 1)

    def leaf(self, node: dict[str, Any], s: int, g: int) -> bool | None:
        """True, False, or None where it touches missing data."""
        if node["node"] == "IN":
            value = self.operand(node["value"], s, g)
            return None if value != value else value in node["set"]
        left, right = self.operand(node["left"], s, g), self.operand(node["right"], s, g)
        if left != left or right != right:
            return None
        if node["node"] == "CROSS_ABOVE":
            if g == 0:
                return None
            old_left, old_right = self.operand(node["left"], s, g - 1), self.operand(node["right"], s, g - 1)
            if old_left != old_left or old_right != old_right:
                return None
            return bool(old_left <= old_right and left > right)
        return bool(
            {
                ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right,
                "==": left == right, "!=": left != right,
            }[node["op"]]
        )  # fmt: skip

    def holds(self, node: dict[str, Any], s: int, g: int) -> tuple[bool, bool]:
        """(truth, blocked)."""
        kind = node["node"]
        if kind in ("TRUE", "FALSE"):
            return kind == "TRUE", False
        if kind == "NOT":
            truth, blocked = self.holds(node["child"], s, g)
            return not truth, blocked
        if kind in ("AND", "OR"):
            parts = [self.holds(child, s, g) for child in node["children"]]
            truths = [truth for truth, _ in parts]
            return all(truths) if kind == "AND" else any(truths), any(blocked for _, blocked in parts)
        known = self.leaf(node, s, g)
        policy = self.spec["nan_policy"]
        if known is None:
            return policy == "TREAT_AS_TRUE", policy == "DISALLOW_TRADE"
        return known, False

    def says(self, side: int, which: str, s: int, g: int) -> bool:
        module: Any = self.spec["modules"]["long" if side > 0 else "short"]
        if module is None:
            return False
        truth, blocked = self.holds(module[which], s, g)
        return truth and not blocked

    def has_bar(self, s: int, g: int) -> bool:
        return not math.isnan(self.bars.close[s, g])

    def last_close(self, s: int, g: int) -> float:
        while not self.has_bar(s, g):
            g -= 1
        return float(self.bars.close[s, g])

    def is_rebalance(self, g: int) -> bool:
        rule = self.spec["execution"]["rebalance"]
        if rule is None:
            return False
        if g == 0:
            return True
        now: date = self.bars.sessions[g].item()
        old: date = self.bars.sessions[g - 1].item()
        if rule == "weekly":
            return now.isocalendar()[:2] != old.isocalendar()[:2]
        return (now.year, now.month) != (old.year, old.month)

    def places(self, g: int) -> list[int]:
        """Members with a value of the selection feature, best first."""
        selection: Any = self.spec["modules"]["selection"]
        values = {s: self.feature(selection["feature"], s, g) for s in self.members}
        known = [s for s in self.members if not math.isnan(values[s])]
        sign = -1 if selection["order"] == "desc" else 1
        return sorted(known, key=lambda s: (sign * values[s], s))

    def update_members(self, g: int) -> None:
        selection = self.spec["modules"]["selection"]
        scheduled = self.spec["execution"]["rebalance"] is not None
        if selection is not None and (self.is_rebalance(g) or not scheduled):
            self.member_now = set(self.places(g)[: selection["top_n"]])

    def ready(self, s: int, g: int) -> bool:
        """Whether sizes and stops can be worked out from bar g."""
        risk = self.spec["risk"]["trade_risk"]
        distances = [risk["hard_stop"], risk["trailing_stop"], *risk["take_profit"]]
        values = [self.store.atr(d["period"])[s, g] for d in distances if d and d["type"] == "atr"]
        if self.spec["portfolio_constraints"]["sizing"]["type"] in ("inverse_vol", "vol_target"):
            values.append(self.store.sizing_volatility()[s, g])
        return all(v > 0 for v in values)

    # fills
