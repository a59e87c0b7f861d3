"""`quantrail backtest`: one strategy or a frame of signals, recorded like any other trial."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.output import (
    EXIT_COULD_NOT,
    HomeOption,
    JsonOption,
    emit_json,
    number,
    out,
    percent,
    table,
)
from quantrail.apps.cli.session import session
from quantrail.apps.cli.standard_input import document_of
from quantrail.apps.cli.targets import writable_file
from quantrail.errors import InvalidInput

if TYPE_CHECKING:
    from quantrail.services.backtest import BacktestRequest, BacktestResult
    from quantrail.services.signals import SignalsRequest


def register(app: typer.Typer) -> None:
    app.command("backtest")(backtest)


def backtest(
    spec: Annotated[
        Path | None,
        typer.Argument(metavar="[SPEC]", help="A strategy, YAML or JSON; - reads standard input."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead of SPEC: target weights, CSV or Parquet, wide or long."),
    ] = None,
    signals: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of SPEC: rows of date, symbol, entry, exit, short_entry, short_exit (0 or 1).",
        ),
    ] = None,
    missing: Annotated[
        str | None, typer.Option(help="Empty cells of --weights: error, hold or flat [default: error]")
    ] = None,
    engine: Annotated[str, typer.Option(help="a, b or both; signals trade in b.")] = "both",
    period: Annotated[
        str | None, typer.Option(metavar="A:B", help="Dates, both included [default: all]")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data version [default: the current one]")] = None,
    benchmark: Annotated[str | None, typer.Option(help="A stored symbol, for alpha and beta.")] = None,
    capital: Annotated[float, typer.Option(min=1.0, help="Initial capital.")] = 100_000.0,
    execution: Annotated[
        str | None,
        typer.Option(
            help="Engine B: next_open_v2 (as engine A), next_open_v1 (market orders only) or market_v1 "
            "(orders live with the market) [default: next_open_v2; market_v1 with --raw]"
        ),
    ] = None,
    portfolio: Annotated[
        str, typer.Option(help="Engine B: whole_shares_v1 or fractional_v1.")
    ] = "whole_shares_v1",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting of engine B's models, such as fees_bps=5."
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Engine B: stored prices, splits and dividends as events, paid in cash."),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write equity, drawdown, months and trades on candles as HTML."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one strategy, or signals computed elsewhere, and record it; a known result is not worked out again.

    Weights and signals are dated by the session at whose close they were known; they trade at the next open.

    Example: `quantrail backtest sma.yaml --period 2014-01-02:2016-12-30 --plot sma.html` or
    `quantrail backtest --weights weights.csv --set max_gross=1.5`
    """
    if sum(source is not None for source in (spec, weights, signals)) != 1:
        raise InvalidInput("name one of SPEC, --weights FILE and --signals FILE")
    if missing is not None and weights is None:
        raise InvalidInput(f"--missing {missing} is about empty cells of --weights; leave it out")
    if plot is not None and engine == "a":
        raise InvalidInput("--plot needs engine b or both; engine a keeps no curve of a single strategy")
    writable_file(plot)
    chosen = dict(_setting(text) for text in settings or [])
    span = _period(period)
    from quantrail.domain.enums import TrialDoor

    if spec is not None:
        from quantrail.services.backtest import BacktestRequest
        from quantrail.strategy import load_document

        request: BacktestRequest | SignalsRequest = BacktestRequest(
            load_document(document_of(spec)),
            engine,
            span,
            data,
            benchmark,
            capital,
            execution,
            portfolio,
            chosen,
            raw,
        )
    else:
        _only_for_specs(engine, execution, portfolio, raw)
        request = _signals(weights, signals, missing or "error", span, data, benchmark, capital, chosen)
    with session(home, create=True) as services:
        results = _run(services, request, TrialDoor.CLI)
        if plot is not None:
            _plot(services, results, plot)
        folder = services.artifacts.path(results[-1].artifacts_dir) if results[-1].artifacts_dir else None
    if as_json:
        emit_json({"results": results, "plot": str(plot) if plot else None})
    else:
        _print(results, plot, folder)
    if any(r.error for r in results):
        raise typer.Exit(EXIT_COULD_NOT)


