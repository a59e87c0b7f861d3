"""From whatever a source holds to typed rows, each either accepted or refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.domain.enums import Severity
from quantrail.errors import DataInvalid
from quantrail.marketdata.canonical import VALUE_COLUMNS, by_key, starts_of_runs
from quantrail.marketdata.intake.columns import PRICES
from quantrail.marketdata.intake.dates import parse_timestamps
from quantrail.marketdata.intake.glance import ORDER_TOLERANCE, absurd_action, all_pass, in_order
from quantrail.marketdata.intake.numbers import with_numbers
from quantrail.marketdata.intake.sources import RawRows
from quantrail.marketdata.records import Finding

# Findings listed one by one per kind; the quarantine file holds every row.
_LISTED = 100
_REFUSED = dict.fromkeys(("line", "symbol", "ts", "kind", "detail", "source_row"), pl.String) | {
    "line": pl.UInt32
}


@dataclass(frozen=True, slots=True)
class CleanRows:
    """``rows``: symbol, ts, seven values, sorted, unique. ``refused``: source text, line, kind, detail."""

    rows: pl.DataFrame
    refused: pl.DataFrame
    findings: tuple[Finding, ...]
    intraday: bool


def clean(
    source: RawRows, *, now: datetime, date_format: str | None, tz: str | None, decimal: str = "."
) -> CleanRows:
    """Type and judge ``source``, row by row.

    Raises DataInvalid when the file as a whole makes no sense (no rows, ambiguous dates, no row left).
    """
    raw = source.table.with_row_index("row")
    if raw.is_empty():
        raise DataInvalid(f"{source.name} holds no rows")
    ts, intraday = parse_timestamps(raw["ts"], date_format=date_format, tz=tz, lines=raw["line"])
    notes: list[Finding] = list(source.notes)
    symbols = raw["symbol"].cast(pl.String)
    runs = starts_of_runs(symbols)
    values, said = with_numbers(raw, decimal)
    notes += said
    typed = values.select("row", "line", _stripped(symbols, runs), ts.alias("ts"), *VALUE_COLUMNS)
    passing, ordered = all_pass(typed, runs, now, intraday), in_order(typed, runs)
    if passing and ordered and source.broken.is_empty():
        return CleanRows(_stored(typed), pl.DataFrame(schema=_REFUSED), tuple(notes), intraday)
    judged = _unjudged(typed) if passing else _judge(typed, now, intraday)
    unique, duplicates = _unique(judged)
    bad = judged.filter(pl.col("kind").is_not_null())
    refused = pl.concat([_with_source(pl.concat([bad, duplicates]), raw), _broken(source)]).sort("line")
    notes += _exact_duplicates(judged, unique, duplicates)
    findings = tuple(notes) + _listed(refused)
    if unique.is_empty():
        raise DataInvalid(_hopeless(source, refused))
    return CleanRows(_stored(unique), refused, findings, intraday)


def _stripped(symbols: pl.Series, runs: NDArray[np.int64]) -> pl.Series:
    # A symbol stands in long runs; looking at one of each is cheaper than trimming them all.
    spelt = symbols.gather(runs)
    return symbols if (spelt == spelt.str.strip_chars()).all() else symbols.str.strip_chars()


def _judge(typed: pl.DataFrame, now: datetime, intraday: bool) -> pl.DataFrame:
    """Adds ``kind`` and ``detail``, null where the row is fine. Each test sees its own row only."""
    horizon = now + timedelta(days=1)
    latest = pl.lit(horizon) if intraday else pl.lit(horizon.date())
    top = pl.max_horizontal("open", "low", "close")
    bottom = pl.min_horizontal("open", "high", "close")
    prices = [pl.col(name) for name in PRICES]
    tests: list[tuple[str, pl.Expr, str]] = [
        ("no_symbol", pl.col("symbol").is_null() | (pl.col("symbol") == ""), "the row has no symbol"),
        ("bad_date", pl.col("ts").is_null(), "the date cannot be read"),
        ("future_date", pl.col("ts") > latest, "the date lies in the future"),
        (
            "not_a_number",
            pl.any_horizontal(p.is_null() | ~p.is_finite() for p in [*prices, pl.col("volume")]),
            "a price or the volume is missing or not a number",
        ),
        ("non_positive_price", pl.any_horizontal(p <= 0 for p in prices), "a price is zero or negative"),
        ("negative_volume", pl.col("volume") < 0, "the volume is negative"),
        ("bad_action", absurd_action(), "a split or dividend makes no sense"),
        (
            "ohlc_order",
            (pl.col("high") < top * (1 - ORDER_TOLERANCE)) | (pl.col("low") > bottom * (1 + ORDER_TOLERANCE)),
            "high and low do not enclose open and close",
        ),
    ]
    kind = pl.coalesce(pl.when(test.fill_null(False)).then(pl.lit(name)) for name, test, _ in tests)
    detail = {name: text for name, _, text in tests}
    return typed.with_columns(kind=kind).with_columns(
        detail=pl.col("kind").replace_strict(detail, default=None, return_dtype=pl.String)
    )


def _unjudged(typed: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.String)
    return typed.with_columns(kind=nothing, detail=nothing)


def _stored(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("symbol", "ts", *VALUE_COLUMNS)


def _fine(judged: pl.DataFrame) -> pl.DataFrame:
    every = judged["kind"].null_count() == judged.height
    return judged if every else judged.filter(pl.col("kind").is_null())


def _unique(judged: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per key, and the rows whose key comes again with other values: none of those is taken."""
    fine = _fine(judged)
    # Most sources come that way already, and looking is cheaper than sorting.
    if in_order(fine, starts_of_runs(fine["symbol"])):
        return fine, judged.clear()
    fine = by_key(fine)
    again = (pl.col("symbol") == pl.col("symbol").shift()) & (pl.col("ts") == pl.col("ts").shift())
    if not fine.select(again.any()).item():
        return fine, judged.clear()
    distinct = fine.unique(["symbol", "ts", *VALUE_COLUMNS], keep="first", maintain_order=True)
    clash = distinct.select(pl.struct("symbol", "ts").is_duplicated()).to_series()
    keys = distinct.filter(clash).select("symbol", "ts").unique()
    rows = fine.join(keys, on=["symbol", "ts"], how="semi").with_columns(
        kind=pl.lit("duplicate_disagrees"),
        detail=pl.lit("the same symbol and date come with different values"),
    )
    return distinct.filter(~clash), rows


