"""Signals as a backtest: traded, judged and recorded like any strategy."""

from __future__ import annotations

from quantrail.domain.enums import EngineMode, TrialDoor
from quantrail.services.backtest import BacktestResult, Work, run_and_record
from quantrail.services.backtest_setup import Ready
from quantrail.services.evaluation import Found, judge
from quantrail.services.loop.state import Services
from quantrail.services.signals.again import run_signals
from quantrail.services.signals.frames import Signals
from quantrail.services.signals.request import SignalsRequest, prepare_signals
from quantrail.services.verify_work import curve_columns, slice_columns, spelt_out, trade_columns


def backtest_signals(
    services: Services, request: SignalsRequest, door: TrialDoor = TrialDoor.API
) -> BacktestResult:
    """Trade signals and record them as a run with one iteration; known ones are read back.

    Raises NotFound for unknown symbols, DataInvalid for dates that do not fit or too much leverage,
    ConfigInvalid for an unknown setting.
    """
    ready = prepare_signals(services, request)
    (result,) = run_and_record(services, ready, lambda _: _work(ready, request.signals), "signals", door)
    return result


def _work(ready: Ready, signals: Signals) -> Work:
    setting, models = ready.setting, ready.frame.models[EngineMode.B]
    found = run_signals(setting.bars, signals, setting.period, setting.contract, models)
    result, known = found.result, found.metrics
    (outcome,) = judge(
        setting,
        "verify",
        [Found(ready.candidate.strategy_id, None, result.outline(), known.values, known.undefined)],
    )
    tables = {
        "curves": curve_columns(None, result, setting),
        "slices": slice_columns(result, setting),
        "trades": trade_columns(result),
        "fills": spelt_out(found.fills, result),
    }
    return Work({EngineMode.B: outcome}, tables, shared={signals.path: signals.columns()})
