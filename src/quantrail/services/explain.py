"""Why did it buy on that day? A stored backtest run again, its logs told in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from quantrail.domain.answers import BacktestRow, IdKind
from quantrail.domain.enums import BacktestStatus, EngineMode
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.domain.results import SimulationResult
from quantrail.engine import DayStory, TradeStory, VerifyResult, explain_day, explain_trade, prepare, screen
from quantrail.engine import compare as compare_results
from quantrail.errors import Conflict, InvalidInput, NotFound, Unsupported
from quantrail.services.loop.state import MODELS_A, Services
from quantrail.services.rerun import is_signals, stored_bars, stored_period, stored_spec, verify_again

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Explained:
    """``stories``: one trade's, or one day's for each symbol asked about. ``told_by``: what made the logs."""

    backtest_id: BacktestId
    engine_mode: EngineMode
    told_by: str
    stories: tuple[TradeStory | DayStory, ...]


def explain_stored_trade(services: Services, prefix: str, trade: int) -> Explained:
    """The story of trade ``trade`` (from 0, as in trades.parquet); NotFound says how many there are."""
    row = _row(services, prefix)
    found, told_by = _logs(services, row)
    count = len(found.result.trades)
    if not 0 <= trade < count:
        there = f"they are numbered 0 to {count - 1}" if count else "it never traded"
        raise NotFound(f"backtest {row.backtest_id} has no trade {trade}: {there}")
    return Explained(row.backtest_id, row.key.engine_mode, told_by, (explain_trade(found, trade),))


def explain_stored_day(services: Services, prefix: str, day: date, symbol: str | None) -> Explained:
    """What was seen and decided at one close: of ``symbol``, or of every symbol something happened to.

    Where nothing happened to any, of the first ten symbols. NotFound for a day that is no session.
    """
    row = _row(services, prefix)
    found, told_by = _logs(services, row)
    universe = services.store.find_universe(row.key.universe_version)
    members = universe.symbols if universe is not None else found.result.symbols
    if symbol is not None and symbol not in members:
        raise NotFound(f"symbol {symbol!r} is not in the backtest; there are {', '.join(members[:_SHOWN])}")
    stories = [explain_day(found, name, day) for name in ([symbol] if symbol else sorted(members))]
    busy = [story for story in stories if story.decisions or story.orders]
    return Explained(row.backtest_id, row.key.engine_mode, told_by, tuple(busy or stories[:_SHOWN]))


def _row(services: Services, prefix: str) -> BacktestRow:
    kind, full = services.store.resolve(prefix)
    if kind is IdKind.STRATEGY:
        full = _newest(services, StrategyId(full))
    elif kind is not IdKind.BACKTEST:
        raise InvalidInput(f"{prefix} is a {kind}, neither a strategy nor a backtest")
    row = services.store.get_backtest(BacktestId(full))
    if row.status is BacktestStatus.FAILED:
        raise NotFound(f"backtest {full} could not run ({row.error_message}), so it made no trades")
    return row


def _newest(services: Services, strategy: StrategyId) -> str:
    """The newest result of engine B, or of engine A where there is none; ties go to the larger id."""
    stored = services.store.find_backtests(services.store.list_backtests(strategy_id=strategy))
    rows = [row for row in stored.values() if row.status is not BacktestStatus.FAILED]
    if not rows:
        raise NotFound(f"strategy {strategy} has no result that made trades; `quantrail backtest` makes one")
    best = max(rows, key=lambda row: (row.key.engine_mode is EngineMode.B, row.created_at, row.backtest_id))
    return best.backtest_id


def _logs(services: Services, row: BacktestRow) -> tuple[VerifyResult, str]:
    bars = stored_bars(services, row)
    if is_signals(services, row):
        folder = row.artifacts_dir.path if row.artifacts_dir else "no folder"
        raise Unsupported(
            f"backtest {row.backtest_id} follows signals computed elsewhere, so there are no clauses; "
            f"its fills are in {folder}/fills.parquet of the artifacts"
        )
    if row.key.engine_mode is EngineMode.B:
        found = verify_again(services, row, bars)
        _as_stored(row, found.result)
        return found, "engine B, run again with an equal result"
    batch = prepare(bars, [stored_spec(services, row)])
    screened = screen(batch, stored_period(row), row.calc_contract).result(0)
    _as_stored(row, screened)
    found = verify_again(services, row, bars, MODELS_A)
    difference = compare_results(screened, found.result)
    if not difference.agree:
        raise Conflict(
            f"engine A keeps no log, and engine B under the same light rules differs: "
            f"{difference.first_difference}; ask about the engine B backtest instead"
        )
    return found, "engine B under engine A's rules, which agrees with the result trade by trade"


def _as_stored(row: BacktestRow, found: SimulationResult) -> None:
    """Conflict where the rerun is not the result that is asked about."""
    if found.result_hash != row.result_hash:
        raise Conflict(
            f"backtest {row.backtest_id} does not come out as stored any more; "
            f"`quantrail reproduce {row.backtest_id}` says why"
        )
