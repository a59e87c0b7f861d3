"""The state machine of the contract, on both backends."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from quantrail.knowledge import open_store, upgrade
from quantrail.testing import records as build
from quantrail.testing.knowledge import StoreHarness
from quantrail.testing.knowledge.state_machine import StoreMachine


def no_sql(_: str) -> list[Any]:
    raise NotImplementedError


def on_sqlite(folder: Path) -> Callable[[], StoreHarness]:
    upgrade(folder / "template.db")
    template = (folder / "template.db").read_bytes()

    def make() -> StoreHarness:
        path = Path(tempfile.mkdtemp(dir=folder)) / "store.db"
        path.write_bytes(template)
        opened = open_store(path, build.SteadyClock())
        return StoreHarness(opened, no_sql, sqlite3.Error, lambda: open_store(path, build.SteadyClock()))

    return make


def on_postgres(server: Any) -> Callable[[], StoreHarness]:
    template = server.create_database()
    upgrade(server.url(template))

    def make() -> StoreHarness:
        url = server.url(server.create_database(template))
        opened = open_store(url, build.SteadyClock())
        return StoreHarness(opened, no_sql, psycopg.Error, lambda: open_store(url, build.SteadyClock()))

    return make


def run(make: Callable[[], StoreHarness], examples: int, steps: int) -> None:
    machine = type("Machine", (StoreMachine,), {"make_harness": staticmethod(make)})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
        ),
    )  # fmt: skip


def test_any_sequence_of_units_leaves_sqlite_as_dictionaries_say(tmp_path: Path) -> None:
    run(on_sqlite(tmp_path), examples=12, steps=15)


@pytest.mark.postgres
def test_any_sequence_of_units_leaves_postgres_as_dictionaries_say(postgres_server: Any) -> None:
    run(on_postgres(postgres_server), examples=6, steps=12)


@pytest.mark.slow
def test_many_sequences_leave_sqlite_as_dictionaries_say(tmp_path: Path) -> None:
    run(on_sqlite(tmp_path), examples=300, steps=40)


@pytest.mark.slow
@pytest.mark.postgres
def test_many_sequences_leave_postgres_as_dictionaries_say(postgres_server: Any) -> None:
    run(on_postgres(postgres_server), examples=60, steps=30)
