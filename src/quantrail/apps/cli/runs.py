"""`run start | list | show`: the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quantrail.apps.cli.output import (
    HomeOption,
    JsonOption,
    LimitOption,
    emit_json,
    err,
    next_command,
    out,
    table,
)
from quantrail.apps.cli.session import search_of, session

app = typer.Typer(no_args_is_help=True)


@app.command("start")
def start(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file; see examples/search.yaml.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the loop as a YAML file describes it.

    Example: `quantrail run start examples/search.yaml --home research`
    """
    from quantrail.services.run_config import load_run_config

    settings = load_run_config(config)
    # The engines are imported only once the configuration is known to be good.
    from quantrail.apps.cli.interrupt import going_on, interruptible
    from quantrail.apps.cli.live import LoopDisplay
    from quantrail.services.loop.runner import run_loop
    from quantrail.services.run_report import write_run_report

    console = err() if as_json else out()
    with (
        session(home, create=True) as services,
        going_on(services, next_command(f"run start {config}", home)),
        LoopDisplay(console) as display,
        interruptible(display) as listener,
    ):
        outcome = run_loop(services, settings, listener)
        report = services.artifacts.path(write_run_report(services, outcome.run_id))
    for text in outcome.advice:
        err().print(f"warning: {text}", soft_wrap=True)
    if as_json:
        emit_json({"run_id": outcome.run_id, "status": outcome.status, "seconds": outcome.seconds,
                   "advice": outcome.advice, "iterations": outcome.summaries,
                   "report": str(report)})  # fmt: skip
    else:
        out().print(f"run {outcome.run_id} done in {outcome.seconds:.0f} s")
        out().print(f"Report: {report}", soft_wrap=True)
        out().print(f"Next: {next_command(f'run show {outcome.run_id}', home)}", soft_wrap=True)


@app.command("list")
def list_runs(limit: LimitOption = 20, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Runs, newest first.

    Example: `quantrail run list`
    """
    with session(home) as services:
        runs = services.store.list_runs(limit)
    if as_json:
        emit_json({"rows": runs})
        return
    rows = [
        [
            r.run_id,
            r.config.get("config", {}).get("name", "–"),
            r.status.value,
            f"{r.created_at:%Y-%m-%d %H:%M}",
            str(r.config.get("config", {}).get("seed", "–")),
        ]
        for r in runs
    ]
    out().print(
        table(None, ["run", "name", "status", "started (UTC)", "seed"], rows) if rows else "no runs yet"
    )


@app.command("show")
def show_run(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="A run's id or a unique prefix of it [default: the newest search]"
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One run: funnel, leaderboard, failures, constraints and what they did.

    Example: `quantrail run show` or `quantrail run show 0193a2f4`
    """
    from quantrail.apps.cli.tables import constraint_table, failure_table, funnel_table, leaderboard_table
    from quantrail.services.run_view import run_view

    with session(home) as services:
        run_id = search_of(services, run)
        view = run_view(services.store, run_id)
        events = services.store.list_stage_events(run_id)
        reports = [r.tearsheet_html_path for r in services.store.list_reports(run_id=run_id)]
        paths = [str(services.artifacts.path(path)) for path in reports if path]
    if as_json:
        emit_json({"run": view.run, "iterations": view.summaries, "leaderboard": view.standings,
                   "constraints": view.constraints, "events": events, "reports": paths})  # fmt: skip
        return
    console = out()
    console.print(
        f"[bold]run[/bold] {run_id}  {view.run.status}  started {view.run.created_at:%Y-%m-%d %H:%M} UTC"
    )
    for text in (view.run.config.get("frozen", {}).get("universe") or {}).get("advice", ()):
        console.print(f"[yellow]warning: {text}[/yellow]", soft_wrap=True)
    stopped = [e for e in events if e.reason]
    if stopped:
        console.print(f"[yellow]{stopped[-1].stage}: {stopped[-1].reason}[/yellow]")
    if view.summaries:
        console.print(funnel_table(view.summaries))
    console.print(leaderboard_table(view.standings))
    console.print(failure_table(view.failures, view.evaluated))
    if view.summaries:
        console.print(constraint_table(view.constraints))
    for path in paths:
        console.print(f"Report: {path}", soft_wrap=True)
