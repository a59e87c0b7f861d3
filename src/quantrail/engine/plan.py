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

# The last fields of a plan: where it finds its signals, -1 for none.
SIGNAL_FIELDS = ("rank", "entry_long", "exit_long", "entry_short", "exit_short", "member")
_NO_SIGNALS = (-1,) * len(SIGNAL_FIELDS)


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


def plan_row(
    spec: NormalSpec,
    contract: CalcContract,
    n_members: int,
    atr_index: Mapping[int, int],
) -> tuple[Any, ...]:
    """``spec`` under ``contract`` as one row of dtype PLAN that names no signals yet.

    ``atr_index`` maps ATR periods to rows of the ATR stack.
    """
    pauses, longest = zip(*(_holding(spec["modules"].get(name)) for name in ("long", "short")), strict=True)
    trade = spec["risk"]["trade_risk"]
    risk = spec["risk"]["portfolio_risk"]
    return (
        contract.initial_capital,
        *cost_fractions(spec["cost_model"], contract),
        contract.borrow_rate_annual / contract.annualization_factor,
        *_portfolio(spec["portfolio_constraints"], n_members),
        REBALANCES.index(spec["execution"]["rebalance"]),
        *pauses,
        *longest,
        risk["max_daily_loss_pct"] or 0.0,
        risk["max_drawdown_pct"] or 0.0,
        *_distance(trade["hard_stop"], atr_index),
        *_distance(trade["trailing_stop"], atr_index),
        *_targets(trade["take_profit"], atr_index),
        *_NO_SIGNALS,
    )


def same_plan(one: NormalSpec, other: NormalSpec) -> bool:
    """Whether two specs over as many members have the same plan, whatever their signals.

    Everything :func:`plan_row` and the order rules read is compared; numbers by value, so 1 is 1.0.
    """
    return (
        one["cost_model"] == other["cost_model"]
        and one["risk"] == other["risk"]
        and one["portfolio_constraints"] == other["portfolio_constraints"]
        and one["execution"] == other["execution"]
        and _holding(one["modules"].get("long")) == _holding(other["modules"].get("long"))
        and _holding(one["modules"].get("short")) == _holding(other["modules"].get("short"))
    )


def _holding(side: Any) -> tuple[Any, Any]:
    return (side["cooldown_bars"], side["max_holding_bars"] or 0) if side else (0, 0)


def atr_periods(spec: NormalSpec) -> list[int]:
    """Every ATR period the stops and targets of ``spec`` need."""
    return [int(d["period"]) for d in _distances(spec["risk"]["trade_risk"]) if d["type"] == "atr"]


def needs_volatility(spec: NormalSpec) -> bool:
    """Whether entries are sized by 20-bar volatility."""
    return spec["portfolio_constraints"]["sizing"]["type"] in ("inverse_vol", "vol_target")


def _distances(trade_risk: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    stops = [trade_risk["hard_stop"], trade_risk["trailing_stop"]]
    return [stop for stop in stops if stop] + list(trade_risk["take_profit"])


def cost_fractions(costs: Mapping[str, Mapping[str, Any]], contract: CalcContract) -> list[float]:
    """Fees, spread and slippage of one side, fractions of traded value; 0 what the contract leaves out."""
    row = []
    included = (contract.include_fees, contract.include_spread, contract.include_slippage)
    for name, used in zip(("fees", "spread", "slippage"), included, strict=True):
        part = costs[name]
        if part["type"] != "bps":
            raise Unsupported(f"cost type {part['type']!r} of {name} is not known to the engines")
        row.append(part["value_bps"] / 1e4 if used else 0.0)
    return row


def _portfolio(limits: Mapping[str, Any], n_members: int) -> tuple[Any, ...]:
    leverage, sizing = limits["leverage"], limits["sizing"]
    positions = limits["max_positions"] or n_members
    gross, net = leverage["max_gross"], leverage.get("max_net")
    return (
        positions,
        gross / positions,
        limits["max_position_weight"],
        gross,
        gross if net is None else net,
        SIZINGS.index(sizing["type"]),
        sizing.get("fraction", sizing.get("target_volatility_annual", 0.0)),
    )


def _targets(targets: Sequence[Mapping[str, Any]], atr_index: Mapping[int, int]) -> tuple[Any, ...]:
    if not targets:
        return _NO_TARGETS
    if len(targets) > MAX_TARGETS:
        raise Unsupported(f"{len(targets)} take-profit levels; the engines know {MAX_TARGETS}")
    empty = (0,) * (MAX_TARGETS - len(targets))
    kinds, values, rows = zip(*(_distance(target, atr_index) for target in targets), strict=True)
    fractions = tuple(target["fraction"] for target in targets)
    return (len(targets), *((*column, *empty) for column in (kinds, values, fractions, rows)))


def _distance(distance: Mapping[str, Any] | None, atr_index: Mapping[int, int]) -> tuple[int, float, int]:
    if distance is None:
        return NONE, 0.0, -1
    if distance["type"] == "pct":
        return PCT, float(distance["value"]), -1
    return ATR, float(distance["value"]), atr_index[int(distance["period"])]


_NO_TARGETS = (0, *(((0,) * MAX_TARGETS),) * 4)
