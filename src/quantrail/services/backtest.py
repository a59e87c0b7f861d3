"""One strategy on demand: the same engines, judgement and record as any trial of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantrail import __version__
from quantrail.domain.enums import EngineMode, RunStatus, TrialDoor
from quantrail.domain.identity import backtest_id
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.domain.ports import KnowledgeUnit
from quantrail.domain.records import ArtifactRef, Iteration, Run
from quantrail.services.backtest_setup import BacktestRequest, Ready, key_of, prepare_backtest
from quantrail.services.evaluation import Outcome
from quantrail.services.loop import result_records as results
from quantrail.services.loop.cached import is_scored, outcome_from_row
from quantrail.services.loop.state import Evaluated, Services
from quantrail.services.loop.trial_records import trial_record
from quantrail.services.screen_work import ScreenJob, screen_chunk
from quantrail.services.verify_work import VerifyJob, VerifyResult, verify_one
from quantrail.strategy import advisories


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """One engine's result. ``cached``: the store knew it, nothing was worked out again.

    ``advisories``: what is allowed but worth a second look.
    """

    backtest_id: BacktestId
    strategy_id: StrategyId
    engine_mode: EngineMode
    cached: bool
    metrics: Mapping[str, float | None]
    undefined: Mapping[str, str]
    score_total: float | None
    passed: bool | None
    failures: tuple[str, ...]
    error: str | None
    artifacts_dir: str | None
    advisories: tuple[str, ...]


def backtest(
    services: Services, request: BacktestRequest, door: TrialDoor = TrialDoor.API
) -> list[BacktestResult]:
    """Run one strategy and record it as a run with one iteration.

    Raises SpecInvalid with every problem, NotFound for symbols or data that are not there,
    DataInvalid for a period without bars. A strategy that cannot run is a result with an error.
    """
    ready = prepare_backtest(services, request)
    known = _known(services, ready)
    verified = _verify(ready) if _needs_b(ready, known) else None
    entries = [_entry(ready, mode, known, verified, door) for mode in ready.modes]
    written = _write_files(services, ready.folder, verified)
    with services.store.unit() as unit:
        unit.save_files(written)
        _record(services, unit, ready, entries, verified, request, door)
        unit.commit()
    return [_result(entry, ready.folder if verified else None) for entry in entries]


def _known(services: Services, ready: Ready) -> dict[EngineMode, Outcome]:
    keys = {backtest_id(key_of(ready, mode)): mode for mode in ready.modes}
    rows = services.store.find_backtests(list(keys))
    policy = ready.setting.policy.version
    return {keys[k]: outcome_from_row(row, policy) for k, row in rows.items() if is_scored(row, policy)}


def _needs_b(ready: Ready, known: Mapping[EngineMode, Outcome]) -> bool:
    return EngineMode.B in ready.modes and EngineMode.B not in known


def _verify(ready: Ready) -> VerifyResult:
    job = VerifyJob(ready.candidate.strategy_id, ready.candidate.canonical.spec, None, ())
    return verify_one(ready.setting, job, ready.frame.models[EngineMode.B])


def _entry(
    ready: Ready,
    mode: EngineMode,
    known: Mapping[EngineMode, Outcome],
    verified: VerifyResult | None,
    door: TrialDoor,
) -> Evaluated:
    if mode in known:
        return Evaluated(ready.candidate, key_of(ready, mode), known[mode], cached=True, door=door)
    if verified is not None:
        outcome = verified.a if mode is EngineMode.A else verified.b
    else:
        job = ScreenJob(ready.candidate.strategy_id, ready.candidate.canonical.spec)
        found = screen_chunk(ready.setting, [job])[0].outcome
        assert found is not None  # nothing bounds its density, so it ran
        outcome = found
    return Evaluated(ready.candidate, key_of(ready, mode), outcome, door=door)


def _write_files(services: Services, folder: str, verified: VerifyResult | None) -> list[Any]:
    if verified is None:
        return []
    tables = {
        "curves": verified.curves,
        "slices": verified.slices,
        "trades": verified.trades,
        **verified.logs,
    }
    return [
        services.artifacts.write_parquet(f"{folder}/{name}.parquet", columns)
        for name, columns in sorted(tables.items())
    ]


def _record(
    services: Services,
    unit: KnowledgeUnit,
    ready: Ready,
    entries: list[Evaluated],
    verified: VerifyResult | None,
    request: BacktestRequest,
    door: TrialDoor,
) -> None:
    frame, fresh = ready.frame, [e for e in entries if not e.cached]
    unit.insert_run(
        Run(frame.run_id, __version__, _document(services, ready, request), door, services.code_version)
    )
    unit.insert_iteration(Iteration(frame.run_id, 1))
    unit.upsert_strategies(results.strategy_records([ready.candidate]))
    ref = ArtifactRef(ready.folder) if verified is not None else None
    unit.insert_backtests([results.backtest_record(frame, 1, e, ref) for e in fresh])
    good = [e for e in fresh if e.outcome.error_code is None]
    unit.save_metrics([results.metrics_record(e) for e in good])
    unit.save_scores([results.score_record(e) for e in good])
    unit.save_failures([f for e in good for f in results.failure_records(frame, e)])
    if verified is not None and len(fresh) == 2:
        ids = [e.backtest_id for e in fresh]
        unit.save_comparisons([results.comparison_record(ids[0], ids[1], verified.difference)])
    period = ready.setting.period
    unit.save_trials(
        [trial_record(frame, 1, k, ready.candidate, period, entry) for k, entry in enumerate(entries)]
    )
    unit.finish_iteration(frame.run_id, 1, {"iteration": 1})
    unit.set_run_status(frame.run_id, RunStatus.DONE)


def _document(services: Services, ready: Ready, request: BacktestRequest) -> dict[str, Any]:
    period = ready.setting.period
    return {
        "config": {
            "name": "backtest",
            "strategy_id": ready.candidate.strategy_id,
            "engine": request.engine,
            "period": [period.start.isoformat(), period.end.isoformat()],
            "benchmark": request.benchmark,
        },
        "frozen": {
            "snapshot_version": ready.frame.snapshot_version,
            "n_trials": ready.setting.n_trials,
            "symbols": list(ready.universe.symbols),
            "environment": dict(services.environment),
        },
    }


def _result(entry: Evaluated, folder: str | None) -> BacktestResult:
    outcome = entry.outcome
    return BacktestResult(
        backtest_id=entry.backtest_id,
        strategy_id=entry.candidate.strategy_id,
        engine_mode=entry.key.engine_mode,
        cached=entry.cached,
        metrics=outcome.metrics,
        undefined=outcome.undefined,
        score_total=outcome.score.total if outcome.score else None,
        passed=outcome.score.passed if outcome.score else None,
        failures=tuple(f.rule.tag for f in outcome.failures),
        error=outcome.error_message,
        artifacts_dir=folder if not entry.cached else None,
        advisories=tuple(advisories(entry.candidate.canonical.spec)),
    )


__all__ = ["BacktestRequest", "BacktestResult", "backtest"]
