"""`explain-trade`: why a trade was made, or what was decided on a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from quantrail.apps.cli.output import HomeOption, JsonOption, emit_json, out
from quantrail.apps.cli.session import session
from quantrail.errors import InvalidInput


def register(app: typer.Typer) -> None:
    app.command("explain-trade")(explain_trade)


def explain_trade(
    record: Annotated[
        str,
        typer.Argument(metavar="ID", help="A backtest, or a strategy (its newest result), by id or prefix."),
    ],
    trade: Annotated[
        int | None, typer.Argument(metavar="[N]", help="Number of the trade, from 0, in order of exit.")
    ] = None,
    day: Annotated[str | None, typer.Option(help="Instead of a trade: a session, as 2015-03-02.")] = None,
    symbol: Annotated[str | None, typer.Option(help="With --day: only this symbol.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why did it buy on that day? Clauses with their values, the decision, orders, fills, costs, the exit.

    The backtest is run again with full logs and must come out as stored.

    Example: `quantrail explain-trade 3fa9c1 0` or `quantrail explain-trade 3fa9c1 --day 2015-03-02`
    """
    if (trade is None) == (day is None):
        raise InvalidInput("give the number of a trade, or --day DATE, one of the two")
    if symbol is not None and day is None:
        raise InvalidInput("--symbol goes with --day")
    when = _date(day) if day is not None else None
    from quantrail.services.explain import explain_stored_day, explain_stored_trade

    with session(home) as services:
        if when is not None:
            found = explain_stored_day(services, record, when, symbol)
        else:
            assert trade is not None
            found = explain_stored_trade(services, record, trade)
    if as_json:
        emit_json(found)
        return
    console = out()
    for story in found.stories:
        console.print(str(story), markup=False, soft_wrap=True)
        console.print()
    console.print(f"[dim]Told by {found.told_by}. Decided at the close, filled from the next open on.[/dim]")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"day {text!r} is not a date like 2015-03-02") from None
