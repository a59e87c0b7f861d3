"""What a stored backtest rests on, read back, and the backtest run again from it."""

from __future__ import annotations

from quantrail.domain.answers import BacktestRow
from quantrail.domain.contract import ModelVersions
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.engine import VerifyResult, verify
from quantrail.errors import NotFound
from quantrail.services.loop.state import Services
from quantrail.strategy import NormalSpec, canonical_from_json


def stored_period(row: BacktestRow) -> Period:
    return Period(row.key.period_start, row.key.period_end)


def stored_bars(services: Services, row: BacktestRow, *, recompute: bool = False) -> Bars:
    """The slice a result rests on, as its own snapshot held it; ``recompute`` reads the files anew."""
    version = DataVersion(row.snapshot_version) if row.snapshot_version else None
    benchmark = row.calc_contract.benchmark
    universe = services.store.find_universe(row.key.universe_version)
    if universe is None:
        raise NotFound(f"universe {row.key.universe_version[:12]} is not stored any more")
    symbols = sorted({*universe.symbols, *([benchmark] if benchmark else [])})
    first = services.market.bars(symbols, version=version).sessions[0].item()
    return services.market.bars(
        symbols, stored_period(row), warmup_start=first, version=version, recompute=recompute
    )


def stored_spec(services: Services, row: BacktestRow) -> NormalSpec:
    """The canonical spec of a result's strategy."""
    stored = services.store.get_strategy(row.key.strategy_id).strategy
    return canonical_from_json(stored.normalized_spec_json).spec


def verify_again(
    services: Services, row: BacktestRow, bars: Bars, models: ModelVersions | None = None
) -> VerifyResult:
    """Engine B on ``bars``, with the models of the result, or with ``models``."""
    spec = stored_spec(services, row)
    return verify(bars, spec, stored_period(row), row.calc_contract, models or row.model_versions)
