"""`data universe import | list | show`: who belonged to a universe, and since when."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.data_home import market_to_write, open_market
from quantrail.apps.cli.output import HomeOption, JsonOption, emit_json, err, out, table
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput

if TYPE_CHECKING:
    from quantrail.marketdata import Universe

app = typer.Typer(no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the columns symbol, from, to.")],
    name: Annotated[str | None, typer.Option(help="[default: the file's name]")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Store who belonged to a universe from when to when. Former lists stay under their versions.

    Both days are included; an empty one is open. Warns when nobody ever leaves.

    Example: `quantrail data universe import sp500.csv`
    """
    report = market_to_write(home).universes.import_file(file, name)
    universe = report.universe
    if as_json:
        emit_json({**_told(universe), "replaced": report.replaced})
        return
    same = report.replaced == universe.version
    before = "as it was" if same else f"instead of {report.replaced[:12]}" if report.replaced else "new"
    told = _told(universe)
    out().print(
        f"universe {universe.name}: {counted(told['symbols'], 'symbol')}, {counted(told['stays'], 'stay')}, "
        f"{told['leavers']} of them ended; version {universe.version[:12]}, {before}",
        soft_wrap=True,
    )
    _warn(told["warning"])


@app.command("list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Universes that are stored.

    Example: `quantrail data universe list`
    """
    rows = [_told(universe) for universe in open_market(home).universes.all()]
    if as_json:
        emit_json({"rows": rows})
    elif rows:
        columns = ["name", "symbols", "stays", "leavers", "version"]
        cells = [
            [str(row[column])[:12] if column == "version" else row[column] for column in columns]
            for row in rows
        ]
        out().print(table(None, columns, cells))
    else:
        out().print("no universes yet; `quantrail data universe import FILE` brings one")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A name, or a version for a former list.")],
    at: Annotated[str | None, typer.Option(help="Only who is a member on this day (2020-01-31).")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """The stays of a universe, or its members of one day. Warns when nobody ever leaves.

    Example: `quantrail data universe show sp500 --at 2016-01-04`
    """
    store = open_market(home).universes
    universe = store.get(name)
    told: dict[str, Any] = _told(universe)
    if at is not None:
        symbols = universe.on(_day(at))
        if as_json:
            emit_json({**told, "at": at, "members": symbols})
            return
        out().print(" ".join(symbols) or f"nobody is a member on {at}", soft_wrap=True)
    else:
        rows = [[m.symbol, m.start, m.end] for m in universe.members]
        if as_json:
            emit_json(
                {**told, "members": [dict(zip(("symbol", "from", "to"), row, strict=True)) for row in rows]}
            )
            return
        out().print(table(universe.name, ["symbol", "from", "to"], [[c or "" for c in row] for row in rows]))
    _warn(told["warning"])


def _told(universe: Universe) -> dict[str, Any]:
    return {
        "name": universe.name,
        "version": universe.version,
        "symbols": len(universe.symbols),
        "stays": len(universe.members),
        "leavers": sum(member.end is not None for member in universe.members),
        "warning": universe.survivorship(),
    }


def _warn(text: str | None) -> None:
    if text:
        err().print(f"warning: {text}", soft_wrap=True)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"--at {text!r} is no day; write it as 2020-01-31") from None
