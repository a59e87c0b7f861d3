"""The store of bars: import, snapshots, and the slices engines read."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.domain.ids import ContentHash, DataVersion
from quantrail.domain.market import Bars, Members, Period
from quantrail.errors import InvalidInput, NotFound
from quantrail.marketdata import arrays, collecting, comparing, exporting, manifest, slices, sql
from quantrail.marketdata.adjusting import Adjust
from quantrail.marketdata.collecting import Collected
from quantrail.marketdata.importing import Importer
from quantrail.marketdata.intake import Reading, columns_of, read
from quantrail.marketdata.manifest import Manifest
from quantrail.marketdata.pointintime import RecordStore
from quantrail.marketdata.quality import check_rows, closes_of
from quantrail.marketdata.records import DAILY, Finding, ImportReport, Preview, Snapshot, StoredBasis
from quantrail.marketdata.sample import SAMPLE_SOURCE, sample_path
from quantrail.marketdata.universe_store import UniverseStore

if TYPE_CHECKING:
    import pandas as pd

    from quantrail.engine import CorporateActions


class MarketStore:
    """Bars under ``root``, as immutable snapshots. Readers never wait; writers take turns.

    ``clock`` returns the present as an aware UTC time; it dates imports and refuses bars of the future.
    """

    def __init__(self, root: Path, clock: Callable[[], datetime], *, calendar: str = "XNYS") -> None:
        self._root = root
        self._clock = clock
        self._calendar = calendar

    @property
    def records(self) -> RecordStore:
        """Companies, economic series and news."""
        return RecordStore(self._root / "records", self._clock)

    @property
    def universes(self) -> UniverseStore:
        """Who belonged to which universe, and since when."""
        return UniverseStore(self._root / "universes")

    def members(self, universe: str, day: date) -> Members:
        """Who belongs to a stored universe on ``day``. Raises NotFound, InvalidInput (nobody)."""
        return self.universes.members(universe, day)

    def records_version(self, table: str) -> ContentHash | None:
        """The current version of one table of records, None before its first import."""
        return self.records.version(table)

    def econ(self, series: str, bars: Bars, version: ContentHash | None = None) -> NDArray[np.float64]:
        """Shape (T,): the newest value of ``series`` known at each closing bell. Raises NotFound."""
        return self.records.economic_at(series, self._closes(bars), version)

    def news_sentiment(
        self, bars: Bars, window: timedelta, version: ContentHash | None = None
    ) -> NDArray[np.float64]:
        """Shape (S, T), -1..1: mean score of the news of the last ``window`` known at each closing bell."""
        return self.records.news_sentiment_at(bars.symbols, self._closes(bars), window, version)

    def _closes(self, bars: Bars) -> NDArray[np.datetime64]:
        if bars.sessions.dtype == np.dtype("datetime64[D]"):
            return closes_of(self._calendar, bars.sessions)
        return bars.sessions

    def import_bars(
        self,
        data: Path | str | pl.DataFrame | pd.DataFrame,
        *,
        source: str | None = None,
        symbol: str | None = None,
        columns: Mapping[str, str] | None = None,
        basis: StoredBasis = StoredBasis.UNKNOWN,
        interval: str | None = None,
        date_format: str | None = None,
        tz: str | None = None,
        decimal: str = ".",
        check: bool = True,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> ImportReport:
        """Merge bars into a new snapshot; rows that are there already, bit for bit, change nothing.

        ``data``: a file (CSV, Parquet), folder or pattern, or a frame: long, one symbol, wide with joined
        names (AAPL_open), or with column pairs as yfinance gives them. How to read it: see ``Reading``.

        ``source`` is the name recorded for it (default: the file's name). Refused rows are kept under
        ``quarantine/`` and listed in the findings. ``check=False`` leaves the gate out of the report.

        Raises DataInvalid (no usable row, columns or dates unclear), NotFound (no such file),
        Conflict (a symbol is stored with another price basis), BackendBusy (another import is running).
        """
        return Importer(self._root, self._clock, self._calendar).run(
            data,
            how=Reading(symbol, columns, date_format, tz, decimal),
            source=source,
            basis=basis,
            interval=interval,
            check=check,
            progress=progress,
        )

    def preview(self, data: Path | str | pl.DataFrame | pd.DataFrame, how: Reading) -> Preview:
        """What an import would read, storing nothing: mapping, rows, refusals. Raises as it would."""
        rows, mapping = read(data, how, self._clock())
        return Preview(
            mapping,
            tuple(sorted(rows.rows["symbol"].unique().to_list())),
            rows.rows.height,
            rows.refused.height,
            rows.findings,
        )

    def columns_of(self, source: Path | str, how: Reading) -> dict[str, str]:
        """Source column to ours, as an import would take them, from the first rows. Raises as it would."""
        return columns_of(source, how)

    def import_sample(self) -> ImportReport:
        """Import the bundled bars; a second time changes nothing."""
        return self.import_bars(sample_path(), source=SAMPLE_SOURCE, basis=StoredBasis.SPLIT)

    def current(self) -> Snapshot | None:
        """The newest snapshot, None before the first import."""
        version = manifest.current_version(self._root)
        return None if version is None else manifest.load(self._root, version).snapshot

    def snapshot(self, version: DataVersion) -> Snapshot:
        """One stored snapshot. Raises NotFound."""
        return manifest.load(self._root, version).snapshot

    def snapshots(self) -> list[Snapshot]:
        """All stored snapshots, oldest first, then by version."""
        found = [manifest.load(self._root, version).snapshot for version in manifest.versions(self._root)]
        return sorted(found, key=lambda snapshot: (snapshot.created_at, snapshot.version))

    def bars(
        self,
        symbols: Sequence[str],
        period: Period | None = None,
        *,
        warmup_start: date | None = None,
        before: date | None = None,
        interval: str = DAILY,
        version: DataVersion | None = None,
        recompute: bool = False,
        adjust: Adjust = Adjust.AS_STORED,
    ) -> Bars:
        """Bars of ``symbols`` from ``warmup_start`` (default: the period's start) to the period's end.

        Rows on or after ``before`` are never read. ``period`` None: everything there is.
        ``data_version`` is the Merkle version of exactly the rows returned. The arrays are read-only maps
        of a cache; ``recompute=True`` reads and hashes the stored rows again and believes no cache, so that
        a changed file shows as another version. ``adjust`` applies the splits and dividends of the rows
        returned, and of no later ones; it changes prices, not the data version.

        Raises NotFound (symbol or version not stored; nearest names in the message), DataInvalid (no row).
        """
        held = self._manifest(version)
        request = replace(
            self._request(held, symbols, period, warmup_start, before, interval), adjust=Adjust(adjust)
        )
        if not recompute:
            return slices.mapped(self._root, held, request)
        rows = arrays.rows_of(self._root, held, request, verify=False)
        return arrays.build(held, request, rows, arrays.version_of(held, request, rows))

    def actions(
        self, symbols: Sequence[str], *, before: date | None = None, version: DataVersion | None = None
    ) -> CorporateActions:
        """Splits and cash dividends of raw bars, as engine B applies them; none on or after ``before``.

        Splits of bars that are stored split-adjusted are left out: their prices show none. InvalidInput
        for dividends of bars that have them worked in already, and for either of bars whose price basis
        nobody has stated.
        """
        # The engines take a second to import; reading bars must not.
        from quantrail.engine import CorporateActions

        held = self._manifest(version)
        rows = arrays.rows_of(
            self._root, held, self._request(held, symbols, None, None, before, DAILY), verify=False
        )
        raw = [s for s, info in held.infos(DAILY).items() if info.basis is StoredBasis.RAW]
        split = rows.filter(pl.col("split") != 1.0)
        paid = rows.filter(pl.col("dividend") > 0.0)
        _payable(held, paid["symbol"].unique().sort().to_list())
        _stated(held, split["symbol"].unique().sort().to_list(), "splits")
        splits = split.filter(pl.col("symbol").is_in(raw))
        return CorporateActions(
            {(s, day): v for s, day, v in splits.select("symbol", "ts", "split").iter_rows()},
            {(s, day): v for s, day, v in paid.select("symbol", "ts", "dividend").iter_rows()},
        )

    def import_actions(self, data: pl.DataFrame | pd.DataFrame, *, source: str) -> ImportReport:
        """Splits and dividends for bars that are there: symbol, date, and dividend and/or split.

        An action on a day without a bar is not applied but reported (``action_without_bar``).
        Raises DataInvalid, NotFound (no bars of a symbol), BackendBusy.
        """
        return Importer(self._root, self._clock, self._calendar).actions(data, source)

    def indicator(
        self,
        symbols: Sequence[str],
        kind: str,
        params: Mapping[str, float | str] | None = None,
        *,
        version: DataVersion | None = None,
    ) -> pl.DataFrame:
        """One technical indicator as rows, cached by content; the values are the engines' own."""
        from quantrail.marketdata import indicating

        held = self._manifest(version).snapshot.version
        bars = self.bars(symbols, version=held)
        return indicating.technical(self._root, held, bars, kind, params or {}, self._clock())

    def rows(
        self,
        symbols: Sequence[str] | None = None,
        *,
        interval: str = DAILY,
        version: DataVersion | None = None,
        before: date | None = None,
    ) -> pl.DataFrame:
        """Stored rows before ``before``, long: symbol, ts, prices, volume, dividend, split, import_no."""
        held = self._manifest(version)
        request = self._request(held, symbols or tuple(held.infos(interval)), None, None, before, interval)
        return arrays.rows_of(self._root, held, request, verify=False)

    def check(
        self,
        symbols: Sequence[str] | None = None,
        *,
        interval: str = DAILY,
        version: DataVersion | None = None,
        before: date | None = None,
        alone: bool = False,
    ) -> tuple[Finding, ...]:
        """What the quality gate finds in rows before ``before``, in the order symbol, date, kind.

        The market that a move is compared with is all that is stored, or, ``alone``, ``symbols`` only: then
        the answer does not depend on what else there is.
        """
        held = self._manifest(version)
        every = tuple(held.infos(interval))
        asked = self._request(held, symbols or every, None, None, before, interval)
        beside = asked if alone else self._request(held, every, None, None, before, interval)
        rows = arrays.rows_of(self._root, held, beside, verify=False)
        return check_rows(rows, interval, self._calendar, of=symbols or None)

    def diff(self, old: DataVersion, new: DataVersion) -> pl.DataFrame:
        """Every bar that differs: interval, symbol, ts, change (added, removed, changed), columns."""
        return comparing.diff(self._root, self._manifest(old), self._manifest(new))

    def sql(self, statement: str, version: DataVersion | None = None) -> pl.DataFrame:
        """Rows of one SELECT over market_data and its sister tables of a snapshot. Nothing can be written."""
        return sql.query(self._root, self._manifest(version), statement)

    def export_duckdb(
        self, target: Path, version: DataVersion | None = None, *, indexes: bool = True
    ) -> None:
        """A new DuckDB file with primary keys, indexes and yearly tables. Raises Conflict if it exists."""
        exporting.to_duckdb(self._root, self._manifest(version), target, indexes=indexes)

    def export_parquet(self, target: Path, version: DataVersion | None = None) -> list[Path]:
        """One zstd Parquet file per year in the folder ``target``."""
        return exporting.to_parquet(self._root, self._manifest(version), target)

    def snapshot_of(self, version: DataVersion) -> DataVersion | None:
        """The snapshot from which a slice of this version was first read, None if it never was."""
        return collecting.snapshot_of_slice(self._root, version)

    def collect(self, keep: Collection[DataVersion] | None, *, dry_run: bool = False) -> Collected:
        """Remove snapshots older than an hour that are neither current nor in ``keep``, and their files.

        ``keep`` holds the data versions of every stored result, as the results name them; None keeps
        every snapshot that a slice was ever read from.
        """
        return collecting.collect(self._root, keep, self._clock(), dry_run=dry_run, wait=60.0)

    def _manifest(self, version: DataVersion | None) -> Manifest:
        chosen = version or manifest.current_version(self._root)
        if chosen is None:
            raise NotFound(
                "no market data yet; `quantrail data import` brings some, --sample the bundled bars"
            )
        return manifest.load(self._root, chosen)

    def _request(
        self,
        held: Manifest,
        symbols: Sequence[str],
        period: Period | None,
        warmup_start: date | None,
        before: date | None,
        interval: str,
    ) -> arrays.SliceRequest:
        if not symbols:
            raise InvalidInput("no symbols were asked for")
        known = held.infos(interval)
        for symbol in symbols:
            if symbol not in known:
                raise NotFound(_unknown(symbol, held, interval), symbol=symbol)
        first = period.start if period else None
        if warmup_start is not None:
            first = min(first, warmup_start) if first else warmup_start
        ends = [period.end + timedelta(days=1) if period else None, before]
        end = min((e for e in ends if e is not None), default=None)
        return arrays.SliceRequest(tuple(sorted(set(symbols))), interval, first, end)


def _unknown(symbol: str, held: Manifest, interval: str) -> str:
    others = sorted({info.interval for info in held.snapshot.symbols if info.symbol == symbol})
    if others:
        only = "; strategies run on 1d bars only" if interval == DAILY else ""
        return f"{symbol} has {', '.join(others)} bars and no {interval} bars{only}"
    known = sorted(held.infos(interval))
    near = difflib.get_close_matches(symbol.upper(), known, n=3, cutoff=0.5) or known[:5]
    return f"no {interval} bars of {symbol!r}; near it: {', '.join(near) or 'nothing is stored'}"


def _payable(held: Manifest, symbols: Sequence[str]) -> None:
    infos = held.infos(DAILY)
    for symbol in symbols:
        if infos[symbol].basis is StoredBasis.TOTAL:
            raise InvalidInput(
                f"the prices of {symbol} have dividends worked in; paying them in cash would count them twice"
            )
    _stated(held, symbols, "dividends")


def _stated(held: Manifest, symbols: Sequence[str], what: str) -> None:
    infos = held.infos(DAILY)
    for symbol in symbols:
        if infos[symbol].basis is StoredBasis.UNKNOWN:
            raise InvalidInput(
                f"whether the prices of {symbol} have {what} worked in is not known; import them with a "
                "basis (raw or split_adjusted)"
            )
