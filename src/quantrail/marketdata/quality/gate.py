"""All checks on one set of rows."""

from __future__ import annotations

import polars as pl

from quantrail.marketdata.quality.jumps import JumpRules, jump_findings
from quantrail.marketdata.quality.series import series_of
from quantrail.marketdata.quality.sessions import session_findings
from quantrail.marketdata.quality.stillness import stillness_findings
from quantrail.marketdata.records import DAILY, Finding


def check_rows(
    rows: pl.DataFrame, interval: str, calendar: str, rules: JumpRules | None = None
) -> tuple[Finding, ...]:
    """Findings on ``rows`` (sorted by symbol, ts), in the order symbol, date, kind.

    Jumps and sessions are judged on daily bars only.
    """
    out: list[Finding] = []
    for series in series_of(rows, "D" if interval == DAILY else "s"):
        out += stillness_findings(series)
        if interval == DAILY:
            out += session_findings(series, calendar)
            out += jump_findings(series, rules or JumpRules())
    return tuple(sorted(out, key=lambda f: (f.symbol or "", str(f.date), f.kind)))
