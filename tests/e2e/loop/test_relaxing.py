"""Constraints that leave nothing to search give way, newest first; and do not come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quantrail.bootstrap import import_sample, open_services
from quantrail.config import load_settings
from quantrail.domain.enums import SCOPE_OF, ConstraintOrigin, ConstraintType
from quantrail.domain.identity import constraint_id, constraint_set_id
from quantrail.domain.records import Constraint, ConstraintSet
from quantrail.services.demo import demo_document
from quantrail.services.loop.candidates import gather
from quantrail.services.loop.runner import run_loop
from quantrail.services.loop.screening import screen_gathered
from quantrail.services.loop.start import start_run
from quantrail.services.loop.state import RunState
from quantrail.services.run_config import parse_run_config
from quantrail.services.workers import InProcess
from quantrail.strategy import TEMPLATES

QUOTA = 24


def made(kind: ConstraintType, params: dict[str, object]) -> Constraint:
    return Constraint(constraint_id(SCOPE_OF[kind], kind, params, {}), SCOPE_OF[kind], kind, params)


BANS = tuple(
    made(ConstraintType.BAN_TEMPLATE, {"template_id": t, "reason": "test"}) for t in sorted(TEMPLATES)
)
SPARSE = made(ConstraintType.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 1e6})


@pytest.fixture(params=[0.0, 0.1], ids=["no exploration", "a tenth explores"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunState]:
    settings = load_settings(tmp_path / "home")
    document = demo_document()
    document["data"]["symbols"] = ["AAPL", "KO", "MSFT", "XOM"]
    document["search"]["budget"] = {"candidates": QUOTA, "iterations": 1}
    document["constraint_rules"]["exploration_share"] = request.param
    with open_services(settings, create=True) as services:
        import_sample(settings)
        yield start_run(services, parse_run_config(document))


def test_bans_on_every_template_are_set_aside_newest_first(state: RunState) -> None:
    state.constraints = BANS
    gathered = gather(state, 1)
    assert gathered.relaxed == list(BANS[::-1])[: len(gathered.relaxed)]
    assert gathered.relaxed
    free = [c for c in gathered.running if not c.blocked_by]
    assert QUOTA / 4 <= len(free) <= QUOTA
    with InProcess(state.screen, state.verify) as workers:
        screened = screen_gathered(state, workers, gathered, lambda _: None)
    evaluated = {e.candidate.strategy_id for e in screened.evaluated}
    assert {c.strategy_id for c in free} <= evaluated


def test_a_density_nothing_reaches_is_set_aside_after_signals_were_counted(state: RunState) -> None:
    state.constraints = (SPARSE,)
    gathered = gather(state, 1)
    assert gathered.relaxed == []
    with InProcess(state.screen, state.verify) as workers:
        screened = screen_gathered(state, workers, gathered, lambda _: None)
    assert gathered.relaxed == [SPARSE]
    assert len(screened.evaluated) >= QUOTA / 4
    assert SPARSE.constraint_id in state.dropped
    assert state.binding == ()


def test_a_run_whose_base_forbids_everything_goes_on_and_says_what_it_set_aside(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "home")
    document = demo_document()
    document["data"]["symbols"] = ["AAPL", "KO", "MSFT", "XOM"]
    document["search"]["budget"] = {"candidates": QUOTA, "iterations": 2}
    with open_services(settings, create=True) as services:
        import_sample(settings)
        config = parse_run_config(document | {"workers": 1})
        first = run_loop(services, config)
        members = tuple(replace(b, derived_from_type=ConstraintOrigin.USER) for b in BANS)
        made_set = ConstraintSet(
            constraint_set_id((m.constraint_id for m in members), None), members, "constraint_rules_v1"
        )
        with services.store.unit() as unit:
            unit.save_constraint_set(first.run_id, 2, made_set, [])
            unit.commit()
        base = config.constraints.model_copy(update={"base": made_set.constraint_set_id})
        second = run_loop(services, config.model_copy(update={"constraints": base, "seed": 99}))
        aside = set(second.summaries[0]["relaxed"])
        assert aside
        assert sum(s["funnel"]["screened"] for s in second.summaries) >= QUOTA / 2
        assert aside.isdisjoint(c["constraint_id"] for c in second.summaries[1]["applied"])
        binding = {c.constraint.constraint_id for c in services.store.list_constraints()}
        assert aside.isdisjoint(binding)


def test_constraints_that_leave_enough_stay(state: RunState) -> None:
    state.constraints = BANS[:3]
    assert gather(state, 1).relaxed == []
    assert state.binding == BANS[:3]