def _exact_duplicates(judged: pl.DataFrame, unique: pl.DataFrame, clashing: pl.DataFrame) -> list[Finding]:
    extra = judged["kind"].null_count() - unique.height - clashing.height
    if extra <= 0:
        return []
    taken = pl.concat([unique["row"], clashing["row"]])
    repeats = _fine(judged).filter(~pl.col("row").is_in(taken.implode()))["line"]
    first = int(repeats[0])
    text = f"{extra} rows repeat another row exactly, the first is line {first}; one of each is kept"
    return [Finding("duplicate", Severity.INFO, text, line=first)]


def _with_source(refused: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """The refused rows as the source spelt them, with line, kind and detail."""
    reasons = refused.select("row", "kind", "detail")
    found = raw.join(reasons, on="row", how="inner").sort("line")
    source = found.with_columns(pl.exclude("line").cast(pl.String, strict=False))
    values = pl.concat_str(
        [pl.format(f"{c}={{}}", pl.col(c).fill_null("")) for c in raw.columns if c not in ("line", "row")],
        separator=" ",
    )
    return source.select(
        "line", "symbol", pl.col("ts").alias("ts"), "kind", "detail", values.alias("source_row")
    )


def _broken(source: RawRows) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.String)
    return source.broken.select(
        "line",
        symbol=nothing,
        ts=nothing,
        kind=pl.lit("wrong_field_count"),
        detail=pl.lit("the line has more fields than the header"),
        source_row="source_row",
    )


def _hopeless(source: RawRows, refused: pl.DataFrame) -> str:
    row = refused.row(0, named=True)
    hint = ""
    if refused["source_row"].str.contains(r"(open|close)=\d+,\d+").any():
        hint = "; the numbers have decimal commas: say decimal=','"
    return (
        f"{source.name}: none of its {source.table.height} rows can be used; "
        f"line {row['line']}: {row['detail']} ({row['source_row'][:120]}){hint}"
    )


def _listed(refused: pl.DataFrame) -> tuple[Finding, ...]:
    out: list[Finding] = []
    for (kind,), group in refused.group_by("kind", maintain_order=True):
        for row in group.head(_LISTED).iter_rows(named=True):
            out.append(_refusal(str(kind), row))
        if group.height > _LISTED:
            text = f"{group.height} rows in all, lines {group['line'][0]} to {group['line'][-1]}"
            out.append(Finding(str(kind), Severity.ERROR, text, quarantined=True))
    return tuple(out)


def _refusal(kind: str, row: dict[str, str]) -> Finding:
    line = int(row["line"])
    detail = f"line {line}: {row['detail']} ({row['source_row'][:160]})"
    return Finding(kind, Severity.ERROR, detail, row["symbol"], _day(row["ts"]), line=line, quarantined=True)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
