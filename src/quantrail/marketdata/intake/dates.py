"""Reading dates and times without guessing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Literal

import polars as pl

from quantrail.errors import DataInvalid

_FORMATS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%b %d, %Y")
_TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
)
# Where in the source an entry stands, in words; empty when nobody knows.
_Where = Callable[[str], str]
_ZONED = r"(Z|[+-]\d{2}:?\d{2})$"


def parse_timestamps(
    column: pl.Series, *, date_format: str | None, tz: str | None, lines: pl.Series | None = None
) -> tuple[pl.Series, bool]:
    """``column`` as dates, or as UTC times when any row has a time of day; second value: intraday.

    Unreadable entries come back null. ``tz`` is the zone of times without one; DataInvalid if it is
    needed and not given, and when two formats fit all rows but disagree (01/02/2020); it names the first
    line concerned where ``lines`` holds the line of each entry.
    """
    if column.dtype == pl.Date:
        return column, False
    if isinstance(column.dtype, pl.Datetime):
        return _from_datetime(column, tz)
    if column.dtype.is_integer():
        return _from_datetime(_epoch(column), "UTC")
    if column.dtype != pl.String:
        raise DataInvalid(f"the date column holds {column.dtype}, which is neither date, time nor text")
    # Dates repeat once per symbol: each spelling is read once.
    spelt = column.rename("spelt")
    distinct = spelt.unique(maintain_order=True)

    def where(text: str) -> str:
        return "" if lines is None else f"line {lines.filter(spelt.str.strip_chars() == text)[0]}"

    parsed, intraday = _from_distinct(distinct, date_format, tz, where)
    table = pl.DataFrame({"spelt": distinct, "parsed": parsed})
    joined = spelt.to_frame().join(table, on="spelt", how="left", nulls_equal=True, maintain_order="left")
    return joined["parsed"], intraday


def _from_distinct(
    column: pl.Series, date_format: str | None, tz: str | None, where: _Where
) -> tuple[pl.Series, bool]:
    text = column.str.strip_chars()
    if text.str.contains(_ZONED).fill_null(False).any() and text.str.len_chars().max() != 10:
        return _zoned(text, tz, where)
    return _from_text(text, date_format, tz, where)


def _from_datetime(column: pl.Series, tz: str | None, first: str = "") -> tuple[pl.Series, bool]:
    local = column.cast(pl.Datetime("us", getattr(column.dtype, "time_zone", None)))
    if not (local.dt.time() != time(0)).any():
        # Midnight everywhere, in the source's own zone: these are sessions.
        return local.dt.date(), False
    if local.dtype == pl.Datetime("us"):
        local = _localised(local, tz, first)
    return local.dt.convert_time_zone("UTC"), True


def _localised(naive: pl.Series, tz: str | None, first: str) -> pl.Series:
    if tz is None:
        raise DataInvalid(f"the times carry no time zone{first}; name it, for example tz='America/New_York'")
    return naive.dt.replace_time_zone(tz, non_existent="null", ambiguous="earliest")


def _epoch(column: pl.Series) -> pl.Series:
    largest = column.max()
    if not isinstance(largest, int):
        raise DataInvalid("the date column is empty")
    if 19000101 <= largest <= 29991231:
        return column.cast(pl.String).str.to_datetime("%Y%m%d", strict=False)
    unit: Literal["s", "ms", "us", "ns"]
    unit = "s" if largest < 10**11 else "ms" if largest < 10**14 else "us" if largest < 10**17 else "ns"
    return pl.from_epoch(column, time_unit=unit).cast(pl.Datetime("us", "UTC"))


def _zoned(text: pl.Series, tz: str | None, where: _Where) -> tuple[pl.Series, bool]:
    zoned = text.str.contains(_ZONED).fill_null(False)
    iso = text.str.replace(" ", "T").str.replace(r"Z$", "+00:00").str.replace(r"([+-]\d{2})(\d{2})$", "$1:$2")
    utc = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC")
    if text.filter(zoned).str.contains("00:00:00").all():
        # A daily index written with its zone: the session is the date as written.
        return text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False), False
    if (~zoned & text.is_not_null()).any() and tz is None:
        # Times without a zone among times with one stay unread: their rows are refused with their lines.
        return utc.set(~zoned, None), True
    rest, _ = _from_text(text.set(zoned, None), None, tz, where)
    return utc.zip_with(zoned, rest.cast(pl.Datetime("us", "UTC"))), True


def _from_text(
    text: pl.Series, date_format: str | None, tz: str | None, where: _Where
) -> tuple[pl.Series, bool]:
    if date_format is not None:
        parsed = text.str.to_datetime(date_format, strict=False, time_unit="us")
        return _from_datetime(parsed, tz, _first(text, parsed, where))
    days = {f: text.str.to_date(f, strict=False) for f in _FORMATS}
    best = max(days.values(), key=lambda s: s.is_not_null().sum())
    times = {f: text.str.to_datetime(f, strict=False, time_unit="us") for f in _TIME_FORMATS}
    timed = max(times.values(), key=lambda s: s.is_not_null().sum())
    if timed.is_not_null().sum() > best.is_not_null().sum():
        _refuse_ambiguity(text, times, timed, where)
        return _from_datetime(timed, tz, _first(text, timed, where))
    _refuse_ambiguity(text, days, best, where)
    return best, False


def _first(text: pl.Series, parsed: pl.Series, where: _Where) -> str:
    readable = text.filter(parsed.is_not_null())
    found = where(readable[0]) if len(readable) else ""
    return f" (the first: {readable[0]!r}, {found})" if found else ""


def _refuse_ambiguity(text: pl.Series, tried: dict[str, pl.Series], best: pl.Series, where: _Where) -> None:
    most = best.is_not_null().sum()
    fitting = [f for f, s in tried.items() if s.is_not_null().sum() == most]
    differing = [f for f in fitting if most and not tried[f].equals(best, null_equal=True)]
    if not differing:
        return
    chosen = next(f for f in fitting if f not in differing)
    other = tried[differing[0]]
    both = best.is_not_null() & other.is_not_null()
    if not both.any():
        ours, theirs = text.filter(best.is_not_null())[0], text.filter(other.is_not_null())[0]
        one, two = _joined(chosen, where(ours)), _joined(differing[0], where(theirs))
        raise DataInvalid(
            f"dates are written in two ways, {ours!r} ({one}) and {theirs!r} ({two}); write them in one, or "
            "name the format of those to take"
        )
    example = text.filter(both & (best != other).fill_null(False))[0]
    raise DataInvalid(
        f"dates like {_joined(repr(example), where(example))} can be read as {chosen} and as {differing[0]}; "
        "name the date format"
    )


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)
