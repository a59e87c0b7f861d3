"""The compiled simulation of a batch, chunk by chunk, written straight into the answer's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.domain.contract import CalcContract
from quantrail.engine.batch import SignalBatch
from quantrail.engine.conditions import word_count
from quantrail.engine.liquidity import mean_volume_before
from quantrail.engine.order_rules import ADV_BARS, ORDERS, OrderRules, order_rules
from quantrail.engine.plan import MAX_TARGETS, PLAN, atr_periods, cost_fractions, needs_volatility, plan_row

Floats = NDArray[np.float64]
N_TOTALS = 8
# Strategies whose plans are laid out together.
CHUNK = 64
# Round trips the kernel may write before they are copied away.
ROOM = 8192


class TradeColumns:
    """Round trips as the kernel writes them, and the columns kept of them so far."""

    def __init__(self) -> None:
        self._pieces: list[list[NDArray[Any]]] = [[] for _ in range(12)]
        self._reserve(ROOM)

    def _reserve(self, room: int) -> None:
        self.whole = np.empty((5, room), np.int64)
        self.real = np.empty((7, room))

    def grow(self) -> None:
        """Make room for a single strategy that needs more; nothing is under way."""
        self._reserve(4 * self.whole.shape[1])

    def keep(self, count: int) -> None:
        """Copy the first ``count`` trades away."""
        for pieces, column in zip(self._pieces, (*self.whole, *self.real), strict=True):
            pieces.append(column[:count].copy())

    def join(self, order: NDArray[np.int64] | None) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The five whole and seven real columns, in ``order`` if one is given; pieces are let go of.

        One column after the other, so that there are never two copies of all of them.
        """
        self._reserve(0)
        columns = []
        for pieces in self._pieces:
            column = np.concatenate(pieces) if pieces else np.empty(0)
            pieces.clear()
            columns.append(column if order is None else column[order])
        return [column.astype(np.int64, copy=False) for column in columns[:5]], columns[5:]


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
        specs = [batch.specs[i] for i in rows]
        self._rules = {i: self._rules_of(i) for i in rows}
        periods = sorted({period for spec in specs for period in atr_periods(spec)})
        self._atr_index = {period: k for k, period in enumerate(periods)}
        self._atrs = _time_major([batch.features.atr(period) for period in periods])
        sized = any(needs_volatility(spec) for spec in specs)
        self._volatility = _time_major([batch.features.sizing_volatility()] if sized else [])[0]

    def fill(self, answer: Answer, places: Sequence[int], rows: Sequence[int]) -> list[int]:
        """Simulate strategy ``rows[k]`` into row ``places[k]``; the places in the order of their trades.

        Plain market orders run in a kernel without an order book, so those go first.
        """
        order: list[int] = []
        for asking in (False, True):
            kind = [k for k, row in enumerate(rows) if (self._rules[row] is not None) == asking]
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
        done = 0
        while done < len(rows):
            offsets[done] = 0
            reached = self.kernels.simulate_batch(
                *shared, self.span.start, done, places, answer.equity, answer.totals, answer.trades.whole,
                answer.trades.real, offsets, series, *scratch,
            )  # fmt: skip
            if reached == done:
                answer.trades.grow()
                continue
            answer.counts[places[done:reached]] = np.diff(offsets[done : reached + 1])
            answer.trades.keep(int(offsets[reached]))
            done = reached

    def _arguments(self, rows: Sequence[int]) -> list[Any]:
        market, batch = self.batch.market, self.batch
        known: dict[int, int] = {}
        ranks = _Ranks()
        plans = []
        for i in rows:
            signals = batch.signals[i]
            assert signals is not None
            where = (ranks.index(signals.rank, batch), *(_address(words, known) for words in signals.words()))
            plans.append(plan_row(batch.specs[i], self.contract, signals.n_members, self._atr_index, where))
        return [
            np.array(plans, PLAN), self._order_book(rows), market.opens, market.highs, market.lows,
            market.marks, market.floors, market.ceilings, self._volatility, self._atrs,
            ranks.array(len(batch.bars.symbols)), market.calendar, batch.present, market.has_gaps,
        ]  # fmt: skip

    def _rules_of(self, row: int) -> OrderRules | None:
        spec = self.batch.specs[row]
        _, spread, _ = cost_fractions(spec["cost_model"], self.contract)
        return order_rules(spec, spread)

    def _order_book(self, rows: Sequence[int]) -> Any:
        """None for plain market orders, else the kernels' OrderBook for ``rows``."""
        asked = [rule for row in rows if (rule := self._rules[row]) is not None]
        if not asked:
            return None
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


def _address(words: NDArray[np.uint64] | None, known: dict[int, int]) -> int:
    """Where the batch keeps ``words``, -1 for None; the batch outlives every call of the kernel."""
    if words is None:
        return -1
    found = known.get(id(words))
    if found is None:
        assert words.flags.c_contiguous
        found = known[id(words)] = words.ctypes.data
    return found


def _time_major(arrays: Sequence[Floats]) -> Floats:
    if not arrays:
        return np.zeros((1, 1, 1))
    return np.ascontiguousarray(np.stack(arrays).transpose(0, 2, 1))


class _Ranks:
    """Distinct rankings of a chunk."""

    def __init__(self) -> None:
        self._arrays: list[NDArray[np.int16]] = []
        self._index: dict[Any, int] = {}

    def index(self, key: Any, batch: SignalBatch) -> int:
        if key is None:
            return -1
        if key not in self._index:
            self._index[key] = len(self._arrays)
            self._arrays.append(batch.ranks[key])
        return self._index[key]

    def array(self, n_symbols: int) -> NDArray[np.int16]:
        return np.stack(self._arrays) if self._arrays else np.zeros((1, 1, n_symbols), np.int16)
