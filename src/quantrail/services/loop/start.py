"""S00: everything that must stand still while a run runs, read once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from quantrail import __version__
from quantrail.analysis.constraints import load_constraint_rules
from quantrail.analysis.failures import load_rules
from quantrail.analysis.score_policy import load_policy
from quantrail.domain.answers import IdKind, StoredConstraintSet
from quantrail.domain.enums import ConstraintStatus, TrialDoor
from quantrail.domain.identity import new_run_id, universe_version
from quantrail.domain.ids import ConstraintSetId, DataVersion
from quantrail.domain.market import Bars, Members
from quantrail.domain.records import Constraint, Run, Universe
from quantrail.errors import ConfigInvalid, DataInvalid, InvalidInput, NotFound
from quantrail.search import check_enforceable
from quantrail.services.evaluation import Setting, annual_sharpe, hold_returns
from quantrail.services.loop.state import RunState, Services
from quantrail.services.records import RecordDesk, current_versions
from quantrail.services.registers import register, snapshot_of, stored_snapshot
from quantrail.services.run_config import RunConfig
from quantrail.services.run_data import Span, bars_until, period_of

MIN_SESSIONS = 20


def start_run(services: Services, config: RunConfig, door: TrialDoor = TrialDoor.LOOP) -> RunState:
    """Freeze data, trial count and base constraints, and record the run with them."""
    snapshot = snapshot_of(services, config.data.version)
    members = _members(services, config)
    symbols = _symbols(config, services.market.snapshot(snapshot).names(), members)
    screen, verify = _settings(services, config, snapshot, symbols)
    _check_spans(config, verify)
    name = config.universe.stored or config.universe.name
    # The version of the symbols traded, dates aside: the same symbols give the same results.
    universe = Universe(universe_version(symbols), name, config.universe.market, symbols)
    base = _base_set(services, config)
    constraints = active_members(base)
    check_enforceable(constraints)
    kinds = {
        "score": config.score_policy,
        "failure_rules": config.failure_rules,
        "constraint_rules": config.constraint_rules.version,
    }
    stored = stored_snapshot(services, snapshot)
    register(services, kinds, universe, stored)
    splits = config.data.splits
    tried = services.store.trial_count(universe.universe_version, splits.train.start, splits.validation.end)
    budget = config.search.budget
    n_trials = tried.market_overlap + budget.candidates * budget.iterations
    searched = _setting(screen, splits.train, config, n_trials, symbols)
    whole = Span(start=splits.train.start, end=splits.validation.end)
    state = RunState(
        run_id=new_run_id(services.clock(), services.entropy),
        config=config,
        services=services,
        screen=searched,
        verify=replace(_setting(verify, whole, config, n_trials, symbols), train=searched.period),
        data_version_screen=screen.data_version,
        data_version_verify=verify.data_version,
        snapshot_version=snapshot,
        universe_version=universe.universe_version,
        constraint_rules=load_constraint_rules(config.constraint_rules.version),
        base_set_id=base.set.constraint_set_id if base else None,
        base_run_id=base.run_id if base else None,
        constraints=constraints,
        n_trials=n_trials,
        symbols=symbols,
        members=members,
        desk=RecordDesk(services.market, current_versions(services.market)),
        applied_set_id=base.set.constraint_set_id if base else None,
    )
    _record(state, door)
    return state


def _members(services: Services, config: RunConfig) -> Members | None:
    if config.universe.stored is None:
        return None
    return services.market.members(config.universe.stored, config.data.splits.train.start)


def _symbols(config: RunConfig, stored: tuple[str, ...], members: Members | None) -> tuple[str, ...]:
    if members is not None:
        missing = sorted(set(members.symbols) - set(stored))
        if missing:
            # Going on without them would leave out just those that are gone by now.
            raise NotFound(
                f"{len(missing)} of the {len(members.symbols)} members of universe {members.universe!r} on "
                f"{members.day} have no bars in the data: {', '.join(missing[:10])}; import their bars"
            )
        return members.symbols
    wanted = config.data.symbols or tuple(s for s in stored if s != config.universe.benchmark)
    return tuple(sorted(set(wanted)))


def _settings(
    services: Services, config: RunConfig, snapshot: DataVersion, symbols: tuple[str, ...]
) -> tuple[Bars, Bars]:
    """Bars up to the end of train, and up to the end of validation; the holdout is never read."""
    splits = config.data.splits
    train, later = (
        bars_until(services, splits, config.universe.benchmark, snapshot, symbols, end)
        for end in (splits.train.end, splits.validation.end)
    )
    return train, later


def _check_spans(config: RunConfig, bars: Bars) -> None:
    """Each part needs enough sessions to say anything; checked before anything is recorded."""
    for name, span in (("train", config.data.splits.train), ("validation", config.data.splits.validation)):
        first, last = np.datetime64(span.start), np.datetime64(span.end)
        count = int(((bars.sessions >= first) & (bars.sessions <= last)).sum())
        if count < MIN_SESSIONS:
            raise DataInvalid(
                f"{name} {span.start} to {span.end} holds {count} sessions of the data, which end on "
                f"{bars.sessions[-1]}; it needs {MIN_SESSIONS} or more"
            )


def _setting(bars: Bars, span: Span, config: RunConfig, n_trials: int, symbols: tuple[str, ...]) -> Setting:
    period = period_of(bars, span)
    contract = config.contract()
    policy, rules = load_policy(config.score_policy), load_rules(config.failure_rules)
    held = hold_returns(bars, symbols, period)
    return Setting(bars, period, contract, policy, rules, n_trials, held, annual_sharpe(held, contract))


def _base_set(services: Services, config: RunConfig) -> StoredConstraintSet | None:
    base = config.constraints.base
    if base == "none":
        return None
    if base == "latest":
        return services.store.latest_constraint_set()
    try:
        full = services.store.resolve(base, IdKind.CONSTRAINT_SET)[1]
    except (NotFound, InvalidInput) as error:
        raise ConfigInvalid(
            f"constraints.base {base!r} is neither latest, none, nor the id of a stored set"
        ) from error
    return services.store.get_constraint_set(ConstraintSetId(full))


def active_members(base: StoredConstraintSet | None) -> tuple[Constraint, ...]:
    """The constraints of a stored set that still bind; none of no set."""
    if base is None:
        return ()
    return tuple(c for c in base.set.members if c.status is ConstraintStatus.ACTIVE)


def _record(state: RunState, door: TrialDoor) -> None:
    services = state.services
    with services.store.unit() as unit:
        unit.insert_run(Run(state.run_id, __version__, run_document(state), door, services.code_version))
        unit.commit()


def run_document(state: RunState) -> dict[str, Any]:
    """The configuration and all that was frozen with it: what a repetition of the run needs."""
    return {
        "config": state.config.model_dump(mode="json"),
        "frozen": {
            "snapshot_version": state.snapshot_version,
            "data_version_screen": state.data_version_screen,
            "data_version_verify": state.data_version_verify,
            "record_versions": dict(state.desk.versions),
            "base_constraint_set_id": state.base_set_id,
            "n_trials": state.n_trials,
            "symbols": list(state.symbols),
            "universe": _frozen_universe(state.members),
            "environment": dict(state.services.environment),
        },
    }


def _frozen_universe(members: Members | None) -> dict[str, Any] | None:
    if members is None:
        return None
    return {
        "name": members.universe,
        "version": members.version,
        "day": members.day.isoformat(),
        "advice": list(members.advice),
    }
