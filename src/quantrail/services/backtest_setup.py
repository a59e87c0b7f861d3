"""What a backtest on demand needs before any engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from quantrail.analysis.failures import DEFAULT_RULES, load_rules
from quantrail.analysis.score_policy import DEFAULT_POLICY, load_policy
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import EngineMode
from quantrail.domain.identity import ReproductionKey, backtest_seed, new_run_id, universe_version
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.domain.records import Universe
from quantrail.engine import ENGINE_A_VERSION, ENGINE_B_VERSION
from quantrail.errors import DataInvalid, InvalidInput
from quantrail.search import Proposed, traits_of
from quantrail.services.evaluation import Setting, annual_sharpe, hold_returns
from quantrail.services.loop.state import MODELS_A, Candidate, RunFrame, Services
from quantrail.services.registers import register, snapshot_of, stored_snapshot
from quantrail.strategy import TEMPLATES, canonicalise

ENGINES = {
    "a": (EngineMode.A,),
    "b": (EngineMode.B,),
    "both": (EngineMode.A, EngineMode.B),
}


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to run. ``period`` None: every session there is; ``benchmark``: a stored symbol."""

    document: Mapping[str, Any]
    engine: str = "both"
    period: tuple[date, date] | None = None
    data_version: str | None = None
    benchmark: str | None = None
    initial_capital: float = 100_000.0
    whole_shares: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """A request with everything it needs read and checked. Bars are the whole period with warm-up."""

    setting: Setting
    frame: RunFrame
    candidate: Candidate
    universe: Universe
    modes: tuple[EngineMode, ...]

    @property
    def folder(self) -> str:
        """Where its files lie, relative to the artifacts folder."""
        return f"runs/{self.frame.run_id}/iterations/1/metrics_verified/{self.candidate.strategy_id[:16]}"


def prepare_backtest(services: Services, request: BacktestRequest) -> Ready:
    """Check the spec, read the bars, count the trials; nothing is recorded but what records refer to."""
    if request.engine not in ENGINES:
        raise InvalidInput(f"engine {request.engine!r} is not one of {', '.join(ENGINES)}")
    canonical = canonicalise(request.document)
    snapshot = snapshot_of(services, request.data_version)
    names = services.market.snapshot(snapshot).names()
    symbols = tuple(canonical.spec["universe"].get("symbols") or names)
    wanted = sorted({*symbols, request.benchmark} if request.benchmark else set(symbols))
    bars, period = _bars(services, wanted, request.period, snapshot)
    universe = Universe(universe_version(symbols), "backtest", "US", symbols)
    kinds = {"score": DEFAULT_POLICY, "failure_rules": DEFAULT_RULES}
    register(services, kinds, universe, stored_snapshot(services, snapshot))
    contract = CalcContract(initial_capital=request.initial_capital, benchmark=request.benchmark)
    held = hold_returns(bars, symbols, period)
    count = services.store.trial_count(universe.universe_version, period.start, period.end)
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
        models={EngineMode.A: MODELS_A, EngineMode.B: _models_b(request)},
        snapshot_version=snapshot,
        universe_version=universe.universe_version,
        failure_policy=DEFAULT_RULES,
    )
    metadata = request.document.get("metadata") or {}
    template = metadata.get("template_id") if metadata.get("template_id") in TEMPLATES else None
    proposed = Proposed(dict(request.document), "import", template, metadata.get("params") or {})
    traits = traits_of(canonical.strategy_id, canonical.spec, template, float("nan"))
    candidate = Candidate(0, proposed, canonical, None, (), traits)
    return Ready(setting, frame, candidate, universe, ENGINES[request.engine])


def _models_b(request: BacktestRequest) -> ModelVersions:
    """The models of engine A, in whole shares if the request says so."""
    return replace(MODELS_A, portfolio="whole_shares_v1" if request.whole_shares else MODELS_A.portfolio)


def _bars(
    services: Services, symbols: list[str], asked: tuple[date, date] | None, snapshot: DataVersion
) -> tuple[Bars, Period]:
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
