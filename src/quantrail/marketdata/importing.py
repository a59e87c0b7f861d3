"""One import from the source to the next snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.errors import Conflict, DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import durable, manifest, segments
from quantrail.marketdata.canonical import VALUE_COLUMNS, by_key, symbols_of
from quantrail.marketdata.intake import CleanRows, Reading, flatten, parse_timestamps, propose, read
from quantrail.marketdata.layout import to_join
from quantrail.marketdata.leaves import Leaves, union
from quantrail.marketdata.manifest import FileEntry, Manifest
from quantrail.marketdata.merge import PartMerge, join_parts, merge_rows, summarise
from quantrail.marketdata.merkle import nodes, root
from quantrail.marketdata.quality import check_rows, seconds_of
from quantrail.marketdata.records import (
    DAILY,
    Finding,
    ImportReport,
    Snapshot,
    StoredBasis,
    SymbolInfo,
)

if TYPE_CHECKING:
    import pandas as pd

_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Job:
    """What is known of an import beside its rows. ``prices``: it brings bars, not only actions on them."""

    interval: str
    label: str
    basis: StoredBasis
    prices: bool = True


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
        at = _interval(rows) if interval is None else _stated(interval, rows)
        label = source or (Path(data).name if isinstance(data, str | Path) else "frame")
        with durable.writer_lock(self.home, _WAIT_SECONDS):
            report = self._merge(mapping, rows, _Job(at, label, basis))
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
            return self._merge(mapping, rows, _Job(DAILY, source, StoredBasis.UNKNOWN, prices=False))

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
        keys = _by_day(stated.select("symbol", "ts", *(pl.col(name).cast(pl.Float64) for name in given)))
        found = bars.drop(given).join(keys, on=["symbol", "ts"], how="inner")
        lost = keys.join(bars, on=["symbol", "ts"], how="anti")
        notes = tuple(
            Finding("action_without_bar", Severity.WARN, "no bar on the ex-date; not applied", symbol, day)
            for symbol, day in lost.select("symbol", "ts").iter_rows()
        )
        # Null is "not stated" and leaves what is stored.
        rows = found.select("symbol", "ts", *VALUE_COLUMNS).sort("symbol", "ts")
        return CleanRows(rows, pl.DataFrame(schema={"line": pl.UInt32}), notes, intraday=False)

    def _merge(self, mapping: dict[str, str], rows: CleanRows, job: _Job) -> ImportReport:
        version = manifest.current_version(self.home)
        before = manifest.load(self.home, version) if version else None
        names = symbols_of(rows.rows)
        held_infos = before.infos(job.interval) if before else {}
        _same_basis(names, held_infos, job)
        notes = _source_notes(names, held_infos, job)
        number = _next_number(self.home)
        held = before.parts(job.interval) if before else {}
        merged = merge_rows(self.home, rows.rows, held, job.interval, number)
        changes = summarise(merged.changes, job.interval)
        touched = {c.symbol for c in changes} | _newly_declared(names, held_infos, job)
        after = self._next(before, merged.parts, sorted(touched), job)
        added, changed = sum(c.added for c in changes), sum(c.changed for c in changes)
        report = ImportReport(
            after.snapshot,
            job.label,
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
        self, before: Manifest | None, merges: Mapping[str, PartMerge], touched: list[str], job: _Job
    ) -> Manifest:
        """The manifest after the merge; the one before when nothing differs."""
        if before and not touched:
            return before
        at = job.interval
        parts = self._parts_after(before.parts(at) if before else {}, merges, at)
        others = [f for f in before.files if f.interval != at] if before else []
        files = sorted([*others, *(m.entry for m in parts.values())], key=lambda f: (f.interval, f.part))
        infos = {(i.interval, i.symbol): i for i in before.snapshot.symbols} if before else {}
        held = {symbol: info for (interval, symbol), info in infos.items() if interval == at}
        found = union([m.all_leaves(self.home) for m in parts.values()])
        infos |= {(at, info.symbol): info for info in _infos(found, touched, held, job)}
        symbols = tuple(infos[key] for key in sorted(infos))
        version = root((i.interval, i.symbol, i.node) for i in symbols)
        parent = before.snapshot.version if before else None
        return Manifest(Snapshot(version, parent, self.clock(), symbols), tuple(files))

    def _parts_after(
        self, held: Mapping[str, FileEntry], merges: Mapping[str, PartMerge], interval: str
    ) -> dict[str, PartMerge]:
        after = {**{part: PartMerge(entry) for part, entry in held.items()}, **merges}
        for year, loose in to_join({part: m.entry for part, m in after.items()}).items():
            members = [*([year] if year in after else []), *(entry.part for entry in loose)]
            after[year] = join_parts(self.home, [after.pop(part) for part in members], interval, year)
        return after

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
        # All that is stored, since a few symbols alone cannot tell a crash of their market from an error.
        merged = pl.concat(segments.read(self.home, entry) for entry in held.parts(interval).values())
        return check_rows(by_key(merged), interval, self.calendar, of=symbols_of(rows))


def _infos(
    found: Leaves, touched: list[str], held: Mapping[str, SymbolInfo], job: _Job
) -> Iterator[SymbolInfo]:
    """What there is of each touched symbol now; ``found``: all leaves at the job's interval."""
    bases = {symbol: _basis(held.get(symbol), job.basis) for symbol in touched}
    spans = {symbol: (rows, first, last) for symbol, rows, first, last in found.totals()}
    for symbol, value in nodes(found, job.interval, bases):
        source = job.label if job.prices else held[symbol].source
        yield SymbolInfo(symbol, job.interval, *spans[symbol], source, bases[symbol], value)


