"""Sessions that should be there and are not, and days that should not be there and are."""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.enums import Severity
from quantrail.domain.words import counted
from quantrail.errors import InvalidInput
from quantrail.marketdata.quality.series import Series
from quantrail.marketdata.records import Finding


def decade_of(day: date) -> int:
    """The year a calendar is asked from: one object serves twenty years of bars."""
    return day.year // 20 * 20


def sessions_between(calendar: str, first: date, last: date) -> NDArray[np.datetime64]:
    """Sessions of an exchange (its MIC, e.g. XNYS), both ends included, ``datetime64[D]``, read-only.

    Raises InvalidInput for an unknown calendar.
    """
    days = _all_sessions(calendar, decade_of(first))
    return days[
        np.searchsorted(days, np.datetime64(first)) : np.searchsorted(days, np.datetime64(last), "right")
    ]


def last_session_closed(calendar: str, now: datetime) -> date:
    """The latest session whose closing bell rang at or before ``now`` (aware)."""
    days = _all_sessions(calendar, decade_of(now))
    closes = _all_closes(calendar, decade_of(now))
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None))
    day: date = days[np.searchsorted(closes, moment, side="right") - 1].item()
    return day


def closes_of(calendar: str, sessions: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Closing times, UTC ``datetime64[us]``, of ``sessions``; other days close at 24:00 UTC."""
    if sessions.size == 0:
        return sessions.astype("datetime64[us]")
    since = int(str(sessions[0])[:4]) // 20 * 20
    days, closes = _all_sessions(calendar, since), _all_closes(calendar, since)
    at = np.minimum(np.searchsorted(days, sessions), days.size - 1)
    midnight = (sessions + np.timedelta64(1, "D")).astype("datetime64[us]")
    found: NDArray[np.datetime64] = np.where(days[at] == sessions, closes[at], midnight)
    return found


@lru_cache(maxsize=32)
def _all_sessions(calendar: str, since: int) -> NDArray[np.datetime64]:
    days: NDArray[np.datetime64] = calendar_since(calendar, since).sessions.to_numpy().astype("datetime64[D]")
    days.flags.writeable = False
    return days


@lru_cache(maxsize=32)
def _all_closes(calendar: str, since: int) -> NDArray[np.datetime64]:
    nanos = np.asarray(calendar_since(calendar, since).closes_nanos, dtype="int64")
    closes: NDArray[np.datetime64] = nanos.astype("datetime64[ns]").astype("datetime64[us]")
    closes.flags.writeable = False
    return closes


@lru_cache(maxsize=8)
def calendar_since(calendar: str, since: int) -> Any:
    """The exchange's calendar from the first day of a year on. Raises InvalidInput for an unknown one."""
    # Slow to import, and only needed where bars are judged.
    import exchange_calendars
    from exchange_calendars.errors import InvalidCalendarName

    try:
        with warnings.catch_warnings():
            # exchange_calendars 4.13 reads Series.values, which pandas 3.1 warns about; times stay UTC.
            warnings.simplefilter("ignore", DeprecationWarning)
            return exchange_calendars.get_calendar(calendar, start=f"{since}-01-01")
    except InvalidCalendarName as error:
        raise InvalidInput(f"no exchange calendar {calendar!r}; XNYS and XKRX are two that exist") from error


def session_findings(series: Series, calendar: str) -> list[Finding]:
    """Runs of missing sessions between the first and the last bar, and bars on days without a session."""
    expected = sessions_between(calendar, series.at(0), series.at(-1))
    absent = ~np.isin(expected, series.when, assume_unique=True)
    out = [_missing(series, expected, start, end) for start, end in runs(absent)]
    for index in np.flatnonzero(~np.isin(series.when, expected, assume_unique=True)):
        text = f"a bar on a day {calendar} was closed"
        out.append(Finding("not_a_session", Severity.WARN, text, series.symbol, series.at(int(index))))
    return out


def _missing(series: Series, expected: NDArray[np.datetime64], start: int, end: int) -> Finding:
    text = f"{counted(end - start, 'session')} missing"
    first, last = expected[start].item(), expected[end - 1].item()
    return Finding("missing_session", Severity.WARN, text, series.symbol, first, last)


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open index ranges where ``flags`` is true without a break."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
