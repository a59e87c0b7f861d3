"""The shape of a canonical spec: what is hashed, what is stored, what the engines execute.

Numbers may be int or float (30.0 is spelt 30); every consumer accepts both.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Number = int | float


class Ref(TypedDict):
    """A feature (by content name), a bar column or a system variable, ``lag`` bars ago, times ``scale``."""

    ref: str
    lag: NotRequired[int]  # left out when 0
    scale: NotRequired[Number]  # left out when 1


class Constant(TypedDict):
    """A number, bool or string constant."""

    value: Number | str | bool


Operand = Ref | Constant

# A condition tree. By ``node``:
#   CMP          left, op (== != > >= < <=), right
#   CROSS_ABOVE  left, right                     (CROSS_BELOW is its mirror and never appears)
#   AND, OR      children (two or more, sorted by their canonical JSON, no duplicates)
#   NOT          child
#   IN           value (operand), set (sorted literals)
#   TRUE, FALSE
# BETWEEN never appears: it is two comparisons.
Node = dict[str, Any]


class NormalFeature(TypedDict):
    type: str
    inputs: list[str]  # bar columns or content names of other features
    params: dict[str, Number | str]  # complete, defaults filled in


class NormalSide(TypedDict):
    """One direction. ``entry`` and ``exit`` already hold their filters."""

    entry: Node
    exit: Node
    cooldown_bars: int
    max_holding_bars: int | None


class NormalSelection(TypedDict):
    feature: str
    top_n: int
    order: Literal["desc", "asc"]


class NormalModules(TypedDict):
    long: NormalSide | None
    short: NormalSide | None
    regime: dict[str, Any] | None
    selection: NormalSelection | None


class Distance(TypedDict):
    """``pct``: fraction of the entry price. ``atr``: multiple of ATR(``period``) of the decision bar."""

    type: Literal["pct", "atr"]
    value: Number
    period: NotRequired[int]


class TakeProfit(TypedDict):
    type: Literal["pct", "atr"]
    value: Number
    fraction: Number  # of the position opened, closed at this level
    period: NotRequired[int]


class NormalTradeRisk(TypedDict):
    hard_stop: Distance | None
    trailing_stop: Distance | None
    take_profit: list[TakeProfit]  # nearest level first


class NormalSpec(TypedDict):
    """Top level. Keys with fixed sub-keys always carry all of them, None where unset."""

    schema_version: str
    universe: dict[str, Any]  # asset_class, symbols (sorted) | source + params, tradable_filter, ranking
    nan_policy: str
    features: dict[str, NormalFeature]  # by content name, e.g. "sma(close;period=20)"
    modules: NormalModules
    # {"trade_risk": NormalTradeRisk,
    #  "portfolio_risk": {max_daily_loss_pct, max_drawdown_pct, halt_on_n_exec_failures}}
    risk: dict[str, Any]
    # max_positions (None: number of symbols), max_position_weight, max_sector_weight,
    # max_corr_to_portfolio, leverage {max_gross, max_net}, sizing {type, ...}
    portfolio_constraints: dict[str, Any]
    # rebalance (None | "weekly" | "monthly"), order {type, time_in_force, max_adv_participation,
    # reject_if_spread_bps_gt}, fill_policy {use_next_bar: True}
    execution: dict[str, Any]
    cost_model: dict[str, dict[str, Any]]  # fees, spread, slippage: {type: bps, value_bps}, per side
