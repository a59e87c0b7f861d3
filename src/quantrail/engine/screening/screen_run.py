"""The compiled simulation of a batch, chunk by chunk, written straight into the answer's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.domain.contract import CalcContract
from quantrail.engine.event_driven.liquidity import mean_volume_before
from quantrail.engine.order_rules import ADV_BARS, ORDERS
from quantrail.engine.plan import MAX_TARGETS
from quantrail.engine.screening.screen_plans import ScreenPlans
from quantrail.engine.screening.trade_columns import TradeColumns
from quantrail.engine.signals.batch import SignalBatch
from quantrail.engine.signals.conditions import word_count

Floats = NDArray[np.float64]
N_TOTALS = 8
# Strategies whose plans are laid out together.
CHUNK = 128


class Answer:
    """Rows a run fills: equity (N, n), sums of the account and exposure (N, 8), numbers of trades (N,).

    Rows without a run hold NaN and no trades.
    """

    def __init__(self, n_rows: int, n_bars: int) -> None:
        self.equity = np.empty((n_rows, n_bars))
        self.totals = np.empty((n_rows, N_TOTALS))
        self.counts = np.zeros(n_rows, np.int64)
        self.trades = TradeColumns()

    def blank(self, rows: Sequence[int]) -> None:
        self.equity[list(rows)] = np.nan
        self.totals[list(rows)] = np.nan


class ScreenRun:
    """Everything one call of :func:`~quantrail.engine.screen` shares between its strategies.

    ``rows`` are the strategies it may be asked for, by index; none of them is in error.
    """

    def __init__(self, batch: SignalBatch, span: slice, contract: CalcContract, rows: Sequence[int]) -> None:
        self.batch = batch
        self.span = span
        self.contract = contract
        self.kernels = load_kernels("quantrail.engine.kernels.simulate")
        self.plans = ScreenPlans(batch, contract, rows)
        self._atrs = _time_major([batch.features.atr(period) for period in self.plans.atr_periods])
        sized = [batch.features.sizing_volatility()] if self.plans.needs_volatility else []
        self._volatility = _time_major(sized)[0]

    def fill(self, answer: Answer, places: Sequence[int], rows: Sequence[int]) -> list[int]:
        """Simulate strategy ``rows[k]`` into row ``places[k]``; the places in the order of their trades.

        Plain market orders run in a kernel without an order book, so those go first.
        """
        order: list[int] = []
        kinds: tuple[list[int], list[int]] = ([], [])
        for k, row in enumerate(rows):
            kinds[self.plans.rules(row) is not None].append(k)
        for kind in kinds:
            for first in range(0, len(kind), CHUNK):
                chunk = kind[first : first + CHUNK]
                there = np.array([places[k] for k in chunk], np.int64)
                self._simulate(answer, there, [rows[k] for k in chunk], np.empty((8, 0)))
                order.extend(there.tolist())
        return order

    def detail(self, row: int) -> tuple[Floats, Answer]:
        """Run one strategy bar by bar with its series (8, n): cash, gross, net, and running sums of costs."""
        n_bars = self.span.stop - self.span.start
        series = np.zeros((8, n_bars))
        answer = Answer(1, n_bars)
        self._simulate(answer, np.zeros(1, np.int64), [row], series)
        return series, answer

    def _simulate(
        self, answer: Answer, places: NDArray[np.int64], rows: Sequence[int], series: Floats
    ) -> None:
        shared, scratch = self._arguments(rows), workspace(len(self.batch.bars.symbols))
        offsets = np.zeros(len(rows) + 1, np.int64)
        trades = answer.trades
        done = 0
        while done < len(rows):
            offsets[done] = trades.written
            reached = self.kernels.simulate_batch(
                *shared, self.span.start, done, places, answer.equity, answer.totals, trades.whole,
                trades.real, offsets, series, *scratch,
            )  # fmt: skip
            answer.counts[places[done:reached]] = np.diff(offsets[done : reached + 1])
            trades.written = int(offsets[reached])
            if reached < len(rows):
                trades.empty_room()
            done = reached

    def _arguments(self, rows: Sequence[int]) -> list[Any]:
        market = self.batch.market
        plans, ranks = self.plans.records(rows)
        return [
            plans, self._order_book(rows), market.opens, market.highs, market.lows, market.marks,
            market.floors, market.ceilings, self._volatility, self._atrs, ranks, market.calendar,
            self.batch.present, market.has_gaps,
        ]  # fmt: skip

    def _order_book(self, rows: Sequence[int]) -> Any:
        """None for plain market orders, else the kernels' OrderBook for ``rows``."""
        if self.plans.rules(rows[0]) is None:
            return None
        asked = [rule for row in rows if (rule := self.plans.rules(row)) is not None]
        n_symbols = len(self.batch.bars.symbols)
        capped = any(rule.share for rule in asked)
        volume = mean_volume_before(self.batch.bars, ADV_BARS)[:, self.span].T if capped else np.zeros((1, 1))
        book = load_kernels("quantrail.engine.kernels.order_book").OrderBook
        return book(
            np.array([rule.row() for rule in asked], ORDERS), np.ascontiguousarray(volume),
            np.zeros(n_symbols), np.zeros(n_symbols, np.int64), np.zeros(n_symbols),
            np.zeros(n_symbols, np.int64),
        )  # fmt: skip


def workspace(n_symbols: int) -> list[Any]:
    """Scratch arrays of the simulation; the kernels allocate nothing, which keeps reference counts out."""
    words = word_count(n_symbols)
    return [
        np.zeros((n_symbols, 12)), np.zeros((n_symbols, 9), np.int64), np.zeros((n_symbols, MAX_TARGETS)),
        np.zeros((6, words), np.uint64), np.zeros((3, n_symbols), np.int64), np.zeros(n_symbols),
        np.zeros(6), np.zeros(3, np.int64),
    ]  # fmt: skip


def _time_major(arrays: Sequence[Floats]) -> Floats:
    if not arrays:
        return np.zeros((1, 1, 1))
    return np.ascontiguousarray(np.stack(arrays).transpose(0, 2, 1))
