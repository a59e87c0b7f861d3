"""What to run of signals, and what they rest on, before anything trades."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.constraints import Traits
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import EngineMode
from quantrail.domain.identity import universe_version
from quantrail.domain.ids import LogicHash, StrategyId
from quantrail.domain.market import Bars
from quantrail.domain.records import Universe
from quantrail.errors import ConfigInvalid, DataInvalid, NotFound
from quantrail.search import Proposed
from quantrail.services.backtest_setup import Ready, circumstances, read_bars
from quantrail.services.loop.state import Candidate, Services
from quantrail.services.registers import snapshot_of
from quantrail.services.signals.frames import Signals
from quantrail.strategy import CanonicalSpec, NormalSpec

# Costs as a spec's by default, basis points per side; max_gross 1: no leverage.
SETTINGS: dict[str, float] = {"fees_bps": 1.0, "spread_bps": 2.0, "slippage_bps": 3.0, "max_gross": 1.0}


@dataclass(frozen=True, slots=True)
class SignalsRequest:
    """``period`` None: from the first signal's session to the last of the data.

    ``settings``: fees_bps, spread_bps, slippage_bps (per side) and max_gross, where they differ from 1, 2, 3
    and 1. Signals outside the period are not used.
    """

    signals: Signals
    name: str | None = None
    period: tuple[date, date] | None = None
    data_version: str | None = None
    benchmark: str | None = None
    initial_capital: float = 100_000.0
    settings: Mapping[str, float | int | str | bool] = field(default_factory=dict)


def models_of(request: SignalsRequest) -> ModelVersions:
    """The light models with every setting spelt out; ConfigInvalid for one that is not known."""
    unknown = sorted(set(request.settings) - set(SETTINGS))
    if unknown:
        raise ConfigInvalid(
            f"setting {unknown[0]!r} is not known for signals; there are: {', '.join(SETTINGS)}"
        )
    chosen = SETTINGS | {name: _number(name, value) for name, value in request.settings.items()}
    return ModelVersions(settings=tuple(sorted(chosen.items())))


def _number(name: str, value: float | str) -> float:
    if isinstance(value, (str, bool)) or not 0.0 <= value < float("inf"):
        raise ConfigInvalid(f"{name} must be a number, 0 or more, got {value!r}")
    return float(value)


def prepare_signals(services: Services, request: SignalsRequest) -> Ready:
    """Check the signals against the bars. NotFound for unknown symbols, DataInvalid for dates that are not
    sessions of the data or a period without any signal."""
    signals, models = request.signals, models_of(request)
    snapshot = snapshot_of(services, request.data_version)
    _known_symbols(signals, services.market.snapshot(snapshot).names())
    wanted = sorted({*signals.symbols, request.benchmark} if request.benchmark else set(signals.symbols))
    everything, whole = read_bars(services, wanted, None, snapshot)
    _on_sessions(signals, everything)
    asked = request.period or (signals.sessions[0].item(), whole.end)
    bars, period = read_bars(services, wanted, asked, snapshot)
    inside = (signals.sessions >= np.datetime64(period.start)) & (
        signals.sessions <= np.datetime64(period.end)
    )
    if not inside.any():
        raise DataInvalid(f"no signal falls between {period.start} and {period.end}; nothing would trade")
    contract = CalcContract(initial_capital=request.initial_capital, benchmark=request.benchmark)
    universe = Universe(universe_version(signals.symbols), "signals", "US", signals.symbols)
    candidate = _candidate(request)
    strategy = candidate.strategy_id
    setting, frame = circumstances(services, bars, period, contract, universe, snapshot, models, strategy)
    return Ready(setting, frame, candidate, universe, (EngineMode.B,))


def aligned(signals: Signals, bars: Bars) -> NDArray[np.float64]:
    """Weights on the axes of ``bars``, (S, T); NaN where nothing is said. Later signals are left out."""
    weights = np.full(bars.close.shape, np.nan)
    rows = [bars.index_of(symbol) for symbol in signals.symbols]
    columns = np.searchsorted(bars.sessions, signals.sessions)
    kept = signals.sessions <= bars.sessions[-1]
    weights[np.ix_(rows, columns[kept])] = signals.weights[:, kept]
    return weights


def _known_symbols(signals: Signals, names: tuple[str, ...]) -> None:
    missing = [symbol for symbol in signals.symbols if symbol not in names]
    if missing:
        raise NotFound(
            f"the signals name {', '.join(missing[:5])}, of which there are no bars; there are "
            f"{', '.join(names[:8])}{' …' if len(names) > 8 else ''}"
        )


def _on_sessions(signals: Signals, bars: Bars) -> None:
    odd = signals.sessions[~np.isin(signals.sessions, bars.sessions)]
    if not len(odd):
        return
    first, last, day = bars.sessions[0], bars.sessions[-1], odd[0]
    if not first <= day <= last:
        raise DataInvalid(f"the signals of {day} lie outside the data, which run from {first} to {last}")
    before = bars.sessions[int(np.searchsorted(bars.sessions, day)) - 1]
    raise DataInvalid(
        f"{day} is not a session of the data; date its signals by the session at whose close they were "
        f"known, such as {before}"
    )


def _candidate(request: SignalsRequest) -> Candidate:
    signals = request.signals
    text = signals.spec_json()
    strategy = StrategyId(hashlib.sha256(text).hexdigest())
    # There is no logic to read: whoever asks for a spec must look at the kind first.
    canonical = CanonicalSpec(strategy, LogicHash(strategy), "h1", text, cast(NormalSpec, {}))
    largest = float(np.nanmax(np.abs(signals.weights)))
    traits = Traits(strategy, None, {}, 0, 0, 0, largest, None, float("nan"))
    proposed = Proposed({"name": request.name} if request.name else {}, "signals", None, {})
    return Candidate(0, proposed, canonical, None, (), traits)
