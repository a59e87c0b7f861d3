"""Everything around the logic in canonical form: universe, risk, portfolio, execution, costs.

Each function takes its part of a fully defaulted document (``StrategySpec.model_dump()``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.strategy.number import shortest

Part = Mapping[str, Any]


def plain(value: Any) -> Any:
    """A copy with every number in its one spelling."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return shortest(value) if isinstance(value, float) else value


def normal_universe(universe: Part) -> dict[str, Any]:
    symbols, source = universe["symbols"], universe["universe_source"]
    return {
        "asset_class": universe["asset_class"],
        "symbols": None if symbols is None else sorted(symbols),
        "source": (source or "all") if symbols is None else None,
        "params": plain(universe["params"]),
        "tradable_filter": _limits(plain(universe["tradable_filter"])),
        "ranking": plain(universe["ranking"]),
    }


def _limits(tradable: dict[str, Any] | None) -> dict[str, Any] | None:
    # A filter that limits nothing is no filter.
    return None if tradable is None or all(limit is None for limit in tradable.values()) else tradable


def normal_risk(risk: Part) -> dict[str, Any]:
    trade = plain(risk["trade_risk"])
    trade["take_profit"].sort(key=lambda level: level["value"])
    return {"trade_risk": trade, "portfolio_risk": plain(risk["portfolio_risk"])}


def normal_portfolio(portfolio: Part, symbol_count: int | None) -> dict[str, Any]:
    normal: dict[str, Any] = plain(portfolio)
    if normal["max_positions"] is None:
        normal["max_positions"] = symbol_count
    return normal


def normal_execution(execution: Part) -> dict[str, Any]:
    order = execution["order"]
    return {
        "rebalance": execution["rebalance"],
        "order": {
            "type": order["type"] or order["default_order_type"] or "MKT",
            "time_in_force": order["time_in_force"],
            "max_adv_participation": plain(order["max_adv_participation"]),
            "reject_if_spread_bps_gt": plain(order["reject_if_spread_bps_gt"]),
        },
        "fill_policy": {"use_next_bar": True},
    }


def normal_regime(regime: Part) -> dict[str, Any]:
    benchmark = regime["benchmark"]
    return {
        "source": "universe_mean" if benchmark is None else "symbol",
        "symbol": benchmark,
        "mean_period": regime["mean_period"],
        "vol_period": regime["vol_period"],
        "vol_window": regime["vol_window"],
        "vol_percentile": plain(regime["vol_percentile"]),
    }
