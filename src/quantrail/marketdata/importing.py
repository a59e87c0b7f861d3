"""One import from the source to the next snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.errors import Conflict, DataInvalid, NotFound
from quantrail.marketdata import durable, manifest, segments
from quantrail.marketdata.canonical import VALUE_COLUMNS, nodes, root
from quantrail.marketdata.intake import CleanRows, Reading, flatten, parse_timestamps, propose, read
from quantrail.marketdata.manifest import FileEntry, Manifest
from quantrail.marketdata.merge import PartMerge, merge_part, summarise
from quantrail.marketdata.quality import check_rows
from quantrail.marketdata.records import (
    DAILY,
    Finding,
    ImportReport,
    Snapshot,
    StoredBasis,
    SymbolChange,
    SymbolInfo,
)

if TYPE_CHECKING:
    import pandas as pd

_WAIT_SECONDS = 60.0
_FIRST = pl.col("first").min().cast(pl.Datetime("us")).cast(pl.Date)
_LAST = pl.col("last").max().cast(pl.Datetime("us")).cast(pl.Date)


@dataclass(frozen=True, slots=True)
class Importer:
    """Runs imports into ``home``; the meaning of the options stands at ``MarketStore.import_bars``."""

    home: Path
    clock: Callable[[], datetime]
    calendar: str

    def run(
        self,
        data: Path | str | pl.DataFrame | pd.DataFrame,
        *,
        how: Reading,
        source: str | None,
        basis: StoredBasis,
        interval: str | None,
        check: bool,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> ImportReport:
        rows, mapping = read(data, how, self.clock(), progress)
        at = interval or _interval(rows)
        label = source or (Path(data).name if isinstance(data, str | Path) else "frame")
        with durable.writer_lock(self.home, _WAIT_SECONDS):
            report = self._merge(mapping, rows, at, label, basis)
        if not check:
            return report
        return replace(report, findings=report.findings + self._judge(report, rows.rows, at))

    def actions(self, data: pl.DataFrame | pd.DataFrame, source: str) -> ImportReport:
        """Put splits and dividends onto bars that are there."""
        frame = flatten(data)
        mapping = propose(frame.columns)
        if not {"symbol", "ts"} <= set(mapping.values()) or not {"dividend", "split"} & set(mapping.values()):
            raise DataInvalid(
                f"actions need symbol, date and dividend or split; got {', '.join(frame.columns)}"
            )
        stated = frame.select(pl.col(theirs).alias(ours) for theirs, ours in mapping.items())
        days, _ = parse_timestamps(stated["ts"], date_format=None, tz=None)
        stated = stated.with_columns(days.alias("ts"))
        with durable.writer_lock(self.home, _WAIT_SECONDS):
            rows = self._with_actions(stated)
            return self._merge(mapping, rows, DAILY, source, StoredBasis.UNKNOWN)

    def _with_actions(self, stated: pl.DataFrame) -> CleanRows:
        version = manifest.current_version(self.home)
        if version is None:
            raise NotFound("there are no bars to put actions on; import bars first")
        held = manifest.load(self.home, version)
        names = sorted(set(stated["symbol"].to_list()))
        for name in names:
            if name not in held.infos(DAILY):
                raise NotFound(f"no daily bars of {name!r} to put actions on")
        bars = pl.concat(segments.read(self.home, e, names) for e in held.parts(DAILY).values())
        given = [name for name in ("dividend", "split") if name in stated.columns]
        keys = stated.select("symbol", "ts", *(pl.col(name).cast(pl.Float64) for name in given))
        found = bars.drop(given).join(keys, on=["symbol", "ts"], how="inner")
        lost = keys.join(bars, on=["symbol", "ts"], how="anti")
        notes = tuple(
            Finding("action_without_bar", Severity.WARN, "no bar on the ex-date; not applied", symbol, day)
            for symbol, day in lost.select("symbol", "ts").iter_rows()
        )
        filled = found.with_columns(pl.col(n).fill_null(1.0 if n == "split" else 0.0) for n in given)
        rows = filled.select("symbol", "ts", *VALUE_COLUMNS).sort("symbol", "ts")
        return CleanRows(rows, pl.DataFrame(schema={"line": pl.UInt32}), notes, intraday=False)

    def _merge(
        self, mapping: dict[str, str], rows: CleanRows, interval: str, label: str, basis: StoredBasis
    ) -> ImportReport:
        version = manifest.current_version(self.home)
        before = manifest.load(self.home, version) if version else None
        notes = _source_notes(before, rows, interval, label, basis)
        number = _next_number(self.home)
        frame = rows.rows.with_columns(import_no=pl.lit(number, dtype=pl.Int32))
        held = before.parts(interval) if before else {}
        merges = {
            part: merge_part(self.home, cut, held.get(part), interval, part)
            for part, cut in segments.parts(frame, interval)
        }
        changes = summarise((m.changes for m in merges.values() if m.changes is not None), interval)
        after = self._next(before, merges, changes, interval, label, basis)
        added, changed = sum(c.added for c in changes), sum(c.changed for c in changes)
        report = ImportReport(
            after.snapshot,
            label,
            added,
            changed,
            rows.rows.height - added - changed,
            rows.refused.height,
            changes,
            rows.findings + notes,
            mapping,
        )
        self._record(number, report, rows)
        manifest.save(self.home, after)
        return report

    def _next(
        self,
        before: Manifest | None,
        merges: Mapping[str, PartMerge],
        changes: tuple[SymbolChange, ...],
        interval: str,
        label: str,
        basis: StoredBasis,
    ) -> Manifest:
        """The manifest after the merge; the one before when no row differs."""
        if before and not changes:
            return before
        kept = [f for f in before.files if f.interval != interval or f.part not in merges] if before else []
        files = sorted([*kept, *(m.entry for m in merges.values())], key=lambda f: (f.interval, f.part))
        infos = {(i.interval, i.symbol): i for i in before.snapshot.symbols} if before else {}
        held = {s: i for (at, s), i in infos.items() if at == interval}
        fresh = self._infos(
            [f for f in files if f.interval == interval], merges, changes, held, interval, label, basis
        )
        infos |= {(interval, info.symbol): info for info in fresh}
        symbols = tuple(infos[key] for key in sorted(infos))
        version = root((i.interval, i.symbol, i.node) for i in symbols)
        parent = before.snapshot.version if before else None
        return Manifest(Snapshot(version, parent, self.clock(), symbols), tuple(files))

    def _infos(
        self,
        files: list[FileEntry],
        merges: Mapping[str, PartMerge],
        changes: tuple[SymbolChange, ...],
        held: Mapping[str, SymbolInfo],
        interval: str,
        label: str,
        basis: StoredBasis,
    ) -> Iterable[SymbolInfo]:
        found = pl.concat(
            merges[f.part].leaves if f.part in merges else segments.leaves_of(self.home, f) for f in files
        ).filter(pl.col("symbol").is_in([change.symbol for change in changes]))
        totals = dict(found.group_by("symbol").agg(pl.col("rows").sum()).iter_rows())
        spans = {
            symbol: (first, last)
            for symbol, first, last in found.group_by("symbol").agg(_FIRST, _LAST).iter_rows()
        }
        bases = {c.symbol: _basis(held.get(c.symbol), basis) for c in changes}
        for symbol, value in nodes(found, interval, bases):
            yield SymbolInfo(symbol, interval, totals[symbol], *spans[symbol], label, bases[symbol], value)

    def _record(self, number: int, report: ImportReport, rows: CleanRows) -> None:
        """The import's own record and its refused rows, on disk before the snapshot that refers to them."""
        if rows.refused.height:
            temp = durable.temporary(self.home)
            rows.refused.write_parquet(temp)
            durable.settle(temp, self.home / "quarantine" / f"{number:08d}.parquet")
        entry: dict[str, Any] = {
            "import_no": number,
            "source": report.source,
            "created_at": self.clock().isoformat(),
            "version": report.snapshot.version,
            "added": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "rejected": report.rejected,
            "mapping": report.mapping,
            "findings": [finding.to_json() for finding in report.findings],
        }
        target = self.home / "imports" / f"{number:08d}.json"
        durable.write_bytes(self.home, target, json.dumps(entry, sort_keys=True).encode())

    def _judge(self, report: ImportReport, rows: pl.DataFrame, interval: str) -> tuple[Finding, ...]:
        held = manifest.load(self.home, report.snapshot.version)
        names = rows["symbol"].unique().to_list()
        merged = pl.concat(segments.read(self.home, entry, names) for entry in held.parts(interval).values())
        return check_rows(merged.sort("symbol", "ts"), interval, self.calendar)


