"""Which symbols a study is about, and since when."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail.domain.identity import content_hash
from quantrail.domain.ids import UniverseVersion


def universe_version(symbols: Iterable[str]) -> UniverseVersion:
    """Content hash of a list of symbols without dates, in any order, repeats counted once."""
    return UniverseVersion(
        content_hash({"members": [[symbol, None, None] for symbol in sorted(set(symbols))]})
    )
