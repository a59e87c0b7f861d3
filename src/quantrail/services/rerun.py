"""What a stored backtest rests on, read back, and the backtest run again from it."""

from __future__ import annotations

from datetime import timedelta

from quantrail.domain.answers import BacktestRow
from quantrail.domain.contract import ModelVersions
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.engine import ACTIONS, CorporateActions, VerifyResult, verify
from quantrail.errors import NotFound
from quantrail.services.loop.state import Services
from quantrail.services.records import with_records
from quantrail.strategy import NormalSpec, canonical_from_json, priced


def stored_period(row: BacktestRow) -> Period:
    return Period(row.key.period_start, row.key.period_end)


def stored_bars(services: Services, row: BacktestRow, *, recompute: bool = False) -> Bars:
    """The slice a result rests on, as its own snapshot held it, with the records of the versions that its
    run froze; ``recompute`` reads the files anew.
    """
    version = DataVersion(row.snapshot_version) if row.snapshot_version else None
    benchmark = row.calc_contract.benchmark
    symbols = sorted({*traded(services, row), *([benchmark] if benchmark else [])})
    first = services.market.bars(symbols, version=version).sessions[0].item()
    bars = services.market.bars(
        symbols, stored_period(row), warmup_start=first, version=version, recompute=recompute
    )
    if is_signals(services, row):
        return bars
    frozen = services.store.get_run(row.run_id).config.get("frozen", {}).get("record_versions", {})
    return with_records(services.market, bars, [stored_spec(services, row)], frozen)


def is_signals(services: Services, row: BacktestRow) -> bool:
    """Whether the result is of signals brought from elsewhere, which have no spec."""
    return services.store.get_strategy(row.key.strategy_id).strategy.kind == "signals"


def stored_spec(services: Services, row: BacktestRow) -> NormalSpec:
    """The canonical spec of a result's strategy, at the costs that the result was charged."""
    stored = services.store.get_strategy(row.key.strategy_id).strategy
    return priced(canonical_from_json(stored.normalized_spec_json).spec, row.model_versions)


def verify_again(
    services: Services, row: BacktestRow, bars: Bars, models: ModelVersions | None = None
) -> VerifyResult:
    """Engine B on ``bars``, with the models of the result, or with ``models``."""
    used, period = models or row.model_versions, stored_period(row)
    actions = None
    if ACTIONS in dict(used.settings):
        version = DataVersion(row.snapshot_version) if row.snapshot_version else None
        after = period.end + timedelta(days=1)
        found = services.market.actions(traded(services, row), before=after, version=version)
        actions = CorporateActions(found.splits, found.dividends).within(bars, bars.span(period))
    return verify(bars, stored_spec(services, row), period, row.calc_contract, used, actions)


def traded(services: Services, row: BacktestRow) -> tuple[str, ...]:
    """Symbols of a result's universe. NotFound when the universe is not stored."""
    universe = services.store.find_universe(row.key.universe_version)
    if universe is None:
        raise NotFound(f"universe {row.key.universe_version[:12]} is not stored any more")
    return universe.symbols