def _basis(old: SymbolInfo | None, stated: StoredBasis) -> StoredBasis:
    return old.basis if old and stated is StoredBasis.UNKNOWN else stated


def _next_number(home: Path) -> int:
    return 1 + max((int(path.stem) for path in (home / "imports").glob("*.json")), default=0)


def _interval(rows: CleanRows) -> str:
    if not rows.intraday:
        return DAILY
    steps = rows.rows.select(pl.col("ts").diff().over("symbol")).to_series().drop_nulls().dt.total_seconds()
    counts = steps.value_counts(sort=True)
    if counts.is_empty():
        raise DataInvalid("one bar per symbol does not tell the bar interval; name it, e.g. interval='5m'")
    seconds = int(counts[0, 0])
    return (
        f"{seconds // 3600}h"
        if seconds % 3600 == 0
        else f"{seconds // 60}m"
        if seconds % 60 == 0
        else f"{seconds}s"
    )


def _source_notes(
    before: Manifest | None, rows: CleanRows, interval: str, label: str, basis: StoredBasis
) -> tuple[Finding, ...]:
    """Which symbols change hands; Conflict when their price basis would change under them."""
    held = before.infos(interval) if before else {}
    notes = []
    for symbol in sorted(rows.rows["symbol"].unique().to_list()):
        old = held.get(symbol)
        if old is None:
            continue
        if StoredBasis.UNKNOWN not in (basis, old.basis) and old.basis is not basis:
            raise Conflict(
                f"{symbol} is stored as {old.basis}, the import says {basis}; import it under another symbol "
                "or state the same basis",
                symbol=symbol,
            )
        if old.source != label:
            text = f"source changes from {old.source} to {label}; rows that differ follow the later one"
            notes.append(Finding("source_changed", Severity.INFO, text, symbol))
    return tuple(notes)
