"""`reproduce`: run stored numbers again."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from quantrail.apps.cli.output import EXIT_ANSWER_NO, HomeOption, JsonOption, emit_json, err, out, table
from quantrail.apps.cli.session import session
from quantrail.errors import InvalidInput


def register(app: typer.Typer) -> None:
    app.command("reproduce")(reproduce)


def reproduce(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Backtests, ids or unique prefixes.")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Draw this many stored backtests.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run stored backtests again and compare hashes; a difference gets a named cause.

    Exit code 3 when any of them differs. Causes: data, code, dependency, numerics, seed, missing. Artifact
    files of an equal result that were lost are put back, as far as they come out byte for byte.

    Example: `quantrail reproduce --sample 20`
    """
    if bool(ids) == (sample is not None):
        raise InvalidInput("name the backtests to reproduce, or give --sample N, not both")
    from quantrail.domain.answers import IdKind
    from quantrail.domain.ids import BacktestId
    from quantrail.services import reproduce as service

    with session(home) as services:
        if sample is not None:
            chosen = service.sample_ids(services, sample, seed)
        else:
            chosen = [cast(BacktestId, services.store.resolve(i, IdKind.BACKTEST)[1]) for i in ids or []]
        with err().status(f"running {len(chosen)} backtests again"):
            results = service.reproduce(services, chosen)
    equal = sum(r.equal for r in results)
    if as_json:
        emit_json({"results": results, "equal": equal, "total": len(results)})
    else:
        rows = [[r.backtest_id[:13], "yes" if r.equal else "no", r.cause or "", r.detail] for r in results]
        out().print(table(None, ["backtest", "equal", "cause", "detail"], rows, wrap=("detail",)))
        out().print(f"{equal} of {len(results)} equal by hash")
    if equal < len(results):
        raise typer.Exit(EXIT_ANSWER_NO)
