"""Engine A: simulate a prepared batch, with metrics for every strategy at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import (
    Activity,
    MetricTable,
    RoundTrips,
    batch_metrics,
    first_validation_bar,
    load_kernels,
)
from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Period
from quantrail.domain.results import ExitReason
from quantrail.engine.batch import SignalBatch
from quantrail.engine.benchmark import benchmark_returns
from quantrail.engine.conditions import word_count
from quantrail.engine.liquidity import mean_volume_before
from quantrail.engine.order_rules import ADV_BARS, ORDERS, OrderRules, order_rules
from quantrail.engine.plan import MAX_TARGETS, PLAN, atr_periods, cost_fractions, needs_volatility, plan_row
from quantrail.engine.screen_batch import BatchTrades, ScreenBatch
from quantrail.errors import QuantrailError, SpecInvalid

CHUNK = 128
_TOTALS = 8


def screen(
    batch: SignalBatch,
    period: Period,
    contract: CalcContract,
    only: Sequence[int] | None = None,
    *,
    with_tails: bool = True,
) -> ScreenBatch:
    """Simulate strategies of ``batch`` over ``period`` under the light contract.

    ``only`` picks strategies by index; row k of the answer is then strategy ``only[k]``. Rows of a
    strategy in error hold NaN everywhere. Decisions use closes up to T and fill from the open of
    T + 1; the first decision is made at the first close of the period. ``with_tails=False`` leaves
    out the four quantile metrics. DataInvalid when the period holds no bars.
    """
    span = batch.bars.span(period)
    rows = list(range(len(batch))) if only is None else [int(i) for i in only]
    errors = [batch.errors[i] or _period_error(batch, i, span) for i in rows]
    run = _Run(batch, span, contract)
    good = [k for k, error in enumerate(errors) if error is None]
    equity = np.full((len(rows), span.stop - span.start), np.nan)
    totals = np.full((len(rows), _TOTALS), np.nan)
    offsets = np.zeros(len(rows) + 1, np.int64)
    pieces = []
    for chunk in _chunks(good, lambda k: run.has_orders(rows[k])):
        part = run.simulate([rows[k] for k in chunk])
        equity[chunk], totals[chunk] = part.equity, part.totals
        offsets[np.array(chunk) + 1] = np.diff(part.offsets)
        pieces.append((chunk, part))
    trades = _join_trades(pieces, np.cumsum(offsets))
    benchmark = benchmark_returns(batch.bars, span, contract)
    table = _metrics(equity, totals, trades, contract, batch, span, benchmark, with_tails)
    _blank(table, [k for k, error in enumerate(errors) if error is not None])
    return ScreenBatch(batch, span, contract, rows, errors, equity, table, trades, run)


def _chunks(rows: Sequence[int], has_orders: Callable[[int], bool]) -> Iterator[list[int]]:
    """Rows in groups of one kind: plain market orders run in a kernel without an order book."""
    asking = {k for k in rows if has_orders(k)}
    for kind in ([k for k in rows if k not in asking], [k for k in rows if k in asking]):
        for first in range(0, len(kind), CHUNK):
            yield kind[first : first + CHUNK]


class Part:
    """Arrays of one chunk."""

    def __init__(self, n_rows: int, n_bars: int) -> None:
        self.equity = np.empty((n_rows, n_bars))
        self.totals = np.empty((n_rows, _TOTALS))
        self.offsets = np.zeros(n_rows + 1, np.int64)
        self.trade_i = np.empty((5, 0), np.int64)
        self.trade_f = np.empty((7, 0))

    def reserve(self, room: int) -> None:
        """Make room for more trades; those written stay."""
        for name in ("trade_i", "trade_f"):
            old = getattr(self, name)
            new = np.empty((len(old), room), old.dtype)
            new[:, : old.shape[1]] = old
            setattr(self, name, new)

    def trim(self) -> None:
        """Let go of the room that was not needed."""
        count = self.offsets[-1]
        self.trade_i, self.trade_f = self.trade_i[:, :count].copy(), self.trade_f[:, :count].copy()


class _Run:
    """Everything one call of :func:`screen` shares between its strategies."""

    def __init__(self, batch: SignalBatch, span: slice, contract: CalcContract) -> None:
        self.batch = batch
        self.span = span
        self.contract = contract
        self.kernels = load_kernels("quantrail.engine.kernels.simulate")

    def has_orders(self, row: int) -> bool:
        """Whether strategy ``row`` asks for more than market orders."""
        return self._rules(row) is not None

    def simulate(self, rows: Sequence[int]) -> Part:
        """Simulate strategies by index, all with orders or none; none of them is in error."""
        return self._run(rows, np.empty((8, 0)))

    def detail(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64], Part]:
        """Run one strategy again with its series (8, n): cash, gross, net, and running sums of costs."""
        series = np.zeros((8, self.span.stop - self.span.start))
        part = self._run([row], series)
        return part.equity[0], series, part

    def _run(self, rows: Sequence[int], series: NDArray[np.float64]) -> Part:
        part = Part(len(rows), self.span.stop - self.span.start)
        n_symbols = len(self.batch.bars.symbols)
        shared, scratch = self._arguments(rows), workspace(n_symbols)
        part.reserve(256 * len(rows) + 2 * n_symbols)
        done = 0
        while True:
            done = self.kernels.simulate_batch(
                *shared, self.span.start, done, part.equity, part.totals, part.trade_i, part.trade_f,
                part.offsets, series, *scratch,
            )  # fmt: skip
            if done == len(rows):
                break
            part.reserve(4 * part.trade_i.shape[1])
        part.trim()
        return part

    def _arguments(self, rows: Sequence[int]) -> list[Any]:
        market = self.batch.market
        specs = [self.batch.specs[i] for i in rows]
        atr_index = {period: k for k, period in enumerate(sorted({p for s in specs for p in atr_periods(s)}))}
        atrs = self._time_major([self.batch.features.atr(period) for period in atr_index])
        sized = any(needs_volatility(spec) for spec in specs)
        volatility = self._time_major([self.batch.features.sizing_volatility()] if sized else [])
        stack = _Stack(self.batch.present)
        ranks = _Ranks()
        plans = []
        for i, spec in zip(rows, specs, strict=True):
            signals = self.batch.signals[i]
            assert signals is not None
            where = (
                ranks.index(signals.rank, self.batch),
                *(stack.index(words) for words in signals.words()),
            )
            plans.append(plan_row(spec, self.contract, signals.n_members, atr_index, where))
        return [
            np.array(plans, PLAN), self._order_book(rows), market.opens, market.highs, market.lows,
            market.marks, volatility[0], atrs, ranks.array(len(self.batch.bars.symbols)), market.calendar,
            stack.array(), market.has_gaps,
        ]  # fmt: skip

    def _rules(self, row: int) -> OrderRules | None:
        spec = self.batch.specs[row]
        _, spread, _ = cost_fractions(spec["cost_model"], self.contract)
        return order_rules(spec, spread)

    def _order_book(self, rows: Sequence[int]) -> Any:
        """None for plain market orders, else the kernels' OrderBook for ``rows``."""
        rules = [self._rules(row) for row in rows]
        asked = [rule for rule in rules if rule is not None]
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

    @staticmethod
    def _time_major(arrays: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        if not arrays:
            return np.zeros((1, 1, 1))
        return np.ascontiguousarray(np.stack(arrays).transpose(0, 2, 1))


def workspace(n_symbols: int) -> list[Any]:
    """Scratch arrays of the simulation; the kernels allocate nothing, which keeps reference counts out."""
    words = word_count(n_symbols)
    return [
        np.zeros((n_symbols, 12)), np.zeros((n_symbols, 9), np.int64), np.zeros((n_symbols, MAX_TARGETS)),
        np.zeros((6, words), np.uint64), np.zeros((3, n_symbols), np.int64), np.zeros(n_symbols),
        np.zeros(6), np.zeros(3, np.int64),
    ]  # fmt: skip


class _Stack:
    """Distinct signal arrays of a chunk; row 0 says which symbols have a bar."""

    def __init__(self, present: NDArray[np.uint64]) -> None:
        self._arrays = [present]
        self._index: dict[int, int] = {}

    def index(self, words: NDArray[np.uint64] | None) -> int:
        if words is None:
            return -1
        found = self._index.get(id(words))
        if found is None:
            found = self._index[id(words)] = len(self._arrays)
            self._arrays.append(words)
        return found

    def array(self) -> NDArray[np.uint64]:
        return np.stack(self._arrays)


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


def _period_error(batch: SignalBatch, i: int, span: slice) -> QuantrailError | None:
    signals = batch.signals[i]
    if signals is None or batch.specs[i]["nan_policy"] != "ERROR":
        return None
    blocked = signals.blocked[:, span].any(axis=0)
    if not blocked.any():
        return None
    day = batch.bars.sessions[span][int(np.argmax(blocked))]
    return SpecInvalid(f"a condition touches missing data on {day} and nan_policy is ERROR", session=str(day))


def _join_trades(pieces: Sequence[tuple[Sequence[int], Part]], offsets: NDArray[np.int64]) -> BatchTrades:
    parts = [part for _, part in pieces]
    whole = np.concatenate([p.trade_i for p in parts], axis=1) if parts else np.empty((5, 0), np.int64)
    real = np.concatenate([p.trade_f for p in parts], axis=1) if parts else np.empty((7, 0))
    rows = np.array([k for chunk, _ in pieces for k in chunk], np.int64)
    if (np.diff(rows) < 0).any():
        # Chunks of two kinds: each row's trades go back to where its offsets say.
        counts = np.diff(offsets)[rows]
        starts = np.repeat(offsets[rows] - (np.cumsum(counts) - counts), counts)
        there = np.empty(whole.shape[1], np.int64)
        there[starts + np.arange(len(starts))] = np.arange(len(starts))
        whole, real = whole[:, there], real[:, there]
    return BatchTrades(offsets, whole, real)


def _metrics(
    equity: NDArray[np.float64],
    totals: NDArray[np.float64],
    trades: BatchTrades,
    contract: CalcContract,
    batch: SignalBatch,
    span: slice,
    benchmark: NDArray[np.float64] | None,
    with_tails: bool,
) -> MetricTable:
    activity = Activity(
        traded_value=totals[:, 1],
        exposure_mean=totals[:, 6],
        exposure_max=totals[:, 7],
        fees=totals[:, 2],
        spread=totals[:, 3],
        slippage=totals[:, 4],
    )
    is_open = trades.exit_reason == ExitReason.OPEN
    trips = RoundTrips(
        trades.offsets, is_open, trades.pnl_net, trades.return_net, trades.bars_held.astype(np.float64)
    )
    first_oos = first_validation_bar(batch.bars.sessions[span], contract)
    return batch_metrics(equity, activity, trips, contract, first_oos, benchmark, with_tails=with_tails)


def _blank(table: MetricTable, rows: Sequence[int]) -> None:
    for column in table.values.values():
        column[list(rows)] = np.nan
