"""`quantrail backtest`: one strategy, recorded like any other trial."""

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
from quantrail.errors import InvalidInput

if TYPE_CHECKING:
    from quantrail.services.backtest import BacktestResult


def register(app: typer.Typer) -> None:
    app.command("backtest")(backtest)


def backtest(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="A strategy, YAML or JSON.")],
    engine: Annotated[str, typer.Option(help="a, b or both")] = "both",
    period: Annotated[
        str | None, typer.Option(metavar="A:B", help="Dates, both included [default: all]")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data version [default: the current one]")] = None,
    benchmark: Annotated[str | None, typer.Option(help="A stored symbol, for alpha and beta.")] = None,
    capital: Annotated[float, typer.Option(min=1.0, help="Initial capital.")] = 100_000.0,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write equity and drawdown as HTML.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one strategy through the engines and record it; a result that is known is not worked out again.

    Example: `quantrail backtest sma.yaml --period 2014-01-02:2016-12-30 --plot sma.html`
    """
    from quantrail.services.backtest import BacktestRequest
    from quantrail.services.backtest import backtest as run
    from quantrail.strategy import load_document

    request = BacktestRequest(load_document(spec), engine, _period(period), data, benchmark, capital)
    if plot is not None and engine == "a":
        raise InvalidInput("--plot needs engine b or both; engine a keeps no curve of a single strategy")
    from quantrail.domain.enums import TrialDoor

    with session(home, create=True) as services:
        results = run(services, request, TrialDoor.CLI)
        if plot is not None:
            _plot(services, results, plot)
    if as_json:
        emit_json({"results": results, "plot": str(plot) if plot else None})
    else:
        _print(results, plot)
    if any(r.error for r in results):
        raise typer.Exit(EXIT_COULD_NOT)


def _period(text: str | None) -> tuple[date, date] | None:
    if text is None:
        return None
    first, _, last = text.partition(":")
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise InvalidInput(f"period {text!r} is not two dates like 2014-01-02:2016-12-30") from None


def _plot(services: Any, results: Sequence[BacktestResult], path: Path) -> None:
    from quantrail.services.charts import curve_page

    stored = services.store.get_backtest(results[-1].backtest_id)
    folder = stored.artifacts_dir.path if stored.artifacts_dir else ""
    curves = services.artifacts.read_parquet(f"{folder}/curves.parquet").to_pydict()
    path.write_text(curve_page(curves, f"strategy {stored.key.strategy_id[:12]}"), encoding="utf-8")


def _print(results: Sequence[BacktestResult], plot: Path | None) -> None:
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
    out().print(table(None, columns, rows))
    for result in results:
        known = " (known already)" if result.cached else ""
        failed = f"  failures: {', '.join(result.failures)}" if result.failures else ""
        out().print(f"backtest {result.backtest_id}{known}{failed}")
        if result.error:
            out().print(f"[red]could not run:[/red] {result.error}")
    for advice in results[0].advisories:
        out().print(f"[yellow]note:[/yellow] {advice}")
    if plot is not None:
        out().print(f"Plot: {plot}", soft_wrap=True)
