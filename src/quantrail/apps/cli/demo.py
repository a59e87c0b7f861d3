"""`quantrail demo`: the main job on bundled real bars, with a short tour of what came out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.output import HomeOption, JsonOption, emit_json, err, next_command, out
from quantrail.apps.cli.session import session
from quantrail.config import load_settings

if TYPE_CHECKING:
    from quantrail.services.demo import DemoResult


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    home: HomeOption = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the search [default: 7, plus one per earlier demo]")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="Worker processes [default: 2]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the whole loop on 30 bundled US stocks, 2013-2018, and show what came out.

    Offline, no key, no server. A second demo in the same home starts from the constraints of the first.

    Example: `quantrail demo --home /tmp/first-look`
    """
    from quantrail.apps.cli.interrupt import going_on, interruptible
    from quantrail.apps.cli.live import LoopDisplay
    from quantrail.bootstrap import import_sample
    from quantrail.services.demo import earlier_demos, run_demo

    console = err() if as_json else out()
    with (
        session(home, create=True) as services,
        going_on(services, next_command("demo", home)),
        LoopDisplay(console) as display,
        interruptible(display) as listener,
    ):
        earlier_demos(services.store)  # refused before bars are imported
        result = run_demo(services, import_sample(load_settings(home)), listener, seed, workers)
        where = services.artifacts.path(result.report_path)
    if as_json:
        emit_json(_document(result, where))
    else:
        _tour(result, where, home)


def _document(result: DemoResult, report: Path) -> dict[str, Any]:
    return {
        "run_id": result.outcome.run_id,
        "base_run_id": result.outcome.base_run_id,
        "n_base_constraints": result.outcome.n_base_constraints,
        "seconds": result.outcome.seconds,
        "n_trials": result.n_trials,
        "leaderboard": result.standings,
        "iterations": result.outcome.summaries,
        "failures": [{"tag": tag, "count": count} for tag, count in result.failures],
        "constraints": result.constraints,
        "explained": result.explained,
        "survivorship": result.survivorship,
        "report": str(report),
    }


def _tour(result: DemoResult, report: Path, home: Path | None) -> None:
    from quantrail.apps.cli.tables import (
        constraint_table,
        failure_table,
        funnel_table,
        leaderboard_table,
    )

    console, outcome = out(), result.outcome
    console.print()
    if outcome.base_run_id:
        console.print(
            f"Started from the {outcome.n_base_constraints} constraints that run "
            f"{outcome.base_run_id[:13]} learnt."
        )
    console.print(leaderboard_table(result.standings))
    console.print(f"[dim]{result.survivorship}[/dim]")
    for part in (
        funnel_table(outcome.summaries),
        failure_table(result.failures, result.evaluated),
        constraint_table(result.constraints),
    ):
        console.print()
        console.print(part)
    if result.explained:
        console.print(f"\n[bold]The first one in plain words[/bold]\n{result.explained}")
    console.print(
        f"\n{result.evaluated:,} evaluations in {outcome.seconds:.0f} s; "
        f"{result.n_believable} of the {len(result.standings)} above beat luck."
    )
    console.print(f"Report: {report}", soft_wrap=True)
    console.print("Next:")
    first = [f"show {result.standings[0].backtest_id[:8]}"] if result.standings else ["failures top"]
    for arguments in [*first, "reproduce --sample 20", "constraints list"]:
        console.print(f"  {next_command(arguments, home)}", soft_wrap=True)
