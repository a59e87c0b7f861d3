"""`leaderboard`, `show`, `compare`, `lineage`, `history`: what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    from quantrail.domain.answers import Lineage
    from quantrail.services.detail import BacktestDetail, StrategyDetail

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
    order: Annotated[str, typer.Option(help="score, sharpe, drawdown, return or cagr")] = "score",
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
        out().print(leaderboard_table(standings, None))
    else:
        out().print("nothing matches; `quantrail run list` shows what has run")


def show(record: IdArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """A strategy, backtest, failure, constraint or run, by id or prefix.

    Example: `quantrail show 3fa9c1`
    """
    from quantrail.services.detail import BacktestDetail, StrategyDetail, detail

    with session(home) as services:
        found = detail(services.store, record, services.artifacts)
    if as_json:
        emit_json(found)
    elif isinstance(found, BacktestDetail):
        _print_backtest(found)
    elif isinstance(found, StrategyDetail):
        _print_strategy(found)
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


def _print_backtest(found: BacktestDetail) -> None:
    from quantrail.services.description import models_text

    console, row = out(), found.backtest
    console.print(f"[bold]backtest[/bold] {row.backtest_id}  engine {row.key.engine_mode}  {row.status}")
    console.print(f"{row.key.period_start} .. {row.key.period_end}, strategy {row.key.strategy_id[:12]}")
    console.print(f"\n{found.explained}\n")
    if row.metrics is not None:
        console.print(_metric_table(row.metrics.values))
    if found.slices:
        console.print(_slice_table(found.slices))
    for score in row.scores:
        verdict = "passed" if score.passed else "failed: " + "; ".join(score.fail_reasons)
        console.print(f"score {number(score.score_total, 3)} under {score.policy_version}, {verdict}")
    if row.failures:
        console.print(_failure_rows(row.failures))
    for line in _trust_lines(found):
        console.print(line)
    console.print(
        f"[dim]data {row.key.data_version[:12]} · engine {row.key.engine_version} · "
        f"models {models_text(row.model_versions)} · code {row.code_version[:12]}[/dim]"
    )


def _trust_lines(found: BacktestDetail) -> Iterator[str]:
    """How far the result holds up: against the other engine, its neighbours, and when run again."""
    for made, differ in zip(found.comparisons, found.models_differ, strict=True):
        gap = percent(made.max_abs_equity_diff, 3)
        models = f"; different models: {differ}" if differ else ""
        yield f"engine A against B: {'agree' if made.agree else made.reason}, equity within {gap}{models}"
    for case in found.robustness:
        kept = number(case.metrics.get("median_sharpe_net"))
        yield f"{case.type}: {'plateau' if case.passed else 'cliff'}, median Sharpe {kept}"
    if found.reproductions:
        newest = found.reproductions[0]
        outcome = "equal" if newest.equal else f"differs ({newest.cause})"
        yield f"run again {len(found.reproductions)} time(s), last: {outcome}"


def _metric_table(values: Any) -> Any:
    shares = ("return", "drawdown", "rate", "cagr", "volatility", "exposure", "share")
    rows = []
    for name, value in sorted(values.items()):
        as_share = value is not None and any(part in name for part in shares) and "total" not in name[6:]
        rows.append([name, percent(value) if as_share and "bars" not in name else number(value, 3)])
    half = (len(rows) + 1) // 2
    left, right = rows[:half], rows[half:] + [["", ""]] * (2 * half - len(rows))
    joined = [[*a, *b] for a, b in zip(left, right, strict=True)]
    return table(None, ["metric", "value", "metric ", "value "], joined)


def _slice_table(slices: Sequence[Any]) -> Any:
    rows = [
        [
            s["slice"],
            str(s["bars"]),
            percent(s["return_total_net"]),
            number(s["sharpe_net"]),
            percent(s["max_drawdown_net"]),
            number(s["closed_trades"], 0),
        ]
        for s in slices
    ]
    return table("Slices", ["slice", "bars", "return net", "Sharpe net", "max DD", "trades"], rows)


def _failure_rows(failures: Sequence[Any]) -> Any:
    rows = [
        [f.failure_id[:8], ", ".join(f.tags), f.severity.value, f"{f.confidence:.2f}", f.summary]
        for f in failures
    ]
    return table("Failures", ["id", "tags", "severity", "confidence", "what"], rows, wrap=("what",))


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


def _print_plain(found: Any) -> None:
    document = plain(found)
    for key, value in document.items():
        out().print(f"[bold]{key}[/bold]  {value}", soft_wrap=True)
