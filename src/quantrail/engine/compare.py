"""Where two simulations of one strategy part ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantrail.domain.results import ExitReason, SimulationResult, TradeTable
from quantrail.errors import InvalidInput

AGREEMENT = 1e-9


@dataclass(frozen=True, slots=True)
class EngineComparison:
    """``agree``: equity and every trade equal to 1e-9 relative, excursions to 1e-9 of the entry price.

    ``first_difference`` describes the first trade that differs (None when all agree); ``reason`` is one
    of TRADE_MISSING, TRADE_EXTRA, SIDE, EXIT_REASON, EXIT_BAR, PRICE, QUANTITY, COSTS, EXCURSION,
    EQUITY; ``pnl_effect`` is the second's final equity minus the first's, in currency.
    """

    agree: bool
    max_equity_difference: float
    pnl_effect: float
    first_difference: str | None
    reason: str | None
    trades_a: int
    trades_b: int


def compare(a: SimulationResult, b: SimulationResult) -> EngineComparison:
    """Compare two results over the same sessions; InvalidInput when the sessions differ."""
    if not np.array_equal(a.sessions, b.sessions):
        raise InvalidInput("only results over the same sessions can be compared")
    scale = np.maximum(np.abs(a.equity), a.initial_capital * 1e-6)
    gap = float(np.max(np.abs(a.equity - b.equity) / scale))
    where = _first_difference(a, b)
    if where is None and gap > AGREEMENT:
        bar = int(np.argmax(np.abs(a.equity - b.equity) / scale > AGREEMENT))
        where = ("EQUITY", f"equity differs from {a.sessions[bar]} on")
    return EngineComparison(
        agree=where is None,
        max_equity_difference=gap,
        pnl_effect=float(b.equity[-1] - a.equity[-1]),
        first_difference=where[1] if where else None,
        reason=where[0] if where else None,
        trades_a=len(a.trades),
        trades_b=len(b.trades),
    )


def _first_difference(a: SimulationResult, b: SimulationResult) -> tuple[str, str] | None:
    ours, theirs = _keyed(a.trades), _keyed(b.trades)
    for entry_bar, symbol in sorted(ours.keys() | theirs.keys()):
        i, j = ours.get((entry_bar, symbol)), theirs.get((entry_bar, symbol))
        name = f"{a.symbols[symbol]} entered {a.sessions[entry_bar]}"
        if i is None:
            return "TRADE_EXTRA", f"{name}: only the second engine has this trade"
        if j is None:
            return "TRADE_MISSING", f"{name}: only the first engine has this trade"
        found = _trade_difference(a.trades, i, b.trades, j)
        if found is not None:
            return found[0], f"{name}: {found[1]}"
    return None


def _keyed(trades: TradeTable) -> dict[tuple[int, int], int]:
    return {(int(t), int(s)): k for k, (t, s) in enumerate(zip(trades.entry_bar, trades.symbol, strict=True))}


def _trade_difference(a: TradeTable, i: int, b: TradeTable, j: int) -> tuple[str, str] | None:
    if a.side[i] != b.side[j]:
        return "SIDE", f"side {a.side[i]} against {b.side[j]}"
    if a.exit_bar[i] != b.exit_bar[j]:
        return "EXIT_BAR", f"left at bar {a.exit_bar[i]} against {b.exit_bar[j]}"
    if a.exit_reason[i] != b.exit_reason[j]:
        return (
            "EXIT_REASON",
            f"{ExitReason(a.exit_reason[i]).name} against {ExitReason(b.exit_reason[j]).name}",
        )
    for reason, column in (
        ("PRICE", "entry_price"), ("PRICE", "exit_price"), ("QUANTITY", "quantity"), ("COSTS", "costs")
    ):  # fmt: skip
        x, y = float(getattr(a, column)[i]), float(getattr(b, column)[j])
        if abs(x - y) > AGREEMENT * max(abs(x), abs(y), 1e-6):
            return reason, f"{column} {x:.10g} against {y:.10g}"
    for column in ("mfe", "mae"):
        x, y = float(getattr(a, column)[i]), float(getattr(b, column)[j])
        if abs(x - y) > AGREEMENT * max(abs(x), abs(y), 1.0):
            return "EXCURSION", f"{column} {x:.10g} against {y:.10g}"
    return None
