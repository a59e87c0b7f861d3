"""Intraday bars against the exchange's hours: bars that are missing, and bars where none can be.

A session of an exchange is cut into slots of one bar's length; half days have fewer, a lunch break has
none. Whether a vendor dates bars by their start or their end, and on which minute they begin, is read off
the bars.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.enums import Severity
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput
from quantrail.marketdata.quality.hours import Hours, hours_between
from quantrail.marketdata.quality.series import Flags, Series, moment
from quantrail.marketdata.quality.sessions import runs
from quantrail.marketdata.records import Finding

Whole = NDArray[np.int64]
# Vendors send no bar where nothing was traded. Below this share of bars, gaps are a symbol's habit.
_USUAL_FILL = 0.9
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(interval: str) -> int:
    """Length of an intraday bar (30s, 5m, 1h) in seconds. Raises InvalidInput for anything else."""
    match = re.fullmatch(r"(\d+)([smh])", interval)
    if match is None or int(match[1]) == 0:
        raise InvalidInput(f"{interval!r} is no intraday interval; write 30s, 5m or 1h")
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Shape (T,): each bar's session, slot in it, whether it lies inside hours, and on the grid."""

    session: Whole
    slot: Whole
    inside: Flags
    on_grid: Flags
    slots: Whole  # (D,) per session


def intraday_findings(series: Series, interval: str, calendar: str) -> list[Finding]:
    """Missing sessions and bars between the first and the last bar; bars off the grid or out of hours."""
    first, last = (series.at(i).date() for i in (0, -1))
    # Where the exchange's day is not UTC's, a session may begin the evening before.
    hours = hours_between(calendar, first - timedelta(days=1), last + timedelta(days=1))
    if hours.days.size == 0:
        return [_outside(series, calendar, 0, series.when.size)]
    placed = _place(series, hours, seconds_of(interval))
    out = _missing(series, hours, placed, seconds_of(interval)) if placed.inside.any() else []
    return out + _off_grid(series, placed, interval) + _out_of_hours(series, hours, placed, calendar)


