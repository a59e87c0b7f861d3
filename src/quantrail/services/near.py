"""Strategies that trade alike although they read differently: fingerprints stored, and compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.ids import DataVersion, StrategyId
from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.domain.market import Period
from quantrail.domain.ports import KnowledgeStore
from quantrail.strategy import NEAR, Fingerprint, FingerprintIndex, similarity

if TYPE_CHECKING:  # the loop loads much that comparing marks does not need
    from quantrail.services.loop.state import Evaluated

_COUNT_BYTES = 8
_COUNT_WORDS = _COUNT_BYTES // 2


def stored_mark(entry: Evaluated) -> Stored | None:
    """The record of a screened strategy's fingerprint; None if it has none, or holds nothing.

    Marks compare within one period, one version of the bars and one engine version. Records that a
    feature read beside the bars do not count: who holds the same bars is near, whatever told it to.
    """
    if entry.mark is None:
        return None
    period = Period(entry.key.period_start, entry.key.period_end)
    algorithm = algorithm_of(entry.key.engine_version, period)
    return as_stored(entry.candidate.strategy_id, algorithm, entry.mark)


def algorithm_of(engine_version: str, period: Period) -> str:
    """What stored marks of one engine version over one period are stored under."""
    return f"minhash128/{engine_version}/{period.start}/{period.end}"


def as_stored(strategy_id: StrategyId, algorithm: str, mark: Fingerprint) -> Stored | None:
    """A mark as the store keeps it, its grid the version of the bars; None if nothing is held."""
    if not mark.held:
        return None
    value = mark.held.to_bytes(_COUNT_BYTES, "little") + mark.data
    return Stored(strategy_id, algorithm, DataVersion(mark.grid), value)


def mark_of_entry(store: KnowledgeStore, entry: Evaluated, bars: DataVersion) -> Fingerprint | None:
    """The mark of what was screened now or, of a result the store knew, then; None if there is none.

    ``bars``: their version, without records.
    """
    stored = stored_mark(entry)
    if stored is None and entry.cached:
        key = entry.key
        algorithm = algorithm_of(key.engine_version, Period(key.period_start, key.period_end))
        stored = next(
            (
                kept
                for kept in store.fingerprints_of(key.strategy_id)
                if (kept.algorithm, kept.data_version) == (algorithm, bars)
            ),
            None,
        )
    return None if stored is None else mark_from(stored)


def mark_from(stored: Stored) -> Fingerprint:
    """The fingerprint of a record."""
    held = int.from_bytes(stored.value[:_COUNT_BYTES], "little")
    return Fingerprint(stored.value[_COUNT_BYTES:], f"{stored.algorithm}|{stored.data_version}", held)


def near_ones(
    store: KnowledgeStore, strategy_id: StrategyId, limit: int = 20
) -> list[tuple[StrategyId, float]]:
    """Others that hold nearly the same bars on any data where both were screened, most alike first.

    With the estimated share of (symbol, bar, side) held in common, ``NEAR`` or more; ties by id.
    """
    return near_marks(store, store.fingerprints_of(strategy_id), limit)


def near_marks(
    store: KnowledgeStore, marks: Iterable[Stored], limit: int = 20
) -> list[tuple[StrategyId, float]]:
    """As :func:`near_ones`, of one strategy's ``marks``, stored or not."""
    best: dict[StrategyId, float] = {}
    for own in marks:
        others = store.fingerprints_meeting(own)
        shares = shares_in_common(own.value, [other.value for other in others])
        for i in np.flatnonzero(shares >= NEAR):
            other = others[i].strategy_id
            if other != own.strategy_id:
                best[other] = max(float(shares[i]), best.get(other, 0.0))
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]


def shares_in_common(own: bytes, others: Sequence[bytes]) -> NDArray[np.float64]:
    """The similarity, 0..1, of a stored mark to each of others, all of one algorithm and data."""
    width = len(own) // 2
    marks = np.frombuffer(b"".join(others), dtype="<u2").reshape(-1, width)[:, _COUNT_WORDS:]
    mine = np.frombuffer(own, dtype="<u2")[_COUNT_WORDS:]
    # A byte holds the count of up to 128 bins. Nothing is stored of a strategy that holds nothing.
    shares: NDArray[np.float64] = (marks == mine).sum(axis=1, dtype=np.uint8) / marks.shape[1]
    return shares


def twins_among(store: KnowledgeStore, ranked: Iterable[StrategyId]) -> dict[StrategyId, StrategyId]:
    """Each strategy that trades nearly as a better-ranked one, with the first such; ``ranked`` best first."""
    order = list(dict.fromkeys(ranked))
    marks = store.fingerprints_among(order)
    leaders = FingerprintIndex()  # by rank; the grid is part of what it finds by
    twins: dict[StrategyId, StrategyId] = {}
    for rank, strategy_id in enumerate(order):
        own = [mark_from(stored) for stored in marks.get(strategy_id, ())]
        known = [found for mark in own for found, _ in leaders.near(mark, limit=len(order))]
        if known:
            twins[strategy_id] = order[min(int(str(found)) for found in known)]
            continue
        for mark in own:
            leaders.add(rank, mark)
    return twins


def alike(one: Fingerprint | None, two: Fingerprint | None) -> bool:
    """Whether two marks taken on the same grid are near; one that is not there is near nothing."""
    if one is None or two is None or one.grid != two.grid:
        return False
    return similarity(one, two) >= NEAR
