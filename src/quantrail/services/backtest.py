"""One strategy on demand: the same engines, judgement and record as any trial of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from quantrail import __version__
from quantrail.domain.answers import BacktestRow
from quantrail.domain.enums import EngineMode, RunStatus, TrialDoor
from quantrail.domain.identity import backtest_id
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.domain.ports import KnowledgeUnit
from quantrail.domain.records import ArtifactRef, Iteration, Run
from quantrail.engine import EngineComparison
from quantrail.services.backtest_setup import BacktestRequest, Ready, key_of, prepare_backtest
from quantrail.services.evaluation import Outcome
from quantrail.services.loop import result_records as results
from quantrail.services.loop.cached import is_scored, outcome_from_row
from quantrail.services.loop.recording import known_failures
from quantrail.services.loop.state import Evaluated, Services
from quantrail.services.loop.trial_records import trial_record
from quantrail.services.screen_work import ScreenJob, screen_chunk
from quantrail.services.verify_work import VerifyJob, verify_one
from quantrail.strategy import priced


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """One engine's result. ``cached``: the store knew it, nothing was worked out again.

    ``artifacts_dir``: where curves, trades and logs lie as Parquet, relative to the artifacts folder; None
    where none were made (engine A alone). ``advisories``: what is allowed but worth a second look.
    ``passed``, ``fail_reasons``: what the score's gates said; ``failures`` are judged apart from them. The
    period's ends are sessions of the data, ``sessions`` their count.
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
    fail_reasons: tuple[str, ...]
    period_start: date
    period_end: date
    sessions: int
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What engines found: an outcome each, the files to keep, what sets B apart from A, shared inputs.

    ``tables`` go into the result's folder by name, ``shared`` by path below the artifacts folder.
    """

    outcomes: Mapping[EngineMode, Outcome]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    difference: EngineComparison | None = None
    shared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def backtest(
    services: Services, request: BacktestRequest, door: TrialDoor = TrialDoor.API
) -> list[BacktestResult]:
    """Run one strategy and record it as a run with one iteration.

    Raises SpecInvalid with every problem, NotFound for symbols or data that are not there,
    DataInvalid for a period without bars. A strategy that cannot run is a result with an error.
    """
    ready = prepare_backtest(services, request)
    return run_and_record(services, ready, lambda missing: _run(ready, missing), request.engine, door)


def run_and_record(
    services: Services,
    ready: Ready,
    run: Callable[[frozenset[EngineMode]], Work],
    engine: str,
    door: TrialDoor,
) -> list[BacktestResult]:
    """What the store knows is read back, the rest is ``run``; everything is recorded as one run."""
    known = _known(services, ready)
    missing = frozenset(mode for mode in ready.modes if mode not in known)
    work = run(missing) if missing else Work({})
    entries = [_entry(ready, mode, known, work, door) for mode in ready.modes]
    written = _write_files(services, ready.folder, work)
    with services.store.unit() as unit:
        unit.save_files(written)
        _record(services, unit, ready, entries, work, engine, door)
        unit.commit()
    kept = {mode: _folder_of(row) for mode, row in known.items()}
    return [
        _result(e, ready, kept.get(e.key.engine_mode, ready.folder if work.tables else None)) for e in entries
    ]


def _known(services: Services, ready: Ready) -> dict[EngineMode, BacktestRow]:
    keys = {backtest_id(key_of(ready, mode)): mode for mode in ready.modes}
    rows = services.store.find_backtests(list(keys))
    policy = ready.setting.policy.version
    return {keys[k]: row for k, row in rows.items() if is_scored(row, policy)}


def _run(ready: Ready, missing: frozenset[EngineMode]) -> Work:
    strategy, spec = ready.candidate.strategy_id, ready.candidate.canonical.spec
    models_a = ready.frame.models[EngineMode.A]
    if EngineMode.B not in missing:
        found = screen_chunk(ready.setting, [ScreenJob(strategy, priced(spec, models_a))])[0].outcome
        assert found is not None  # nothing bounds its density, so it ran
        return Work({EngineMode.A: found})
    job, models = VerifyJob(strategy, spec, None, ()), ready.frame.models[EngineMode.B]
    verified = verify_one(ready.setting, job, models, actions=ready.actions, models_a=models_a)
    tables = {
        "curves": verified.curves,
        "slices": verified.slices,
        "trades": verified.trades,
        **verified.logs,
    }
    return Work({EngineMode.A: verified.a, EngineMode.B: verified.b}, tables, verified.difference)


def _entry(
    ready: Ready, mode: EngineMode, known: Mapping[EngineMode, BacktestRow], work: Work, door: TrialDoor
) -> Evaluated:
    key = key_of(ready, mode)
    if mode in known:
        outcome = outcome_from_row(known[mode], ready.setting.policy.version)
        return Evaluated(ready.candidate, key, outcome, cached=True, door=door)
    return Evaluated(ready.candidate, key, work.outcomes[mode], door=door)


def _write_files(services: Services, folder: str, work: Work) -> list[Any]:
    paths = {f"{folder}/{name}.parquet": columns for name, columns in work.tables.items()}
    return [services.artifacts.write_parquet(at, c) for at, c in sorted((paths | dict(work.shared)).items())]


def _folder_of(row: BacktestRow) -> str | None:
    return row.artifacts_dir.path if row.artifacts_dir is not None else None


def _record(
    services: Services,
    unit: KnowledgeUnit,
    ready: Ready,
    entries: list[Evaluated],
    work: Work,
    engine: str,
    door: TrialDoor,
) -> None:
    frame, fresh = ready.frame, [e for e in entries if not e.cached]
    unit.insert_run(
        Run(frame.run_id, __version__, _document(services, ready, engine), door, services.code_version)
    )
    unit.insert_iteration(Iteration(frame.run_id, 1))
    unit.upsert_strategies(results.strategy_records([ready.candidate]))
    ref = ArtifactRef(ready.folder) if work.tables else None
    tests = [results.backtest_record(frame, 1, e, ref) for e in fresh]
    known = known_failures(services.store, tests, unit.insert_backtests(tests))
    good = [e for e in fresh if e.outcome.error_code is None]
    unit.save_metrics([results.metrics_record(e) for e in good])
    unit.save_scores([results.score_record(e) for e in good])
    found = [f for e in good for f in results.failure_records(frame, e)]
    unit.save_failures([f for f in found if f.failure_id not in known])
    if work.difference is not None and len(entries) == 2:
        ids = [e.backtest_id for e in entries]
        unit.save_comparisons([results.comparison_record(ids[0], ids[1], work.difference)])
    period = ready.setting.period
    unit.save_trials(
        [trial_record(frame, 1, k, ready.candidate, period, entry) for k, entry in enumerate(entries)]
    )
    unit.finish_iteration(frame.run_id, 1, {"iteration": 1})
    unit.set_run_status(frame.run_id, RunStatus.DONE)


def _document(services: Services, ready: Ready, engine: str) -> dict[str, Any]:
    period = ready.setting.period
    return {
        "config": {
            "name": "backtest",
            "strategy_id": ready.candidate.strategy_id,
            "engine": engine,
            "period": [period.start.isoformat(), period.end.isoformat()],
            "benchmark": ready.setting.contract.benchmark,
        },
        "frozen": {
            "snapshot_version": ready.frame.snapshot_version,
            "record_versions": dict(ready.records),
            "n_trials": ready.setting.n_trials,
            "symbols": list(ready.universe.symbols),
            "environment": dict(services.environment),
        },
    }


def _result(entry: Evaluated, ready: Ready, folder: str | None) -> BacktestResult:
    outcome, period = entry.outcome, ready.setting.period
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
        artifacts_dir=folder,
        advisories=ready.advice,
        fail_reasons=tuple(outcome.score.fail_reasons) if outcome.score else (),
        period_start=period.start,
        period_end=period.end,
        sessions=len(ready.setting.sessions),
        symbols=tuple(ready.universe.symbols),
    )


__all__ = ["BacktestRequest", "BacktestResult", "Work", "backtest", "run_and_record"]