def _place(series: Series, hours: Hours, step: int) -> _Placed:
    when = series.when
    session = np.minimum(np.searchsorted(hours.closes, when), hours.days.size - 1)
    since = (when - hours.opens[session]).astype(np.int64)
    length = (hours.closes - hours.opens).astype(np.int64)
    inside = (since >= 0) & (since <= length[session])
    phase = _most_common(since[inside] % step) if inside.any() else 0
    lead = (step - phase) % step
    # Counted from the start of the slot that holds the opening bell.
    offset, slots = since + lead, -(-(length + lead) // step)
    at_close = int(np.count_nonzero(since == length[session]))
    at_open = int(np.count_nonzero((offset >= 0) & (offset < step)))
    by_end = at_close > at_open
    slot = -(-offset // step) - 1 if by_end else offset // step
    bell = since == (length[session] if by_end else 0)
    on_grid = (offset % step == 0) | bell
    held = (slot >= 0) & (slot < slots[session])
    return _Placed(session, slot, held, on_grid, slots)


def _most_common(values: Whole) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[np.argmax(counts)])


def _missing(series: Series, hours: Hours, placed: _Placed, step: int) -> list[Finding]:
    day, slot = _expected(hours, placed.slots, step)
    starts = np.concatenate([[0], np.cumsum(placed.slots)])
    place = starts[day] + slot
    there = np.zeros(int(starts[-1]), dtype=bool)
    there[starts[placed.session[placed.inside]] + placed.slot[placed.inside]] = True
    filled = there[place]
    known = np.flatnonzero(filled)
    if known.size == 0:
        return []
    # What lies before the first bar or after the last was never promised.
    cut = slice(int(known[0]), int(known[-1]) + 1)
    day, slot, filled = day[cut], slot[cut], filled[cut]
    held, wanted = (np.bincount(day, f, hours.days.size) for f in (filled, np.ones(day.size)))
    out = _missing_sessions(series, hours, (wanted > 0) & (held == 0))
    partly = held > 0
    usual = float(np.median(held[partly] / wanted[partly]))
    if usual < _USUAL_FILL:
        text = f"trades in {usual:.0%} of its bars; gaps inside its sessions are not listed"
        return [*out, Finding("thin", Severity.INFO, text, series.symbol, series.at(0), series.at(-1))]
    for start, end in _runs_by_day(~filled & partly[day], day):
        first, last = _times(series, hours, placed, int(day[start]), slot[[start, end - 1]], step)
        text = f"{end - start} of {int(wanted[day[start]])} bars missing"
        out.append(Finding("missing_bars", Severity.WARN, text, series.symbol, first, last))
    return out


def _expected(hours: Hours, slots: Whole, step: int) -> tuple[Whole, Whole]:
    """Session and slot of every bar there should be: all slots but those inside a lunch break."""
    day = np.repeat(np.arange(slots.size), slots)
    slot = np.arange(day.size) - np.repeat(np.cumsum(slots) - slots, slots)
    begin = hours.opens[day] + slot * np.timedelta64(step, "s")
    trades = (begin < hours.lunch[day]) | (begin + np.timedelta64(step, "s") > hours.back[day])
    kept = trades | (hours.lunch[day] == hours.closes[day])
    return day[kept], slot[kept]


def _missing_sessions(series: Series, hours: Hours, absent: Flags) -> list[Finding]:
    return [
        Finding(
            "missing_session",
            Severity.WARN,
            f"{counted(end - start, 'session')} missing",
            series.symbol,
            hours.days[start].item(),
            hours.days[end - 1].item(),
        )
        for start, end in runs(absent)
    ]


def _runs_by_day(flags: Flags, day: Whole) -> list[tuple[int, int]]:
    """Runs of ``flags``, cut where a session ends."""
    out = []
    for start, end in runs(flags):
        cuts = start + 1 + np.flatnonzero(np.diff(day[start:end]))
        edges = [start, *cuts.tolist(), end]
        out += list(pairwise(edges))
    return out


def _times(series: Series, hours: Hours, placed: _Placed, day: int, slot: Whole, step: int) -> list[Any]:
    """What bars in these slots would be dated, as the symbol's other bars are."""
    mine = slice(*np.searchsorted(placed.session, [day, day + 1]).tolist())
    inside = mine.start + np.flatnonzero(placed.inside[mine])
    near = int(inside[np.argmax(placed.on_grid[inside])])
    shift = (slot - placed.slot[near]) * np.timedelta64(step, "s")
    return [moment(time) for time in series.when[near] + shift]


def _off_grid(series: Series, placed: _Placed, interval: str) -> list[Finding]:
    return [
        Finding(
            "off_grid",
            Severity.WARN,
            f"{counted(end - start, 'bar')} between the times of {interval} bars",
            series.symbol,
            series.at(start),
            series.at(end - 1),
        )
        for start, end in runs(placed.inside & ~placed.on_grid)
    ]


def _out_of_hours(series: Series, hours: Hours, placed: _Placed, calendar: str) -> list[Finding]:
    """Bars out of hours, unless the symbol has them on most days: then they are extended trading."""
    date = series.when.astype("datetime64[D]")
    closed = ~placed.inside & ~np.isin(date, hours.days)
    outside = ~placed.inside & ~closed
    sessions = np.unique(placed.session[placed.inside]).size
    extended = 2 * np.unique(date[outside]).size > sessions
    found = closed if extended else closed | outside
    return [
        _outside(series, calendar, start, end) for start, end in _runs_by_day(found, date.astype(np.int64))
    ]


def _outside(series: Series, calendar: str, start: int, end: int) -> Finding:
    text = f"{counted(end - start, 'bar')} while {calendar} was closed"
    first, last = series.at(start), series.at(end - 1)
    return Finding("not_a_session", Severity.WARN, text, series.symbol, first, last)
