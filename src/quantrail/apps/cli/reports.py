"""`report`: pages to look at."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from quantrail.apps.cli.output import HomeOption, JsonOption, emit_json, out
from quantrail.apps.cli.session import search_of, session


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A search's id or prefix [default: the newest]"),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the HTML report of a run: curves, drawdowns, funnel, failures, constraints.

    Example: `quantrail report --open`
    """
    from quantrail.services.run_report import write_run_report

    with session(home) as services:
        run_id = search_of(services, run)
        path = services.artifacts.path(write_run_report(services, run_id))
    if show:
        webbrowser.open(path.as_uri())
    if as_json:
        emit_json({"run_id": run_id, "report": str(path)})
    else:
        out().print(f"Report: {path}", soft_wrap=True)
