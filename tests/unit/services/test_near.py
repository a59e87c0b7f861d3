"""Near ones and twins among stored marks, against a comparison of every pair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quantrail.domain.ids import DataVersion, StrategyId
from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.knowledge import SqlKnowledgeStore, open_store, upgrade
from quantrail.services.near import mark_from, near_ones, shares_in_common, twins_among
from quantrail.strategy import NEAR, similarity
from quantrail.strategy import Fingerprint as Mark
from quantrail.testing import records as build

DATA = [DataVersion(build.hash_of(name)) for name in ("one", "two")]
SIZE = 240


def marks_of(ids: list[StrategyId]) -> list[Stored]:
    """Families of twelve around one mark, each member with some bins changed, on one or two data."""
    rng = np.random.default_rng(7)
    made = []
    for i, one in enumerate(ids):
        if i % 12 == 0:
            base = rng.integers(0, 60_000, 128, dtype="<u2")
        for data in DATA[: 1 + i % 2]:
            own = base.copy()
            changed = rng.choice(128, size=int(rng.integers(0, 24)), replace=False)
            own[changed] = rng.integers(0, 60_000, len(changed))
            made.append(Stored(one, "minhash128/x", data, (9).to_bytes(8, "little") + own.tobytes()))
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlKnowledgeStore]:
    upgrade(tmp_path / "store.db")
    opened = open_store(tmp_path / "store.db", build.SteadyClock())
    strategies = [build.strategy(i) for i in range(SIZE)]
    with opened.unit() as unit:
        unit.save_templates(build.templates())
        unit.save_atoms(build.atoms())
        unit.upsert_strategies(strategies)
        unit.save_fingerprints(marks_of([one.strategy_id for one in strategies]))
        unit.commit()
    yield opened
    opened.close()


Marks = dict[StrategyId, list[Mark]]


@pytest.fixture(scope="module")
def ids() -> list[StrategyId]:
    return [build.strategy(i).strategy_id for i in range(SIZE)]


@pytest.fixture(scope="module")
def marks(ids: list[StrategyId]) -> Marks:
    found: Marks = {one: [] for one in ids}
    for stored in marks_of(ids):
        found[stored.strategy_id].append(mark_from(stored))
    return found


def likeness(marks: Marks, one: StrategyId, two: StrategyId) -> float:
    return max(similarity(a, b) for a in marks[one] for b in marks[two] if a.grid == b.grid)


def test_near_ones_are_those_that_a_comparison_of_each_pair_finds(
    store: SqlKnowledgeStore, ids: list[StrategyId], marks: Marks
) -> None:
    sizes = []
    for own in ids[:24]:
        every = {other: likeness(marks, own, other) for other in ids if other != own}
        expected = sorted(((o, x) for o, x in every.items() if x >= NEAR), key=lambda p: (-p[1], p[0]))
        assert near_ones(store, own, SIZE) == expected
        assert near_ones(store, own, 2) == expected[:2]
        sizes.append(len(expected))
    assert min(sizes) < max(sizes)
    assert near_ones(store, build.strategy(SIZE).strategy_id) == []


def test_twins_are_those_that_a_comparison_of_each_pair_finds(
    store: SqlKnowledgeStore, ids: list[StrategyId], marks: Marks
) -> None:
    ranked = [ids[i] for i in np.random.default_rng(3).permutation(SIZE)[:120]]
    expected: dict[StrategyId, StrategyId] = {}
    for rank, own in enumerate(ranked):
        better = (o for o in ranked[:rank] if o not in expected and likeness(marks, own, o) >= NEAR)
        if (leader := next(better, None)) is not None:
            expected[own] = leader
    assert 10 < len(expected) < 110
    unmarked = build.strategy(SIZE).strategy_id
    assert twins_among(store, [unmarked, *ranked, *ranked[:5]]) == expected


def test_shares_are_the_similarity_of_the_marks(ids: list[StrategyId]) -> None:
    made = [s for s in marks_of(ids[:30]) if s.data_version == DATA[0]]
    shares = shares_in_common(made[0].value, [one.value for one in made])
    assert shares.tolist() == [similarity(mark_from(made[0]), mark_from(one)) for one in made]
    assert shares_in_common(made[0].value, []).tolist() == []
