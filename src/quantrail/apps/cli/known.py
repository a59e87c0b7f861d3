"""`leaderboard`, `show`, `compare`, `lineage`, `history`: what is known."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.output import (
    CsvOption,
    HomeOption,
    JsonOption,
    LimitOption,
    emit_csv,
    emit_json,
    number,
    out,
    percent,
    plain,
    table,
)
from quantrail.apps.cli.session import session

if TYPE_CHECKING:
    from quantrail.domain.answers import Lineage, RunRow
    from quantrail.services.detail import StrategyDetail

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="An id or a unique prefix of one.")]


def register(app: typer.Typer) -> None:
    app.command("leaderboard")(leaderboard)
    app.command("show")(show)
    app.command("lineage")(lineage)


def leaderboard(
    limit: LimitOption = 20,
    engine: Annotated[
        str | None, typer.Option(help="a or b [default: b where there is a b result, else a]")
    ] = None,
    run: Annotated[str | None, typer.Option(help="Only this run (id or prefix).")] = None,
    template: Annotated[str | None, typer.Option(help="Only this template.")] = None,
    order: Annotated[
        str, typer.Option(help="score, sharpe, drawdown (of what held anything), return or cagr")
    ] = "score",
    passed: Annotated[bool, typer.Option("--passed", help="Only rows that pass every gate.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """The best strategies, each beside what luck alone would show after that many trials.

    Example: `quantrail leaderboard --engine b --limit 10`
    """
    from quantrail.apps.cli.tables import leaderboard_table
    from quantrail.services.leaderboard import Standing, filter_of, order_of
    from quantrail.services.leaderboard import leaderboard as standings_of

    sorting = order_of(order)
    with session(home) as services:
        asked = filter_of(
            services.store,
            engine=engine,
            run=run,
            template=template and template.upper(),
            passed=passed or None,
        )
        standings = standings_of(services.store, asked, sorting, limit)
    if as_json:
        emit_json({"rows": standings})
    elif as_csv:
        emit_csv([f.name for f in fields(Standing)], [list(plain(s).values()) for s in standings])
    elif standings:
        out().print(leaderboard_table(standings, None, sorting, out().width))
    else:
        out().print("nothing matches; `quantrail run list` shows what has run")


def show(record: IdArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """A strategy, backtest, failure, constraint or run, by id or prefix.

    Example: `quantrail show 3fa9c1`
    """
    from quantrail.domain.answers import RunRow
    from quantrail.services.detail import BacktestDetail, StrategyDetail, detail

    with session(home) as services:
        found = detail(services.store, record, services.artifacts)
    if as_json:
        emit_json(found)
    elif isinstance(found, BacktestDetail):
        from quantrail.apps.cli.backtest_view import print_backtest

        print_backtest(found)
    elif isinstance(found, StrategyDetail):
        _print_strategy(found)
    elif isinstance(found, RunRow):
        _print_run(found)
    else:
        _print_plain(found)


def lineage(
    record: IdArgument, limit: LimitOption = 200, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """What led to a record and what followed from it.

    From a failure to the constraints it led to and the candidates they blocked; from a strategy to its
    backtests, scores and failures.

    Example: `quantrail lineage 3fa9c1`
    """
    with session(home) as services:
        kind, full = services.store.resolve(record)
        found = services.store.lineage(kind, full, limit)
    if as_json:
        emit_json(found)
    else:
        _print_lineage(found)


def _print_lineage(found: Lineage) -> None:
    console = out()
    console.print(f"[bold]{found.root.kind}[/bold] {found.root.id}  {found.root.label}")
    labels = {f"{n.kind}:{n.id}": n.label for n in found.nodes}
    rows = [
        [_short(cause), relation, _short(effect), labels.get(effect, "")]
        for cause, effect, relation in found.edges
    ]
    console.print(
        table(None, ["cause", "leads by", "to", "what"], rows, wrap=("what",))
        if rows
        else "nothing leads to or from it"
    )


def _short(key: str) -> str:
    kind, _, name = key.partition(":")
    return f"{kind} {name[:8]}"


def _print_strategy(found: StrategyDetail) -> None:
    console, stored = out(), found.strategy.strategy
    console.print(f"[bold]strategy[/bold] {stored.strategy_id}  {stored.name or ''}  {found.strategy.tier}")
    console.print(
        f"from {stored.created_from}" + (f", template {stored.template_id}" if stored.template_id else "")
    )
    console.print(f"\n{found.explained}\n")
    rows = [
        [
            b.backtest_id[:8],
            b.key.engine_mode.value,
            f"{b.key.period_start}..{b.key.period_end}",
            b.status.value,
            number((b.metrics.values if b.metrics else {}).get("sharpe_net")),
            percent((b.metrics.values if b.metrics else {}).get("max_drawdown_net")),
            str(len(b.failures)),
        ]
        for b in found.history
    ]  # fmt: skip
    console.print(
        table("Backtests", ["id", "eng", "period", "status", "Sharpe net", "max DD", "failures"], rows)
    )


def _print_run(found: RunRow) -> None:
    """Its state, and its configuration as a file would hold it; `run show` tells what it found."""
    console = out()
    console.print(f"[bold]run[/bold] {found.run_id}  {found.status}, started by {found.door}")
    ended = f", ended {found.ended_at:%Y-%m-%d %H:%M:%S}" if found.ended_at is not None else ""
    console.print(f"begun {found.created_at:%Y-%m-%d %H:%M:%S}{ended} UTC")
    console.print(f"quantrail {found.project_version}, code {found.code_version[:12]}")
    if found.requested_by is not None:
        console.print(f"requested by {found.requested_by}")
    import yaml

    text = yaml.safe_dump(plain(found.config), sort_keys=False, allow_unicode=True, default_flow_style=None)
    console.print(text.rstrip(), markup=False, soft_wrap=True)
    console.print(f"[dim]what it found: run show {found.run_id[:13]}[/dim]")


def _print_plain(found: Any) -> None:
    document = plain(found)
    for key, value in document.items():
        if value is None:
            continue
        out().print(f"[bold]{key}[/bold]  {value}", soft_wrap=True)
