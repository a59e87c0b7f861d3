"""What a backtest on demand needs before any engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from quantrail.analysis.failures import DEFAULT_RULES, load_rules
from quantrail.analysis.score_policy import DEFAULT_POLICY, load_policy
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import EngineMode
from quantrail.domain.identity import ReproductionKey, backtest_seed, new_run_id, universe_version
from quantrail.domain.ids import ContentHash, DataVersion, StrategyId
from quantrail.domain.market import Bars, Period
from quantrail.domain.records import Universe
from quantrail.engine import (
    ACTIONS,
    ENGINE_A_VERSION,
    ENGINE_B_VERSION,
    CorporateActions,
    build_models,
)
from quantrail.errors import DataInvalid, InvalidInput, NotFound
from quantrail.search import Proposed, traits_of
from quantrail.services.evaluation import Setting, annual_sharpe, hold_returns
from quantrail.services.loop.state import MODELS_A, Candidate, RunFrame, Services
from quantrail.services.records import current_versions, record_features, with_records
from quantrail.services.registers import register, snapshot_of, stored_snapshot
from quantrail.strategy import COST_SETTINGS, TEMPLATES, advisories, canonicalise

ENGINES = {
    "a": (EngineMode.A,),
    "b": (EngineMode.B,),
    "both": (EngineMode.A, EngineMode.B),
}


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to run. ``period`` None: every session there is; ``benchmark``: a stored symbol.

    ``execution`` None: the light contract, or market_v1 where ``raw`` needs it.
    ``settings``: engine B's models by setting name. ``raw``: engine B trades prices as stored, with their
    splits and cash dividends as events.
    """

    document: Mapping[str, Any]
    engine: str = "both"
    period: tuple[date, date] | None = None
    data_version: str | None = None
    benchmark: str | None = None
    initial_capital: float = 100_000.0
    execution: str | None = None
    portfolio: str = "whole_shares_v1"
    settings: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A request with everything it needs read and checked. Bars are the whole period with warm-up.

    ``records``: versions of the record tables it was read from, none if the spec reads none.
    """

    setting: Setting
    frame: RunFrame
    candidate: Candidate
    universe: Universe
    modes: tuple[EngineMode, ...]
    actions: CorporateActions | None = None
    advice: tuple[str, ...] = ()
    records: Mapping[str, ContentHash] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where its files lie, relative to the artifacts folder."""
        return f"runs/{self.frame.run_id}/iterations/1/metrics_verified/{self.candidate.strategy_id[:16]}"


def prepare_backtest(services: Services, request: BacktestRequest) -> Ready:
    """Check the spec, read the bars, count the trials; nothing is recorded but what records refer to."""
    if request.engine not in ENGINES:
        raise InvalidInput(f"engine {request.engine!r} is not one of {', '.join(ENGINES)}")
    if request.engine == "a" and (request.execution or request.settings or request.raw):
        raise InvalidInput("execution, portfolio, settings and raw are engine B's; ask for engine b or both")
    canonical = canonicalise(request.document)
    snapshot = snapshot_of(services, request.data_version)
    names = services.market.snapshot(snapshot).names()
    symbols = tuple(canonical.spec["universe"].get("symbols") or names)
    wanted = sorted({*symbols, request.benchmark} if request.benchmark else set(symbols))
    plain, period = read_bars(services, wanted, request.period, snapshot)
    records = current_versions(services.market) if record_features(canonical.spec) else {}
    bars = with_records(services.market, plain, [canonical.spec], records)
    contract = CalcContract(initial_capital=request.initial_capital, benchmark=request.benchmark)
    actions = actions_of(services, bars, symbols, period, snapshot) if request.raw else None
    models = _models_b(request, actions)
    build_models(canonical.spec, contract, models)  # a wrong name is told before anything is recorded
    universe = Universe(universe_version(symbols), "backtest", "US", symbols)
    strategy = canonical.strategy_id
    setting, frame = circumstances(services, bars, period, contract, universe, snapshot, models, strategy)
    metadata = request.document.get("metadata") or {}
    template = metadata.get("template_id") if metadata.get("template_id") in TEMPLATES else None
    proposed = Proposed(dict(request.document), "import", template, metadata.get("params") or {})
    traits = traits_of(canonical.strategy_id, canonical.spec, template, float("nan"))
    candidate = Candidate(0, proposed, canonical, None, (), traits)
    advice = (*advisories(canonical.spec), *_split_advice(actions), *_models_advice(request, models))
    return Ready(setting, frame, candidate, universe, ENGINES[request.engine], actions, advice, records)


