"""Why a trade was made, and why nothing happened on a day: the logs of engine B in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from quantrail.domain.results import ExitReason
from quantrail.engine.verify import VerifyResult
from quantrail.errors import NotFound


@dataclass(frozen=True, slots=True)
class ClauseState:
    """One comparison at one symbol and close."""

    text: str
    held: bool
    missing: bool

    def __str__(self) -> str:
        mark = "?" if self.missing else "+" if self.held else "-"
        return f"{mark} {self.text}"


@dataclass(frozen=True, slots=True)
class DayStory:
    """What was known, decided, ordered and filled around the close of one session."""

    symbol: str
    session: date
    clauses: tuple[ClauseState, ...]
    decisions: tuple[str, ...]
    orders: tuple[str, ...]
    fills: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.symbol} at the close of {self.session}:"]
        lines += [f"  {clause}" for clause in self.clauses]
        lines += [f"  decided: {text}" for text in self.decisions or ("nothing",)]
        lines += [f"  order: {text}" for text in self.orders]
        lines += [f"  filled: {text}" for text in self.fills]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class TradeStory:
    """One round trip: why in, what was done, why out."""

    headline: str
    entry: DayStory
    exit: DayStory | None
    fills: tuple[str, ...]

    def __str__(self) -> str:
        parts = [self.headline, "Why in:", str(self.entry), "Fills:", *(f"  {text}" for text in self.fills)]
        if self.exit is not None:
            parts += ["Why out:", str(self.exit)]
        return "\n".join(parts)


def explain_trade(found: VerifyResult, trade: int) -> TradeStory:
    """The story of round trip ``trade`` (its row in the trade table); NotFound when there is no such row."""
    trades = found.result.trades
    if not 0 <= trade < len(trades):
        raise NotFound(f"trade {trade} does not exist; there are {len(trades)}, counted from 0")
    symbol, first, last = (int(getattr(trades, k)[trade]) for k in ("symbol", "entry_bar", "exit_bar"))
    reason = ExitReason(int(trades.exit_reason[trade]))
    sessions, name = found.result.sessions, found.result.symbols[symbol]
    side = "long" if trades.side[trade] > 0 else "short"
    headline = (
        f"{name} {side}, {sessions[first]} to {sessions[last]}: {trades.quantity[trade]:g} at "
        f"{trades.entry_price[trade]:.6g}, out at {trades.exit_price[trade]:.6g} ({reason.name}), "
        f"net {trades.pnl_net[trade]:.2f} ({trades.return_net[trade]:.2%})"
    )
    decided = reason in (
        ExitReason.SIGNAL, ExitReason.TIME_STOP, ExitReason.SELECTION, ExitReason.PORTFOLIO_RISK
    )  # fmt: skip
    leave = explain_day(found, name, _decision_bar(found, symbol, last, "EXIT")) if decided else None
    mask = (found.fills["symbol"] == symbol) & (found.fills["bar"] >= first) & (found.fills["bar"] <= last)
    return TradeStory(
        headline,
        explain_day(found, name, _decision_bar(found, symbol, first, "ENTER")),
        leave,
        tuple(_fill_text(found, k) for k in np.flatnonzero(mask).tolist()),
    )


def explain_day(found: VerifyResult, symbol: str, day: int | date) -> DayStory:
    """What engine B saw and did at the close of ``day`` (a session date or a bar of the period).

    Orders and fills are those decided at that close. NotFound for a symbol or a day outside the result.
    """
    result = found.result
    if symbol not in result.symbols:
        raise NotFound(f"symbol {symbol!r} is not in the result")
    row = result.symbols.index(symbol)
    bar = day if isinstance(day, int) else int(np.searchsorted(result.sessions, np.datetime64(day)))
    if not 0 <= bar < len(result.sessions) or (
        not isinstance(day, int) and result.sessions[bar] != np.datetime64(day)
    ):
        raise NotFound(f"{day} is not a session of the result")
    clauses = tuple(
        ClauseState(c.text, bool(c.true[row, bar]), bool(c.missing[row, bar])) for c in found.clauses
    )
    decisions, orders, fills = found.decisions, found.orders, found.fills
    here = np.flatnonzero((decisions["symbol"] == row) & (decisions["bar"] == bar))
    asked = np.flatnonzero((orders["symbol"] == row) & (orders["decided_bar"] == bar))
    numbers = orders["order_id"][asked]
    return DayStory(
        symbol,
        result.sessions[bar].item(),
        clauses,
        tuple(f"{decisions['decision'][k]} ({decisions['reason'][k]})" for k in here),
        tuple(f"{orders['intent'][k]} {orders['state'][k]} ({orders['reason'][k]})" for k in asked),
        tuple(_fill_text(found, k) for k in np.flatnonzero(np.isin(fills["order_id"], numbers)).tolist()),
    )


def _decision_bar(found: VerifyResult, symbol: int, filled: int, kind: str) -> int:
    log = found.decisions
    mask = (log["symbol"] == symbol) & (log["bar"] < filled) & (log["decision"] == kind)
    return int(log["bar"][np.flatnonzero(mask)[-1]])


def _fill_text(found: VerifyResult, k: int) -> str:
    fills = found.fills
    verb = "bought" if fills["side"][k] > 0 else "sold"
    day = found.result.sessions[int(fills["bar"][k])]
    paid = fills["fees"][k] + fills["spread"][k] + fills["slippage"][k]
    amount = f"{fills['quantity'][k]:g} at {fills['price'][k]:.6g}"
    return f"{day} {verb} {amount}, costs {paid:.2f} ({fills['reason'][k]})"
