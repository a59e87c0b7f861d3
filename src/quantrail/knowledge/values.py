"""Python values into column values, and back; what no column can hold is InvalidInput."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from quantrail.errors import InvalidInput

MAX_LABEL = 512  # ids, names, versions, codes, paths
MAX_PROSE = 20_000  # summaries, reasons, messages
MAX_JSON = 16_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = 2**63
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # not a backslash that is itself escaped


def _refuse(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} {value!r:.60} is not JSON")


def label(value: str, what: str, limit: int = MAX_LABEL) -> str:
    """Text as it is; refused when over-long, with NUL, or with a lone surrogate."""
    if len(value) > limit:
        raise InvalidInput(
            f"{what} has {len(value)} characters, at most {limit} can be stored: {value[:40]!r}…"
        )
    if "\x00" in value:
        raise InvalidInput(f"{what} holds a NUL character: {value[:40]!r}; remove it")
    if not value.isascii():
        _encodable(value, what)
    return value


def _encodable(value: str, what: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{what} is not valid Unicode at character {error.start}") from error


def maybe_label(value: str | None, what: str) -> str | None:
    return None if value is None else label(value, what)


@lru_cache(maxsize=4096)
def word(value: str, what: str) -> str:
    """``label`` of text that repeats from row to row: versions, origins, names of rules."""
    return label(value, what)


def prose(value: str, what: str) -> str:
    return label(value, what, MAX_PROSE)


def maybe_prose(value: str | None, what: str) -> str | None:
    return None if value is None else label(value, what, MAX_PROSE)


def member(kind: type[StrEnum], value: Any, what: str) -> str:
    """A word of a closed vocabulary, as it is stored."""
    try:
        return kind(value).value
    except ValueError as error:
        known = ", ".join(one.value for one in kind)
        raise InvalidInput(f"{what} is {value!r:.60}, which is none of {known}") from error


def real(value: float, what: str) -> float:
    """A finite float that is the number handed in; text and truth values are none."""
    if isinstance(value, str | bytes | bool):
        raise InvalidInput(f"{what} is not a number: {value!r:.60}; hand in the number itself, or None")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{what} is not a number: {value!r:.60}") from error
    if not math.isfinite(number):
        raise InvalidInput(f"{what} is {number}, which is never stored; hand in None and a reason")
    if isinstance(value, int) and number != value:
        raise InvalidInput(f"{what} is {value}, which no float holds exactly; the nearest is {number:.0f}")
    return number + 0.0  # SQLite cannot keep the sign of zero, so none does


def maybe_real(value: float | None, what: str) -> float | None:
    return None if value is None else real(value, what)


def reals(values: list[float | None], names: Sequence[str]) -> list[float | None]:
    """``maybe_real`` of a whole row; the sum shows at once whether anything in it is not finite, and
    equality whether anything was text, or an integer that no float holds."""
    try:
        found = [None if value is None else float(value) + 0.0 for value in values]
    except (TypeError, ValueError, OverflowError):
        found = [math.nan]
    if math.isfinite(sum(filter(None, found))) and found == values and bool not in map(type, values):
        return found
    return [maybe_real(value, name) for value, name in zip(values, names, strict=True)]


def whole(value: int, what: str) -> int:
    if not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise InvalidInput(f"{what} is not a 64-bit integer: {value!r:.60}")
    return value


def count(value: int, what: str) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or whole(value, what) < 0:
        raise InvalidInput(f"{what} is {value}; it must be a whole number, 0 or more")
    return value


def stamp(value: datetime, what: str) -> int:
    """Microseconds since 1970 UTC; naive times are refused."""
    if not isinstance(value, datetime):
        raise InvalidInput(f"{what} is not a time: {value!r:.60}")
    if value.tzinfo is None:
        raise InvalidInput(f"{what} is a naive time: {value.isoformat()}; attach a time zone")
    return (value - _EPOCH) // _MICROSECOND


def from_stamp(value: int) -> datetime:
    return _EPOCH + value * _MICROSECOND


def maybe_from_stamp(value: int | None) -> datetime | None:
    return None if value is None else from_stamp(value)


def day(value: date, what: str) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidInput(f"{what} is not a date: {value!r:.60}")
    return value.isoformat()


def period(start: date, end: date) -> tuple[str, str]:
    """First and last day, inclusive."""
    first, last = day(start, "period_start"), day(end, "period_end")
    if first > last:
        raise InvalidInput(f"period_start {first} is after period_end {last}")
    return first, last


def digest(value: str, size: int, what: str) -> bytes:
    """Bytes of a hex id as it is spelt: 64 lower-case digits, or a UUID with its dashes."""
    try:
        found = bytes.fromhex(value if size != 16 else value.replace("-", ""))
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(f"{what} is not hexadecimal: {value!r:.80}") from error
    if len(found) != size:
        raise InvalidInput(f"{what} has {len(found)} bytes, expected {size}: {value!r:.80}")
    spelt = uuid_text(found) if size == 16 else found.hex()
    if spelt != value:
        raise InvalidInput(f"{what} is not spelt as an id is: {value!r:.80}; write {spelt}")
    return found


def hash32(value: str, what: str) -> bytes:
    try:
        found = bytes.fromhex(value)
    except (ValueError, TypeError):
        found = b""
    return found if len(found) == 32 and found.hex() == value else digest(value, 32, what)


def uuid16(value: str, what: str) -> bytes:
    try:
        digits = value.replace("-", "")
        found = bytes.fromhex(digits)
    except (ValueError, AttributeError, TypeError):
        return digest(value, 16, what)
    plain = len(found) == 16 and found.hex() == digits and len(value) == 36 and value[8:24:5] == "----"
    return found if plain else digest(value, 16, what)


def uuid_text(value: bytes) -> str:
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


# Built once: JSONEncoder.encode would build this for every value.
_chunks = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    None, _refuse, json.encoder.encode_basestring, None, ":", ",", True, False, False
)


def json_text(value: Mapping[str, Any] | Sequence[Any], what: str) -> str:
    """Sorted, compact JSON; NaN, infinities, unknown types and NUL are refused."""
    try:
        text = "".join(_chunks(value if isinstance(value, dict | list | tuple) else dict(value), 0))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} has no JSON form: {error}") from error
    except RecursionError as error:
        raise InvalidInput(f"{what} has no JSON form: it holds itself, or is nested too deeply") from error
    if "\\u0000" in text and _NUL.search(text):
        raise InvalidInput(f"{what} holds a NUL character; remove it")
    # Encoded text holds no bare NUL, and plain ASCII no lone surrogate.
    return text if len(text) <= MAX_JSON and text.isascii() else label(text, what, MAX_JSON)


@lru_cache(maxsize=4096)
def names_json(names: tuple[str, ...], what: str) -> str:
    """``json_text`` of names that repeat: tags, fail reasons."""
    return json_text(names, what)


@lru_cache(maxsize=4096)
def notes_json(undefined: tuple[tuple[str, str], ...], warnings: tuple[str, ...]) -> str:
    """What is said beside metrics; the same few sentences for most of them."""
    return json_text({"undefined": dict(undefined), "warnings": warnings}, "quality warnings")


def object_json(value: Mapping[str, Any], what: str) -> str:
    """``json_text`` of a mapping; a list is none."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{what} is {value!r:.60}, which is no mapping of names to values")
    return json_text(value, what)


def maybe_json(value: Mapping[str, Any] | None, what: str) -> str | None:
    return None if value is None else object_json(value, what)


def from_json(value: Any) -> Any:
    """Parsed JSON; PostgreSQL hands JSONB over parsed already."""
    return json.loads(value) if isinstance(value, str) else value


def names_from_json(value: Any) -> tuple[str, ...]:
    """Names that ``names_json`` wrote; PostgreSQL hands tags over parsed already."""
    return _names(value) if isinstance(value, str) else tuple(value)


@lru_cache(maxsize=4096)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
