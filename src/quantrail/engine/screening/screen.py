"""Engine A: simulate a prepared batch, with metrics for every strategy at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import (
    Activity,
    MetricTable,
    RoundTrips,
    batch_metrics,
    first_validation_bar,
)
from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Period
from quantrail.domain.results import ExitReason
from quantrail.engine.benchmark import benchmark_returns
from quantrail.engine.screening.screen_batch import BatchTrades, ScreenBatch
from quantrail.engine.screening.screen_run import Answer, ScreenRun
from quantrail.engine.signals.batch import SignalBatch
from quantrail.errors import QuantrailError, SpecInvalid


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
    good = [k for k, error in enumerate(errors) if error is None]
    bad = [k for k, error in enumerate(errors) if error is not None]
    run = ScreenRun(batch, span, contract, [rows[k] for k in good])
    answer = Answer(len(rows), span.stop - span.start)
    answer.blank(bad)
    trades = _join_trades(answer, run.fill(answer, good, [rows[k] for k in good]))
    benchmark = benchmark_returns(batch.bars, span, contract)
    table = _metrics(answer.equity, answer.totals, trades, contract, batch, span, benchmark, with_tails)
    _blank(table, bad)
    return ScreenBatch(batch, span, contract, rows, errors, answer.equity, table, trades, run)


def _period_error(batch: SignalBatch, i: int, span: slice) -> QuantrailError | None:
    signals = batch.signals[i]
    if signals is None or batch.specs[i]["nan_policy"] != "ERROR":
        return None
    blocked = signals.blocked[:, span].any(axis=0)
    if not blocked.any():
        return None
    day = batch.bars.sessions[span][int(np.argmax(blocked))]
    return SpecInvalid(f"a condition touches missing data on {day} and nan_policy is ERROR", session=str(day))


def _join_trades(answer: Answer, order: Sequence[int]) -> BatchTrades:
    """Trades by row; ``order`` are the rows in the order in which their trades were written."""
    offsets = np.concatenate(([0], np.cumsum(answer.counts)))
    rows = np.array(order, np.int64)
    there = None
    if (np.diff(rows) < 0).any():
        # Chunks of two kinds: each row's trades go back to where its offsets say.
        counts = answer.counts[rows]
        starts = np.repeat(offsets[rows] - (np.cumsum(counts) - counts), counts)
        there = np.empty(len(starts), np.int64)
        there[starts + np.arange(len(starts))] = np.arange(len(starts))
    return BatchTrades(offsets, *answer.trades.join(there))


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
    table.table[:, list(rows)] = np.nan
