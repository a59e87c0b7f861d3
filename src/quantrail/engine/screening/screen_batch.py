"""Results of engine A for a batch: columns for all, a full record for one on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import MVP_NAMES, MetricTable, load_kernels
from quantrail.domain.contract import CalcContract
from quantrail.domain.ids import ResultHash
from quantrail.domain.results import ExitReason, ResultOutline, SimulationResult, TradeTable, hash_result
from quantrail.engine.signals.batch import SignalBatch, Signals
from quantrail.errors import QuantrailError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_WHOLE = ("symbol", "side", "entry_bar", "exit_bar", "exit_reason")
_REAL = ("entry_price", "exit_price", "quantity", "entry_value", "costs", "pnl_net", "return_net")


class BatchTrades:
    """Round trips of a batch as columns; those of row i are ``offsets[i]:offsets[i + 1]``.

    Columns as in :class:`~quantrail.domain.results.TradeTable`, without the excursions.
    """

    def __init__(self, offsets: Ints, whole: Sequence[Ints], real: Sequence[Floats]) -> None:
        self.offsets = offsets
        self.symbol, self.side, self.entry_bar, self.exit_bar, self.exit_reason = whole
        self.entry_price, self.exit_price, self.quantity, self.entry_value = real[:4]
        self.costs, self.pnl_net, self.return_net = real[4:]
        self.bars_held = self.exit_bar - self.entry_bar

    def __len__(self) -> int:
        return len(self.symbol)

    def of(self, i: int) -> dict[str, Ints | Floats]:
        """Columns of row i."""
        part = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return {name: getattr(self, name)[part] for name in (*_WHOLE, *_REAL, "bars_held")}


@dataclass(frozen=True, slots=True)
class ScreenBatch:
    """What :func:`~quantrail.engine.screen` found. Row k is strategy ``rows[k]`` of the prepared batch.

    ``equity`` (N, n) at each close; ``errors[k]`` None or why the row has no figures.
    """

    batch: SignalBatch
    span: slice
    contract: CalcContract
    rows: Sequence[int]
    errors: list[QuantrailError | None]
    equity: Floats
    table: MetricTable
    trades: BatchTrades
    run: Any

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def metrics(self) -> dict[str, Floats]:
        """Metric name -> (N,), NaN where undefined; :meth:`undefined` says why."""
        return self.table.values

    def undefined(self, k: int) -> dict[str, str]:
        """Metric name -> why row k has no value for it."""
        return self.table.undefined(k)

    def metric_row(self, k: int) -> dict[str, float | None]:
        """Every metric of row k, None where undefined."""
        return self.table.row(k)

    def result_hash(self, k: int) -> ResultHash:
        """SHA-256 over the exact bits of equity, trades and metrics of row k.

        The four quantile metrics stay out, so that a screen with and without tails is the same result.
        """
        self._must_have_run(k)
        row = self.table.row(k)
        return hash_result(self.equity[k], self.trades.of(k), {name: row[name] for name in MVP_NAMES})

    def result(self, k: int) -> SimulationResult:
        """The full record of row k, simulated again with its series; raises the row's error if it has one."""
        self._must_have_run(k)
        series, answer = self.run.detail(self.rows[k])
        signals = self.batch.signals[self.rows[k]]
        assert signals is not None
        trades = _trade_table(answer, self.batch.market, self.span.start)
        sums = np.diff(series[3:], axis=1, prepend=0.0)
        blocked_bars, entry_signals = self._counts(signals)
        return SimulationResult(
            symbols=self.batch.bars.symbols,
            sessions=self.batch.bars.sessions[self.span],
            initial_capital=self.contract.initial_capital,
            equity=answer.equity[0],
            cash=series[0],
            gross_exposure=series[1],
            net_exposure=series[2],
            traded_value=sums[0],
            fees=sums[1],
            spread=sums[2],
            slippage=sums[3],
            borrow=sums[4],
            dividends=np.zeros_like(answer.equity[0]),
            trades=trades,
            blocked_bars=blocked_bars,
            entry_signals=entry_signals,
            result_hash=self.result_hash(k),
        )

    def outline(self, k: int) -> ResultOutline:
        """What judging reads of row k, from the batch as it stands; raises the row's error if it has one."""
        self._must_have_run(k)
        signals = self.batch.signals[self.rows[k]]
        assert signals is not None
        part = slice(int(self.trades.offsets[k]), int(self.trades.offsets[k + 1]))
        blocked_bars, entry_signals = self._counts(signals)
        return ResultOutline(
            symbols=self.batch.bars.symbols,
            sessions=self.batch.bars.sessions[self.span],
            initial_capital=self.contract.initial_capital,
            equity=self.equity[k],
            trade_symbol=self.trades.symbol[part],
            trade_pnl=self.trades.pnl_net[part],
            trade_return=self.trades.return_net[part],
            exit_reason=self.trades.exit_reason[part],
            blocked_bars=blocked_bars,
            entry_signals=entry_signals,
            result_hash=self.result_hash(k),
        )

    def _counts(self, signals: Signals) -> tuple[int, int]:
        entries = [side for side in (signals.entry_long, signals.entry_short) if side is not None]
        blocked = int(np.bitwise_count(signals.blocked[:, self.span]).sum())
        return blocked, sum(int(np.bitwise_count(side[:, self.span]).sum()) for side in entries)

    def _must_have_run(self, k: int) -> None:
        error = self.errors[k]
        if error is not None:
            raise error


def _trade_table(answer: Any, market: Any, first: int) -> TradeTable:
    trades = BatchTrades(np.array([0, answer.counts[0]]), *answer.trades.join(None))
    columns: dict[str, Any] = trades.of(0)
    mfe, mae = load_kernels("quantrail.engine.kernels.excursions").excursions(
        market.highs, market.lows, first, trades.symbol, trades.side, trades.entry_bar, trades.exit_bar,
        trades.exit_reason == ExitReason.OPEN, trades.entry_price, trades.exit_price,
    )  # fmt: skip
    return TradeTable(**columns, mfe=mfe, mae=mae)
