"""S70 and S75: the shortlist through both engines over train and validation, and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from quantrail.domain.enums import EngineMode, TrialDoor
from quantrail.domain.identity import ReproductionKey, backtest_id, backtest_seed
from quantrail.engine import ENGINE_A_VERSION, ENGINE_B_VERSION
from quantrail.errors import SpecInvalid
from quantrail.search import Proposed, rewrite, traits_of
from quantrail.services.evaluation import Floats
from quantrail.services.loop.cached import is_scored, outcome_from_row
from quantrail.services.loop.result_records import NEIGHBOUR_STEP, comparison_record
from quantrail.services.loop.screening import key_a
from quantrail.services.loop.state import MODELS_A, Candidate, Evaluated, RunState, Verification, Verified
from quantrail.services.screen_work import ScreenJob
from quantrail.services.verify_work import VerifyJob, VerifyResult
from quantrail.services.workers import Workers
from quantrail.strategy import CanonicalSpec, canonicalise, copy_tree, reframed

MAX_NEIGHBOURS = 8


def key_full(state: RunState, candidate: Candidate, mode: EngineMode) -> ReproductionKey:
    """What a backtest over train and validation rests on."""
    strategy_id = candidate.strategy_id
    data = state.desk.version(state.verify.bars, candidate.canonical.spec)
    period = state.verify.period
    models = MODELS_A if mode is EngineMode.A else state.models_b
    return ReproductionKey(
        strategy_id=strategy_id,
        engine_mode=mode,
        engine_version=ENGINE_A_VERSION if mode is EngineMode.A else ENGINE_B_VERSION,
        data_version=data,
        universe_version=state.universe_version,
        period_start=period.start,
        period_end=period.end,
        bar_interval="1d",
        calc_contract_hash=state.verify.contract.hash,
        model_versions_hash=models.hash,
        seed=backtest_seed(strategy_id, data),
    )


def verify_shortlist(
    state: RunState, workers: Workers, chosen: Sequence[Evaluated], on_progress: Callable[[int], None]
) -> Verification:
    """Both engines for every entry the store does not know yet, in the order of ``chosen``."""
    state.verified.update(e.candidate.strategy_id for e in chosen)
    known = _known(state, chosen)
    done = {look.candidate.strategy_id for look in known}
    fresh = [e for e in chosen if e.candidate.strategy_id not in done]
    families = [list(_neighbours(state, entry.candidate)) for entry in fresh]
    jobs = [_job(state, entry, family) for entry, family in zip(fresh, families, strict=True)]
    verified = []
    for entry, family, result in zip(fresh, families, workers.verify(jobs, state.models_b), strict=True):
        verified.append(_verified(state, entry.candidate, family, result))
        on_progress(len(known) + len(verified))
    return Verification(tuple(verified), known)


def _known(state: RunState, chosen: Sequence[Evaluated]) -> tuple[Evaluated, ...]:
    keys = {e.candidate.strategy_id: key_full(state, e.candidate, EngineMode.B) for e in chosen}
    stored = state.services.store.find_backtests([backtest_id(key) for key in keys.values()])
    policy = state.verify.policy.version
    found = []
    for entry in chosen:
        key = keys[entry.candidate.strategy_id]
        row = stored.get(backtest_id(key))
        if row is not None and is_scored(row, policy):
            outcome = outcome_from_row(row, policy)
            found.append(Evaluated(entry.candidate, key, outcome, cached=True))
    return tuple(found)


def _job(state: RunState, entry: Evaluated, family: Sequence[Candidate]) -> VerifyJob:
    neighbours = tuple(ScreenJob(c.strategy_id, c.canonical.spec, records=_records(state, c)) for c in family)
    candidate = entry.candidate
    sharpe = entry.outcome.metrics.get("sharpe_net")
    spec = candidate.canonical.spec
    return VerifyJob(candidate.strategy_id, spec, sharpe, neighbours, _records(state, candidate))


def _records(state: RunState, candidate: Candidate) -> Mapping[str, Floats]:
    # Neighbours run on the bars of verification, too, and look no further than train.
    return state.desk.records(state.verify.bars, candidate.canonical.spec)


def _verified(
    state: RunState, candidate: Candidate, family: Sequence[Candidate], result: VerifyResult
) -> Verified:
    a = Evaluated(candidate, key_full(state, candidate, EngineMode.A), result.a)
    b = Evaluated(candidate, key_full(state, candidate, EngineMode.B), result.b)
    comparison = comparison_record(a.backtest_id, b.backtest_id, result.difference)
    around = tuple(
        Evaluated(neighbour, key_a(state, neighbour), done.outcome, door=TrialDoor.STRESS)
        for neighbour, done in zip(family, result.neighbours, strict=True)
        if done.outcome is not None
    )
    return Verified(a, b, comparison, around, result.curves, result.slices, result.trades, result.logs)


def _neighbours(state: RunState, candidate: Candidate) -> Iterator[Candidate]:
    """The spec with one feature parameter moved by one step either way; invalid ones are no strategies."""
    seen = {candidate.strategy_id}
    for document in _moved(candidate.proposed.document):
        if len(seen) > MAX_NEIGHBOURS:
            return
        try:
            source = canonicalise(document)
        except SpecInvalid:
            continue
        neighbour = _as_candidate(state, candidate, document, source)
        if neighbour.strategy_id not in seen:
            seen.add(neighbour.strategy_id)
            yield neighbour


def _moved(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in sorted(document.get("features", {})):
        for param, value in sorted(document["features"][name].get("params", {}).items()):
            if isinstance(value, str):
                continue
            step = max(1, round(NEIGHBOUR_STEP * value)) if isinstance(value, int) else NEIGHBOUR_STEP * value
            for moved in (value - step, value + step):
                child = copy_tree(document)
                child["features"][name]["params"][param] = moved
                yield child


def _as_candidate(
    state: RunState, of: Candidate, document: dict[str, Any], source: CanonicalSpec
) -> Candidate:
    template = of.proposed.template_id
    spec, changed = rewrite(state.constraints, template, source.spec)
    canonical = reframed(source, spec) if changed else source
    proposed = Proposed(document, "stress", template, {}, of.strategy_id)
    density = of.traits.signals_per_year
    traits = traits_of(canonical.strategy_id, spec, template, density)
    return Candidate(-1, proposed, canonical, source if changed else None, changed, traits)