def _by_day(actions: pl.DataFrame) -> pl.DataFrame:
    """One row per symbol and day: dividends added up, splits multiplied, null where none is stated."""
    both = {"dividend": pl.col("dividend").sum(), "split": pl.col("split").product()}
    stated = [
        pl.when(pl.col(name).is_not_null().any()).then(total).alias(name)
        for name, total in both.items()
        if name in actions.columns
    ]
    return actions.group_by("symbol", "ts", maintain_order=True).agg(stated)


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


def _stated(interval: str, rows: CleanRows) -> str:
    """The interval as stated, when it can be that of the rows. InvalidInput when it cannot."""
    if interval == DAILY and not rows.intraday:
        return interval
    if interval == DAILY or not rows.intraday:
        kind = "times of day" if rows.intraday else "days only"
        raise InvalidInput(f"the rows hold {kind}, which {interval} bars do not; leave the interval out")
    seconds_of(interval)
    return interval


def _same_basis(names: list[str], held: Mapping[str, SymbolInfo], job: _Job) -> None:
    """Conflict when the price basis of a stored symbol would change under its bars."""
    for symbol in names:
        old = held.get(symbol)
        if old and StoredBasis.UNKNOWN not in (job.basis, old.basis) and old.basis is not job.basis:
            raise Conflict(
                f"{symbol} is stored as {old.basis}, the import says {job.basis}; import it under another "
                "symbol or state the same basis",
                symbol=symbol,
            )


def _newly_declared(names: list[str], held: Mapping[str, SymbolInfo], job: _Job) -> set[str]:
    """Symbols whose basis was not known until this import says it."""
    if job.basis is StoredBasis.UNKNOWN:
        return set()
    return {s for s in names if s in held and held[s].basis is StoredBasis.UNKNOWN}


def _source_notes(names: list[str], held: Mapping[str, SymbolInfo], job: _Job) -> tuple[Finding, ...]:
    """One finding per former source that symbols change hands from."""
    moved: dict[str, list[str]] = {}
    for symbol in names if job.prices else []:
        if symbol in held and held[symbol].source != job.label:
            moved.setdefault(held[symbol].source, []).append(symbol)
    return tuple(
        Finding(
            "source_changed",
            Severity.INFO,
            f"{len(symbols)} symbols ({', '.join(symbols[:5])}{' …' if len(symbols) > 5 else ''}) change "
            f"from source {old} to {job.label}; rows that differ follow the later one",
        )
        for old, symbols in sorted(moved.items())
    )
