"""When an exchange trades: opening and closing bells of each session, half days and lunch breaks included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quantrail.marketdata.quality.sessions import calendar_since, decade_of

Times = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Hours:
    """Shape (D,) each, ascending. ``days``: datetime64[D]; the others UTC, datetime64[s].

    ``lunch`` and ``back``: begin and end of the break; both the closing bell where there is none.
    """

    days: Times
    opens: Times
    closes: Times
    lunch: Times
    back: Times

    def between(self, first: date, last: date) -> Hours:
        """Sessions from ``first`` to ``last``, both included."""
        start = np.searchsorted(self.days, np.datetime64(first))
        end = np.searchsorted(self.days, np.datetime64(last), "right")
        cut = slice(int(start), int(end))
        return Hours(self.days[cut], self.opens[cut], self.closes[cut], self.lunch[cut], self.back[cut])


def hours_between(calendar: str, first: date, last: date) -> Hours:
    """Trading hours of an exchange (its MIC, e.g. XNYS). Raises InvalidInput for an unknown calendar."""
    return _all_hours(calendar, decade_of(first)).between(first, last)


@lru_cache(maxsize=32)
def _all_hours(calendar: str, since: int) -> Hours:
    known = calendar_since(calendar, since)
    opens, closes = _seconds(known.opens_nanos), _seconds(known.closes_nanos)
    lunch, back = _seconds(known.break_starts_nanos), _seconds(known.break_ends_nanos)
    none = np.isnat(lunch)
    days = known.sessions.to_numpy().astype("datetime64[D]")
    return Hours(days, opens, closes, np.where(none, closes, lunch), np.where(none, closes, back))


def _seconds(nanos: object) -> Times:
    times: Times = np.asarray(nanos, dtype="int64").astype("datetime64[ns]").astype("datetime64[s]")
    return times
