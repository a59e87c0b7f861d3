"""Strategies that trade alike although they read differently: fingerprints stored, and compared."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail.domain.ids import DataVersion, StrategyId
from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.domain.market import Period
from quantrail.domain.ports import KnowledgeStore
from quantrail.services.loop.state import Evaluated
from quantrail.strategy import NEAR, Fingerprint, FingerprintIndex, similarity

_COUNT_BYTES = 8


def stored_mark(entry: Evaluated) -> Stored | None:
    """The record of a screened strategy's fingerprint; None if it has none, or holds nothing.

    Marks compare within one period, one version of the data read and one engine version.
    """
    if entry.mark is None:
        return None
    period = Period(entry.key.period_start, entry.key.period_end)
    algorithm = algorithm_of(entry.key.engine_version, period)
    return as_stored(entry.candidate.strategy_id, algorithm, entry.key.data_version, entry.mark)


def algorithm_of(engine_version: str, period: Period) -> str:
    """What stored marks of one engine version over one period are stored under."""
    return f"minhash128/{engine_version}/{period.start}/{period.end}"


def as_stored(
    strategy_id: StrategyId, algorithm: str, data_version: DataVersion, mark: Fingerprint
) -> Stored | None:
    """A mark as the store keeps it; None of a strategy that holds nothing."""
    if not mark.held:
        return None
    value = mark.held.to_bytes(_COUNT_BYTES, "little") + mark.data
    return Stored(strategy_id, algorithm, data_version, value)


def mark_of_entry(store: KnowledgeStore, entry: Evaluated) -> Fingerprint | None:
    """The mark of what was screened now or, of a result the store knew, then; None if there is none."""
    stored = stored_mark(entry)
    if stored is None and entry.cached:
        key = entry.key
        algorithm = algorithm_of(key.engine_version, Period(key.period_start, key.period_end))
        stored = next(
            (
                kept
                for kept in store.fingerprints_of(key.strategy_id)
                if (kept.algorithm, kept.data_version) == (algorithm, key.data_version)
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
        index = FingerprintIndex()
        for other in store.list_fingerprints(own.algorithm, own.data_version):
            if other.strategy_id != own.strategy_id:
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
    return any(alike(a, b) for a in one for b in two)


def alike(one: Fingerprint | None, two: Fingerprint | None) -> bool:
    """Whether two marks taken on the same grid are near; one that is not there is near nothing."""
    if one is None or two is None or one.grid != two.grid:
        return False
    return similarity(one, two) >= NEAR
