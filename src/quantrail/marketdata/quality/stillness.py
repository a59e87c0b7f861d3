"""Bars that stand still: repeated prices and days without a trade."""

from __future__ import annotations

import numpy as np

from quantrail.domain.enums import Severity
from quantrail.marketdata.quality.series import Series
from quantrail.marketdata.quality.sessions import runs
from quantrail.marketdata.records import Finding

# This many closes alike in a row are stale even when the rest of the bar moves.
_SAME_CLOSES = 5
_SAME = 1e-12


def stillness_findings(series: Series) -> list[Finding]:
    """Stale runs (whole bar repeated, or the close five times) and runs of zero volume."""
    out = [_stale(series, start, end) for start, end in _stale_runs(series)]
    for start, end in runs(series.volume == 0):
        text = f"{end - start} bar(s) without volume"
        out.append(
            Finding("zero_volume", Severity.WARN, text, series.symbol, series.at(start), series.at(end - 1))
        )
    return out


def _stale_runs(series: Series) -> list[tuple[int, int]]:
    same_close = np.abs(series.returns) <= _SAME
    same_close[:1] = False
    bar = same_close.copy()
    for values in (series.open, series.high, series.low):
        bar &= np.abs(np.diff(values, prepend=np.inf)) <= _SAME
    long_runs = [run for run in runs(same_close) if run[1] - run[0] >= _SAME_CLOSES - 1]
    covered = np.zeros(bar.size, dtype=bool)
    for start, end in long_runs:
        covered[start:end] = True
    return sorted(long_runs + runs(bar & ~covered))


def _stale(series: Series, start: int, end: int) -> Finding:
    text = f"{end - start} bar(s) repeat the bar before"
    return Finding("stale", Severity.WARN, text, series.symbol, series.at(start), series.at(end - 1))
