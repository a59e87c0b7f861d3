"""Signals traded, and traded again from the file they are kept in."""

from __future__ import annotations

import json

import numpy as np

from quantrail.domain.answers import BacktestRow
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.market import Bars, Period
from quantrail.domain.records import Strategy
from quantrail.engine import WeightsResult, run_weights
from quantrail.errors import DataInvalid
from quantrail.services.loop.state import Services
from quantrail.services.signals.frames import Signals
from quantrail.services.signals.request import aligned


def run_signals(
    bars: Bars, signals: Signals, period: Period, contract: CalcContract, models: ModelVersions
) -> WeightsResult:
    """Trade ``signals`` on ``bars``; DataInvalid when they ask for more than max_gross."""
    chosen = dict(models.settings)
    costs = (float(chosen["fees_bps"]), float(chosen["spread_bps"]), float(chosen["slippage_bps"]))
    return run_weights(bars, aligned(signals, bars), period, contract, costs, float(chosen["max_gross"]))


def stored_signals(services: Services, strategy: Strategy) -> Signals:
    """The frame behind a strategy of kind signals. NotFound without its file, DataInvalid if it changed."""
    wanted = json.loads(strategy.normalized_spec_json)["signals_hash"]
    table = services.artifacts.read_parquet(f"signals/{wanted}.parquet")
    symbols, which = np.unique(np.array(table["symbol"].to_pylist()), return_inverse=True)
    days = table["session"].to_numpy().astype("datetime64[D]")
    sessions, when = np.unique(days, return_inverse=True)
    weights = np.full((len(symbols), len(sessions)), np.nan)
    weights[which, when] = table["weight"].to_numpy()
    found = Signals(tuple(symbols.tolist()), sessions, weights)
    if found.hash != wanted:
        raise DataInvalid(
            f"the signals kept as {wanted[:12]} have changed; their hash is {found.hash[:12]} now"
        )
    return found


def signals_again(services: Services, row: BacktestRow, bars: Bars) -> WeightsResult:
    """A stored backtest of signals, run again from its file."""
    signals = stored_signals(services, services.store.get_strategy(row.key.strategy_id).strategy)
    period = Period(row.key.period_start, row.key.period_end)
    return run_signals(bars, signals, period, row.calc_contract, row.model_versions)
