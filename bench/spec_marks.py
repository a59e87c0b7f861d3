"""Near-duplicates found in the store itself, as ``spec tried`` and the loop ask for them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.knowledge import SqlKnowledgeStore, open_store, upgrade
from quantrail.services.near import as_stored, near_marks, shares_in_common
from quantrail.strategy import Fingerprint
from quantrail.testing import records as build
from store_records import records

BATCH = 5_000
ALGORITHM = "minhash128/bench"


def stored_lookups(marks: list[Fingerprint], asked: list[Fingerprint]) -> dict[str, Any]:
    """Median milliseconds of one look-up among stored ``marks``, beside reading and comparing them all."""
    size = len(marks)
    with tempfile.TemporaryDirectory() as folder:
        upgrade(Path(folder) / "store.db")
        store = open_store(Path(folder) / "store.db", build.SteadyClock())
        spent = sum(_save(store, first, marks[first : first + BATCH]) for first in range(0, size, BATCH))
        # Asked as by a strategy that is not stored.
        own = [_stored("f" * 64, mark) for mark in asked]
        ours = median(_milliseconds(lambda mark=mark: near_marks(store, [mark])) for mark in own)
        every = median(_milliseconds(lambda mark=mark: _compare_all(store, mark)) for mark in own[:5])
        store.close()
    return {
        f"near_in_store_{size}": _figure(ours, every, "ms", size),
        f"mark_written_{size}": _figure(1000 * spent / size, None, "us", size),
    }


def _save(store: SqlKnowledgeStore, first: int, marks: list[Fingerprint]) -> float:
    """CPU milliseconds that the marks took, their strategies not counted."""
    strategies = records(first, len(marks)).strategies
    made = [_stored(one.strategy_id, mark) for one, mark in zip(strategies, marks, strict=True)]
    with store.unit() as unit:
        if first == 0:
            unit.save_templates(build.templates())
            unit.save_atoms(build.atoms())
        unit.upsert_strategies(strategies)
        spent = _milliseconds(lambda: unit.save_fingerprints(made))
        return spent + _milliseconds(unit.commit)


def _stored(strategy_id: Any, mark: Fingerprint) -> Stored:
    found = as_stored(strategy_id, ALGORITHM, Fingerprint(mark.data, build.DATA, mark.held))
    assert found is not None
    return found


def _compare_all(store: SqlKnowledgeStore, own: Stored) -> object:
    every = store.list_fingerprints(own.algorithm, own.data_version)
    return shares_in_common(own.value, [one.value for one in every]).argmax()


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def _figure(ours: float, yardstick: float | None, unit: str, size: int) -> dict[str, Any]:
    ratio = None if not yardstick else round(ours / yardstick, 4)
    shown = None if yardstick is None else round(yardstick, 3)
    return {"ours": round(ours, 3), "yardstick": shown, "ratio": ratio, "unit": unit, "size": size}
