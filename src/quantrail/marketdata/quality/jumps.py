"""Moves that are errors: closes and bars that revert, splits and spin-offs nobody adjusted.

Real crashes and market-wide moves are left alone. An error comes back the next morning, all of it; or
prices step to another level over night and trading goes on as calmly as before, where news would have
multiplied turnover and range.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from quantrail.domain.enums import Severity
from quantrail.marketdata.quality.series import Flags, Floats, Series, usual
from quantrail.marketdata.records import Finding

# Ratios of splits people do, and (negated) of reverse splits.
_SPLITS = np.log([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100])
_TEN = np.log(10.0)


@dataclass(frozen=True, slots=True)
class JumpRules:
    """Thresholds. Moves in natural logarithms; ``_scales`` in the symbol's usual moves."""

    bad_close_least: float = 0.026
    bad_close_scales: float = 1.5
    # The smaller of the two ways (there and back) over the larger one.
    evenness: float = 0.42
    bad_bar_least: float = 0.045
    bad_bar_scales: float = 5.0
    ten_slack: float = 0.3
    split_slack: float = 0.04
    step_least: float = 0.06
    step_scales: float = 6.0
    calm_turnover: float = 2.5
    calm_range: float = 2.9
    # A step by the ratio of a split is suspect by itself and may come on a busier day.
    split_calm: float = 1.7
    # A symbol that hardly moves is taken to move this much.
    usual_least: float = 0.004


# Moves within minutes are smaller, and the first ones after the bell are several times the others.
INTRADAY_RULES = JumpRules(
    bad_close_least=0.012,
    bad_close_scales=8.0,
    bad_bar_least=0.015,
    bad_bar_scales=10.0,
    usual_least=0.0008,
)


_TEXTS = {
    "factor_of_ten": "the bar is about ten times off its neighbours",
    "bad_bar": "the whole bar is off its neighbours and the next one is back",
    "bad_close": "the close leaves the day's prices and is gone the next morning",
    "split_like": "prices step over night by the ratio of a split and stay there",
    "spin_off_like": "prices step down over night without the turnover or range that news brings",
}
REVERTING = ("factor_of_ten", "bad_bar", "bad_close")
STAYING = ("split_like", "spin_off_like")
# These make up returns that no trader could have had: a loop must not run over them.
_STOPS = ("factor_of_ten", "split_like")


def jump_findings(
    series: Series, rules: JumpRules, kinds: Collection[str] = REVERTING + STAYING
) -> list[Finding]:
    """At most one finding per bar, of ``kinds``, the first of ``_TEXTS`` that fits."""
    if series.close.size < 3:
        return []
    taken = np.zeros(series.close.size, dtype=bool)
    out: list[Finding] = []
    there, back = series.night, -np.append(series.night[1:], 0.0)
    tests = {
        "factor_of_ten": _tens(series, there, back, rules),
        "bad_bar": _bad_bar(series, there, back, rules),
        "bad_close": _bad_close(series, rules),
        "split_like": _split_like(series, rules),
        "spin_off_like": _spin_off_like(series, rules),
    }
    for kind, flags in tests.items():
        if kind not in kinds:
            continue
        out += [_finding(series, kind, int(index)) for index in np.flatnonzero(flags & ~taken)]
        taken |= flags
        if kind in ("factor_of_ten", "bad_bar"):
            # The way back is the same error, not another one.
            taken[1:] |= flags[:-1]
    return out


def _finding(series: Series, kind: str, index: int) -> Finding:
    move = float(np.expm1(series.close[index] - series.close[max(index - 1, 0)]))
    severity = Severity.CRITICAL if kind in _STOPS else Severity.WARN
    return Finding(kind, severity, f"{_TEXTS[kind]} ({move:+.1%})", series.symbol, series.at(index))


def _leg(there: Floats, back: Floats, evenness: float) -> Floats:
    """Size of a move that goes ``there`` and comes ``back``; 0 where the two do not match."""
    small, large = np.minimum(np.abs(there), np.abs(back)), np.maximum(np.abs(there), np.abs(back))
    same = (np.sign(there) == np.sign(back)) & (small >= evenness * large)
    leg: Floats = np.where(same, small, 0.0)
    return leg


def _tens(series: Series, there: Floats, back: Floats, rules: JumpRules) -> Flags:
    whole = _leg(there, back, rules.evenness)
    close = _leg(series.day, back, rules.evenness)
    flags: Flags = np.abs(np.maximum(whole, close) - _TEN) < rules.ten_slack
    return flags


def _bad_bar(series: Series, there: Floats, back: Floats, rules: JumpRules) -> Flags:
    leg = _leg(there, back, rules.evenness)
    large: Flags = leg >= rules.bad_bar_least
    flags: Flags = large & (leg >= rules.bad_bar_scales * usual(series.night, large, rules.usual_least))
    # All of the bar is off: a fall at the open that is half made good by the close was traded.
    whole: Flags = _leg(there, there + series.day, 0.6) > 0
    return flags & whole


def _bad_close(series: Series, rules: JumpRules) -> Flags:
    back = -np.append(series.night[1:], 0.0)
    leg = _leg(series.day, back, rules.evenness)
    large: Flags = leg >= rules.bad_close_least
    flags: Flags = large & (leg >= rules.bad_close_scales * usual(series.day, large, rules.usual_least))
    return flags


def _calm(series: Series, where: Flags, rules: JumpRules, factor: float = 1.0) -> Flags:
    spread = series.high - series.low
    quiet: Flags = where & (series.turnover <= factor * rules.calm_turnover)
    flags: Flags = spread <= factor * rules.calm_range * usual(spread, quiet, rules.usual_least) / 1.4826
    return flags & quiet


def _stays(series: Series) -> Flags:
    """The night's move is still there at the close and the day after."""
    night = np.abs(series.night)
    later = np.append(series.close[1:], series.close[-1]) - np.append(series.close[:1], series.close[:-1])
    kept: Flags = (later * np.sign(series.night) > 0.5 * night) & (night > 0)
    return kept


def _split_like(series: Series, rules: JumpRules) -> Flags:
    large: Flags = np.abs(series.night) > _SPLITS[0] - rules.split_slack
    large &= (series.split == 1.0) & _stays(series)
    off = np.abs(np.abs(series.night[large])[:, None] - _SPLITS[None, :])
    large[large] = np.min(off, axis=1) < rules.split_slack
    return _calm(series, large, rules, rules.split_calm)


def _spin_off_like(series: Series, rules: JumpRules) -> Flags:
    large: Flags = -series.night >= rules.step_least
    large &= (series.split == 1.0) & (series.dividend == 0.0) & _stays(series)
    flags: Flags = large & (
        -series.night >= rules.step_scales * usual(series.night, large, rules.usual_least)
    )
    return _calm(series, flags, rules)
