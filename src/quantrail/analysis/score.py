"""Scores: 0..1 with a breakdown that sums to the total, gates and every reason for failing.

Nothing here depends on the number of trials: luck is judged when a score is read
(:mod:`quantrail.analysis.statistics`), so that a stored score never goes stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.score_policy import Gate, ScorePolicy, Term
from quantrail.analysis.statistics import probabilistic_sharpe

Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Score:
    """One backtest under one policy. ``breakdown`` sums to ``total``; it is rounded nowhere."""

    total: float
    breakdown: dict[str, float]
    passed: bool
    fail_reasons: tuple[str, ...]
    policy_version: str


def derived_inputs(metrics: Columns, n_bars: int, initial_capital: float, annual: float) -> Columns:
    """Score inputs that are not metrics themselves, each shape (N,), NaN where undefined.

    ``psr_zero``: probability that the true Sharpe ratio is positive.
    ``longest_drawdown_share``: longest time under water as a share of the period.
    ``cost_drag_annual``: all costs as a fraction of initial capital, per year.
    """
    sharpe_bar = metrics["sharpe_net"] / np.sqrt(annual)
    psr = probabilistic_sharpe(sharpe_bar, n_bars, metrics["skewness"], metrics["kurtosis"])
    return {
        "psr_zero": psr,
        "longest_drawdown_share": metrics["drawdown_duration_max_bars"] / n_bars,
        "cost_drag_annual": metrics["costs_total"] / initial_capital * annual / n_bars,
    }


def score_batch(policy: ScorePolicy, inputs: Columns) -> list[Score]:
    """Scores of N backtests at once; ``inputs`` holds one (N,) array per policy input.

    An undefined input (NaN) earns nothing from its term, the full penalty, and fails its gates
    with a reason that says so.
    """
    parts = {t.name: t.weight * _position(t, inputs[t.input]) for t in policy.terms}
    for penalty in policy.penalties:
        parts[penalty.name] = penalty.weight * (_position(penalty, inputs[penalty.input]) - 1.0)
    # Added up in order, so that a row scores the same in a batch of any size.
    raw = sum(parts.values(), np.zeros(1))
    # Penalties can outweigh everything earned; the floor is an entry of its own so that the sum holds.
    parts["floor"] = np.maximum(0.0, -raw)
    failing = {g: _fails(g, inputs[g.input]) for g in policy.gates}
    return [_row(policy, parts, failing, inputs, i) for i in range(len(raw))]


def _position(term: Term, values: NDArray[np.float64]) -> NDArray[np.float64]:
    share = (values - term.worst) / (term.best - term.worst)
    return np.where(np.isnan(share), 0.0, np.clip(share, 0.0, 1.0))


def _fails(gate: Gate, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    low = -np.inf if gate.minimum is None else gate.minimum
    high = np.inf if gate.maximum is None else gate.maximum
    # NaN compares false, hence fails.
    return ~((values >= low) & (values <= high))


def _row(
    policy: ScorePolicy,
    parts: Columns,
    failing: Mapping[Gate, NDArray[np.bool_]],
    inputs: Columns,
    i: int,
) -> Score:
    breakdown = {name: float(values[i]) for name, values in parts.items()}
    reasons = tuple(
        _reason(gate, float(inputs[gate.input][i])) for gate, fails in failing.items() if fails[i]
    )
    return Score(sum(breakdown.values()), breakdown, not reasons, reasons, policy.version)


def _reason(gate: Gate, value: float) -> str:
    if np.isnan(value):
        return f"{gate.name}: {gate.input} is undefined"
    low = gate.minimum is not None and value < gate.minimum
    side, bound = ("below", gate.minimum) if low else ("above", gate.maximum)
    return f"{gate.name}: {gate.input} {value:.4g} is {side} {bound:g}"
