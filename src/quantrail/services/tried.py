"""Has this been tried? The same strategy, the same logic elsewhere, or the same trades in other words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quantrail.domain.ids import BacktestId, LogicHash, StrategyId
from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.domain.ports import KnowledgeStore
from quantrail.services.context import Services
from quantrail.services.near import near_marks
from quantrail.strategy import canonicalise

MOST = 20


@dataclass(frozen=True, slots=True)
class Attempt:
    """One strategy that was tried. ``backtest_id``: its best-scored one; what follows is None without any.

    ``how``: exact, logic or behaviour. ``likeness``: share of bars held in common, behaviour only.
    """

    how: str
    strategy_id: StrategyId
    likeness: float | None
    trials: int
    backtest_id: BacktestId | None = None
    engine_mode: str | None = None
    tried_at: datetime | None = None
    score_total: float | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class TriedBefore:
    """``failure_tags`` and ``trials`` are of the exact strategy."""

    strategy_id: StrategyId
    logic_hash: LogicHash
    known: bool
    trials: int
    failure_tags: Mapping[str, int]
    attempts: tuple[Attempt, ...]


def tried_before(services: Services, document: Mapping[str, Any]) -> TriedBefore:
    """What the store knows of a spec. One that was never screened is compared by its signals on the bars
    of the latest search; see :func:`~quantrail.services.unscreened.mark_now`.

    Raises SpecInvalid. Attempts: exact first, then same logic, then near ones, most alike first.
    """
    store = services.store
    canonical = canonicalise(document)
    found = store.tried(canonical.strategy_id, canonical.logic_hash)
    attempts = [_attempt(store, "exact", canonical.strategy_id)] if found.known else []
    attempts += [_attempt(store, "logic", other) for other in found.same_logic[:MOST]]
    same = {canonical.strategy_id, *found.same_logic}
    attempts += [
        _attempt(store, "behaviour", other, likeness)
        for other, likeness in near_marks(store, _marks(services, canonical.strategy_id, document), MOST)
        if other not in same
    ]
    tags = found.failure_tags
    return TriedBefore(
        canonical.strategy_id, canonical.logic_hash, found.known, found.trials, tags, tuple(attempts)
    )


def _marks(services: Services, strategy_id: StrategyId, document: Mapping[str, Any]) -> list[Stored]:
    known = services.store.fingerprints_of(strategy_id)
    if known:
        return known
    # Imported here: who asks about a strategy that was screened need not wait for the engines.
    from quantrail.services.unscreened import mark_now

    made = mark_now(services, strategy_id, document)
    return [] if made is None else [made]


def _attempt(
    store: KnowledgeStore, how: str, strategy_id: StrategyId, likeness: float | None = None
) -> Attempt:
    trials = store.tried(strategy_id).trials
    scored = [(row, score) for row in store.strategy_history(strategy_id) for score in row.scores]
    if not scored:
        return Attempt(how, strategy_id, likeness, trials)
    row, best = max(scored, key=lambda pair: pair[1].score_total)
    return Attempt(
        how,
        strategy_id,
        likeness,
        trials,
        row.backtest_id,
        row.key.engine_mode.value,
        row.created_at,
        best.score_total,
        best.passed,
    )
