"""The demo: the main job on the bundled bars, in a home of its own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from quantrail.domain.answers import RunRow
from quantrail.domain.enums import TrialDoor
from quantrail.domain.ids import DataVersion
from quantrail.domain.ports import KnowledgeStore
from quantrail.errors import Conflict
from quantrail.services.constraint_view import ConstraintHistory
from quantrail.services.leaderboard import Standing, Verdict
from quantrail.services.loop.runner import RunOutcome, run_loop
from quantrail.services.loop.state import Services
from quantrail.services.progress import Listener
from quantrail.services.run_config import RunConfig, parse_run_config
from quantrail.services.run_report import write_run_report
from quantrail.services.run_view import run_view

DEMO = "demo"


def demo_document() -> dict[str, Any]:
    """The demo's configuration as shipped, without its symbols."""
    text = (files("quantrail.services") / "demo_config.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def demo_config(
    store: KnowledgeStore,
    version: DataVersion,
    symbols: tuple[str, ...],
    seed: int | None = None,
    workers: int | None = None,
) -> RunConfig:
    """The demo's configuration for this home.

    Without a ``seed`` each further demo in a home takes the next one, so that it explores new ground.
    Raises Conflict when the home holds searches that are not the demo's.
    """
    runs = earlier_demos(store)
    document = demo_document()
    document["data"] |= {"version": version, "symbols": list(symbols)}
    document["seed"] = document["seed"] + len(runs) if seed is None else seed
    if workers is not None:
        document["workers"] = workers
    return parse_run_config(document)


def earlier_demos(store: KnowledgeStore) -> list[RunRow]:
    """Searches of this home; Conflict when some are not the demo's. Asked before anything is imported."""
    runs = [run for run in store.list_runs(limit=10_000) if run.door == TrialDoor.LOOP]
    others = [run for run in runs if run.config.get("config", {}).get("name") != DEMO]
    if others:
        raise Conflict(
            f"this home holds {len(others)} runs that are not demo runs (such as {others[0].run_id}); "
            "give the demo a home of its own with --home"
        )
    return runs


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo shows at its end. ``report_path`` is relative to the artifacts folder."""

    outcome: RunOutcome
    standings: list[Standing]
    failures: list[tuple[str, int]]
    evaluated: int
    constraints: list[ConstraintHistory]
    explained: str
    survivorship: str
    n_trials: int
    report_path: str

    @property
    def n_believable(self) -> int:
        return sum(s.verdict is Verdict.BELIEVABLE and s.twin_of is None for s in self.standings)


@dataclass(frozen=True, slots=True)
class Sample:
    """The bundled bars as imported into a home."""

    version: DataVersion
    stocks: tuple[str, ...]
    survivorship: str


def run_demo(
    services: Services,
    sample: Sample,
    listener: Listener,
    seed: int | None = None,
    workers: int | None = None,
) -> DemoResult:
    """Run the loop on the bundled bars, write the report, gather the tour."""
    config = demo_config(services.store, sample.version, sample.stocks, seed, workers)
    outcome = run_loop(services, config, listener)
    report = write_run_report(services, outcome.run_id)
    view = run_view(services.store, outcome.run_id)
    return DemoResult(
        outcome=outcome,
        standings=view.standings,
        failures=view.failures,
        evaluated=view.evaluated,
        constraints=view.constraints,
        explained=view.explained,
        survivorship=sample.survivorship,
        n_trials=view.n_trials,
        report_path=report,
    )