def _signals(weights: Path | None, signals: Path | None, missing: str, *rest: Any) -> SignalsRequest:
    from quantrail.services.signals import SignalsRequest, read_weights, signals_of_file

    found = read_weights(weights, missing) if weights is not None else signals_of_file(signals or "")
    return SignalsRequest(found, None, *rest)


def _only_for_specs(engine: str, execution: str | None, portfolio: str, raw: bool) -> None:
    given = {
        f"--engine {engine}": engine not in ("b", "both"),
        f"--execution {execution}": execution is not None,
        f"--portfolio {portfolio}": portfolio != "whole_shares_v1",
        "--raw": raw,
    }
    for option, is_given in given.items():
        if is_given:
            raise InvalidInput(
                f"{option} needs a SPEC; --weights and --signals trade in engine b at the next open, in "
                "fractions of shares and stored prices, so leave it out"
            )


def _run(services: Any, request: Any, door: Any) -> Sequence[BacktestResult]:
    from quantrail.services.backtest import BacktestRequest
    from quantrail.services.backtest import backtest as run
    from quantrail.services.signals import backtest_signals

    if isinstance(request, BacktestRequest):
        return run(services, request, door)
    return [backtest_signals(services, request, door)]


def _setting(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise InvalidInput(f"setting {text!r} is not NAME=VALUE, such as fees_bps=5")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def _period(text: str | None) -> tuple[date, date] | None:
    if text is None:
        return None
    first, _, last = text.partition(":")
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise InvalidInput(f"period {text!r} is not two dates like 2014-01-02:2016-12-30") from None


def _plot(services: Any, results: Sequence[BacktestResult], path: Path) -> None:
    from quantrail.services.backtest_page import backtest_page

    path.write_text(backtest_page(services, results[-1].backtest_id), encoding="utf-8")


def _scope(result: BacktestResult) -> str:
    """What was traded, and when."""
    shown = ", ".join(result.symbols[:5])
    more = f" and {len(result.symbols) - 5} more" if len(result.symbols) > 5 else ""
    return f"{shown}{more}: {result.period_start} .. {result.period_end}, {result.sessions:,} sessions"


def _print(results: Sequence[BacktestResult], plot: Path | None, folder: Path | None) -> None:
    from quantrail.apps.cli.backtest_view import gates_text

    shown = (
        ("total return", "return_total_net", percent),
        ("CAGR", "cagr_net", percent),
        ("volatility", "volatility_annual_net", percent),
        ("Sharpe", "sharpe_net", number),
        ("Sortino", "sortino_net", number),
        ("max drawdown", "max_drawdown_net", percent),
        ("closed trades", "closed_trades", lambda v: number(v, 0)),
        ("hit rate", "hit_rate_trades", percent),
        ("turnover a year", "turnover_annual", number),
        ("costs", "costs_total", lambda v: number(v, 0)),
    )
    columns = ["net of costs", *(f"engine {r.engine_mode}" for r in results)]
    rows = [[label, *(as_text(r.metrics.get(name)) for r in results)] for label, name, as_text in shown]
    rows.append(["score", *(number(r.score_total, 3) for r in results)])
    out().print(_scope(results[0]), soft_wrap=True)
    out().print(table(None, columns, rows))
    for result in results:
        gates = gates_text(result.passed, result.fail_reasons)
        out().print(f"gates of the score, engine {result.engine_mode}: {gates}")
    for result in results:
        known = " (known already)" if result.cached else ""
        broken = f"  failure rules broken: {', '.join(result.failures)}" if result.failures else ""
        out().print(f"backtest {result.backtest_id}{known}{broken}")
        if result.error:
            out().print(f"[red]could not run:[/red] {result.error}")
    for advice in results[0].advisories:
        out().print(f"[yellow]note:[/yellow] {advice}")
    if folder is not None:
        out().print(f"[dim]curves, trades, decisions, orders, fills: {folder}[/dim]", soft_wrap=True)
    if plot is not None:
        out().print(f"Plot: {plot}", soft_wrap=True)
