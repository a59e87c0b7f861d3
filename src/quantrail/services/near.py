"""Strategies that trade alike although they read differently: fingerprints stored, and compared."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail.domain.ids import StrategyId
from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.domain.ports import KnowledgeStore
from quantrail.services.loop.state import Evaluated
from quantrail.strategy import NEAR, Fingerprint, FingerprintIndex, similarity

_COUNT_BYTES = 8


def stored_mark(entry: Evaluated) -> Stored | None:
    """The record of a screened strategy's fingerprint; None if it has none, or holds nothing.

    Marks compare within one period, one version of the data read and one engine version.
    """
    mark, key = entry.mark, entry.key
    if mark is None or not mark.held:
        return None
    algorithm = f"minhash128/{key.engine_version}/{key.period_start}/{key.period_end}"
    value = mark.held.to_bytes(_COUNT_BYTES, "little") + mark.data
    return Stored(entry.candidate.strategy_id, algorithm, key.data_version, value)


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
    best: dict[StrategyId, float] = {}
    for own in store.fingerprints_of(strategy_id):
        index = FingerprintIndex()
        for other in store.list_fingerprints(own.algorithm, own.data_version):
            if other.strategy_id != strategy_id:
                index.add(other.strategy_id, mark_from(other))
        for key, likeness in index.near(mark_from(own), limit=limit):
            other_id = StrategyId(str(key))
            best[other_id] = max(likeness, best.get(other_id, 0.0))
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:limit]


def twins_among(store: KnowledgeStore, ranked: Iterable[StrategyId]) -> dict[StrategyId, StrategyId]:
    """Each strategy that trades nearly as a better-ranked one, with the first such; ``ranked`` best first."""
    leaders: list[tuple[StrategyId, list[Fingerprint]]] = []
    twins: dict[StrategyId, StrategyId] = {}
    for strategy_id in dict.fromkeys(ranked):
        marks = [mark_from(stored) for stored in store.fingerprints_of(strategy_id)]
        leader = next((other for other, theirs in leaders if _alike(marks, theirs)), None)
        if leader is None:
            leaders.append((strategy_id, marks))
        else:
            twins[strategy_id] = leader
    return twins


def _alike(one: list[Fingerprint], two: list[Fingerprint]) -> bool:
    return any(a.grid == b.grid and similarity(a, b) >= NEAR for a in one for b in two)
