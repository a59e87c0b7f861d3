"""The leaderboard as people should read it: every Sharpe ratio beside what luck alone would show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import isfinite, sqrt

from quantrail.analysis.statistics import deflated_sharpe, luck_bar, sharpe_interval
from quantrail.domain.answers import (
    IdKind,
    LeaderboardFilter,
    LeaderboardOrder,
    LeaderboardRow,
    TrialCount,
)
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId, RunId, StrategyId, UniverseVersion
from quantrail.domain.ports import KnowledgeStore
from quantrail.errors import InvalidInput
from quantrail.services.near import twins_among

BELIEVABLE = 0.95
EXPOSED = 1e-9  # of equity, on average: whoever holds anything at all holds more
OOS_KEPT = 0.5


class Verdict(StrEnum):
    """What to make of a row, worst reason first."""

    FAILS = "fails gates"
    SCREENED = "screened"
    DECAYS = "decays"
    LUCK = "maybe luck"
    BELIEVABLE = "beats luck"


@dataclass(frozen=True, slots=True)
class Standing:
    """One strategy on the leaderboard. Sharpe figures are annual; ``deflated_sharpe`` is 0..1.

    ``n_trials`` counts every distinct strategy ever tried on this market over overlapping periods.
    ``twin_of``: the better-ranked strategy here that holds nearly the same bars; a twin is a trial of its
    own, and no discovery of its own.
    """

    rank: int
    strategy_id: StrategyId
    backtest_id: BacktestId
    name: str
    template_id: str | None
    engine_mode: EngineMode
    sharpe_net: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    return_total_net: float | None
    cagr_net: float | None
    max_drawdown_net: float | None
    closed_trades: float | None
    oos_is_performance_ratio: float | None
    score_total: float
    n_trials: int
    luck_bar: float | None
    deflated_sharpe: float | None
    verdict: Verdict
    fail_reasons: tuple[str, ...]
    period_start: date
    period_end: date
    twin_of: StrategyId | None = None


def filter_of(
    store: KnowledgeStore,
    *,
    engine: str | None = None,
    run: str | None = None,
    template: str | None = None,
    passed: bool | None = None,
) -> LeaderboardFilter:
    """The filter for what people type: a or b, a run's id or prefix, a template's id in either case.

    InvalidInput for another engine, NotFound for a run or template that is not there.
    """
    if engine is not None and engine.upper() not in list(EngineMode):
        raise InvalidInput(f"engine {engine!r} is neither a nor b")
    return LeaderboardFilter(
        engine_mode=EngineMode(engine.upper()) if engine else None,
        run_id=RunId(store.resolve(run, IdKind.RUN)[1]) if run else None,
        template_id=template.upper() if template else None,
        passed=passed,
    )


def order_of(name: str) -> LeaderboardOrder:
    """An order by its name; InvalidInput names the others."""
    orders = {one.name.lower(): one for one in LeaderboardOrder}
    if name.lower() not in orders:
        raise InvalidInput(f"order {name!r} is not one of {', '.join(orders)}")
    return orders[name.lower()]


def leaderboard(
    store: KnowledgeStore,
    where: LeaderboardFilter | None = None,
    order: LeaderboardOrder = LeaderboardOrder.SCORE,
    limit: int = 20,
    annual: float = 252.0,
    as_of: RunId | None = None,
) -> list[Standing]:
    """The best ``limit`` rows, with luck worked out from the trials counted right now.

    ``as_of``: from those of that run and of runs begun before it, so that what is said of a finished run
    stays as it is. Ordered by drawdown, strategies that never held anything are left out: they would all be
    first.
    """
    if order is LeaderboardOrder.DRAWDOWN:
        where = _that_held(where or LeaderboardFilter())
    rows = store.leaderboard(where, order, limit).rows
    counts: dict[tuple[str, object, object], TrialCount] = {}
    for row in rows:
        key = (row.universe_version, row.period_start, row.period_end)
        if key not in counts:
            universe = UniverseVersion(row.universe_version)
            counts[key] = store.trial_count(universe, row.period_start, row.period_end, up_to_run=as_of)
    twins = twins_among(store, [row.strategy_id for row in rows])
    return [
        replace(
            _standing(rank, row, counts[row.universe_version, row.period_start, row.period_end], annual),
            twin_of=twins.get(row.strategy_id),
        )
        for rank, row in enumerate(rows, 1)
    ]


def _that_held(where: LeaderboardFilter) -> LeaderboardFilter:
    return replace(where, metrics={"avg_exposure": (EXPOSED, None), **where.metrics})


def _standing(rank: int, row: LeaderboardRow, count: TrialCount, annual: float) -> Standing:
    metrics, n_trials = row.metrics, max(1, count.market_overlap)
    sharpe, bars = metrics.get("sharpe_net"), metrics.get("bars")
    skewness, kurtosis = metrics.get("skewness"), metrics.get("kurtosis")
    low = high = bar = deflated = None
    if bars is not None:
        bar = luck_bar(n_trials, bars) * sqrt(annual)
    if sharpe is not None and bars is not None and skewness is not None and kurtosis is not None:
        per_bar = sharpe / sqrt(annual)
        low, high = (_or_none(x * sqrt(annual)) for x in sharpe_interval(per_bar, bars, skewness, kurtosis))
        deflated = _or_none(deflated_sharpe(per_bar, bars, skewness, kurtosis, n_trials))
    return Standing(
        rank=rank,
        strategy_id=row.strategy_id,
        backtest_id=row.backtest_id,
        name=row.name or row.template_id or row.strategy_id[:12],
        template_id=row.template_id,
        engine_mode=row.engine_mode,
        sharpe_net=sharpe,
        sharpe_low=low,
        sharpe_high=high,
        return_total_net=metrics.get("return_total_net"),
        cagr_net=metrics.get("cagr_net"),
        max_drawdown_net=metrics.get("max_drawdown_net"),
        closed_trades=metrics.get("closed_trades"),
        oos_is_performance_ratio=metrics.get("oos_is_performance_ratio"),
        score_total=row.score_total,
        n_trials=n_trials,
        luck_bar=bar,
        deflated_sharpe=deflated,
        verdict=_verdict(row, deflated),
        fail_reasons=row.fail_reasons,
        period_start=row.period_start,
        period_end=row.period_end,
    )


def _verdict(row: LeaderboardRow, deflated: float | None) -> Verdict:
    kept = row.metrics.get("oos_is_performance_ratio")
    if not row.passed:
        return Verdict.FAILS
    if row.engine_mode is EngineMode.A:
        return Verdict.SCREENED
    # Without a validation period nothing can decay. With one, no ratio means no profit before it.
    if row.metrics.get("oos_sharpe_net") is not None and (kept is None or kept < OOS_KEPT):
        return Verdict.DECAYS
    if deflated is None or deflated < BELIEVABLE:
        return Verdict.LUCK
    return Verdict.BELIEVABLE


def _or_none(value: float) -> float | None:
    return value if isfinite(value) else None
