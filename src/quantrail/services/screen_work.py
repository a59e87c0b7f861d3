"""What a worker does in the screen: count signals, run engine A on what may run, judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from quantrail.domain.ids import StrategyId
from quantrail.engine import ScreenBatch, SignalMaker, fingerprints, prepare, screen
from quantrail.services.evaluation import Floats, Found, Outcome, Setting, failed, judge
from quantrail.strategy import Fingerprint, NormalSpec


@dataclass(frozen=True, slots=True)
class ScreenJob:
    """One spec, the signal density (entries a year) within which it may run, or ``explore`` anyway.

    ``records``: what it reads besides bars, over the same sessions; see ``Bars.records``.
    """

    strategy_id: StrategyId
    spec: NormalSpec
    min_density: float = 0.0
    max_density: float = float("inf")
    explore: bool = False
    records: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """``outcome`` None: its density kept it from running, or the store knew the result already.

    ``mark``: the fingerprint of what ran, where they were asked for.
    """

    strategy_id: StrategyId
    signals_per_year: float
    outcome: Outcome | None
    mark: Fingerprint | None = None


def screen_chunk(
    setting: Setting,
    jobs: Sequence[ScreenJob],
    known: frozenset[StrategyId] = frozenset(),
    maker: SignalMaker | None = None,
    *,
    mark: bool = False,
) -> list[ScreenResult]:
    """Results in the order of ``jobs``; ``maker`` shares features and comparisons between chunks.

    ``mark``: with fingerprints, whose grid is that of ``setting``.
    """
    maker = maker or SignalMaker(setting.bars)
    for job in jobs:
        maker.features.know(job.records)
    batch = prepare(setting.bars, [job.spec for job in jobs], maker=maker)
    years = len(setting.sessions) / setting.contract.annualization_factor
    density = batch.entry_onsets(setting.period) / years
    chosen = [
        i
        for i, job in enumerate(jobs)
        if batch.errors[i] is None and job.strategy_id not in known and _may_run(job, density[i])
    ]
    outcomes: dict[int, Outcome] = {
        i: failed(job.strategy_id, error.code, error.message)
        for i, job in enumerate(jobs)
        if (error := batch.errors[i]) is not None
    }
    if chosen:
        done = screen(batch, setting.period, setting.contract, chosen)
        outcomes |= dict(zip(chosen, _judged(setting, [jobs[i] for i in chosen], done), strict=True))
    made = fingerprints(batch, setting.period, chosen, setting.bars.data_version) if mark else []
    marks = dict(zip(chosen, made, strict=False))
    return [
        ScreenResult(job.strategy_id, float(density[i]), outcomes.get(i), marks.get(i))
        for i, job in enumerate(jobs)
    ]


def _may_run(job: ScreenJob, density: float) -> bool:
    return job.explore or job.min_density <= density <= job.max_density


def _judged(setting: Setting, jobs: Sequence[ScreenJob], done: ScreenBatch) -> Iterator[Outcome]:
    found = [
        Found(job.strategy_id, job.spec, done.outline(k), done.metric_row(k), done.undefined(k))
        for k, job in enumerate(jobs)
        if done.errors[k] is None
    ]
    judged = iter(judge(setting, "screen", found))
    for job, error in zip(jobs, done.errors, strict=True):
        yield next(judged) if error is None else failed(job.strategy_id, error.code, error.message)
