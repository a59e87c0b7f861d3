"""Canonical JSON at the speed of the standard library."""

from __future__ import annotations

import json
import re
from typing import Any

from quantrail.domain.identity import canonical_json

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
# Where the standard library may print other than RFC 8785: exponents, whole floats, integers beyond
# 2**53, text that is not ASCII. One set of first characters, because that is four times as fast to look for.
# A number ends before a comma, a bracket or the end; "1.0" of every spec's schema_version is a text.
_UNSURE = re.compile(r"[0-9.](?:(?<=[0-9])e[-+]?[0-9]|(?<=\.)0(?=[],}]|$)|(?<=[0-9])[0-9]{15})")


def canonical_text(value: Any) -> str:
    """``canonical_json(value)`` as text; refuses what it refuses."""
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        return canonical_json(value).decode()
    return text if is_surely_canonical(text) else canonical_json(value).decode()


def is_surely_canonical(text: str) -> bool:
    """Whether the standard library's ``text``, keys sorted and without blanks, must be RFC 8785 too."""
    return text.isascii() and not _UNSURE.search(text)
