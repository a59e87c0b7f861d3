"""The shape of a canonical spec: what is hashed, what is stored, what the engines execute.

Numbers may be int or float (30.0 is spelt 30); every consumer accepts both. A NormalSpec is
shared between holders and is not to be written to; ``copy_tree`` one to change it.

Bars
    ``t`` is a column of :class:`~quantrail.domain.market.Bars`; ``lag`` counts columns of that common
    axis, so the value of a symbol one column ago is missing if its bar there is.
Missing values (``nan_policy``)
    Each CMP, CROSS_ABOVE and IN that reads a missing value has a truth and is *blocked*. A condition
    is blocked where any of its comparisons is, whatever its truth: blocked is ORed up the whole tree,
    NOT included. DISALLOW_TRADE: a blocked entry or exit does nothing at that bar (and counts as
    DATA_MISSING). TREAT_AS_FALSE / TREAT_AS_TRUE: the comparison itself is false / true and nothing is
    blocked. ERROR: the first blocked bar inside the period fails the strategy. A bar whose own close is
    missing decides nothing under any policy.
Regime
    ``modules.regime`` = {source: "symbol" | "universe_mean", symbol: str | None, mean_period: 200,
    vol_period: 20, vol_window: 252, vol_percentile: 80}. The benchmark close is that symbol's, or
    (universe_mean) an index that compounds the mean simple return of the symbols that have one.
    trend = close > mean of the last mean_period closes; calm = volatility (ddof 1, vol_period simple
    returns) < vol_percentile-th percentile (linear interpolation) of its own last vol_window values,
    this bar's included. regime_state = "RISK_ON" where trend and calm, else "RISK_OFF";
    regime_score = (trend + calm) / 2. Both are missing until every window is full.
    Every symbol of the strategy sees the same regime.
Selection
    Among the universe's symbols with a value, the best ``top_n`` by ``feature`` (ties: symbol name) are
    members. Only members may enter; a held symbol that is no longer a member exits at the next open
    (short positions likewise). With ``execution.rebalance`` unset membership is ranked at every bar, else at
    rebalance bars only, and holds until the next one.
Rebalance
    A rebalance bar is the first column of an ISO week / calendar month (its predecessor lies in
    another one; column 0 is one). At the next open every position that is kept is traded to its
    target weight; entries are not confined to rebalance bars.
Sizing
    {type: "equal_weight"}: min(max_position_weight, max_gross / max_positions). {type:
    "fixed_fraction", fraction}. {type: "inverse_vol"}: weights proportional to 1 / 20-bar volatility
    among the symbols that enter at that bar, their sum being that many equal weights.
    {type: "vol_target", target_volatility_annual}: the equal weight times
    min(1, target / (20-bar volatility * sqrt(252))). All capped by max_position_weight and buying power.
Orders
    Entries are MKT at the next open, LMT or STP at the decision's close; exits are market orders. A DAY
    order ends with its first live bar, a GTC one when it is filled, its entry is contradicted (exit
    signal, lost place in the selection, opposite entry), or the position is left.
    ``max_adv_participation``: share of the mean volume of the 20 bars before that one bar may fill, per
    symbol, exits included.
    ``reject_if_spread_bps_gt``: entries are rejected while the spread (twice the cost model's) is wider.
    ``halt_on_n_exec_failures``: rejected entries after which everything is sold and trading ends.
Sides
    The two sides never want opposite positions at once: the short entry is ignored while long, and the
    long entry while short; where both entries hold for a flat symbol, neither does.
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
#   CMP          left (a Ref), op (== != > >= < <=), right (Ref or Constant). Strings only with == and !=
#   CROSS_ABOVE  left, right                     (CROSS_BELOW is its mirror and never appears)
#   AND, OR      children (two or more, sorted by their canonical JSON, no duplicates)
#   NOT          child
#   IN           value (a Ref), set (two or more literals, sorted)
#   TRUE, FALSE  no comparison, so never blocked
# CROSS_ABOVE holds where left[t-1] <= right[t-1] and left[t] > right[t]; either may be a Constant.
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
    """``pct``: fraction of the entry price. ``atr``: multiple of ATR(``period``) of the decision bar.

    A trailing stop measures from the best of the entry price and the highs (lows when short) from the entry
    bar up to the bar before.
    """

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
    # {asset_class, symbols: sorted list | None, source: None | "all" (every symbol of the bars), params,
    #  tradable_filter: None | {min_avg_vol_60, min_dollar_vol_week, max_spread_bps},
    #  ranking: None | {type, period, top_n}}; both bind entries only
    universe: dict[str, Any]
    nan_policy: str  # DISALLOW_TRADE, TREAT_AS_FALSE, TREAT_AS_TRUE, ERROR
    # By content name, e.g. "sma(close;period=20)"; inputs of inputs are listed too, keys in no useful order.
    features: dict[str, NormalFeature]
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
