"""All checks on one set of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from quantrail.marketdata.canonical import timestamps
from quantrail.marketdata.quality.hours import hours_between
from quantrail.marketdata.quality.intraday import intraday_findings
from quantrail.marketdata.quality.jumps import INTRADAY_RULES, REVERTING, STAYING, JumpRules, jump_findings
from quantrail.marketdata.quality.series import series_of
from quantrail.marketdata.quality.sessions import session_findings
from quantrail.marketdata.quality.stillness import stillness_findings
from quantrail.marketdata.records import DAILY, Finding

_Of = frozenset[str] | None


def check_rows(
    rows: pl.DataFrame,
    interval: str,
    calendar: str,
    rules: JumpRules | None = None,
    of: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """Findings on ``rows`` (sorted by symbol, ts), in the order symbol, date, kind.

    ``of``: the symbols asked about, by default all; the others only tell what their market did.
    ``rules`` default to those of daily or of intraday bars. Steps that stay (splits, spin-offs) are judged
    from session to session, whatever the interval.
    """
    if rows.is_empty():
        return ()
    wanted = None if of is None else frozenset(of)
    if interval == DAILY:
        found = _daily(rows, calendar, rules, wanted)
    else:
        found = _intraday(rows, interval, calendar, rules, wanted)
    return tuple(sorted(found, key=lambda f: (f.symbol or "", str(f.date), f.kind)))


def _daily(rows: pl.DataFrame, calendar: str, rules: JumpRules | None, of: _Of) -> Iterator[Finding]:
    for series in series_of(rows, "D", of):
        yield from stillness_findings(series)
        yield from session_findings(series, calendar)
        yield from jump_findings(series, rules or JumpRules())


def _intraday(
    rows: pl.DataFrame, interval: str, calendar: str, rules: JumpRules | None, of: _Of
) -> Iterator[Finding]:
    for series in series_of(rows, "s", of):
        yield from stillness_findings(series, intraday=True)
        yield from intraday_findings(series, interval, calendar)
        yield from jump_findings(series, rules or INTRADAY_RULES, REVERTING)
    days = _by_session(rows, calendar)
    if days.is_empty():
        return
    opened: dict[Any, Any] = {(s, day): at for s, day, at in days.select("symbol", "ts", "at").iter_rows()}
    for series in series_of(days.drop("at"), "D", of):
        for finding in jump_findings(series, JumpRules(), STAYING):
            yield replace(finding, date=opened[series.symbol, finding.date])


def _by_session(rows: pl.DataFrame, calendar: str) -> pl.DataFrame:
    """One bar per symbol and session out of the bars inside its hours; ``at``: the time of the first."""
    when = timestamps(rows).astype("datetime64[us]").astype("datetime64[s]")
    first, last = (value.astype("datetime64[D]") for value in (when.min(), when.max()))
    hours = hours_between(calendar, (first - 1).item(), (last + 1).item())
    if hours.days.size == 0:
        return rows.clear().with_columns(at=pl.lit(None))
    session = np.minimum(np.searchsorted(hours.closes, when), hours.days.size - 1)
    inside = (when >= hours.opens[session]) & (when <= hours.closes[session])
    placed = rows.with_columns(
        day=pl.Series(hours.days[session]),
        at=pl.Series(when.astype("datetime64[us]")).dt.replace_time_zone("UTC"),
    ).filter(inside)
    grouped = placed.group_by("symbol", "day", maintain_order=True).agg(
        pl.col("at", "open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume", "dividend").sum(),
        pl.col("split").product(),
    )
    return grouped.rename({"day": "ts"})
