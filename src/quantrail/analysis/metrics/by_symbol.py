"""Trade metrics of each symbol of a result."""

from __future__ import annotations

import numpy as np

from quantrail.domain.results import SimulationResult


def symbol_metrics(result: SimulationResult) -> dict[str, dict[str, float | None]]:
    """Symbol -> closed_trades, pnl_net, costs_total, hit_rate_trades, expectancy_net, avg_trade_return_net,
    mfe_mean, mae_mean.

    Only symbols that traded are listed, in symbol order. ``pnl_net`` and ``costs_total`` include the open
    trade, the rest are of closed round trips and None without one.
    """
    trades = result.trades
    found: dict[str, dict[str, float | None]] = {}
    for row in np.unique(trades.symbol).tolist():
        own = trades.symbol == row
        closed = own & ~trades.is_open
        count = int(closed.sum())

        def mean(values: np.ndarray, chosen: np.ndarray = closed, n: int = count) -> float | None:
            return float(values[chosen].mean()) if n else None

        found[result.symbols[row]] = {
            "closed_trades": float(count),
            "pnl_net": float(trades.pnl_net[own].sum()),
            "costs_total": float(trades.costs[own].sum()),
            "hit_rate_trades": mean((trades.pnl_net > 0.0).astype(np.float64)),
            "expectancy_net": mean(trades.pnl_net),
            "avg_trade_return_net": mean(trades.return_net),
            "mfe_mean": mean(trades.mfe),
            "mae_mean": mean(trades.mae),
        }
    return found
