"""A batch's column at a time into column values: the checks of ``values``, asked once for all rows.

Each function gives what its namesake in ``values`` gives for every value, in order. Only when the column
as a whole does not pass are its values looked at one by one, so that the error names the first wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import compress
from operator import itemgetter
from typing import Any

import orjson

from quantrail.errors import InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import Told

_WORTH = 10  # values for which a form is worth its making
_LONGEST = 30  # characters of a number, its comma and its colon
_NUMBERS = frozenset({int, float})  # and not bool, which JSON spells as a word


def hashes(values: Sequence[str], what: str) -> list[bytes]:
    try:
        found = list(map(bytes.fromhex, values))
    except (ValueError, TypeError):
        found = []
    if set(map(len, found)) <= {32} and list(map(bytes.hex, found)) == list(values):
        return found
    return [v.hash32(value, what) for value in values]


def labels(values: Sequence[str], what: str, limit: int = v.MAX_LABEL) -> Sequence[str]:
    together = "".join(values)
    if together.isascii() and "\x00" not in together and max(map(len, values), default=0) <= limit:
        return values
    return [v.label(value, what, limit) for value in values]


def proses(values: Sequence[str], what: str) -> Sequence[str]:
    return labels(values, what, v.MAX_PROSE)


def reals(values: Sequence[float], what: str) -> list[float]:
    try:
        found = [float(value) + 0.0 for value in values]
    except (TypeError, ValueError, OverflowError):
        found = [math.nan]
    if math.isfinite(sum(found)) and found == list(values) and bool not in map(type, values):
        return found
    return [v.real(value, what) for value in values]


def members(kind: type[StrEnum], values: Sequence[str], what: str) -> list[str]:
    """Words of a closed vocabulary; the error names the first that is none."""
    words = list(map(str, values))  # members hash slowly, their text does not
    if {one.value for one in kind}.issuperset(words):
        return words
    return [v.member(kind, value, what) for value in values]


def shares(values: Sequence[float], what: str, of: Sequence[str]) -> list[float]:
    """Numbers within 0..1; the error names whose is not."""
    found = reals(values, what)
    if found and not 0 <= min(found) <= max(found) <= 1:
        whose, wrong = next(pair for pair in zip(of, found, strict=True) if not 0 <= pair[1] <= 1)
        raise InvalidInput(f"{what} of {whose} is {wrong}, which is not within 0..1")
    return found


def wholes(values: Sequence[int], what: str) -> Sequence[int]:
    if set(map(type, values)) <= {int} and all(-(2**63) <= edge < 2**63 for edge in _edges(values)):
        return values
    return [v.whole(value, what) for value in values]


def _edges(values: Sequence[int]) -> tuple[int, ...]:
    return (min(values), max(values)) if values else ()


def jsons(values: Sequence[Mapping[str, Any] | None], what: str) -> list[str | None]:
    """``maybe_json`` of each. Most are objects of numbers under the same few names."""
    if len(values) < _WORTH:
        return [v.maybe_json(value, what) for value in values]
    found = _filled_forms(values, what)
    return [
        None if value is None else text or v.object_json(value, what)
        for value, text in zip(values, found, strict=True)
    ]


def _filled_forms(values: Sequence[Mapping[str, Any] | None], what: str) -> list[str | None]:
    """JSON as ``json_text`` spells it of those objects that hold plain numbers only, None for others."""
    forms = Told(lambda names: _form(names, what))
    shaped = [forms[tuple(value)] if type(value) is dict else None for value in values]
    rows = [form[1](value) if form else () for form, value in zip(shaped, values, strict=True)]
    filled = [bool(row) and _NUMBERS.issuperset(map(type, row)) for row in rows]
    try:
        together = orjson.dumps(list(compress(rows, filled)))
    except orjson.JSONEncodeError:  # an integer beyond 64 bits
        return [None] * len(values)
    texts = together.decode()[2:-2].split("],[")
    if not _plain(together):
        texts = [text if _plain(text.encode()) else "" for text in texts]
    numbers = iter(texts)
    return [
        form[0] % tuple(text.split(",")) if form and full and (text := next(numbers)) else None
        for form, full in zip(shaped, filled, strict=True)
    ]


def _plain(numbers: bytes) -> bool:
    """No NaN, and no number that Python writes with an exponent: those orjson spells otherwise."""
    return not numbers.translate(None, b"0123456789.,-[]") and b"0.0000" not in numbers


def _form(names: tuple[Any, ...], what: str) -> tuple[str, Callable[[Any], Sequence[Any]]] | None:
    """The text around the values of an object with these names, and its values in the text's order."""
    if not names or not all(type(name) is str for name in names):
        return None
    ordered = sorted(names)
    quoted = [v.json_text([name], what)[1:-1].replace("%", "%%") for name in ordered]
    if sum(map(len, quoted)) + _LONGEST * len(quoted) > v.MAX_JSON:
        return None  # may be too long with its values; ``json_text`` counts
    only = ordered[0]
    return (
        "{" + ",".join(f"{name}:%s" for name in quoted) + "}",
        itemgetter(*ordered) if len(ordered) > 1 else lambda value: (value[only],),
    )
