"""`failures top | show`: why strategies failed."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from quantrail.apps.cli.output import HomeOption, JsonOption, LimitOption, emit_json, out, plain, table
from quantrail.apps.cli.session import session
from quantrail.errors import InvalidInput

app = typer.Typer(no_args_is_help=True)


@app.command("top")
def top(
    limit: LimitOption = 10,
    by: Annotated[str, typer.Option(help="tag, category, template or atom")] = "tag",
    run: Annotated[str | None, typer.Option(help="Only this run (id or prefix).")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """The failures that repeat most.

    Example: `quantrail failures top --by template`
    """
    from quantrail.domain.answers import FailureKey, IdKind

    if by not in list(FailureKey):
        raise InvalidInput(f"failures cannot be counted by {by!r}; use {', '.join(FailureKey)}")
    with session(home) as services:
        run_id: Any = services.store.resolve(run, IdKind.RUN)[1] if run else None
        counts = services.store.repeated_failures(limit, FailureKey(by), run_id)
    if as_json:
        emit_json({"by": by, "rows": counts})
    elif counts:
        out().print(table(None, [by, "failures"], [[c.key, f"{c.count:,}"] for c in counts]))
    else:
        out().print("no failures stored yet")


@app.command("show")
def show(
    failure: Annotated[str, typer.Argument(metavar="ID", help="A failure's id or a unique prefix of it.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One failure with its evidence.

    Example: `quantrail failures show 8c1f`
    """
    from quantrail.domain.answers import IdKind
    from quantrail.domain.ids import FailureId

    with session(home) as services:
        found = services.store.get_failure(
            cast(FailureId, services.store.resolve(failure, IdKind.FAILURE)[1])
        )
    if as_json:
        emit_json(found)
        return
    console = out()
    console.print(
        f"[bold]{', '.join(found.tags)}[/bold]  {found.severity}  confidence {found.confidence:.2f}"
    )
    console.print(
        f"backtest {found.backtest_id}, rule {found.rule_id} of {found.rule_version}, {found.state}"
    )
    for key, value in plain(found.evidence or {}).items():
        console.print(f"  {key}: {value}", soft_wrap=True)
