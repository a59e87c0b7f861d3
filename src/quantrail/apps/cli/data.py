"""`data import | list | show | check | diff | sql | export | gc | synth | fetch | universe`: bars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from quantrail.apps.cli import data_fetch, data_import, data_universe
from quantrail.apps.cli.data_home import VersionOption, intervals_of, open_market, say_findings, version_of
from quantrail.apps.cli.output import (
    EXIT_ANSWER_NO,
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
from quantrail.apps.cli.targets import writable_file, writable_folder
from quantrail.config import load_settings
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput

app = typer.Typer(no_args_is_help=True)

data_import.register(app)
app.command("fetch")(data_fetch.fetch)
app.add_typer(data_universe.app, name="universe", help="Who belonged to a universe, and since when.")

SymbolsArgument = Annotated[list[str] | None, typer.Argument(help="Symbols [default: all]")]


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
    interval: Annotated[str | None, typer.Option(help="1d, 1h, 5m … [default: 1d, or what there is]")] = None,
    limit: LimitOption = 10,
    version: VersionOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """The last bars of one symbol, or a picture of all of them.

    Example: `quantrail data show AAPL --plot aapl.html`
    """
    writable_file(plot)
    store = open_market(home)
    chosen = version_of(store, version)
    held = store.snapshot(chosen) if chosen else store.current()
    at = next(iter(intervals_of(held, [symbol], interval)))
    rows = store.rows([symbol], interval=at, version=chosen).drop("import_no")
    if plot is not None:
        from quantrail.marketdata.pictures import candles

        plot.write_text(candles(symbol, rows, store.check([symbol], interval=at, version=chosen)))
        err().print(f"written to {plot}")
        return
    last = rows.tail(limit)
    if as_json:
        emit_json(last.rows(named=True))
    elif as_csv:
        emit_csv(last.columns, last.rows())
    else:
        out().print(table(f"{symbol}, {counted(rows.height, f'{at} bar')}", last.columns, last.rows()))


@app.command("check")
def check(
    symbols: SymbolsArgument = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a map of gaps with the findings to this file.")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="1d, 1h, 5m … [default: all there are]")] = None,
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

    writable_file(html)
    store = open_market(home)
    chosen = version_of(store, version)
    held = store.snapshot(chosen) if chosen else store.current()
    wanted = intervals_of(held, symbols, interval)
    findings = [f for at, names in wanted.items() for f in store.check(names, interval=at, version=chosen)]
    if html is not None:
        from quantrail.marketdata.pictures import coverage

        shown, names = next(iter(wanted.items()))
        html.write_text(coverage(store.rows(names, interval=shown, version=chosen), findings))
        err().print(f"written to {html}")
    if as_json:
        emit_json({"findings": findings})
    elif as_csv:
        emit_csv(
            ["symbol", "date", "until", "severity", "kind", "detail"],
            [[f.symbol, f.date, f.until, f.severity, f.kind, f.detail] for f in findings],
        )
    else:
        say_findings(findings, limit)
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
    writable_file(duckdb)
    writable_folder(parquet, str(parquet))
    store = open_market(home)
    chosen = version_of(store, version)
    if duckdb is not None:
        store.export_duckdb(duckdb, chosen, indexes=indexes)
        out().print(f"written to {duckdb}")
    if parquet is not None:
        written = counted(len(store.export_parquet(parquet, chosen)), "file")
        out().print(f"{written} written to {parquet}")


@app.command("gc")
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove data versions, and their files, that no stored result or run rests on.

    The current version and those of the last hour stay.

    Example: `quantrail data gc --dry-run`
    """
    from quantrail.bootstrap import collect_market

    done = collect_market(load_settings(home), dry_run=dry_run)
    if as_json:
        emit_json(done)
        return
    verb = "would go" if dry_run else "removed"
    for version in done.snapshots:
        out().print(f"{version[:12]}  {verb}")
    versions, files = counted(len(done.snapshots), "data version"), counted(len(done.files), "file")
    out().print(f"{versions} and {files} {verb}, {done.bytes:,} bytes")
    if done.cache_bytes:
        out().print(f"{done.cache_bytes:,} of these bytes are cache, which the next read makes again")
