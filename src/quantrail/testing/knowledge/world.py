"""A small filled store: one run, strategies, results, failures, constraints and what they blocked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.domain import records as r
from quantrail.domain.enums import EngineMode, TrialArm, TrialOutcome
from quantrail.domain.ports import KnowledgeStore, KnowledgeUnit
from quantrail.testing import records as build


@dataclass(frozen=True, slots=True)
class StoreHarness:
    """An empty store, and plain SQL behind its back (a connection of its own, committed at once).

    ``sql`` takes statements without parameters and raises ``sql_error`` when the database refuses.
    """

    store: KnowledgeStore
    sql: Callable[[str], list[Any]]
    sql_error: type[Exception]
    reopen: Callable[[], KnowledgeStore]


@dataclass(frozen=True, slots=True)
class World:
    """What :func:`fill` stored."""

    strategies: tuple[r.Strategy, ...]
    backtests: tuple[r.Backtest, ...]
    verified: tuple[r.Backtest, ...]
    failures: tuple[r.Failure, ...]
    constraint_set: r.ConstraintSet
    trials: tuple[r.Trial, ...]
    blocked: tuple[r.Trial, ...]


def register(unit: KnowledgeUnit, run_number: int = 0) -> None:
    """What results refer to, and a run with its first iteration."""
    unit.save_policies(build.policies())
    unit.save_universes([build.universe()])
    unit.save_templates(build.templates())
    unit.save_atoms(build.atoms())
    unit.insert_run(build.run(run_number))
    unit.insert_iteration(r.Iteration(build.run_id(run_number), 1))


def save_results(unit: KnowledgeUnit, strategies: Sequence[r.Strategy], first: int = 0) -> list[r.Backtest]:
    """Strategies with their screening results, metrics, scores and trials."""
    unit.upsert_strategies(strategies)
    tests = [build.backtest(one, first + i) for i, one in enumerate(strategies)]
    unit.insert_backtests(tests)
    unit.save_metrics([build.metrics(one.backtest_id, first + i) for i, one in enumerate(tests)])
    unit.save_scores([build.score(one.backtest_id, first + i) for i, one in enumerate(tests)])
    return tests


def fill(store: KnowledgeStore, size: int = 12) -> World:
    """``size`` strategies in iteration 1, a constraint set from their failures, three blocked after."""
    strategies = tuple(build.strategy(i) for i in range(size))
    with store.unit() as unit:
        register(unit)
        tests = save_results(unit, strategies)
        verified = _verify(unit, strategies[:3], size)
        failures = tuple(build.failure(one.backtest_id, i) for i, one in enumerate(tests))
        unit.save_failures(failures)
        trials = tuple(
            build.trial(one, i, test.backtest_id)
            for i, (one, test) in enumerate(zip(strategies, tests, strict=True))
        )
        unit.save_trials(trials)
        chosen = build.constraint_set(build.constraint(0), build.constraint(1))
        unit.save_constraint_set(build.run_id(), 1, chosen, _provenance(chosen, failures))
        unit.finish_iteration(build.run_id(), 1, {"evaluated": size})
        unit.insert_iteration(r.Iteration(build.run_id(), 2, chosen.constraint_set_id))
        blocked = _block(unit, strategies[:3], chosen)
        unit.commit()
    return World(strategies, tuple(tests), verified, failures, chosen, trials, blocked)


def _verify(unit: KnowledgeUnit, strategies: Sequence[r.Strategy], first: int) -> tuple[r.Backtest, ...]:
    tests = [build.backtest(one, first + i, EngineMode.B) for i, one in enumerate(strategies)]
    unit.insert_backtests(tests)
    unit.save_metrics([build.metrics(one.backtest_id, first + i) for i, one in enumerate(tests)])
    unit.save_scores([build.score(one.backtest_id, first + i) for i, one in enumerate(tests)])
    return tuple(tests)


def _provenance(chosen: r.ConstraintSet, failures: Sequence[r.Failure]) -> list[r.Provenance]:
    return [
        r.Provenance(member.constraint_id, failures[i].failure_id, "direct")
        for i, member in enumerate(chosen.members)
    ]


def _block(
    unit: KnowledgeUnit, strategies: Sequence[r.Strategy], chosen: r.ConstraintSet
) -> tuple[r.Trial, ...]:
    blocked = tuple(
        build.trial(one, i, None, TrialOutcome.BLOCKED, iteration_id=2) for i, one in enumerate(strategies)
    )
    unit.save_trials(blocked)
    unit.save_trial_constraints(
        [
            r.TrialConstraint(
                one.trial_id, chosen.constraint_set_id, chosen.members[0].constraint_id, TrialArm.MAIN
            )
            for one in blocked
        ]
    )
    return blocked
