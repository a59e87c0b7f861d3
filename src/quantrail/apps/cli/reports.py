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
    from quantrail.domain.answers import IdKind
    from quantrail.domain.ids import RunId
    from quantrail.services.run_report import write_run_report
    from quantrail.services.run_view import newest_search

    with session(home) as services:
        if run is None:
            newest = newest_search(services.store)
            if newest is None:
                raise NotFound(
                    "this home holds no search yet; `quantrail demo` or `quantrail run start` makes one"
                )
            run_id = newest
        else:
            run_id = cast(RunId, services.store.resolve(run, IdKind.RUN)[1])
        path = services.artifacts.path(write_run_report(services, run_id))
    if show:
        webbrowser.open(path.as_uri())
    if as_json:
        emit_json({"run_id": run_id, "report": str(path)})
    else:
        out().print(f"Report: {path}", soft_wrap=True)
