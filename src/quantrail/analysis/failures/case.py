"""What a failure rule may look at: one backtest, its series and trades, and what was known before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.failures.rules import Stage
from quantrail.domain.results import ExitReason, ResultOutline

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClosedTrades:
    """Closed round trips, one row each, in order of exit.

    ``symbol`` is an index into the case's symbols; ``pnl_net`` in currency, ``return_net`` as a
    fraction of the entry value; ``by_stop`` marks exits by a hard or trailing stop.
    """

    symbol: NDArray[np.int64]
    pnl_net: Floats
    return_net: Floats
    by_stop: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pnl_net)

    @classmethod
    def of(cls, result: ResultOutline) -> ClosedTrades:
        reason = result.exit_reason
        closed = reason != ExitReason.OPEN
        stopped = (reason == ExitReason.HARD_STOP) | (reason == ExitReason.TRAILING_STOP)
        return cls(
            result.trade_symbol[closed],
            result.trade_pnl[closed],
            result.trade_return[closed],
            stopped[closed],
        )


@dataclass(frozen=True, slots=True)
class FailureCase:
    """One backtest as the rules see it.

    ``metrics`` hold None where undefined; ``returns`` are net, per bar, shape (n,); ``years`` the
    calendar year of each bar; ``validation_bar`` the first bar of validation (None: train only);
    ``benchmark_sharpe`` annual, same bars; ``n_trials`` as frozen at the start of the run.
    ``neighbour_sharpes``: annual Sharpe ratios on train of the spec with one parameter moved one
    step; ``train_sharpe`` its own on the same bars. ``ab_difference``: largest relative difference
    between the equity curves of the two engines, None where only one ran.
    """

    stage: Stage
    metrics: Mapping[str, float | None]
    returns: Floats
    years: NDArray[np.int64]
    trades: ClosedTrades
    open_trades: int
    symbols: tuple[str, ...]
    entry_signals: int
    blocked_share: float
    has_stop: bool
    initial_capital: float
    annual: float
    n_trials: int
    benchmark_sharpe: float | None = None
    validation_bar: int | None = None
    train_sharpe: float | None = None
    neighbour_sharpes: Floats | None = None
    ab_difference: float | None = None
    ab_reason: str | None = None

    @property
    def n_bars(self) -> int:
        return len(self.returns)

    @property
    def years_long(self) -> float:
        """Length of the period in years of ``annual`` bars."""
        return self.n_bars / self.annual

    def metric(self, name: str) -> float | None:
        return self.metrics.get(name)


@dataclass(frozen=True, slots=True)
class Violation:
    """A measure beyond its threshold.

    ``confidence``: probability (0..1) that the rule is truly violated, given how noisy ``value``
    is. ``evidence``: the figures behind it, JSON-ready.
    """

    value: float
    confidence: float
    evidence: dict[str, Any] = field(default_factory=dict)
