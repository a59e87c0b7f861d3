"""Killed writers and many writers at once, with real processes."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantrail.knowledge import SqlKnowledgeStore, check_store, open_store, upgrade
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import register

WRITER = str(Path(__file__).with_name("writer_process.py"))
BATCH = 20


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A registered, otherwise empty store."""
    if request.param == "sqlite":
        where = str(tmp_path / "store.db")
    else:
        where = request.getfixturevalue("postgres_url")
    upgrade(where)
    store = open_store(where, build.SteadyClock())
    with store.unit() as unit:
        register(unit)
        unit.commit()
    store.close()
    return where


def start(url: str, first: int, batches: int, size: int, shared: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, WRITER, url, *map(str, (first, batches, size, shared))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_after_a_while(url: str, first: int, rng: random.Random) -> list[int]:
    """Batches the writer acknowledged before it was killed in the middle of its work."""
    writer = start(url, first, 100_000, BATCH)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline())]
    time.sleep(rng.uniform(0, 0.25))
    writer.kill()
    rest, _ = writer.communicate()
    complete = rest.rpartition("\n")[0]  # the last line may be cut off
    return acknowledged + [int(line) for line in complete.splitlines()]


def whole_batches(store: SqlKnowledgeStore) -> Iterator[int]:
    """Batches that are there; fails when one is there in part."""
    with store.backend.reading() as session:
        rows = session.rows(
            "SELECT s.params_json, m.backtest_pk IS NOT NULL, sc.pk IS NOT NULL FROM strategies s "
            "LEFT JOIN backtests b ON b.strategy_pk = s.pk LEFT JOIN metrics m ON m.backtest_pk = b.pk "
            "LEFT JOIN scores sc ON sc.backtest_pk = b.pk"
        )
    sizes: dict[int, int] = {}
    for params, measured, scored in rows:
        number = int(params.split(":")[1].rstrip("}")) - 2
        assert measured
        assert scored
        sizes[number // BATCH] = sizes.get(number // BATCH, 0) + 1
    assert set(sizes.values()) <= {BATCH}
    yield from sizes


def assert_survives_kills(url: str, kills: int) -> None:
    rng = random.Random(7)
    acknowledged: set[int] = set()
    first = 0
    for _ in range(kills):
        acknowledged.update(kill_after_a_while(url, first, rng))
        store = open_store(url, build.SteadyClock())  # the next start, without any repair
        there = set(whole_batches(store))
        assert acknowledged <= there
        assert len(there - acknowledged) <= kills  # at most one commit per kill was not yet reported
        store.close()
        first = max(there) + 1
    store = open_store(url, build.SteadyClock())
    assert check_store(store.backend) == []
    store.close()


def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(url: str) -> None:
    assert_survives_kills(url, kills=1)


@pytest.mark.slow
def test_twenty_kills_at_random_moments(url: str) -> None:
    assert_survives_kills(url, kills=20)


def assert_many_writers(url: str, processes: int, each: int, batch: int, shared: int) -> None:
    batches = each // batch
    writers = [start(url, number * batches, batches, batch, shared) for number in range(processes)]
    for writer in writers:
        _, errors = writer.communicate()
        assert (writer.returncode, errors) == (0, "")
    store = open_store(url, build.SteadyClock())
    counts = store.counts()
    expected = processes * each + shared
    assert {counts[name] for name in ("strategies", "backtests", "metrics", "scores")} == {expected}
    assert check_store(store.backend) == []
    store.close()


def test_several_processes_write_at_once_and_duplicates_collapse(url: str) -> None:
    assert_many_writers(url, processes=3, each=60, batch=10, shared=15)


@pytest.mark.slow
def test_eight_processes_write_five_thousand_backtests_each(url: str) -> None:
    assert_many_writers(url, processes=8, each=5000, batch=100, shared=100)


def _store_some(store: SqlKnowledgeStore, first: int) -> None:
    with store.unit() as unit:
        unit.upsert_strategies([build.strategy(first + i) for i in range(BATCH)])
        unit.commit()


def test_a_forked_process_loses_nothing_whoever_closes_first(url: str) -> None:
    fork = multiprocessing.get_context("fork")
    store = open_store(url, build.SteadyClock())
    _store_some(store, 0)
    closed, stored = fork.Event(), fork.Event()

    def child() -> None:
        _store_some(store, 1_000)
        stored.set()
        closed.wait(30)
        _store_some(store, 2_000)
        assert store.counts()["strategies"] == 4 * BATCH
        store.close()

    process = fork.Process(target=child)
    process.start()
    assert stored.wait(30)
    _store_some(store, 3_000)
    store.close()
    closed.set()
    process.join(30)
    assert process.exitcode == 0
    again = open_store(url, build.SteadyClock())
    assert again.counts()["strategies"] == 4 * BATCH
    again.close()
