"""`data import | list | show | check | diff | sql | export | gc | synth | fetch`: bars, and their worth."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.output import (
    EXIT_ANSWER_NO,
    EXIT_COULD_NOT,
    CsvOption,
    HomeOption,
    JsonOption,
    LimitOption,
    emit_csv,
    emit_json,
    err,
    out,
    table,
)
from quantrail.config import load_settings
from quantrail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quantrail.domain.ids import DataVersion
    from quantrail.marketdata import Finding, ImportReport, MarketStore
    from quantrail.marketdata.synthetic import SyntheticMarket

app = typer.Typer(no_args_is_help=True)

VersionOption = Annotated[
    str | None, typer.Option("--version", help="A data version or a unique prefix [default: the current one]")
]
SymbolsArgument = Annotated[list[str] | None, typer.Argument(help="Symbols [default: all]")]


def open_market(home: Path | None) -> MarketStore:
    """The market store of a home, without the rest of it."""
    from quantrail.marketdata import MarketStore

    return MarketStore(load_settings(home).market, lambda: datetime.now(UTC))


def version_of(store: MarketStore, text: str | None) -> DataVersion | None:
    """The stored version that ``text`` begins. NotFound, or InvalidInput when several do."""
    if text is None:
        return None
    found = [s.version for s in store.snapshots() if s.version.startswith(text)]
    if not found:
        raise NotFound(f"no data version begins with {text!r}; `quantrail data list` shows what is stored")
    if len(found) > 1:
        raise InvalidInput(f"{text!r} begins {len(found)} data versions; give more of it")
    return found[0]


@app.command("import")
def import_(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns (CSV, Parquet).")
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="The bundled real bars.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Whose bars these are, when no column says so.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="THEIRS=ours, for a column not recognised.")
    ] = None,
    basis: Annotated[str, typer.Option(help="raw, split_adjusted, total_return or unknown")] = "unknown",
    source: Annotated[
        str | None, typer.Option(help="Name to record as the source [default: the file's]")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="1d, 1h, 5m … [default: as the times show]")] = None,
    date_format: Annotated[str | None, typer.Option(help="As in strptime, where two fit.")] = None,
    tz: Annotated[str | None, typer.Option(help="Time zone of times that carry none.")] = None,
    decimal: Annotated[str, typer.Option(help="Sign between units and tenths.")] = ".",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the columns and refusals, store nothing.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring bars in. Only what differs is written; what is refused is kept with the reason.

    Example: `quantrail data import bars/*.csv --basis split_adjusted`
    """
    from quantrail.marketdata import SAMPLE_SURVIVORSHIP, Reading, StoredBasis

    if basis not in list(StoredBasis):
        raise InvalidInput(f"no price basis {basis!r}; use {', '.join(StoredBasis)}")
    store = open_market(home)
    if sample:
        report = store.import_sample()
        _say_import(report, as_json)
        err().print(SAMPLE_SURVIVORSHIP)
        return
    if not sources:
        raise InvalidInput("name a file, folder or pattern, or --sample")
    columns = dict(_pair(text) for text in column or [])
    how = Reading(symbol, columns, date_format, tz, decimal)
    for path in sources:
        if dry_run or not as_json:
            _say_preview(store.preview(path, how), path, as_json and dry_run)
        if dry_run:
            continue
        with _progress() as progress:
            report = store.import_bars(
                path,
                source=source,
                symbol=symbol,
                columns=columns,
                basis=StoredBasis(basis),
                interval=interval,
                date_format=date_format,
                tz=tz,
                decimal=decimal,
                progress=progress,
            )
        _say_import(report, as_json)


def _pair(text: str) -> tuple[str, str]:
    theirs, sign, ours = text.partition("=")
    if not sign:
        raise InvalidInput(f"--column wants THEIRS=ours, got {text!r}")
    return theirs, ours


