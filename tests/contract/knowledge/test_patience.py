"""Whoever must write waits its turn for the same minute, whatever it does."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from quantrail.errors import BackendBusy
from quantrail.knowledge import Backend, open_store, upgrade, vacuum_store
from quantrail.knowledge import backend as backend_module
from quantrail.knowledge.backend import WRITE_LOCK
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill

Act = Callable[[Path], object]


def vacuum(path: Path) -> object:
    backend = Backend(path)
    try:
        return vacuum_store(backend)
    finally:
        backend.close()


def write(path: Path) -> None:
    store = open_store(path, build.SteadyClock())
    with store.unit() as unit:
        unit.upsert_strategy(build.strategy(500))
        unit.commit()
    store.close()


ACTS = [vacuum, upgrade, write]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "store.db"
    upgrade(path)
    store = open_store(path, build.SteadyClock())
    fill(store, 3)
    store.close()
    # SQLite's own wait is cut short, so that what waits longer than it can only be our patience.
    monkeypatch.setattr(backend_module, "BUSY_SLICE_SECONDS", 0.05)
    return path


@contextmanager
def another_writer(path: Path, seconds: float) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    ends = threading.Timer(seconds, connection.execute, ["ROLLBACK"])
    ends.start()
    yield
    ends.join()
    connection.close()


@pytest.mark.parametrize("act", ACTS)
def test_another_writer_is_waited_for(path: Path, act: Act) -> None:
    started = time.monotonic()
    with another_writer(path, 0.6):
        act(path)
        assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize("act", ACTS)
def test_patience_ends_in_busy(path: Path, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "BUSY_SECONDS", 0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BackendBusy, match=r"store\.db: another process is writing"):
            act(path)


def test_the_promise_is_a_minute() -> None:
    assert backend_module.BUSY_SECONDS == 60.0


@pytest.mark.postgres
def test_an_upgrade_of_a_server_waits_no_longer_either(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(postgres_url)
    monkeypatch.setattr(backend_module, "BUSY_SECONDS", 0.2)
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITE_LOCK])
        freed = threading.Timer(3.0, other.rollback)  # who waits longer gets its turn and is found out
        freed.start()
        with pytest.raises(BackendBusy, match="another process is writing"):
            upgrade(postgres_url)
        freed.cancel()
        freed.join()
