"""Copies of spec documents and canonical trees."""

from __future__ import annotations

from typing import Any


def copy_tree(value: Any) -> Any:
    """A copy of ``value`` down to its scalars: dicts and lists are new, everything else is shared.

    Several times faster than ``copy.deepcopy``, which also looks for cycles and shared parts; a spec
    has neither.
    """
    if isinstance(value, dict):
        return {key: copy_tree(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [copy_tree(inner) for inner in value]
    return value