class _progress:  # noqa: N801  (reads as a function where it is used)
    """A bar on stderr while files are read, when somebody watches."""

    def __enter__(self) -> Any:
        from rich.progress import Progress

        self._bar = Progress(console=err(), transient=True, disable=not sys.stderr.isatty())
        self._bar.start()
        task = self._bar.add_task("reading", total=None)

        def step(name: str, done: int, total: int) -> None:
            self._bar.update(task, description=name, completed=done, total=total)

        return step

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _say_preview(preview: Any, path: str, as_json: bool) -> None:
    if as_json:
        emit_json(preview)
        return
    pairs = ", ".join(
        f"{theirs} → {'date' if ours == 'ts' else ours}" for theirs, ours in preview.mapping.items()
    )
    out().print(
        f"{path}: {preview.rows:,} rows, {len(preview.symbols)} symbols; columns {pairs}", soft_wrap=True
    )


def _say_import(report: ImportReport, as_json: bool) -> None:
    if as_json:
        emit_json(
            {
                "version": report.snapshot.version,
                "added": report.added,
                "changed": report.changed,
                "unchanged": report.unchanged,
                "rejected": report.rejected,
                "changes": report.changes,
                "findings": report.findings,
                "mapping": report.mapping,
            }
        )
        return
    out().print(
        f"{report.added:,} rows added, {report.changed:,} changed, {report.unchanged:,} as they were, "
        f"{report.rejected:,} refused; data version {report.snapshot.version[:12]}"
    )
    _say_findings(report.findings, 12)


def _say_findings(findings: Sequence[Finding], limit: int) -> None:
    if not findings:
        out().print("no findings")
        return
    rows = [[f.symbol, f.date, f.severity, f.kind, f.detail] for f in findings[:limit]]
    out().print(table(f"{len(findings)} findings", ["symbol", "date", "severity", "kind", "detail"], rows))
    if len(findings) > limit:
        out().print(f"… and {len(findings) - limit} more; `quantrail data check` lists them")


