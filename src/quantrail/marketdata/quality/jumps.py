"""Moves that are errors: closes that revert, factor-of-ten bars, splits nobody adjusted.

Real crashes and market-wide moves are left alone: an error comes back the next morning, or jumps over
night to a level where trading then goes on as calmly as before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.enums import Severity
from quantrail.marketdata.quality.series import Series, local_scale
from quantrail.marketdata.records import Finding

_BAD_CLOSE_LEAST = 0.028
_BAD_CLOSE_SCALES = 2.2
_TEN = np.log(10.0)
_TEN_SLACK = 0.35
# Splits people do: 3:2, 2:1, 3:1, 4:1 ..., and their reverses.
_SPLITS = np.log([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100])
_SPLIT_SLACK = 0.06


def jump_findings(series: Series, market: NDArray[np.float64] | None = None) -> list[Finding]:
    """Findings of one symbol. ``market``: the market's move per bar in units of a usual move, or None."""
    if series.close.size < 3:
        return []
    tens = _factor_of_ten(series)
    bad = _bad_close(series) & ~tens
    split = _split_like(series) & ~tens & ~np.roll(tens, 1)
    out: list[Finding] = []
    for flags, kind, text in (
        (tens, "factor_of_ten", "the bar is about ten times off its neighbours"),
        (bad, "bad_close", "the close leaves the day's prices and is gone the next morning"),
        (split, "split_like", "prices jump over night by the ratio of a split and stay there"),
    ):
        out += [_finding(series, kind, text, int(index)) for index in np.flatnonzero(flags)]
    return out


def _finding(series: Series, kind: str, text: str, index: int) -> Finding:
    move = float(np.expm1(series.returns[index]))
    return Finding(kind, Severity.WARN, f"{text} ({move:+.1%})", series.symbol, series.at(index))


def _bad_close(series: Series) -> NDArray[np.bool_]:
    """Close beyond both its own open and the next one, on one side, by more than the symbol's usual move."""
    before = series.close - series.open
    after = series.close - np.append(series.open[1:], np.nan)
    leg = np.where(np.sign(before) == np.sign(after), np.minimum(np.abs(before), np.abs(after)), 0.0)
    need = np.maximum(_BAD_CLOSE_LEAST, _BAD_CLOSE_SCALES * local_scale(series.returns))
    return np.nan_to_num(leg) >= need


def _factor_of_ten(series: Series) -> NDArray[np.bool_]:
    step = series.returns
    back = -np.append(step[1:], 0.0)
    flags: NDArray[np.bool_] = np.abs(np.abs(step) - _TEN) < _TEN_SLACK
    reverts: NDArray[np.bool_] = np.abs(step - back) < 2 * _TEN_SLACK
    return flags & reverts


def _split_like(series: Series) -> NDArray[np.bool_]:
    night = series.open - np.concatenate((series.open[:1], series.close[:-1]))
    nearest: NDArray[np.float64] = np.min(np.abs(np.abs(night)[:, None] - _SPLITS[None, :]), axis=1)
    told = np.abs(np.log(series.split)) > 0.0
    stays = np.abs(series.returns) > 0.3
    flags: NDArray[np.bool_] = nearest < _SPLIT_SLACK
    return flags & stays & ~told
