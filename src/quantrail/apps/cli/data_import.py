"""`data import | synth`: bringing bars in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.data_home import market_to_write, open_market, say_findings
from quantrail.apps.cli.output import HomeOption, JsonOption, emit_json, err, out
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from quantrail.marketdata import ImportReport, MarketStore
    from quantrail.marketdata.synthetic import SyntheticMarket


def register(app: typer.Typer) -> None:
    """Put the commands of this module into ``app``."""
    app.command("import")(import_)
    app.command("synth")(synth)


def import_(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns (CSV, Parquet).")
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="The bundled real bars.")] = False,
    symbol: Annotated[str | None, typer.Option(help="Whose bars these are, when no column says so.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="THEIRS=ours, for a column not recognised; ours: date, symbol, open …"),
    ] = None,
    basis: Annotated[str, typer.Option(help="raw, split_adjusted, total_return or unknown")] = "unknown",
    source: Annotated[
        str | None, typer.Option(help="Name to record as the source [default: the file's]")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="1d, 1h, 5m … [default: as the times show]")] = None,
    date_format: Annotated[str | None, typer.Option(help="As in strptime, where two fit.")] = None,
    tz: Annotated[str | None, typer.Option(help="Time zone of times that carry none.")] = None,
    decimal: Annotated[str, typer.Option(help="Sign between units and tenths.")] = ".",
    what: Annotated[str, typer.Option("--as", help="bars, economic, companies or news")] = "bars",
    lag_days: Annotated[
        int | None, typer.Option(min=0, help="With economic: days from a date to its release.")
    ] = None,
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
    store = open_market(home) if dry_run else market_to_write(home)
    if sample:
        report = store.import_sample()
        _say_import(report, as_json)
        err().print(SAMPLE_SURVIVORSHIP)
        return
    if not sources:
        raise InvalidInput("name a file, folder or pattern, or --sample")
    if what != "bars":
        _import_records(store, sources, what, source, lag_days, as_json)
        return
    columns = dict(_pair(text) for text in column or [])
    how = Reading(symbol, columns, date_format, tz, decimal)
    for path in sources:
        if dry_run:
            _say_preview(store.preview(path, how), path, as_json)
            continue
        if not as_json:
            out().print(f"{path}: {_mapping(store.columns_of(path, how))}", soft_wrap=True)
        with watched() as progress:
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


def _import_records(
    store: MarketStore, sources: list[str], what: str, source: str | None, lag_days: int | None, as_json: bool
) -> None:
    records = store.records
    adders: dict[str, Any] = {"companies": records.add_companies, "news": records.add_news}
    for path in sources:
        label = source or Path(path).name
        if what == "economic":
            report = records.add_economic(path, source=label, lag_days=lag_days)
        elif what in adders:
            report = adders[what](path, source=label)
        else:
            raise InvalidInput(f"cannot import as {what!r}; use bars, economic, companies or news")
        if as_json:
            emit_json(report)
            continue
        out().print(
            f"{report.table}: {counted(report.added, 'row')} added, {report.changed:,} changed, "
            f"{report.unchanged:,} as they were; version {report.version[:12]}"
        )
        say_findings(report.findings, 12)


def _pair(text: str) -> tuple[str, str]:
    theirs, sign, ours = text.partition("=")
    if not sign:
        raise InvalidInput(f"--column wants THEIRS=ours, got {text!r}")
    return theirs, ours


class watched:  # noqa: N801  (reads as a function where it is used)
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
    out().print(
        f"{path}: {preview.rows:,} rows, {preview.refused:,} refused, "
        f"{counted(len(preview.symbols), 'symbol')}; {_mapping(preview.mapping)}",
        soft_wrap=True,
    )
    say_findings(preview.findings, 12)


def _mapping(mapping: dict[str, str]) -> str:
    pairs = (f"{theirs} → {'date' if ours == 'ts' else ours}" for theirs, ours in mapping.items())
    return "columns " + ", ".join(pairs)


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
        f"{counted(report.added, 'row')} added, {report.changed:,} changed, "
        f"{report.unchanged:,} as they were, {report.rejected:,} refused; "
        f"data version {report.snapshot.version[:12]}"
    )
    say_findings(report.findings, 12)
    if report.rejected:
        given = report.added + report.changed + report.unchanged + report.rejected
        err().print(
            f"warning: {report.rejected:,} of {given:,} rows were refused and are kept in quarantine; the "
            "findings say why",
            soft_wrap=True,
        )


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

    store = market_to_write(home)
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
