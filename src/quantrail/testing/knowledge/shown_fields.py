"""Records as views show them: fields by name, values as text, flags and JSON of either backend."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from quantrail.domain import records as r


def fields_of(record: Any, **others: Any) -> dict[str, Any]:
    """A record's fields under the names of its view, where those are the same."""
    found = asdict(record)
    for name, value in others.items():
        found.pop(name.removesuffix("_json"), None)
        found[name] = value
    return found


def shown(value: Any) -> Any:
    """A value as a view shows it."""
    if isinstance(value, r.ArtifactRef):
        return str(value)
    if isinstance(value, dict) and set(value) == {"path", "row"}:
        return f"{value['path']}#{value['row']}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def told(value: Any, like: Any) -> Any:
    """A stored value in the type of what is expected: flags of SQLite, JSON of either backend."""
    if isinstance(like, bool):
        return bool(value)
    if isinstance(like, dict | list | tuple):
        found = json.loads(value) if isinstance(value, str) else value
        return tuple(found) if isinstance(like, tuple) else found
    return value


__all__ = ["fields_of", "shown", "told"]
