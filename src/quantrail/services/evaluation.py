"""Evaluate specs: run an engine, work out metrics, score and failures. Pure; runs in worker processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.failures import (
    ClosedTrades,
    FailureCase,
    FailureRule,
    FoundFailure,
    Stage,
    explain_failures,
)
from quantrail.analysis.metrics import first_validation_bar
from quantrail.analysis.score import Score, derived_inputs, score_batch
from quantrail.analysis.score_policy import ScorePolicy
from quantrail.domain.contract import CalcContract
from quantrail.domain.ids import ResultHash, StrategyId
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import ExitReason, ResultOutline
from quantrail.strategy import NormalSpec, complexity

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all evaluations of a batch share. Bars hold warm-up before ``period`` and nothing after it.

    ``hold_sharpe``: annual, of holding the whole universe over the period. ``train``: the part of the
    period that the search saw, where there is another part.
    """

    bars: Bars
    period: Period
    contract: CalcContract
    policy: ScorePolicy
    rules: tuple[FailureRule, ...]
    n_trials: int
    hold_returns: Floats
    hold_sharpe: float | None
    train: Period | None = None

    @property
    def sessions(self) -> NDArray[np.datetime64]:
        return self.bars.sessions[self.bars.span(self.period)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one evaluation found. With an ``error_code`` there is nothing else."""

    strategy_id: StrategyId
    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]
    score: Score | None = None
    failures: tuple[FoundFailure, ...] = ()
    equity: Floats | None = None
    result_hash: ResultHash | None = None
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Extras:
    """What the shortlist's failure rules know beyond the result itself."""

    train_sharpe: float | None = None
    neighbour_sharpes: Floats | None = None
    ab_difference: float | None = None
    ab_reason: str | None = None


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class Found:
    """A strategy with its result, as an engine hands it over to be judged.

    ``spec`` None: signals brought from elsewhere, whose logic nobody here knows.
    """

    strategy_id: StrategyId
    spec: NormalSpec | None
    result: ResultOutline
    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]
    extras: Extras = NO_EXTRAS


def judge(setting: Setting, stage: Stage, found: Sequence[Found]) -> list[Outcome]:
    """Scores and failures of results over one period, in order; a result's do not depend on the others."""
    if not found:
        return []
    values = [dict(f.metrics) | _counts(f.result, f.spec) for f in found]
    scores = score_batch(setting.policy, _inputs(setting, values))
    calendar = _calendar(setting, found[0].result.sessions)
    cases = [
        _failure_case(setting, stage, one, known, calendar) for one, known in zip(found, values, strict=True)
    ]
    return [
        _outcome(setting, one, case, score) for one, case, score in zip(found, cases, scores, strict=True)
    ]


def _outcome(setting: Setting, found: Found, case: FailureCase, score: Score) -> Outcome:
    return Outcome(
        strategy_id=found.strategy_id,
        metrics=case.metrics,
        undefined=found.undefined,
        score=score,
        failures=tuple(explain_failures(case, setting.rules)),
        equity=found.result.equity,
        result_hash=found.result.result_hash,
    )


@dataclass(frozen=True, slots=True)
class _Calendar:
    """What a batch shares: the ``years`` (n,) of its bars, and its first bar of validation, if it has any."""

    years: NDArray[np.int64]
    validation_bar: int | None


def _calendar(setting: Setting, sessions: NDArray[np.datetime64]) -> _Calendar:
    split = first_validation_bar(sessions, setting.contract)
    inside = split is not None and 0 < split < len(sessions)
    years = sessions.astype("datetime64[Y]").astype(np.int64) + 1970
    return _Calendar(years, split if inside else None)


def _failure_case(
    setting: Setting, stage: Stage, found: Found, metrics: Mapping[str, float | None], calendar: _Calendar
) -> FailureCase:
    """A result as the failure rules want to see it."""
    result, extras = found.result, found.extras
    return FailureCase(
        stage=stage,
        metrics=metrics,
        returns=result.returns(),
        years=calendar.years,
        trades=ClosedTrades.of(result),
        open_trades=int((result.exit_reason == ExitReason.OPEN).sum()),
        symbols=result.symbols,
        entry_signals=result.entry_signals,
        blocked_share=float(metrics["blocked_share"] or 0.0),
        has_stop=_has_stop(found.spec),
        initial_capital=setting.contract.initial_capital,
        annual=setting.contract.annualization_factor,
        n_trials=setting.n_trials,
        benchmark_sharpe=setting.hold_sharpe,
        validation_bar=calendar.validation_bar,
        train_sharpe=extras.train_sharpe,
        neighbour_sharpes=extras.neighbour_sharpes,
        ab_difference=extras.ab_difference,
        ab_reason=extras.ab_reason,
    )


def failed(strategy_id: StrategyId, code: str, message: str) -> Outcome:
    """An evaluation that could not be done; a bad strategy is data."""
    return Outcome(strategy_id, {}, {}, error_code=code, error_message=message)


def _has_stop(spec: NormalSpec | None) -> bool:
    if spec is None:
        return False
    risk = spec["risk"]["trade_risk"]
    return risk["hard_stop"] is not None or risk["trailing_stop"] is not None


def _counts(result: ResultOutline, spec: NormalSpec | None) -> dict[str, float | None]:
    n_bars = len(result.sessions)
    members = spec["universe"].get("symbols") if spec is not None else None
    n_members = len(members or result.symbols)
    return {
        "bars": float(n_bars),
        "blocked_share": result.blocked_bars / (n_bars * n_members),
        "comparisons": float(complexity(spec).cmp_count) if spec is not None else 0.0,
    }


def _inputs(setting: Setting, rows: Sequence[Mapping[str, float | None]]) -> dict[str, Floats]:
    # None becomes NaN.
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
    n_bars = int(columns["bars"][0])
    capital, annual = setting.contract.initial_capital, setting.contract.annualization_factor
    return columns | dict(derived_inputs(columns, n_bars, capital, annual))


def hold_returns(bars: Bars, symbols: Sequence[str], period: Period) -> Floats:
    """Returns of buying ``symbols`` in equal parts at the first close and holding, without costs.

    Shape (n,); the first is 0. A missing bar keeps the last close; a symbol without any bar before
    the period's start is left out until its first close, its share waiting as cash.
    """
    rows = [bars.index_of(symbol) for symbol in symbols]
    closes = bars.close[rows][:, bars.span(period)]
    seen = np.maximum.accumulate(np.where(np.isnan(closes), -1, np.arange(closes.shape[1])), axis=1)
    filled = np.take_along_axis(closes, np.maximum(seen, 0), axis=1)
    first = filled[np.arange(len(filled)), np.argmax(seen >= 0, axis=1)]
    growth = np.where(seen >= 0, filled / first[:, None], 1.0)
    value = growth.mean(axis=0)
    return np.concatenate(([0.0], value[1:] / value[:-1] - 1.0))


def annual_sharpe(returns: Floats, contract: CalcContract) -> float | None:
    """Annual Sharpe ratio of a return series against the contract's risk-free rate."""
    rate = (1 + contract.risk_free_rate_annual) ** (1 / contract.annualization_factor) - 1
    spread = returns.std(ddof=1)
    if not spread > 0:
        return None
    return float((returns - rate).mean() / spread * np.sqrt(contract.annualization_factor))


__all__ = [
    "Extras",
    "Found",
    "Outcome",
    "Setting",
    "annual_sharpe",
    "failed",
    "hold_returns",
    "judge",
]
