"""The settings of execution model ``market_v1``: how orders meet the market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from quantrail.errors import ConfigInvalid


@dataclass(frozen=True, slots=True)
class MarketRules:
    """Settings by name, with their defaults.

    ``order_type``: MKT, LMT (limit ``limit_offset_bps`` better than the decision's close) or STP (stop
    ``stop_offset_bps`` beyond it), for entries; exits are market orders. ``time_in_force``: a DAY entry
    lapses after the first bar it could fill on, GTC lives until filled. ``latency_bars``: bars between
    the decision's next open and the first open at which the order is live. ``max_adv_participation``:
    share of the mean volume of the last ``adv_bars`` bars that may fill in one bar.
    ``reject_if_spread_bps_gt``: entries are rejected while the estimated spread is wider;
    ``spread_estimate`` "model" (twice the cost model's half-spread) or "high_low" (Corwin and Schultz
    2012, from two bars' ranges). ``impact_coefficient`` k adds k * 20-bar volatility * sqrt(quantity /
    mean volume) to slippage. ``maintenance_margin``: equity below this share of gross value at a close
    flattens the account. ``halt_after_failures``: rejected entries after which trading stops.
    """

    order_type: str = "MKT"
    limit_offset_bps: float = 0.0
    stop_offset_bps: float = 0.0
    time_in_force: str = "DAY"
    latency_bars: int = 0
    max_adv_participation: float | None = None
    adv_bars: int = 20
    reject_if_spread_bps_gt: float | None = None
    spread_estimate: str = "model"
    impact_coefficient: float = 0.0
    maintenance_margin: float | None = None
    halt_after_failures: int | None = None


RULE_NAMES = frozenset(field.name for field in fields(MarketRules))
_CHOICES = {
    "order_type": ("MKT", "LMT", "STP"),
    "time_in_force": ("DAY", "GTC"),
    "spread_estimate": ("model", "high_low"),
}


def market_rules(
    order: Mapping[str, Any], portfolio_risk: Mapping[str, Any], settings: Mapping[str, Any]
) -> MarketRules:
    """Rules from the spec's order section, overridden by settings. ConfigInvalid for a value out of range."""
    asked: dict[str, Any] = {
        "order_type": order.get("type"),
        "time_in_force": order.get("time_in_force"),
        "max_adv_participation": order.get("max_adv_participation"),
        "reject_if_spread_bps_gt": order.get("reject_if_spread_bps_gt"),
        "halt_after_failures": portfolio_risk.get("halt_on_n_exec_failures"),
    }
    asked |= {name: value for name, value in settings.items() if name in RULE_NAMES}
    rules = MarketRules(**{name: value for name, value in asked.items() if value is not None})
    for name, known in _CHOICES.items():
        value = getattr(rules, name)
        if value not in known:
            raise ConfigInvalid(f"{name} {value!r} is not known; there are: {', '.join(known)}")
    if rules.latency_bars < 0 or rules.adv_bars < 1:
        raise ConfigInvalid("latency_bars must be 0 or more and adv_bars 1 or more")
    cap = rules.max_adv_participation
    if cap is not None and cap <= 0.0:
        raise ConfigInvalid(f"max_adv_participation must be positive, got {cap}")
    return rules
