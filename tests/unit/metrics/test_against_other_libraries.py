"""Metrics on real bars against empyrical, scipy, numpy and second formulas written here."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import empyrical
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from quantrail.analysis.metrics import METRIC_NAMES, METRICS, compute_metrics, standard_slices, symbol_metrics
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.domain.results import SimulationResult
from quantrail.engine import prepare, screen, verify
from quantrail.testing.engines import compare_with, feature, spec_of

PERIOD = Period(date(2013, 6, 3), date(2018, 2, 7))
CONTRACT = CalcContract(risk_free_rate_annual=0.01, validation_start="2016-06-01", benchmark="SPY")
RF = 1.01 ** (1 / 252) - 1


@pytest.fixture(scope="module")
def bars() -> Bars:
    frame = pd.read_parquet(str(files("quantrail.marketdata") / "sample" / "sample_daily_2013_2018.parquet"))
    wide = frame.set_index(["symbol", "date"])
    tables = {name: wide[name].unstack("date") for name in BAR_COLUMNS}  # noqa: PD010
    columns = {name: np.ascontiguousarray(table.to_numpy(float)) for name, table in tables.items()}
    sessions = np.array(tables["close"].columns, dtype="datetime64[D]")
    return Bars(tuple(tables["close"].index), sessions, **columns, data_version="0" * 64)


@pytest.fixture(scope="module")
def result(bars: Bars) -> SimulationResult:
    rsi, definition = feature("rsi", period=5)
    stocks = [s for s in bars.symbols if s not in ("SPY", "QQQ", "IWM", "EEM")]
    spec = spec_of(
        stocks,
        entry=compare_with(rsi, "<", 30),
        leave=compare_with(rsi, ">", 60),
        features={rsi: definition},
        hard_stop={"type": "pct", "value": 0.05},
        max_positions=8,
    )
    return screen(prepare(bars, [spec]), PERIOD, CONTRACT).result(0)


@pytest.fixture(scope="module")
def benchmark(bars: Bars) -> NDArray[np.float64]:
    close = bars.close[bars.index_of("SPY"), bars.span(PERIOD)]
    return np.concatenate(([0.0], close[1:] / close[:-1] - 1))


@pytest.fixture(scope="module")
def second(result: SimulationResult, benchmark: NDArray[np.float64]) -> dict[str, float]:
    """Every metric from another library, or from a formula of this file."""
    equity, trades = result.equity, result.trades
    r = np.diff(np.concatenate(([100_000.0], equity))) / np.concatenate(([100_000.0], equity[:-1]))
    n, years = len(r), len(r) / 252
    oos = r[np.searchsorted(result.sessions, np.datetime64("2016-06-01")) :]
    before = r[: n - len(oos)]
    peaks = np.maximum.accumulate(np.concatenate(([100_000.0], equity)))[1:]
    depth = equity / peaks - 1
    under = "".join("u" if d < 0 else " " for d in depth)
    closed = ~trades.is_open
    pnl = trades.pnl_net[closed]
    slope, intercept = np.polyfit(benchmark - RF, r - RF, 1)
    worst = np.sort(r)
    mass = 0.05 * n
    tail = (worst[: int(mass)].sum() + (mass - int(mass)) * worst[int(mass)]) / mass
    trained = float(empyrical.sharpe_ratio(before, RF))
    gap = r - benchmark
    costs = {name: float(getattr(result, name).sum()) for name in ("fees", "spread", "slippage")}
    return {
        "return_total_net": float(empyrical.cum_returns_final(r)),
        "cagr_net": float(empyrical.annual_return(r)),
        "volatility_annual_net": float(empyrical.annual_volatility(r)),
        "max_drawdown_net": float(empyrical.max_drawdown(r)),
        "sharpe_net": float(empyrical.sharpe_ratio(r, RF)),
        "sortino_net": float(empyrical.sortino_ratio(r, RF)),
        "calmar_net": float(empyrical.calmar_ratio(r)),
        "win_rate_period": float(np.mean(r > 0)),
        "skewness": float(stats.skew(r)),
        "kurtosis": float(stats.kurtosis(r, fisher=False)),
        "drawdown_duration_max_bars": max(len(run) for run in under.split()),
        "ulcer_index": float(np.sqrt(np.mean(depth**2))),
        "oos_return_total_net": float(np.prod(1 + oos) - 1),
        "oos_sharpe_net": float(empyrical.sharpe_ratio(oos, RF)),
        "is_sharpe_net": trained,
        "oos_is_performance_ratio": float(empyrical.sharpe_ratio(oos, RF)) / trained,
        "alpha": float(intercept * 252),
        "beta": float(slope),
        "information_ratio": float(empyrical.excess_sharpe(r, benchmark) * np.sqrt(252)),
        "tail_loss_p95": float(np.quantile(r, 0.05)),
        "tail_gain_p95": float(np.quantile(r, 0.95)),
        "var_95": float(empyrical.value_at_risk(r, 0.05)),
        "cvar_95": float(tail),
        "turnover_annual": float(result.traded_value.sum() / np.mean(equity) / years),
        "avg_exposure": float(np.mean(1 - result.cash / equity)),
        "exposure_max": float(np.max(1 - result.cash / equity)),
        "leverage_max_gross": float(np.max(1 - result.cash / equity)),
        "costs_total": sum(costs.values()),
        "fees_total": costs["fees"],
        "slippage_total": costs["slippage"],
        "spread_total": costs["spread"],
        "closed_trades": float(closed.sum()),
        "hit_rate_trades": float(np.mean(pnl > 0)),
        "profit_factor": float(pnl[pnl > 0].sum() / -pnl[pnl <= 0].sum()),
        "expectancy_net": float(np.mean(pnl)),
        "avg_trade_return_net": float(np.mean(pnl / trades.entry_value[closed])),
        "avg_trade_duration_bars": float(np.mean((trades.exit_bar - trades.entry_bar)[closed])),
        "_gap": float(np.std(gap)),
    }


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_each_metric_agrees_with_a_second_source(
    name: str, result: SimulationResult, benchmark: NDArray[np.float64], second: dict[str, float]
) -> None:
    ours = compute_metrics(result, CONTRACT, benchmark).values[name]
    assert ours == pytest.approx(second[name], rel=1e-9, abs=1e-12)


def test_the_batch_and_the_single_form_give_the_same_bits(bars: Bars) -> None:
    rsi, definition = feature("rsi", period=3)
    specs = [
        spec_of(
            ["AAPL", "KO"],
            entry=compare_with(rsi, "<", level),
            leave=compare_with(rsi, ">", 70),
            features={rsi: definition},
        )
        for level in (10, 20, 30)
    ]
    found = screen(prepare(bars, specs), PERIOD, CONTRACT)
    for k in range(len(specs)):
        close = bars.close[bars.index_of("SPY"), bars.span(PERIOD)]
        bench = np.concatenate(([0.0], close[1:] / close[:-1] - 1))
        single = compute_metrics(found.result(k), CONTRACT, bench)
        # Sums over bars round differently from sums over fills.
        assert single.values == pytest.approx(found.metric_row(k), rel=1e-12)
        assert single.undefined == found.undefined(k)


def test_engine_b_reports_the_same_metrics(bars: Bars, second: dict[str, float]) -> None:
    rsi, definition = feature("rsi", period=5)
    stocks = [s for s in bars.symbols if s not in ("SPY", "QQQ", "IWM", "EEM")]
    spec = spec_of(
        stocks, entry=compare_with(rsi, "<", 30), leave=compare_with(rsi, ">", 60),
        features={rsi: definition}, hard_stop={"type": "pct", "value": 0.05}, max_positions=8,
    )  # fmt: skip
    found = verify(bars, spec, PERIOD, CONTRACT, ModelVersions()).metrics.values
    for metric in METRICS:
        assert found[metric.name] == pytest.approx(second[metric.name], rel=1e-9, abs=1e-9)


def test_slices_by_year_compound_to_the_whole(result: SimulationResult) -> None:
    slices = standard_slices(result.sessions, CONTRACT)
    years = [mask for name, mask in slices.items() if name.startswith("year_")]
    growth = 1.0
    for mask in years:
        total = compute_metrics(result, CONTRACT, sub_period=mask).values["return_total_net"]
        assert total is not None
        growth *= 1 + total
    whole = compute_metrics(result, CONTRACT).values["return_total_net"]
    assert growth - 1 == pytest.approx(whole, rel=1e-9)
    assert sum(mask.sum() for mask in years) == len(result.sessions)


def test_train_and_validation_slices_carry_the_split_metrics(result: SimulationResult) -> None:
    slices = standard_slices(result.sessions, CONTRACT)
    whole = compute_metrics(result, CONTRACT).values
    late = compute_metrics(result, CONTRACT, sub_period=slices["is_validation"]).values
    early = compute_metrics(result, CONTRACT, sub_period=slices["is_train"]).values
    assert late["sharpe_net"] == pytest.approx(whole["oos_sharpe_net"], rel=1e-9)
    assert late["return_total_net"] == pytest.approx(whole["oos_return_total_net"], rel=1e-9)
    assert early["sharpe_net"] == pytest.approx(whole["is_sharpe_net"], rel=1e-9)


def test_symbols_add_up_to_the_portfolio(result: SimulationResult) -> None:
    found = symbol_metrics(result)
    whole = compute_metrics(result, CONTRACT).values
    assert sum(row["pnl_net"] or 0 for row in found.values()) == pytest.approx(result.trades.pnl_net.sum())
    assert sum(row["costs_total"] or 0 for row in found.values()) == pytest.approx(whole["costs_total"])
    assert sum(row["closed_trades"] or 0 for row in found.values()) == whole["closed_trades"]
    frame = pd.DataFrame(result.trades.columns())
    frame = frame[frame["exit_reason"] != 0].groupby("symbol")
    hits = frame["pnl_net"].apply(lambda pnl: (pnl > 0).mean())
    for row, rate in hits.items():
        assert found[result.symbols[row]]["hit_rate_trades"] == pytest.approx(rate)
    mae = frame["mae"].mean()
    for row, depth in mae.items():
        assert found[result.symbols[row]]["mae_mean"] == pytest.approx(depth)
        assert depth <= 0
