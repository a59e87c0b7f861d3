"""What a simulation produces: equity, exposures, costs and round trips, as columns."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.ids import ResultHash

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NAN = bytes.fromhex("000000000000f87f")


class ExitReason(IntEnum):
    """Why a round trip ended. OPEN: still held on the last bar, marked at its close."""

    OPEN = 0
    SIGNAL = 1
    TIME_STOP = 2
    HARD_STOP = 3
    TRAILING_STOP = 4
    TAKE_PROFIT = 5
    SELECTION = 6
    PORTFOLIO_RISK = 7
    REBALANCE = 8
    MARGIN_CALL = 9
    EXECUTION_FAILURES = 10


@dataclass(frozen=True, slots=True)
class TradeTable:
    """Round trips (flat to flat), one row each, ordered by the bar they ended on.

    Columns, shape (K,) each
        ``symbol`` index into the bars' symbols; ``side`` +1 long, -1 short; ``entry_bar`` and
        ``exit_bar`` counted from the first bar of the period (an open trade ends on the last);
        ``entry_price`` and ``exit_price`` averages over the fills, weighted by quantity;
        ``quantity`` units opened, positive; ``entry_value`` price times quantity, positive;
        ``costs`` currency, >= 0; ``pnl_net`` currency after costs; ``return_net`` fraction of
        ``entry_value``; ``exit_reason`` see :class:`ExitReason`; ``mfe`` and ``mae`` best and
        worst excursion as a fraction of the entry price (mfe >= 0, mae <= 0) over the bars held
        to their close and the fills; ``bars_held`` fill to fill.
    """

    symbol: IntArray
    side: IntArray
    entry_bar: IntArray
    exit_bar: IntArray
    entry_price: FloatArray
    exit_price: FloatArray
    quantity: FloatArray
    entry_value: FloatArray
    costs: FloatArray
    pnl_net: FloatArray
    return_net: FloatArray
    exit_reason: IntArray
    mfe: FloatArray
    mae: FloatArray
    bars_held: IntArray

    def __len__(self) -> int:
        return len(self.symbol)

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """True where the position was still held on the last bar."""
        return np.asarray(self.exit_reason == ExitReason.OPEN)

    def columns(self) -> dict[str, IntArray | FloatArray]:
        """Every column by name, in declaration order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """One strategy over one period.

    Shapes
        Series have shape (n,): one value per session of the period, at its close.
    Units
        ``equity``, ``cash``, ``traded_value`` and costs in currency; ``gross_exposure`` and
        ``net_exposure`` as fractions of equity (0 when equity is not positive). Costs >= 0.
    Timing
        ``equity[0]`` is the initial capital: the first decision is made at the first close.
    Missing values
        None of the series holds NaN. ``blocked_bars`` counts symbol-bars on which an entry
        decision touched missing data (DATA_MISSING).
    """

    symbols: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    initial_capital: float
    equity: FloatArray
    cash: FloatArray
    gross_exposure: FloatArray
    net_exposure: FloatArray
    traded_value: FloatArray
    fees: FloatArray
    spread: FloatArray
    slippage: FloatArray
    borrow: FloatArray
    dividends: FloatArray
    trades: TradeTable
    blocked_bars: int
    entry_signals: int
    result_hash: ResultHash

    def returns(self) -> FloatArray:
        """Simple net return of each bar, shape (n,); the first is 0. After ruin: 0."""
        return net_returns(self.equity, self.initial_capital)

    def outline(self) -> ResultOutline:
        """What judging reads of this result."""
        return ResultOutline(
            symbols=self.symbols,
            sessions=self.sessions,
            initial_capital=self.initial_capital,
            equity=self.equity,
            trade_symbol=self.trades.symbol,
            trade_pnl=self.trades.pnl_net,
            trade_return=self.trades.return_net,
            exit_reason=self.trades.exit_reason,
            blocked_bars=self.blocked_bars,
            entry_signals=self.entry_signals,
            result_hash=self.result_hash,
        )


@dataclass(frozen=True, slots=True)
class ResultOutline:
    """The part of a :class:`SimulationResult` that scores and failure rules read, same names and units.

    ``trade_symbol``, ``trade_pnl`` (net), ``trade_return`` and ``exit_reason`` are columns of its trades.
    """

    symbols: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    initial_capital: float
    equity: FloatArray
    trade_symbol: IntArray
    trade_pnl: FloatArray
    trade_return: FloatArray
    exit_reason: IntArray
    blocked_bars: int
    entry_signals: int
    result_hash: ResultHash

    def returns(self) -> FloatArray:
        """Simple net return of each bar, shape (n,); the first is 0. After ruin: 0."""
        return net_returns(self.equity, self.initial_capital)


def net_returns(equity: FloatArray, initial_capital: float) -> FloatArray:
    """Simple return of each bar of an equity curve (n,); a ruined account returns 0 from then on."""
    before = np.concatenate(([initial_capital], equity[:-1]))
    ratio = np.divide(equity, before, out=np.ones_like(before), where=before > 0.0)
    return np.asarray(np.maximum(ratio, 0.0) - 1.0)


def hash_result(
    equity: FloatArray, trades: Mapping[str, IntArray | FloatArray], metrics: Mapping[str, float | None]
) -> ResultHash:
    """SHA-256 over the exact bits of the equity curve, the trade columns and the metrics, in name order.

    An undefined metric (None or NaN) hashes as one fixed NaN.
    """
    parts = [np.ascontiguousarray(equity, dtype="<f8").tobytes()]
    for name in sorted(trades):
        column = trades[name]
        kind = "<i8" if column.dtype.kind in "iu" else "<f8"
        parts += (name.encode(), b"\0", np.ascontiguousarray(column, dtype=kind).tobytes())
    for name in sorted(metrics):
        value = metrics[name]
        bits = _NAN if value is None or value != value else struct.pack("<d", value)
        parts += (name.encode(), b"\0", bits)
    return ResultHash(hashlib.sha256(b"".join(parts)).hexdigest())
