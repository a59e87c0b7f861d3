"""The series and round trips behind a stored backtest, from its files or, where none were kept, again."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantrail.domain.answers import BacktestRow
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId
from quantrail.domain.results import ExitReason, SimulationResult
from quantrail.engine import prepare, screen
from quantrail.errors import QuantrailError
from quantrail.services.loop.state import Services
from quantrail.services.rerun import stored_bars, stored_period, stored_spec
from quantrail.services.verify_work import trade_columns

Columns = dict[str, Any]


def curve_of(services: Services, backtest_id: BacktestId) -> Columns:
    """``session`` and ``equity`` (net, in currency, at each close), shape (n,) each.

    Engine B's come from the stored file, engine A's from running it again. NotFound when the file or the
    data are gone.
    """
    row = services.store.get_backtest(backtest_id)
    if row.key.engine_mode is EngineMode.B:
        table = _table(services, row, "curves")
        return {"session": table["session"].to_numpy(), "equity": table["equity_b"].to_numpy()}
    result = _screened(services, row)
    return {"session": result.sessions, "equity": result.equity}


def trades_of(services: Services, backtest_id: BacktestId) -> Columns:
    """The round trips as columns, one row each, open ones included; sources as for :func:`curve_of`.

    ``exit_reason`` is the name of an :class:`ExitReason`; files hold its number.
    """
    row = services.store.get_backtest(backtest_id)
    if row.key.engine_mode is EngineMode.B:
        table = _table(services, row, "trades")
        columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    else:
        columns = dict(trade_columns(_screened(services, row)))
    names = [ExitReason(int(code)).name for code in columns["exit_reason"]]
    return columns | {"exit_reason": np.array(names, dtype=np.str_)}


def _table(services: Services, row: BacktestRow, name: str) -> Any:
    folder = row.artifacts_dir.path if row.artifacts_dir is not None else ""
    return services.artifacts.read_parquet(f"{folder}/{name}.parquet")


def _screened(services: Services, row: BacktestRow) -> SimulationResult:
    bars = stored_bars(services, row)
    done = screen(prepare(bars, [stored_spec(services, row)]), stored_period(row), row.calc_contract)
    error: QuantrailError | None = done.errors[0]
    if error is not None:
        raise error
    return done.result(0)
