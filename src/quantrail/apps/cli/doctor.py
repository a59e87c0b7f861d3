"""`quantrail doctor`: is everything here that a run needs?"""

from __future__ import annotations

import typer

from quantrail.apps.cli.output import EXIT_COULD_NOT, HomeOption, JsonOption, emit_json, out, table
from quantrail.config import load_settings


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Versions, store, disk, data, and what is optional and missing, with how to get it.

    Exit code 1 when something that every run needs does not work.

    Example: `quantrail doctor`
    """
    from quantrail.apps.cli.checkup import examine

    checks = examine(load_settings(home))
    if as_json:
        emit_json({"ok": all(c.ok or c.optional for c in checks), "checks": checks})
    else:
        marks = {True: "[green]yes[/green]", False: "[red]no[/red]"}
        rows = [
            [c.name, "[yellow]–[/yellow]" if c.optional and not c.ok else marks[c.ok], c.detail, c.remedy]
            for c in checks
        ]
        out().print(table(None, ["what", "ok", "found", "to mend"], rows, wrap=("what", "found", "to mend")))
    if not all(c.ok or c.optional for c in checks):
        raise typer.Exit(EXIT_COULD_NOT)
