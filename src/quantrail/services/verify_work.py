"""What a worker does for the shortlist: both engines over train and validation, compared and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from quantrail.analysis.metrics import compute_metrics, market_index, market_slices, standard_slices
from quantrail.domain.contract import ModelVersions
from quantrail.domain.ids import StrategyId
from quantrail.domain.results import SimulationResult
from quantrail.engine import (
    CorporateActions,
    EngineComparison,
    SignalMaker,
    compare,
    prepare,
    screen,
    verify,
)
from quantrail.engine import VerifyResult as EngineResult
from quantrail.services.evaluation import Extras, Floats, Found, Outcome, Setting, judge
from quantrail.services.loop.state import MODELS_A
from quantrail.services.screen_work import ScreenJob, ScreenResult, screen_chunk
from quantrail.strategy import NormalSpec, priced

SLICE_METRICS = (
    "return_total_net",
    "volatility_annual_net",
    "sharpe_net",
    "max_drawdown_net",
    "closed_trades",
    "hit_rate_trades",
    "costs_total",
)


@dataclass(frozen=True, slots=True)
class VerifyJob:
    """A shortlisted spec, its annual Sharpe on train, and its neighbours one parameter step away."""

    strategy_id: StrategyId
    spec: NormalSpec
    train_sharpe: float | None
    neighbours: tuple[ScreenJob, ...]
    records: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Curves and trades are columns of equal length, ready for a table."""

    a: Outcome
    b: Outcome
    difference: EngineComparison
    neighbours: tuple[ScreenResult, ...]
    curves: Mapping[str, Any]
    slices: Mapping[str, Any]
    trades: Mapping[str, Any]
    logs: Mapping[str, Mapping[str, Any]]


def verify_one(
    setting: Setting,
    job: VerifyJob,
    models: ModelVersions,
    maker: SignalMaker | None = None,
    actions: CorporateActions | None = None,
    models_a: ModelVersions = MODELS_A,
) -> VerifyResult:
    """Both engines on the same bars; neighbours on train only. ``maker`` shares signals between jobs.

    ``actions``: splits and dividends that engine B applies; engine A knows none. ``models_a``: engine A's,
    whose settings are costs only. Each result is judged by the rules of its engine, as if it came alone.
    """
    maker = maker or SignalMaker(setting.bars)
    maker.features.know(job.records)
    neighbours = screen_chunk(train_only(setting), job.neighbours, maker=maker) if job.neighbours else []
    batch = prepare(setting.bars, [priced(job.spec, models_a)], maker=maker)
    screened = screen(batch, setting.period, setting.contract)
    a = screened.result(0)
    bars = replace(setting.bars, records={**setting.bars.records, **job.records})
    verified = verify(bars, job.spec, setting.period, setting.contract, models, actions)
    b = verified.result
    difference = compare(a, b)
    judged = difference
    if models != models_a and difference.max_equity_difference > _tolerated(setting):
        # Other models part by design; the engines are compared where both trade under engine A's.
        judged = compare(a, verify(bars, job.spec, setting.period, setting.contract, models_a).result)
    extras = Extras(
        train_sharpe=job.train_sharpe,
        neighbour_sharpes=_sharpes(neighbours),
        ab_difference=judged.max_equity_difference,
        ab_reason=judged.reason,
    )
    known = verified.metrics
    (outcome_a,) = judge(
        setting,
        "screen",
        [Found(job.strategy_id, job.spec, a.outline(), screened.metric_row(0), screened.undefined(0))],
    )
    (outcome_b,) = judge(
        setting,
        "verify",
        [Found(job.strategy_id, job.spec, b.outline(), known.values, known.undefined, extras)],
    )
    return VerifyResult(
        a=outcome_a,
        b=outcome_b,
        difference=difference,
        neighbours=tuple(neighbours),
        curves=curve_columns(a, b, setting),
        slices=slice_columns(b, setting),
        trades=trade_columns(b),
        logs=log_tables(verified),
    )


