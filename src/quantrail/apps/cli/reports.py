"""`report`: pages to look at."""

from __future__ import annotations

import webbrowser
from typing import Annotated, cast

import typer

from quantrail.apps.cli.output import HomeOption, JsonOption, emit_json, out
from quantrail.apps.cli.session import session
from quantrail.errors import NotFound


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run's id or prefix [default: the newest run]")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the HTML report of a run: curves, drawdowns, funnel, failures, constraints.

    Example: `quantrail report --open`
    """
    from quantrail.domain.answers import IdKind
    from quantrail.domain.ids import RunId
    from quantrail.services.run_report import write_run_report

    with session(home) as services:
        if run is None:
            newest = services.store.list_runs(limit=1)
            if not newest:
                raise NotFound("this home holds no run yet; `quantrail demo` makes one")
            run_id = newest[0].run_id
        else:
            run_id = cast(RunId, services.store.resolve(run, IdKind.RUN)[1])
        path = services.artifacts.path(write_run_report(services, run_id))
    if show:
        webbrowser.open(path.as_uri())
    if as_json:
        emit_json({"run_id": run_id, "report": str(path)})
    else:
        out().print(f"Report: {path}", soft_wrap=True)
