"""What both engines execute today; the validator refuses the rest.

One table, widened when both engines have grown: everything the grammar knows and this table does
not list is refused with the code ``UNSUPPORTED``, so that no spec reaches an engine that cannot run it.
"""

from __future__ import annotations

from quantrail.strategy.catalogue import FEATURE_TYPES

SUPPORTED: dict[str, frozenset[str]] = {
    "feature": frozenset(FEATURE_TYPES),
    "node": frozenset({"CMP", "CROSS_ABOVE", "AND", "OR", "NOT", "IN", "TRUE", "FALSE"}),
    "variable": frozenset({"regime_state", "regime_score", "symbol", "rvol"}),
    "direction": frozenset({"long", "short", "both"}),
    "universe": frozenset({"symbols", "universe_source", "tradable_filter", "ranking"}),
    "tradable_filter": frozenset({"min_avg_vol_60", "min_dollar_vol_week"}),
    "universe_source": frozenset({"all"}),
    "hard_stop": frozenset({"pct", "atr"}),
    "trailing_stop": frozenset({"pct", "atr"}),
    "take_profit": frozenset({"pct", "atr"}),
    "portfolio_risk": frozenset({"max_daily_loss_pct", "max_drawdown_pct", "halt_on_n_exec_failures"}),
    "portfolio_constraints": frozenset(
        {"max_positions", "max_position_weight", "leverage", "sizing", "max_net"}
    ),
    "sizing": frozenset({"equal_weight", "fixed_fraction", "inverse_vol", "vol_target"}),
    "rebalance": frozenset({"weekly", "monthly"}),
    "order_type": frozenset({"MKT", "LMT", "STP"}),
    "order": frozenset({"type", "time_in_force", "max_adv_participation", "reject_if_spread_bps_gt"}),
    "time_in_force": frozenset({"DAY", "GTC"}),
    "nan_policy": frozenset({"DISALLOW_TRADE", "TREAT_AS_FALSE", "TREAT_AS_TRUE", "ERROR"}),
}