def _tolerated(setting: Setting) -> float:
    """How far the engines' equity may lie apart before a rule calls it a failure."""
    return next((rule.threshold for rule in setting.rules if rule.rule_id == "ab_disagree"), float("inf"))


def train_only(setting: Setting) -> Setting:
    """The same setting over what the search saw, to the day: a gap before validation is no part of it."""
    if setting.train is None:
        return setting
    inside = setting.sessions <= np.datetime64(setting.train.end)
    returns = setting.hold_returns[: int(inside.sum())]
    return replace(setting, period=setting.train, hold_returns=returns)


def curve_columns(a: SimulationResult | None, b: SimulationResult, setting: Setting) -> dict[str, Any]:
    """Equity of both engines and of holding the universe, exposure and drawdown of B, by session.

    Without ``a`` (signals, which only the event engine trades) there is no ``equity_a``.
    """
    peak = np.maximum.accumulate(np.maximum(b.equity, b.initial_capital))
    return {
        "session": b.sessions,
        **({} if a is None else {"equity_a": a.equity}),
        "equity_b": b.equity,
        "equity_hold": setting.contract.initial_capital * np.cumprod(1.0 + setting.hold_returns),
        "drawdown_b": b.equity / peak - 1.0,
        "gross_exposure_b": b.gross_exposure,
    }


def slice_columns(result: SimulationResult, setting: Setting) -> dict[str, Any]:
    """Metrics of engine B by slice: train, validation, year, the market's trend and volatility.

    The market is the contract's benchmark, else the mean of the symbols. None where undefined.
    """
    slices = standard_slices(result.sessions, setting.contract)
    slices |= market_slices(_market(setting), setting.bars.span(setting.period))
    found = [compute_metrics(result, setting.contract, sub_period=mask).values for mask in slices.values()]
    columns: dict[str, Any] = {
        "slice": list(slices),
        "bars": [int(mask.sum()) for mask in slices.values()],
    }
    for name in SLICE_METRICS:
        columns[name] = [values[name] for values in found]
    return columns


def _market(setting: Setting) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    bars, benchmark = setting.bars, setting.contract.benchmark
    rows = slice(None) if benchmark is None else [bars.index_of(benchmark)]
    return market_index(bars.close[rows])


def trade_columns(result: SimulationResult) -> dict[str, Any]:
    """The trade table with symbols and dates spelt out; an open trade's exit is its mark."""
    columns: dict[str, Any] = dict(result.trades.columns())
    names = np.array(result.symbols)
    columns["symbol"] = names[result.trades.symbol]
    columns["entry_session"] = result.sessions[result.trades.entry_bar]
    columns["exit_session"] = result.sessions[result.trades.exit_bar]
    columns["is_open"] = result.trades.is_open
    return columns


def log_tables(verified: EngineResult) -> dict[str, dict[str, Any]]:
    """Decisions, orders, fills, and each decision's clauses, with symbols and dates spelt out."""
    logs = {"decisions": verified.decisions, "orders": verified.orders, "fills": verified.fills}
    tables = {name: spelt_out(columns, verified.result) for name, columns in logs.items()}
    clauses = verified.tables()["clauses"]
    columns = {name: clauses[name].to_numpy(zero_copy_only=False) for name in clauses.column_names}
    return tables | {"clauses": spelt_out(columns, verified.result)}


def spelt_out(columns: Mapping[str, Any], result: SimulationResult) -> dict[str, Any]:
    """A log with names for symbol numbers, and a date beside each bar number."""
    made = dict(columns)
    made["symbol"] = np.array(result.symbols)[columns["symbol"].astype(np.int64)]
    for name in ("bar", "decided_bar", "closed_bar"):
        if name in columns:
            made[name.replace("bar", "session")] = result.sessions[columns[name].astype(np.int64)]
    return made


def _sharpes(neighbours: Sequence[ScreenResult]) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    values = [n.outcome.metrics.get("sharpe_net") for n in neighbours if n.outcome is not None]
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64) if values else None
