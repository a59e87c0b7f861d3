"""Canonical specs written by hand, with defaults for what a test does not care about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from quantrail.strategy import Node, NormalFeature, NormalSpec, content_name

TRUE: Node = {"node": "TRUE"}
FALSE: Node = {"node": "FALSE"}
_MARKET_ORDER: dict[str, Any] = {
    "type": "MKT", "time_in_force": "DAY", "max_adv_participation": None, "reject_if_spread_bps_gt": None,
}  # fmt: skip


def feature(
    kind: str, inputs: Sequence[str] = ("close",), **params: float | str
) -> tuple[str, dict[str, Any]]:
    """A feature's content name and definition."""
    definition = {"type": kind, "inputs": list(inputs), "params": params}
    return content_name(cast(NormalFeature, definition)), definition


def compare_with(left: str, op: str, right: str | float, **extra: Any) -> Node:
    """left op right, the right side a name or a number; ``lag`` and ``scale`` apply to the left."""
    other: dict[str, Any] = {"ref": right} if isinstance(right, str) else {"value": right}
    return {"node": "CMP", "left": {"ref": left, **extra}, "op": op, "right": other}


def spec_of(
    symbols: Sequence[str] | None = None,
    *,
    entry: Node | None = TRUE,
    leave: Node = FALSE,
    short: tuple[Node, Node] | None = None,
    features: dict[str, Any] | None = None,
    cooldown: int = 0,
    holding: int | None = None,
    selection: dict[str, Any] | None = None,
    regime: dict[str, Any] | None = None,
    hard_stop: dict[str, Any] | None = None,
    trailing_stop: dict[str, Any] | None = None,
    take_profit: Sequence[dict[str, Any]] = (),
    daily_loss: float | None = None,
    drawdown: float | None = None,
    max_positions: int | None = None,
    max_weight: float = 1.0,
    max_gross: float = 1.0,
    max_net: float | None = None,
    sizing: dict[str, Any] | None = None,
    rebalance: str | None = None,
    order: dict[str, Any] | None = None,
    halt_after: int | None = None,
    costs_bps: tuple[float, float, float] = (1, 2, 3),
    nan_policy: str = "DISALLOW_TRADE",
    tradable_filter: dict[str, Any] | None = None,
    ranking: dict[str, Any] | None = None,
) -> NormalSpec:
    """A canonical spec; left alone it buys everything at equal weight and never sells."""

    def side(enter: Node, out: Node) -> dict[str, Any]:
        return {"entry": enter, "exit": out, "cooldown_bars": cooldown, "max_holding_bars": holding}

    universe = None if symbols is None else sorted(symbols)
    spec = {
        "schema_version": "1.0",
        "universe": {
            "asset_class": "equity",
            "symbols": universe,
            "source": None if universe else "all",
            "tradable_filter": tradable_filter,
            "ranking": ranking,
        },
        "nan_policy": nan_policy,
        "features": features or {},
        "modules": {
            "long": None if entry is None else side(entry, leave),
            "short": None if short is None else side(*short),
            "regime": regime,
            "selection": selection,
        },
        "risk": {
            "trade_risk": {
                "hard_stop": hard_stop,
                "trailing_stop": trailing_stop,
                "take_profit": list(take_profit),
            },
            "portfolio_risk": {
                "max_daily_loss_pct": daily_loss,
                "max_drawdown_pct": drawdown,
                "halt_on_n_exec_failures": halt_after,
            },
        },
        "portfolio_constraints": {
            "max_positions": max_positions,
            "max_position_weight": max_weight,
            "max_sector_weight": None,
            "max_corr_to_portfolio": None,
            "leverage": {"max_gross": max_gross, "max_net": max_net},
            "sizing": sizing or {"type": "equal_weight"},
        },
        "execution": {
            "rebalance": rebalance,
            "order": _MARKET_ORDER | (order or {}),
            "fill_policy": {"use_next_bar": True},
        },
        "cost_model": {
            name: {"type": "bps", "value_bps": value}
            for name, value in zip(("fees", "spread", "slippage"), costs_bps, strict=True)
        },
    }
    return cast(NormalSpec, spec)


def with_orders(spec: NormalSpec, halt_after: int | None = None, **order: Any) -> NormalSpec:
    """The same spec with other orders; what ``order`` does not name is a plain market order's."""
    execution = {**spec["execution"], "order": _MARKET_ORDER | order}
    limits = {**spec["risk"]["portfolio_risk"], "halt_on_n_exec_failures": halt_after}
    risk = {**spec["risk"], "portfolio_risk": limits}
    return cast(NormalSpec, {**spec, "execution": execution, "risk": risk})
