"""Marks of behaviour under the keys by which near ones meet, so that none has to read all the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantrail.domain.bands import BINS, band_keys
from quantrail.errors import InvalidInput
from quantrail.knowledge.session import Row, Session

BLOCK = 32_768  # consecutive marks whose keys lie together; a look-up probes each block
KIND = "minhash128/"  # how the algorithms begin whose values are a count of 8 bytes and 128 bins
COUNT_BYTES = 8
_SIZE = COUNT_BYTES + 2 * BINS
_CHUNK = 10_000

Mark = tuple[str, str, bytes]  # algorithm, data version, value


def keys_of(marks: Sequence[Mark]) -> list[list[int]]:
    """The keys of each mark; none for one of another kind. InvalidInput if a value is no such mark."""
    banded = [mark for mark in marks if mark[0].startswith(KIND)]
    for algorithm, _, value in banded:
        if len(value) != _SIZE:
            raise InvalidInput(f"a mark by {algorithm} has {_SIZE} bytes, got {len(value)}")
    bins = np.frombuffer(b"".join(value[COUNT_BYTES:] for _, _, value in banded), dtype="<u2")
    keys = band_keys(bins.reshape(-1, BINS), [f"{algorithm}|{data}" for algorithm, data, _ in banded])
    found = iter(keys.tolist())
    return [next(found) if mark[0].startswith(KIND) else [] for mark in marks]


def save_bands(session: Session, pks: Sequence[int], marks: Sequence[Mark]) -> None:
    """The keys of marks that were just stored."""
    rows = [(pk // BLOCK, key, pk) for pk, keys in zip(pks, keys_of(marks), strict=True) for key in keys]
    session.insert("fingerprint_bands", sorted(rows))  # in key order, which a b-tree takes faster


def fill_bands(session: Session) -> None:
    """The keys of every mark, for a store that has none."""
    after = 0
    while True:
        rows = session.rows(
            "SELECT pk, algorithm, data_version, value FROM fingerprints WHERE pk > ? ORDER BY pk LIMIT ?",
            [after, _CHUNK],
        )
        save_bands(session, [row[0] for row in rows], [_mark(row) for row in rows])
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]


def _mark(row: Row) -> Mark:
    return row[1], bytes(row[2]).hex(), bytes(row[3])


def meeting(session: Session, mark: Mark) -> list[int]:
    """Keys of the stored marks that share a band with ``mark``, in the order they were stored."""
    (keys,) = keys_of([mark])
    (last,) = session.rows("SELECT max(block) FROM fingerprint_bands")[0]
    if not keys or last is None:
        return []
    blocks = list(range(int(last) + 1))
    return sorted(
        {
            row[0]
            for row in session.among_each(
                "SELECT fingerprint_pk FROM fingerprint_bands", {"block": blocks, "band": keys}
            )
        }
    )
