"""What a canonical spec asks of the simulation, as one record of numbers per strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars
from quantrail.errors import NotFound, Unsupported
from quantrail.strategy import NormalSpec

MAX_TARGETS = 8
NONE, PCT, ATR = 0, 1, 2
SIZINGS = ("equal_weight", "fixed_fraction", "inverse_vol", "vol_target")
REBALANCES = (None, "weekly", "monthly")
# Less than this share of equity is dust: no order is sent for it.
DUST = 1e-6

PLAN = np.dtype(
    [
        ("capital", "f8"),
        ("fee", "f8"),
        ("spread", "f8"),
        ("slippage", "f8"),
        ("borrow", "f8"),
        ("max_positions", "i8"),
        ("equal_weight", "f8"),
        ("max_weight", "f8"),
        ("max_gross", "f8"),
        ("max_net", "f8"),
        ("sizing", "i8"),
        ("sizing_value", "f8"),
        ("rebalance", "i8"),
        ("cooldown_long", "i8"),
        ("cooldown_short", "i8"),
        ("hold_long", "i8"),
        ("hold_short", "i8"),
        ("daily_loss", "f8"),
        ("drawdown", "f8"),
        ("hard_kind", "i8"),
        ("hard_value", "f8"),
        ("hard_atr", "i8"),
        ("trail_kind", "i8"),
        ("trail_value", "f8"),
        ("trail_atr", "i8"),
        ("n_targets", "i8"),
        ("target_kind", "i8", (MAX_TARGETS,)),
        ("target_value", "f8", (MAX_TARGETS,)),
        ("target_fraction", "f8", (MAX_TARGETS,)),
        ("target_atr", "i8", (MAX_TARGETS,)),
        ("rank", "i8"),
        ("entry_long", "i8"),
        ("exit_long", "i8"),
        ("entry_short", "i8"),
        ("exit_short", "i8"),
        ("member", "i8"),
    ],
    align=True,
)


def universe_rows(bars: Bars, spec: NormalSpec) -> NDArray[np.int64]:
    """Rows of the spec's symbols in ``bars``, ascending; every row for a source of "all"."""
    symbols = spec["universe"].get("symbols")
    if symbols is None:
        return np.arange(len(bars.symbols))
    known = {symbol: row for row, symbol in enumerate(bars.symbols)}
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        raise NotFound(f"symbols not in the bars: {', '.join(unknown[:5])}", symbols=unknown)
    return np.array(sorted(known[symbol] for symbol in symbols), np.int64)


def fill_plan(
    plan: Any, spec: NormalSpec, contract: CalcContract, n_members: int, atr_index: Mapping[int, int]
) -> None:
    """Write ``spec`` under ``contract`` into one record of dtype PLAN.

    ``atr_index`` maps ATR periods to rows of the ATR stack. Signals and ranks are the caller's.
    """
    _fill_costs(plan, spec["cost_model"], contract)
    _fill_portfolio(plan, spec, n_members)
    for name in ("long", "short"):
        side: Any = spec["modules"].get(name)
        plan[f"cooldown_{name}"] = side["cooldown_bars"] if side else 0
        plan[f"hold_{name}"] = (side["max_holding_bars"] or 0) if side else 0
    _fill_risk(plan, spec["risk"], atr_index)


def atr_periods(spec: NormalSpec) -> list[int]:
    """Every ATR period the stops and targets of ``spec`` need."""
    return [int(d["period"]) for d in _distances(spec["risk"]["trade_risk"]) if d["type"] == "atr"]


def needs_volatility(spec: NormalSpec) -> bool:
    """Whether entries are sized by 20-bar volatility."""
    return spec["portfolio_constraints"]["sizing"]["type"] in ("inverse_vol", "vol_target")


def _distances(trade_risk: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    stops = [trade_risk["hard_stop"], trade_risk["trailing_stop"]]
    return [stop for stop in stops if stop] + list(trade_risk["take_profit"])


def _fill_costs(plan: Any, costs: Mapping[str, Mapping[str, Any]], contract: CalcContract) -> None:
    included = {
        "fee": ("fees", contract.include_fees),
        "spread": ("spread", contract.include_spread),
        "slippage": ("slippage", contract.include_slippage),
    }
    for field, (name, used) in included.items():
        if costs[name]["type"] != "bps":
            raise Unsupported(f"cost type {costs[name]['type']!r} of {name} is not known to the engines")
        plan[field] = costs[name]["value_bps"] / 1e4 if used else 0.0
    plan["capital"] = contract.initial_capital
    plan["borrow"] = contract.borrow_rate_annual / contract.annualization_factor


def _fill_portfolio(plan: Any, spec: NormalSpec, n_members: int) -> None:
    limits = spec["portfolio_constraints"]
    leverage = limits["leverage"]
    positions = limits["max_positions"] or n_members
    plan["max_positions"] = positions
    plan["max_weight"] = limits["max_position_weight"]
    plan["max_gross"] = leverage["max_gross"]
    net = leverage.get("max_net")
    plan["max_net"] = leverage["max_gross"] if net is None else net
    plan["equal_weight"] = leverage["max_gross"] / positions
    sizing = limits["sizing"]
    plan["sizing"] = SIZINGS.index(sizing["type"])
    plan["sizing_value"] = sizing.get("fraction", sizing.get("target_volatility_annual", 0.0))
    plan["rebalance"] = REBALANCES.index(spec["execution"]["rebalance"])
    risk = spec["risk"]["portfolio_risk"]
    plan["daily_loss"] = risk["max_daily_loss_pct"] or 0.0
    plan["drawdown"] = risk["max_drawdown_pct"] or 0.0


def _fill_risk(plan: Any, risk: Mapping[str, Any], atr_index: Mapping[int, int]) -> None:
    trade = risk["trade_risk"]
    for field, stop in (("hard", trade["hard_stop"]), ("trail", trade["trailing_stop"])):
        kind, value, row = _distance(stop, atr_index)
        plan[f"{field}_kind"], plan[f"{field}_value"], plan[f"{field}_atr"] = kind, value, row
    targets: Sequence[Mapping[str, Any]] = trade["take_profit"]
    if len(targets) > MAX_TARGETS:
        raise Unsupported(f"{len(targets)} take-profit levels; the engines know {MAX_TARGETS}")
    plan["n_targets"] = len(targets)
    for k, target in enumerate(targets):
        kind, value, row = _distance(target, atr_index)
        plan["target_kind"][k], plan["target_value"][k], plan["target_atr"][k] = kind, value, row
        plan["target_fraction"][k] = target["fraction"]


def _distance(distance: Mapping[str, Any] | None, atr_index: Mapping[int, int]) -> tuple[int, float, int]:
    if distance is None:
        return NONE, 0.0, -1
    if distance["type"] == "pct":
        return PCT, float(distance["value"]), -1
    return ATR, float(distance["value"]), atr_index[int(distance["period"])]
