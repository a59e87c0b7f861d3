"""Artifact files of a reproduced backtest that were lost, put back where they come out byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quantrail.analysis.failures import load_rules
from quantrail.analysis.score_policy import load_policy
from quantrail.domain.answers import BacktestRow
from quantrail.domain.artifacts import REMADE
from quantrail.domain.market import Bars
from quantrail.engine import VerifyResult, WeightsResult, prepare, screen
from quantrail.services.evaluation import Setting, hold_returns
from quantrail.services.loop.state import Services
from quantrail.services.rerun import stored_period, stored_spec, traded
from quantrail.services.verify_work import (
    curve_columns,
    log_tables,
    slice_columns,
    spelt_out,
    trade_columns,
)

Tables = Mapping[str, Mapping[str, Any]]


def restore_missing(services: Services, row: BacktestRow, make: Callable[[], Tables]) -> str:
    """What was put back and what could not be, in words; empty when no file was missing.

    ``make`` gives the tables of the backtest's folder by file name without its suffix. A file is written only
    if its bytes hash to what was stored, so that another version of a library never leaves a file of its own.
    """
    if row.artifacts_dir is None or row.artifacts_dir.row is not None:
        return ""
    stored = {file.path: file.sha256 for file in services.store.list_files(row.artifacts_dir.path)}
    names = {f"{row.artifacts_dir.path}/{name}": name for name in REMADE}
    gone = [path for path in names if path in stored and not services.artifacts.path(path).exists()]
    if not gone:
        return ""
    tables = make()
    done: list[str] = []
    other: list[str] = []
    for path in gone:
        columns = tables[names[path].removesuffix(".parquet")]
        same = services.artifacts.restore_parquet(path, columns, stored[path])
        (done if same else other).append(names[path])
    return "; ".join(
        [f"put back {', '.join(done)}"] * bool(done)
        + [f"{', '.join(other)} would come out with other bytes, so it stays missing"] * bool(other)
    )


def verified_tables(services: Services, row: BacktestRow, bars: Bars, again: VerifyResult) -> Tables:
    """The tables of a backtest of engine B, made as when it was first run."""
    setting = _setting(services, row, bars)
    batch = prepare(bars, [stored_spec(services, row)])
    screened = screen(batch, setting.period, setting.contract).result(0)
    return {
        "curves": curve_columns(screened, again.result, setting),
        "slices": slice_columns(again.result, setting),
        "trades": trade_columns(again.result),
        **log_tables(again),
    }


def signals_tables(services: Services, row: BacktestRow, bars: Bars, again: WeightsResult) -> Tables:
    """The tables of a backtest of signals."""
    setting, result = _setting(services, row, bars), again.result
    return {
        "curves": curve_columns(None, result, setting),
        "slices": slice_columns(result, setting),
        "trades": trade_columns(result),
        "fills": spelt_out(again.fills, result),
    }


def _setting(services: Services, row: BacktestRow, bars: Bars) -> Setting:
    """Policy, rules and trials play no part in tables; nothing is judged again."""
    period = stored_period(row)
    held = hold_returns(bars, traded(services, row), period)
    return Setting(bars, period, row.calc_contract, load_policy(), load_rules(), 1, held, None)