def circumstances(
    services: Services,
    bars: Bars,
    period: Period,
    contract: CalcContract,
    universe: Universe,
    snapshot: DataVersion,
    models: ModelVersions,
    strategy: StrategyId,
) -> tuple[Setting, RunFrame]:
    """What judging and recording share; stores what the records refer to and counts the trials so far.

    ``strategy`` is one of them, however often it was tried before.
    """
    kinds = {"score": DEFAULT_POLICY, "failure_rules": DEFAULT_RULES}
    register(services, kinds, universe, stored_snapshot(services, snapshot))
    held = hold_returns(bars, universe.symbols, period)
    count = services.store.trial_count(universe.universe_version, period.start, period.end, besides=strategy)
    setting = Setting(
        bars=bars,
        period=period,
        contract=contract,
        policy=load_policy(),
        rules=load_rules(),
        n_trials=count.market_overlap + 1,
        hold_returns=held,
        hold_sharpe=annual_sharpe(held, contract),
    )
    frame = RunFrame(
        run_id=new_run_id(services.clock(), services.entropy),
        contract=contract,
        models={EngineMode.A: _models_a(models), EngineMode.B: models},
        snapshot_version=snapshot,
        universe_version=universe.universe_version,
        failure_policy=DEFAULT_RULES,
    )
    return setting, frame


def actions_of(
    services: Services, bars: Bars, symbols: tuple[str, ...], period: Period, snapshot: DataVersion
) -> CorporateActions:
    """Splits and dividends in the period of ``symbols``, those traded: a benchmark is never held.

    NotFound when none are stored.
    """
    after = period.end + timedelta(days=1)
    found = services.market.actions(symbols, before=after, version=snapshot)
    actions = CorporateActions(found.splits, found.dividends).within(bars, bars.span(period))
    if not actions.splits and not actions.dividends:
        raise NotFound(
            f"no split or dividend of {', '.join(symbols[:5])} is stored between {period.start} and "
            f"{period.end}; import bars with dividend and split columns, or leave out raw"
        )
    return actions


def _split_advice(actions: CorporateActions | None) -> list[str]:
    days = sorted(actions.splits) if actions is not None else []
    return [
        f"{symbol} splits on {day}: its stored prices jump there, and indicators see the jump"
        for symbol, day in days
    ]


def _models_b(request: BacktestRequest, actions: CorporateActions | None) -> ModelVersions:
    """Engine A's models in the shares asked for, unless another execution model is asked for or needed."""
    settings = dict(request.settings) | ({} if actions is None else {ACTIONS: actions.hash})
    return replace(
        MODELS_A,
        execution=request.execution or ("market_v1" if actions is not None else MODELS_A.execution),
        portfolio=request.portfolio,
        settings=tuple(sorted(settings.items())),
    )


def _models_a(models_b: ModelVersions) -> ModelVersions:
    """Engine A's models, at the costs set for engine B; its other settings are not engine A's to follow."""
    costs = tuple((name, value) for name, value in models_b.settings if name in COST_SETTINGS)
    return replace(MODELS_A, settings=costs)


def _models_advice(request: BacktestRequest, models_b: ModelVersions) -> list[str]:
    """What sets the engines' figures apart by design, where both were asked for."""
    asked = [f"{name} {value}" for name, value in request.settings.items() if name not in COST_SETTINGS]
    asked += [models_b.execution] if models_b.execution != MODELS_A.execution else []
    if not asked or request.engine != "both":
        return []
    return [
        f"different models: engine B trades under {', '.join(sorted(asked))}, engine A knows only "
        f"{MODELS_A.execution} in fractions of shares, so the two need not agree"
    ]


def read_bars(
    services: Services, symbols: list[str], asked: tuple[date, date] | None, snapshot: DataVersion
) -> tuple[Bars, Period]:
    """Bars from the first stored session to the period's end, and the period from session to session."""
    everything = services.market.bars(symbols, version=snapshot)
    first, last = everything.sessions[0].item(), everything.sessions[-1].item()
    if asked is None:
        return everything, Period(first, last)
    span = everything.sessions[everything.span(Period(*asked))]
    period = Period(span[0].item(), span[-1].item())
    if len(span) < 2:
        raise DataInvalid(f"only one session between {asked[0]} and {asked[1]}; a backtest needs two")
    return services.market.bars(symbols, period, warmup_start=first, version=snapshot), period


def key_of(ready: Ready, mode: EngineMode) -> ReproductionKey:
    """What one engine's result rests on."""
    setting, frame = ready.setting, ready.frame
    strategy, data = ready.candidate.strategy_id, setting.bars.data_version
    return ReproductionKey(
        strategy_id=strategy,
        engine_mode=mode,
        engine_version=ENGINE_A_VERSION if mode is EngineMode.A else ENGINE_B_VERSION,
        data_version=data,
        universe_version=frame.universe_version,
        period_start=setting.period.start,
        period_end=setting.period.end,
        bar_interval="1d",
        calc_contract_hash=frame.contract.hash,
        model_versions_hash=frame.models[mode].hash,
        seed=backtest_seed(strategy, data),
    )
