"""S50 and S60: signal density, engine A on train, scores, and the shortlist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.answers import BacktestRow
from quantrail.domain.enums import EngineMode
from quantrail.domain.identity import ReproductionKey, backtest_id, backtest_seed
from quantrail.domain.ids import StrategyId
from quantrail.engine import ENGINE_A_VERSION
from quantrail.search import Parent, blockers, density_limits
from quantrail.services.loop.cached import is_scored, outcome_from_row
from quantrail.services.loop.candidates import Gathered, is_starved, set_newest_aside
from quantrail.services.loop.state import MODELS_A, Candidate, Evaluated, RunState, Shown
from quantrail.services.near import alike, mark_of_entry
from quantrail.services.screen_work import ScreenResult
from quantrail.services.workers import ScreenJob, Workers

PARENTS = 40
MAX_LIKENESS = 0.95  # correlation of bar returns within a shortlist
CHUNK = 64  # fixed, so that a batch is the same for any number of workers


@dataclass(slots=True)
class Screened:
    """``candidates`` with their signal density and whatever it blocked; ``evaluated`` those that ran."""

    candidates: list[Candidate]
    evaluated: list[Evaluated]


def key_a(state: RunState, candidate: Candidate) -> ReproductionKey:
    """What a screening backtest of this run rests on."""
    strategy_id = candidate.strategy_id
    data = state.desk.version(state.screen.bars, candidate.canonical.spec)
    return ReproductionKey(
        strategy_id=strategy_id,
        engine_mode=EngineMode.A,
        engine_version=ENGINE_A_VERSION,
        data_version=data,
        universe_version=state.universe_version,
        period_start=state.train.start,
        period_end=state.train.end,
        bar_interval="1d",
        calc_contract_hash=state.screen.contract.hash,
        model_versions_hash=MODELS_A.hash,
        seed=backtest_seed(strategy_id, data),
    )


def screen_gathered(
    state: RunState, workers: Workers, gathered: Gathered, on_progress: Callable[[int], None]
) -> Screened:
    """Engine A on what was gathered; density constraints that starve the search are set aside too."""
    quota = state.config.search.budget.candidates
    while True:
        screened = screen(state, workers, gathered.candidates, on_progress)
        newest = None
        if is_starved(quota, screened.candidates):
            newest = set_newest_aside(state, screened.candidates)
        if newest is None:
            return screened
        gathered.relaxed.append(newest)
        gathered.candidates = [
            replace(c, blocked_by=tuple(b for b in c.blocked_by if b.constraint_id != newest.constraint_id))
            for c in gathered.candidates
        ]


def screen(
    state: RunState, workers: Workers, candidates: Sequence[Candidate], on_progress: Callable[[int], None]
) -> Screened:
    """Evaluate what may run; results in the order of ``candidates``, for any number of workers."""
    runnable = [c for c in candidates if c.runs]
    cached = _cached(state, runnable)
    jobs = [_job(state, c) for c in runnable]
    results = {}
    for chunk in workers.screen([jobs[i : i + CHUNK] for i in range(0, len(jobs), CHUNK)], cached.keys()):
        results.update({r.strategy_id: r for r in chunk})
        on_progress(len(results))
    settled: list[Candidate] = []
    evaluated: list[Evaluated] = []
    for candidate in candidates:
        result = results.get(candidate.strategy_id) if candidate.runs else None
        if result is None:
            settled.append(candidate)
            continue
        done = _with_density(state, candidate, result.signals_per_year)
        settled.append(done)
        evaluation = _evaluated(state, done, cached.get(done.strategy_id), result)
        if evaluation is not None:
            evaluated.append(evaluation)
    return Screened(settled, evaluated)


def _job(state: RunState, candidate: Candidate) -> ScreenJob:
    low, high = density_limits(state.binding, candidate.proposed.template_id, candidate.canonical.spec)
    spec = candidate.canonical.spec
    records = state.desk.records(state.screen.bars, spec)
    return ScreenJob(candidate.strategy_id, spec, low, high, candidate.explore, records)


def _with_density(state: RunState, candidate: Candidate, signals_per_year: float) -> Candidate:
    traits = replace(candidate.traits, signals_per_year=signals_per_year)
    blocked = blockers(state.binding, traits, candidate.canonical.spec)
    return replace(candidate, traits=traits, blocked_by=blocked)


def _evaluated(
    state: RunState, candidate: Candidate, row: BacktestRow | None, result: ScreenResult
) -> Evaluated | None:
    key = key_a(state, candidate)
    if not candidate.runs:
        return None
    if row is not None:
        stored = outcome_from_row(row, state.screen.policy.version)
        return Evaluated(candidate, key, stored, cached=True, curve=row.artifacts_dir)
    return None if result.outcome is None else Evaluated(candidate, key, result.outcome, mark=result.mark)


def _cached(state: RunState, candidates: Sequence[Candidate]) -> dict[StrategyId, BacktestRow]:
    ids = {backtest_id(key_a(state, c)): c.strategy_id for c in candidates}
    rows = state.services.store.find_backtests(list(ids))
    policy = state.screen.policy.version
    return {ids[key]: row for key, row in rows.items() if is_scored(row, policy)}


def shortlist(state: RunState, evaluated: Sequence[Evaluated]) -> list[Evaluated]:
    """The best by score, gates passed first, ties by id; none that trades like a better one, nor like one
    that an earlier iteration of the run put on its shortlist.
    """
    chosen: list[Evaluated] = []
    for entry in sorted((e for e in evaluated if e.outcome.score is not None), key=_rank):
        if len(chosen) == state.config.search.shortlist:
            break
        if entry.candidate.strategy_id in state.verified:
            continue
        own = _shown(state, entry)
        if not any(_alike(own, other) for other in state.shown):
            chosen.append(entry)
            state.shown.append(own)
    return chosen


def _rank(entry: Evaluated) -> tuple[bool, float, StrategyId]:
    score = entry.outcome.score
    assert score is not None  # the caller chose scored entries
    return not score.passed, -score.total, entry.candidate.strategy_id


def _moves(state: RunState, entry: Evaluated) -> NDArray[np.float32]:
    """Bar returns, from the curve as files keep it, so that a cached one compares the same."""
    equity: NDArray[np.float32]
    if entry.outcome.equity is not None:
        equity = entry.outcome.equity.astype(np.float32)
    elif entry.curve is not None:
        table = state.services.artifacts.read_parquet(entry.curve)
        equity = np.asarray(table.column("equity")[0].as_py(), dtype=np.float32)
    else:
        return np.empty(0, dtype=np.float32)
    return np.diff(equity) / equity[:-1]


def _shown(state: RunState, entry: Evaluated) -> Shown:
    risk = entry.candidate.canonical.spec["risk"]
    mark = mark_of_entry(state.services.store, entry, state.screen.bars.data_version)
    return Shown(_moves(state, entry), mark, risk)


def _alike(one: Shown, two: Shown) -> bool:
    """Whether two strategies are one idea in two spellings: the same bars held under the same risk rules
    (a stop is worth a look of its own), or returns that move together.
    """
    twins = one.risk == two.risk and alike(one.mark, two.mark)
    return twins or _move_together(one.moves, two.moves)


def _move_together(one: NDArray[np.float32], two: NDArray[np.float32]) -> bool:
    if len(one) != len(two) or len(one) == 0 or not min(one.std(), two.std()) > 0:
        return False
    return bool(np.corrcoef(one, two)[0, 1] > MAX_LIKENESS)


def remember(state: RunState, evaluated: Sequence[Evaluated]) -> None:
    """The best scored candidates of the run become parents, best first, ties by id; one may be the best."""
    for entry in evaluated:
        score = entry.outcome.score
        if score is None:
            continue
        made = entry.candidate.proposed
        parent = Parent(entry.candidate.strategy_id, made.document, made.template_id, made.params)
        state.parents.append((score.total + (1.0 if score.passed else 0.0), parent))
        if state.best is None or score.total > state.best:
            state.best = score.total
            state.best_label = made.template_id or entry.candidate.strategy_id[:8]
    # What stays behind is let go: a long run would hold every document it ever drew.
    state.parents = sorted(state.parents, key=lambda one: (-one[0], one[1].strategy_id))[:PARENTS]
