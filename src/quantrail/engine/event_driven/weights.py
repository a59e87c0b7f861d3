"""Backtests of signals computed elsewhere: target weights, under the same contract and records."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import Metrics, compute_metrics
from quantrail.domain.contract import CalcContract
from quantrail.domain.ids import ContentHash, ResultHash
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import ExitReason, SimulationResult, hash_result
from quantrail.engine.benchmark import benchmark_returns
from quantrail.engine.event_driven.broker import Room
from quantrail.engine.event_driven.ledger import Ledger, Position
from quantrail.engine.event_driven.logs import Column
from quantrail.engine.event_driven.policy import Policy, is_dust
from quantrail.engine.event_driven.tape import carried
from quantrail.engine.event_driven.verify import trade_table
from quantrail.engine.models import BpsCosts
from quantrail.errors import DataInvalid

Floats = NDArray[np.float64]


def signals_hash(symbols: Sequence[str], sessions: NDArray[np.datetime64], weights: Floats) -> ContentHash:
    """SHA-256 over symbols, sessions and the exact bits of ``weights`` (S, T); every NaN counts the same."""
    digest = hashlib.sha256("\0".join(symbols).encode())
    digest.update(sessions.astype("datetime64[D]").astype("<i8").tobytes())
    plain = np.where(np.isnan(weights), np.nan, weights).astype("<f8")
    digest.update(np.ascontiguousarray(plain).tobytes())
    return ContentHash(digest.hexdigest())


@dataclass(frozen=True, slots=True)
class WeightsResult:
    """What trading to weights found. ``fills``: columns by name, one row per fill, as engine B logs them."""

    result: SimulationResult
    metrics: Metrics
    fills: dict[str, Column]


def run_weights(
    bars: Bars,
    weights: Floats,
    period: Period,
    contract: CalcContract,
    costs_bps: tuple[float, float, float] = (1.0, 2.0, 3.0),
    max_gross: float = 1.0,
) -> WeightsResult:
    """Trade to target weights.

    ``weights`` (S, T): fractions of equity wanted from the close of column t on, negative short, NaN no
    opinion (what is held stays). They fill at the open of t + 1 in the light contract's order: what goes to
    0 or changes sides leaves; sizes are weights times equity marked at that open after these exits; then
    reductions before increases, by symbol. A missing bar makes the wish wait; what buying power cannot
    cover is left out. ``costs_bps``: fees, spread, slippage per side.
    DataInvalid when shapes differ, or in the period a weight is infinite or a column asks for more than
    ``max_gross``; weights outside the period are not used.
    """
    span = bars.span(period)
    _check(bars, weights, span, max_gross)
    included = (contract.include_fees, contract.include_spread, contract.include_slippage)
    costs = BpsCosts(*(bps / 1e4 if used else 0.0 for bps, used in zip(costs_bps, included, strict=True)))
    book = _Book(bars, span, contract, costs, max_gross)
    result = book.run(weights)
    metrics = compute_metrics(result, contract, benchmark_returns(bars, span, contract))
    return WeightsResult(result, metrics, book.ledger.fills.columns())


def _check(bars: Bars, weights: Floats, span: slice, max_gross: float) -> None:
    if weights.shape != bars.close.shape:
        raise DataInvalid(f"weights have shape {weights.shape}, the bars have {bars.close.shape}")
    used = weights[:, span]
    if np.isinf(used).any():
        raise DataInvalid("weights hold an infinite value")
    gross = np.nansum(np.abs(used), axis=0)
    if (gross > max_gross * (1.0 + 1e-9)).any():
        day = bars.sessions[span][int(np.argmax(gross))]
        raise DataInvalid(f"weights of {day} sum to {gross.max():g} gross, more than max_gross {max_gross:g}")


class _Book:
    def __init__(
        self, bars: Bars, span: slice, contract: CalcContract, costs: BpsCosts, max_gross: float
    ) -> None:
        self.bars, self.span, self.contract, self.costs = bars, span, contract, costs
        self.policy = Policy(len(bars.symbols), 1.0, max_gross, max_gross, "equal_weight", 0.0)
        self.opens = bars.open[:, span].T.tolist()
        self.highs = bars.high[:, span].T.tolist()
        self.lows = bars.low[:, span].T.tolist()
        self.closes = carried(bars.close)[:, span].T.tolist()
        self.ledger = Ledger(contract.initial_capital)
        self.wishes: dict[int, float] = {}
        self.orders = 0

    def run(self, weights: Floats) -> SimulationResult:
        decided = weights[:, self.span].T
        rows = []
        n = len(self.opens)
        for t in range(n):
            if self.wishes:
                self._trade(t)
            for symbol, position in self.ledger.positions.items():
                if not math.isnan(self.lows[t][symbol]):
                    position.saw(self.lows[t][symbol], self.highs[t][symbol])
            rows.append(self._mark(t))
            self.wishes |= {int(s): float(decided[t, s]) for s in np.flatnonzero(~np.isnan(decided[t]))}
        for symbol, position in sorted(self.ledger.positions.items()):
            self.ledger.close(position, n - 1, ExitReason.OPEN, self.closes[n - 1][symbol])
        # A weight other than 0 is a wish to be in; what judging calls an entry signal.
        return self._result(np.array(rows).T, int((np.nan_to_num(decided) != 0.0).sum()))

    def _trade(self, t: int) -> None:
        ready = {s: w for s, w in sorted(self.wishes.items()) if not math.isnan(self.opens[t][s])}
        self.wishes = {s: w for s, w in self.wishes.items() if s not in ready}
        # Whatever ends goes first: sizes follow from the equity that its costs leave.
        self._leave([s for s, w in ready.items() if self._ends(s, w)], t)
        equity = self._room_at_open(t).equity
        if equity <= 0.0:
            self._leave(list(ready), t)
            return
        wanted = {s: w * equity / self.opens[t][s] for s, w in ready.items()}
        for s, target in wanted.items():
            self._reduce(s, target, t, equity)
        for s, target in wanted.items():
            self._increase(s, target, t, equity)

    def _ends(self, s: int, weight: float) -> bool:
        position = self.ledger.positions.get(s)
        return position is not None and weight * position.side <= 0.0

    def _leave(self, symbols: Sequence[int], t: int) -> None:
        for s in symbols:
            position = self.ledger.positions.get(s)
            if position is not None:
                self._let_out(position, position.quantity, t)
                position.quantity = 0.0
                self.ledger.close(position, t, ExitReason.SIGNAL)

    def _reduce(self, s: int, target: float, t: int, equity: float) -> None:
        position = self.ledger.positions.get(s)
        if position is None:
            return
        excess = position.quantity - abs(target)
        if excess > 0.0 and not is_dust(excess * self.opens[t][s], equity):
            self._let_out(position, excess, t)

    def _let_out(self, position: Position, quantity: float, t: int) -> None:
        price = self.opens[t][position.symbol]
        charge = self.costs.charge(quantity * price)
        self.ledger.let_out(position, quantity, price, charge, t, self._order(), "WEIGHT")

    def _increase(self, s: int, target: float, t: int, equity: float) -> None:
        position = self.ledger.positions.get(s)
        price = self.opens[t][s]
        more = abs(target) - (position.quantity if position else 0.0)
        room, cost = self._room_at_open(t), 1.0 + self.costs.rate
        side = 1 if target > 0.0 else -1
        value = self.policy.affordable(more * price, side, room.equity, room.gross, room.net, self.costs.rate)
        more = value / (price * cost)
        if more <= 0.0 or is_dust(more * price, equity):
            return
        if position is None:
            position = Position(s, side, 0.0, t, price, more, best=price, worst=price)
            self.ledger.hold(position)
        charge = self.costs.charge(more * price)
        self.ledger.buy_in(position, more, price, charge, t, self._order(), "WEIGHT")

    def _order(self) -> int:
        self.orders += 1
        return self.orders - 1

    def _room_at_open(self, t: int) -> Room:
        gross = net = 0.0
        for s, position in sorted(self.ledger.positions.items()):
            price = self.opens[t][s]
            value = position.quantity * (self.closes[t - 1][s] if math.isnan(price) else price)
            gross += value
            net += position.side * value
        return Room(self.ledger.cash + net, gross, net)

    def _mark(self, t: int) -> tuple[float, ...]:
        book, closes = self.ledger, self.closes[t]
        values = [(p.side, p.quantity * closes[s]) for s, p in sorted(book.positions.items())]
        shorts = sum(value for side, value in values if side < 0)
        fee = shorts * self.contract.borrow_rate_annual / self.contract.annualization_factor
        book.cash -= fee
        book.borrow += fee
        net = sum(side * value for side, value in values)
        equity = book.cash + net
        gross = sum(value for _, value in values)
        shares = (gross / equity, net / equity) if equity > 0.0 else (0.0, 0.0)
        return (equity, book.cash, *shares, book.traded, book.fees, book.spread, book.slippage, book.borrow)

    def _result(self, series: Floats, wishes: int) -> SimulationResult:
        per_bar = np.diff(series[4:], axis=1, prepend=0.0)
        trades = trade_table(self.ledger)
        return SimulationResult(
            symbols=self.bars.symbols,
            sessions=self.bars.sessions[self.span],
            initial_capital=self.contract.initial_capital,
            equity=series[0].copy(),
            cash=series[1].copy(),
            gross_exposure=series[2].copy(),
            net_exposure=series[3].copy(),
            traded_value=per_bar[0],
            fees=per_bar[1],
            spread=per_bar[2],
            slippage=per_bar[3],
            borrow=per_bar[4],
            dividends=np.zeros(series.shape[1]),
            trades=trades,
            blocked_bars=0,
            entry_signals=wishes,
            result_hash=ResultHash(hash_result(series[0], trades.columns(), {})),
        )
