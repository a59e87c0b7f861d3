"""Bars that stand still: repeated prices and days without a trade."""

from __future__ import annotations

import numpy as np

from quantrail.domain.enums import Severity
from quantrail.marketdata.quality.series import Flags, Series
from quantrail.marketdata.quality.sessions import runs
from quantrail.marketdata.records import Finding

# This many closes alike in a row are stale even when the rest of the bar moves.
_SAME_CLOSES = 5
_SAME = 1e-12


def stillness_findings(series: Series) -> list[Finding]:
    """Stale runs (the bar repeated, or flat at the last close, or five closes alike) and zero volume."""
    found = [("stale", "repeat the bar before", run) for run in runs(_stale(series))]
    found += [("zero_volume", "without volume", run) for run in runs(series.volume == 0)]
    return [
        Finding(
            kind,
            Severity.WARN,
            f"{end - start} bar(s) {text}",
            series.symbol,
            series.at(start),
            series.at(end - 1),
        )
        for kind, text, (start, end) in found
    ]


def _stale(series: Series) -> Flags:
    same = np.abs(np.diff(series.close, prepend=np.inf)) <= _SAME
    repeated = same.copy()
    for values in (series.open, series.high, series.low):
        repeated &= np.abs(np.diff(values, prepend=np.inf)) <= _SAME
    flat: Flags = same & (series.high - series.low <= _SAME)
    stale = repeated | flat
    for start, end in runs(same):
        if end - start >= _SAME_CLOSES - 1:
            stale[start:end] = True
    return stale
