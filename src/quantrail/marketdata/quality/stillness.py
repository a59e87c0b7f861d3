"""Bars that stand still: repeated prices and days without a trade."""

from __future__ import annotations

import numpy as np

from quantrail.domain.enums import Severity
from quantrail.domain.words import counted
from quantrail.marketdata.quality.series import Flags, Floats, Series
from quantrail.marketdata.quality.sessions import runs
from quantrail.marketdata.records import Finding

# This many closes alike in a row are stale even when the rest of the bar moves.
_SAME_CLOSES = 5
# Within minutes a price may stand for a while, and a quiet bar is flat.
_SAME_CLOSES_INTRADAY = 30
_SAME = 1e-12


def stillness_findings(series: Series, *, intraday: bool = False) -> list[Finding]:
    """Stale runs and zero volume.

    A daily bar is stale when it repeats the one before, or is flat at the last close, or five closes are
    alike; an intraday bar when prices and volume repeat, or thirty closes are alike.
    """
    stale = _stale_intraday(series) if intraday else _stale(series)
    found = [("stale", "repeat the bar before", run) for run in runs(stale)]
    found += [("zero_volume", "without volume", run) for run in runs(series.volume == 0)]
    return [
        Finding(
            kind,
            Severity.WARN,
            f"{counted(end - start, 'bar')} {text}",
            series.symbol,
            series.at(start),
            series.at(end - 1),
        )
        for kind, text, (start, end) in found
    ]


def _stale(series: Series) -> Flags:
    same = _repeats(series.close)
    repeated = same & _repeats(series.open) & _repeats(series.high) & _repeats(series.low)
    flat: Flags = same & (series.high - series.low <= _SAME)
    return _with_long_runs(repeated | flat, same, _SAME_CLOSES)


def _stale_intraday(series: Series) -> Flags:
    same = _repeats(series.close)
    repeated = same & _repeats(series.open) & _repeats(series.high) & _repeats(series.low)
    repeated &= _repeats(series.volume) & (series.volume > 0)
    return _with_long_runs(repeated, same, _SAME_CLOSES_INTRADAY)


def _repeats(values: Floats) -> Flags:
    flags: Flags = np.abs(np.diff(values, prepend=np.inf)) <= _SAME
    return flags


def _with_long_runs(stale: Flags, same: Flags, closes: int) -> Flags:
    for start, end in runs(same):
        if end - start >= closes - 1:
            stale[start:end] = True
    return stale
