"""Why a trade was made, and why nothing happened on a day: the logs of engine B in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.verify import VerifyResult
from quantrail.errors import NotFound


@dataclass(frozen=True, slots=True)
class ClauseState:
    """One comparison at one symbol and close. ``left``, ``right``: what was compared, None if unknown."""

    text: str
    held: bool
    missing: bool
    left: float | str | None = None
    right: float | str | None = None

    def __str__(self) -> str:
        verdict = "no data" if self.missing else "yes" if self.held else "no"
        known = [_figure(value) for value in (self.left, self.right) if value is not None]
        values = f"  [{' against '.join(known)}]" if known else ""
        return f"{verdict:>7}  {self.text}{values}"


@dataclass(frozen=True, slots=True)
class DayStory:
    """What was known, decided, ordered and filled around the close of one session.

    ``held_since``: first session of the position held at that close, None where there is none.
    """

    symbol: str
    session: date
    clauses: tuple[ClauseState, ...]
    decisions: tuple[str, ...]
    orders: tuple[str, ...]
    fills: tuple[str, ...]
    held_since: date | None = None

    def __str__(self) -> str:
        lines = [f"{self.symbol} at the close of {self.session}:"]
        lines += [f"  {clause}" for clause in self.clauses]
        lines += [f"  decided: {text}" for text in self.decisions or (self._nothing,)]
        lines += [f"  order: {text}" for text in self.orders]
        lines += [f"  fill: {text}" for text in self.fills]
        return "\n".join(lines)

    @property
    def _nothing(self) -> str:
        return "nothing" + (f", it is held since {self.held_since}" if self.held_since else "")


@dataclass(frozen=True, slots=True)
class TradeStory:
    """One round trip: why in, what was done, why out. ``exit`` None: no decision at a close ended it."""

    headline: str
    entry: DayStory
    exit: DayStory | None
    fills: tuple[str, ...]
    ended: str

    def __str__(self) -> str:
        parts = [self.headline, "", "Why in:", _indented(self.entry), "", "Fills of the whole trade:"]
        parts += [*(f"  {text}" for text in self.fills), "", f"Why out: {self.ended}."]
        if self.exit is not None:
            parts.append(_indented(self.exit))
        return "\n".join(parts)


_ENDED = {
    ExitReason.OPEN: "it was still held on the last bar and is valued at its close",
    ExitReason.SIGNAL: "the exit condition held",
    ExitReason.TIME_STOP: "it had been held for the longest time allowed",
    ExitReason.HARD_STOP: "the price reached the stop inside a bar",
    ExitReason.TRAILING_STOP: "the price reached the trailing stop inside a bar",
    ExitReason.TAKE_PROFIT: "the price reached the last take-profit level",
    ExitReason.SELECTION: "the symbol was no longer selected",
    ExitReason.PORTFOLIO_RISK: "a limit on the whole portfolio's loss was broken",
    ExitReason.REBALANCE: "rebalancing took it down to nothing",
    ExitReason.MARGIN_CALL: "equity no longer covered the maintenance margin",
    ExitReason.EXECUTION_FAILURES: "too many orders had failed, so trading was halted",
}


def _indented(part: object) -> str:
    return "\n".join(f"  {line}" for line in str(part).split("\n"))


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


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
        ExitReason.SIGNAL, ExitReason.TIME_STOP, ExitReason.SELECTION, ExitReason.PORTFOLIO_RISK,
        ExitReason.MARGIN_CALL, ExitReason.EXECUTION_FAILURES,
    )  # fmt: skip
    leave = explain_day(found, name, _decision_bar(found, symbol, last, "EXIT")) if decided else None
    mask = (found.fills["symbol"] == symbol) & (found.fills["bar"] >= first) & (found.fills["bar"] <= last)
    return TradeStory(
        headline,
        explain_day(found, name, _decision_bar(found, symbol, first, "ENTER")),
        leave,
        tuple(_fill_text(found, k) for k in np.flatnonzero(mask).tolist()),
        _ENDED[reason],
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
        ClauseState(
            c.text,
            bool(c.true[row, bar]),
            bool(c.missing[row, bar]),
            _at(c.left, row, bar),
            _at(c.right, row, bar),
        )
        for c in found.clauses
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
        tuple(_order_text(found, k) for k in asked.tolist()),
        tuple(_fill_text(found, k) for k in np.flatnonzero(np.isin(fills["order_id"], numbers)).tolist()),
        _held_since(found, row, bar),
    )


def _held_since(found: VerifyResult, symbol: int, bar: int) -> date | None:
    trades = found.result.trades
    ends = np.where(trades.is_open, len(found.result.sessions), trades.exit_bar)
    held = np.flatnonzero((trades.symbol == symbol) & (trades.entry_bar <= bar) & (bar < ends))
    if not len(held):
        return None
    since: date = found.result.sessions[int(trades.entry_bar[held[0]])].item()
    return since


def _at(values: NDArray[Any] | None, row: int, bar: int) -> float | str | None:
    if values is None:
        return None
    value = values[row, bar].item()
    return None if value != value else value


def _order_text(found: VerifyResult, k: int) -> str:
    orders = found.orders
    asked = orders["asked"][k]
    size = "sized at the fill" if asked is None or asked != asked else f"for {asked:g}"
    why = f" ({orders['reason'][k]})" if orders["reason"][k] else ""
    return f"{orders['intent'][k]} {orders['kind'][k]} {size}: {orders['state'][k]}{why}"


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
