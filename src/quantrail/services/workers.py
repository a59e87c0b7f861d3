"""Evaluations in worker processes. Results come back in the order of the jobs, whatever the workers do."""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Protocol

from quantrail.domain.contract import ModelVersions
from quantrail.domain.ids import StrategyId
from quantrail.engine import SignalMaker, warm_up
from quantrail.errors import BackendError
from quantrail.services.evaluation import Outcome, Setting
from quantrail.services.screen_work import ScreenJob, ScreenResult, screen_chunk
from quantrail.services.verify_work import VerifyJob, VerifyResult, verify_one

_BENCH: dict[str, Bench] = {}


class Workers(Protocol):
    """Where evaluations run."""

    def screen(
        self, chunks: Sequence[Sequence[ScreenJob]], known: Collection[StrategyId]
    ) -> Iterator[list[ScreenResult]]:
        """Engine A; strategies in ``known`` get their signals counted and nothing more."""

    def verify(self, jobs: Sequence[VerifyJob], models: ModelVersions) -> Iterator[VerifyResult]: ...


class Bench:
    """What one worker keeps at hand: the settings, and the signals it has worked out over their bars."""

    def __init__(self, screen: Setting, verify: Setting) -> None:
        self._screen, self._verify = screen, verify
        self._screen_signals = SignalMaker(screen.bars)
        same = verify.bars is screen.bars
        self._verify_signals = self._screen_signals if same else SignalMaker(verify.bars)

    def screen(self, chunk: Sequence[ScreenJob], known: frozenset[StrategyId]) -> list[ScreenResult]:
        return screen_chunk(self._screen, chunk, known, self._screen_signals, mark=True)

    def verify(self, job: VerifyJob, models: ModelVersions) -> VerifyResult:
        return verify_one(self._verify, job, models, self._verify_signals)


class InProcess:
    """One worker: this process."""

    def __init__(self, screen: Setting, verify: Setting) -> None:
        self._bench = Bench(screen, verify)

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def screen(
        self, chunks: Sequence[Sequence[ScreenJob]], known: Collection[StrategyId]
    ) -> Iterator[list[ScreenResult]]:
        for chunk in chunks:
            yield self._bench.screen(chunk, frozenset(known))

    def verify(self, jobs: Sequence[VerifyJob], models: ModelVersions) -> Iterator[VerifyResult]:
        for job in jobs:
            yield self._bench.verify(job, models)


class ProcessPool:
    """Several worker processes, started once for a run. Bars travel to each worker once."""

    def __init__(self, workers: int, screen: Setting, verify: Setting) -> None:
        # Once here, rather than in every worker at the same time.
        warm_up()
        # Forking a process that holds threads (a progress display) can deadlock; spawning cannot.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(screen, verify)
        )

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def screen(
        self, chunks: Sequence[Sequence[ScreenJob]], known: Collection[StrategyId]
    ) -> Iterator[list[ScreenResult]]:
        names = frozenset(known)
        try:
            yield from self._pool.map(_screen_in_worker, chunks, [names] * len(chunks))
        except BrokenProcessPool as error:
            raise _lost_worker() from error

    def verify(self, jobs: Sequence[VerifyJob], models: ModelVersions) -> Iterator[VerifyResult]:
        try:
            yield from self._pool.map(_verify_in_worker, jobs, [models] * len(jobs))
        except BrokenProcessPool as error:
            raise _lost_worker() from error


def open_workers(count: int, screen: Setting, verify: Setting) -> InProcess | ProcessPool:
    """``count`` workers; one means this process."""
    return InProcess(screen, verify) if count == 1 else ProcessPool(count, screen, verify)


def _lost_worker() -> BackendError:
    return BackendError("a worker process died, most likely for lack of memory; run again with fewer workers")


def _start_worker(screen: Setting, verify: Setting) -> None:
    import gc
    import signal

    # Ctrl-C reaches the whole process group; the parent decides what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _BENCH["worker"] = Bench(screen, verify)
    # What is there by now stays; the search for cycles need not look through it with every chunk.
    gc.freeze()


def _screen_in_worker(chunk: Sequence[ScreenJob], known: frozenset[StrategyId]) -> list[ScreenResult]:
    return _BENCH["worker"].screen(chunk, known)


def _verify_in_worker(job: VerifyJob, models: ModelVersions) -> VerifyResult:
    return _BENCH["worker"].verify(job, models)


__all__ = ["InProcess", "Outcome", "ProcessPool", "ScreenJob", "VerifyJob", "Workers", "open_workers"]
