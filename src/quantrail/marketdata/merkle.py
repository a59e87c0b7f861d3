"""Merkle hashes over canonical rows: what makes a ``data_version``.

A leaf is one (symbol, month): its rows as little-endian records of 64 bytes (microseconds since 1970
UTC, then the seven values). A node is one symbol at one interval: its price basis and its leaves. The
version is the hash of the sorted nodes. File layout, import order, machine and writer version take no
part in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from quantrail.domain.ids import DataVersion
from quantrail.marketdata.leaves import Leaves
from quantrail.marketdata.records import StoredBasis

_FORMAT = b"quantrail-bars-1"


def nodes(found: Leaves, interval: str, basis_of: Mapping[str, StoredBasis]) -> Iterator[tuple[str, str]]:
    """(symbol, node hash) for every symbol of ``basis_of``; ``found`` holds all their leaves.

    A symbol without a leaf has a node too: that nothing was there is part of a version.
    """
    content = dict(found.hashed())
    for symbol, basis in basis_of.items():
        head = b"\0".join((_FORMAT, interval.encode(), symbol.encode(), basis.encode(), b""))
        yield symbol, hashlib.sha256(head + content.get(symbol, b"")).hexdigest()


def root(found: Iterable[tuple[str, str, str]]) -> DataVersion:
    """Version of any set of (interval, symbol, node hash), given in any order."""
    digest = hashlib.sha256(_FORMAT + b"\0root\0")
    for interval, symbol, value in sorted(found):
        digest.update(f"{interval}\0{symbol}\0{value}\0".encode())
    return DataVersion(digest.hexdigest())
