"""Canonical JSON at the speed of the standard library."""

from __future__ import annotations

import json
import re
from typing import Any

from quantrail.domain.identity import canonical_json

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
# Where the standard library may print other than RFC 8785: exponents, whole floats, integers beyond
# 2**53, text that is not ASCII.
_UNSURE = re.compile(r"[0-9]e[-+]?[0-9]|\.0\b|[0-9]{16}|[^\x00-\x7f]")


def canonical_text(value: Any) -> str:
    """``canonical_json(value)`` as text; refuses what it refuses."""
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        return canonical_json(value).decode()
    return canonical_json(value).decode() if _UNSURE.search(text) else text