@app.command("list")
def list_(
    snapshots: Annotated[bool, typer.Option("--snapshots", help="Data versions instead of symbols.")] = False,
    version: VersionOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Symbols of a data version, or all versions there are, oldest first.

    Example: `quantrail data list --snapshots`
    """
    store = open_market(home)
    if snapshots:
        columns = ["version", "made", "rows", "symbols", "parent"]
        rows: list[list[Any]] = [
            [s.version, s.created_at, s.rows, len(s.symbols), s.parent] for s in store.snapshots()
        ]
    else:
        chosen = version_of(store, version)
        held = store.snapshot(chosen) if chosen else store.current()
        columns = ["symbol", "interval", "rows", "first", "last", "basis", "source"]
        infos = held.symbols if held else ()
        rows = [[i.symbol, i.interval, i.rows, i.first, i.last, i.basis, i.source] for i in infos]
    if as_json:
        emit_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif as_csv:
        emit_csv(columns, rows)
    elif rows:
        out().print(table(None, columns, [[str(c)[:19] if snapshots else c for c in row] for row in rows]))
    else:
        out().print("no market data yet; `quantrail data import --sample` brings the bundled bars")


@app.command("show")
def show(
    symbol: Annotated[str, typer.Argument(help="One symbol.")],
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write candles with findings to this HTML file.")
    ] = None,
    interval: Annotated[str, typer.Option(help="1d, 1h, 5m …")] = "1d",
    limit: LimitOption = 10,
    version: VersionOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """The last bars of one symbol, or a picture of all of them.

    Example: `quantrail data show AAPL --plot aapl.html`
    """
    store = open_market(home)
    chosen = version_of(store, version)
    rows = store.rows([symbol], interval=interval, version=chosen).drop("import_no")
    if plot is not None:
        from quantrail.marketdata.pictures import candles

        plot.write_text(candles(symbol, rows, store.check([symbol], interval=interval, version=chosen)))
        err().print(f"written to {plot}")
        return
    last = rows.tail(limit)
    if as_json:
        emit_json(last.rows(named=True))
    elif as_csv:
        emit_csv(last.columns, last.rows())
    else:
        out().print(table(f"{symbol}, {rows.height:,} bars", last.columns, last.rows()))


@app.command("check")
def check(
    symbols: SymbolsArgument = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a map of gaps with the findings to this file.")
    ] = None,
    interval: Annotated[str, typer.Option(help="1d, 1h, 5m …")] = "1d",
    limit: LimitOption = 50,
    version: VersionOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """What is wrong with the bars. Exit code 3 when something is grave enough to stop a loop.

    Example: `quantrail data check --html gaps.html`
    """
    from quantrail.domain.enums import Severity

    store = open_market(home)
    chosen = version_of(store, version)
    findings = store.check(symbols or None, interval=interval, version=chosen)
    if html is not None:
        from quantrail.marketdata.pictures import coverage

        html.write_text(coverage(store.rows(symbols or None, interval=interval, version=chosen), findings))
        err().print(f"written to {html}")
    if as_json:
        emit_json({"findings": findings})
    elif as_csv:
        emit_csv(
            ["symbol", "date", "until", "severity", "kind", "detail"],
            [[f.symbol, f.date, f.until, f.severity, f.kind, f.detail] for f in findings],
        )
    else:
        _say_findings(findings, limit)
    if any(f.severity is Severity.CRITICAL for f in findings):
        raise typer.Exit(EXIT_ANSWER_NO)


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="A data version or prefix.")],
    new: Annotated[str, typer.Argument(help="Another one.")],
    limit: LimitOption = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Which bars differ between two data versions.

    Example: `quantrail data diff 3f1c 9a02`
    """
    store = open_market(home)
    first, second = version_of(store, old), version_of(store, new)
    if first is None or second is None:
        raise InvalidInput("give two data versions")
    rows = store.diff(first, second)
    if as_json:
        emit_json(rows.rows(named=True))
    elif as_csv:
        emit_csv(rows.columns, rows.rows())
    else:
        out().print(table(f"{rows.height:,} bars differ", rows.columns, rows.head(limit).rows()))


@app.command("sql")
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT; tables: market_data, market_data_intraday …")],
    version: VersionOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Ask a data version in SQL.

    Example: `quantrail data sql "select symbol, count(*) from market_data group by 1"`
    """
    store = open_market(home)
    rows = store.sql(statement, version_of(store, version))
    if as_json:
        emit_json(rows.rows(named=True))
    elif as_csv:
        emit_csv(rows.columns, rows.rows())
    else:
        out().print(table(None, rows.columns, rows.rows()))


@app.command("export")
def export(
    duckdb: Annotated[
        Path | None, typer.Option(help="A new DuckDB file with keys, indexes and yearly tables.")
    ] = None,
    parquet: Annotated[Path | None, typer.Option(help="A folder for one Parquet file per year.")] = None,
    indexes: Annotated[bool, typer.Option(help="With or without the secondary indexes.")] = True,
    version: VersionOption = None,
    home: HomeOption = None,
) -> None:
    """Write a data version out for other tools.

    Example: `quantrail data export --duckdb market.duckdb`
    """
    if duckdb is None and parquet is None:
        raise InvalidInput("say --duckdb FILE or --parquet FOLDER")
    store = open_market(home)
    chosen = version_of(store, version)
    if duckdb is not None:
        store.export_duckdb(duckdb, chosen, indexes=indexes)
        out().print(f"written to {duckdb}")
    if parquet is not None:
        out().print(f"{len(store.export_parquet(parquet, chosen))} files written to {parquet}")


@app.command("gc")
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove data versions that nothing was ever read from, and their files.

    Example: `quantrail data gc --dry-run`
    """
    done = open_market(home).collect(None, dry_run=dry_run)
    if as_json:
        emit_json(done)
        return
    verb = "would go" if dry_run else "removed"
    out().print(
        f"{len(done.snapshots)} data versions and {len(done.files)} files {verb}, {done.bytes:,} bytes"
    )


@app.command("synth")
def synth(
    kind: Annotated[str, typer.Argument(help="random_walk, garch, planted_edge, survivorship …")],
    seed: Annotated[int, typer.Option(help="Same seed, same bars.")] = 1,
    symbols: Annotated[int, typer.Option(min=1, help="How many.")] = 30,
    sessions: Annotated[int, typer.Option(min=2, help="How many.")] = 1260,
    sharpe: Annotated[float | None, typer.Option(help="Of the edge, with planted_edge.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a made-up market of which is known what can be found in it.

    Example: `quantrail data synth planted_edge --sharpe 2 --home lab`
    """
    from quantrail.marketdata import StoredBasis

    store = open_market(home)
    market = made_up(store, kind, symbols, sessions, seed, sharpe)
    source = f"synthetic:{kind}:{seed}"
    _say_import(store.import_bars(market.bars, source=source, basis=StoredBasis.RAW, check=False), as_json)
    err().print(market.truth)


def made_up(
    store: MarketStore, kind: str, symbols: int, sessions: int, seed: int, sharpe: float | None
) -> SyntheticMarket:
    """A synthetic market by its name; block_bootstrap shuffles what is stored."""
    from quantrail.marketdata import synthetic

    makers: dict[str, Any] = {
        "random_walk": synthetic.random_walk,
        "garch": synthetic.garch,
        "regime_switching": synthetic.regime_switching,
        "planted_edge": synthetic.planted_edge,
        "lookahead_bait": synthetic.lookahead_bait,
        "survivorship": synthetic.survivorship,
        "cost_cliff": synthetic.cost_cliff,
    }
    if sharpe is not None and kind != "planted_edge":
        raise InvalidInput(f"--sharpe goes with planted_edge, not with {kind}")
    if kind == "block_bootstrap":
        return _shuffled(store, sessions, seed)
    if kind not in makers:
        raise InvalidInput(f"no synthetic market {kind!r}; use {', '.join([*makers, 'block_bootstrap'])}")
    options = {} if sharpe is None else {"sharpe": sharpe}
    made: SyntheticMarket = makers[kind](symbols, sessions, seed=seed, **options)
    return made


def _shuffled(store: MarketStore, sessions: int, seed: int) -> SyntheticMarket:
    import polars as pl

    from quantrail.marketdata.synthetic import SyntheticMarket, block_bootstrap

    held = store.current()
    if held is None:
        raise NotFound("block_bootstrap shuffles stored bars; import some first, e.g. --sample")
    market = block_bootstrap(store.bars(held.names()), sessions, seed=seed)
    renamed = market.bars.with_columns(symbol="SHUF_" + pl.col("symbol"))
    return SyntheticMarket(market.kind, renamed, market.truth, tuple(f"SHUF_{s}" for s in market.universe))


@app.command("fetch")
def fetch(
    symbols: Annotated[list[str], typer.Argument(help="Symbols as the vendor spells them.")],
    start: Annotated[str, typer.Option(help="First day, ISO.")],
    end: Annotated[str | None, typer.Option(help="Last day, ISO [default: the last closed session]")] = None,
    provider: Annotated[str, typer.Option(help="yahoo or alpha_vantage")] = "yahoo",
    base_url: Annotated[str | None, typer.Option(help="Another address that speaks the format.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch what is missing, once. The Alpha Vantage key is read from $ALPHAVANTAGE_API_KEY.

    Example: `quantrail data fetch AAPL MSFT --start 2020-01-01`
    """
    from datetime import date

    from quantrail.marketdata.providers import open_fetcher

    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end) if end else None
    except ValueError as error:
        raise InvalidInput(f"{error}; write dates as 2020-01-31") from error
    key = os.environ.get("ALPHAVANTAGE_API_KEY")
    fetcher = open_fetcher(open_market(home), load_settings(home).market, provider, key, base_url)
    with _progress() as progress:
        report = fetcher.fetch(symbols, first, last, progress)
    if as_json:
        emit_json(report)
    else:
        out().print(
            f"{report.requests} requests; {report.added:,} rows added, {report.changed:,} changed; "
            f"{len(report.complete)} symbols complete"
        )
        for symbol, why in report.waiting.items():
            err().print(f"{symbol}: {why}")
        _say_findings(report.findings, 12)
    if report.unknown:
        raise NotFound(f"{provider} does not know {', '.join(report.unknown)}")
    if report.waiting:
        raise typer.Exit(EXIT_COULD_NOT)
