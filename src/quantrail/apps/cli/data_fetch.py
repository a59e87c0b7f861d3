"""`data fetch`: bars, companies, economic series and news from a vendor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from quantrail.apps.cli.data_home import market_to_write, say_findings
from quantrail.apps.cli.data_import import watched
from quantrail.apps.cli.output import EXIT_COULD_NOT, HomeOption, JsonOption, emit_json, err, out
from quantrail.config import load_settings
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput, NotFound


def fetch(
    symbols: Annotated[
        list[str], typer.Argument(help="Symbols as the vendor spells them; with economic: series, REAL_GDP …")
    ],
    start: Annotated[str | None, typer.Option(help="First day of bars, ISO.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, ISO [default: the last closed session]")] = None,
    what: Annotated[
        str, typer.Option("--as", help="bars; with alpha_vantage also companies, economic or news")
    ] = "bars",
    lag_days: Annotated[
        int | None, typer.Option(min=0, help="With economic: days from a date to its release.")
    ] = None,
    provider: Annotated[str, typer.Option(help="yahoo or alpha_vantage")] = "yahoo",
    base_url: Annotated[str | None, typer.Option(help="Another address that speaks the format.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch what is missing, once. The Alpha Vantage key is read from $ALPHAVANTAGE_API_KEY.

    Example: `quantrail data fetch AAPL MSFT --start 2020-01-01`
    """
    key = os.environ.get("ALPHAVANTAGE_API_KEY")
    if what != "bars":
        _fetch_records(what, symbols, lag_days, provider, key, base_url, home, as_json)
        return
    if start is None:
        raise InvalidInput("bars need a first day: --start 2020-01-31")
    _fetch_bars(symbols, start, end, provider, key, base_url, home, as_json)


def _fetch_bars(
    symbols: list[str],
    start: str,
    end: str | None,
    provider: str,
    key: str | None,
    base_url: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    from datetime import date

    from quantrail.marketdata.providers import open_fetcher

    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end) if end else None
    except ValueError as error:
        raise InvalidInput(f"{error}; write dates as 2020-01-31") from error
    fetcher = open_fetcher(market_to_write(home), load_settings(home).market, provider, key, base_url)
    with watched() as progress:
        report = fetcher.fetch(symbols, first, last, progress)
    if as_json:
        emit_json(report)
    else:
        out().print(
            f"{counted(report.requests, 'request')}; {counted(report.added, 'row')} added, "
            f"{report.changed:,} changed; "
            f"{counted(len(report.complete), 'symbol')} complete"
        )
        for symbol, why in report.waiting.items():
            err().print(f"{symbol}: {why}")
        say_findings(report.findings, 12)
    if report.unknown:
        raise NotFound(f"{provider} does not know {', '.join(report.unknown)}")
    if report.waiting:
        raise typer.Exit(EXIT_COULD_NOT)


def _fetch_records(
    what: str,
    names: list[str],
    lag_days: int | None,
    provider: str,
    key: str | None,
    base_url: str | None,
    home: Path | None,
    as_json: bool,
) -> None:
    from quantrail.marketdata.providers import fetch_records, open_reference

    if provider != "alpha_vantage":
        raise InvalidInput(f"{what} come from alpha_vantage only: --provider alpha_vantage")
    vendor = open_reference(load_settings(home).market, key, base_url)
    records = market_to_write(home).records
    reports = [fetch_records(vendor, records, what, name, lag_days) for name in names]
    if as_json:
        emit_json(reports)
        return
    for name, report in zip(names, reports, strict=True):
        out().print(
            f"{name}: {report.added:,} rows of {report.table} added, {report.changed:,} changed, "
            f"{report.unchanged:,} as they were; version {report.version[:12]}"
        )
        say_findings(report.findings, 12)
