"""The one SQL adapter, held to the contract on both backends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from quantrail.knowledge import open_store, upgrade
from quantrail.testing import records as build
from quantrail.testing.knowledge import KnowledgeStoreContract, StoreHarness
from quantrail.testing.postgres import PostgresServer


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    name = postgres_server.create_database()
    upgrade(postgres_server.url(name))
    yield name
    postgres_server.drop_database(name)


class TestSqliteStore(KnowledgeStoreContract):
    @pytest.fixture
    def harness(self, tmp_path: Path, sqlite_template: bytes) -> Iterator[StoreHarness]:
        path = tmp_path / "store.db"
        path.write_bytes(sqlite_template)

        def sql(statement: str) -> list[Any]:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                return connection.execute(statement).fetchall()

        store = open_store(path, build.SteadyClock())
        yield StoreHarness(store, sql, sqlite3.IntegrityError, lambda: open_store(path, build.SteadyClock()))
        store.close()


@pytest.mark.postgres
class TestPostgresStore(KnowledgeStoreContract):
    @pytest.fixture
    def harness(self, postgres_server: PostgresServer, postgres_template: str) -> Iterator[StoreHarness]:
        name = postgres_server.create_database(postgres_template)
        url = postgres_server.url(name)

        def sql(statement: str) -> list[Any]:
            with psycopg.connect(url, autocommit=True) as connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []

        store = open_store(url, build.SteadyClock())
        yield StoreHarness(store, sql, psycopg.IntegrityError, lambda: open_store(url, build.SteadyClock()))
        store.close()
        postgres_server.drop_database(name)


class _Mixin:
    def test_the_database_refuses(self) -> None:
        """What a class mixed in before the contract would run instead."""


def test_nobody_may_override_a_contract_test() -> None:
    cheat = {"test_the_database_refuses": lambda self: None}
    with pytest.raises(TypeError, match=r"Cheat overrides contract tests: test_the_database_refuses$"):
        type("Cheat", (KnowledgeStoreContract,), cheat)
    with pytest.raises(TypeError, match=r"Cheat overrides contract tests: test_the_database_refuses$"):
        type("Cheat", (_Mixin, KnowledgeStoreContract), {})
    later = type("Later", (KnowledgeStoreContract,), {})
    later.test_the_database_refuses = None  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"Cheat overrides contract tests: test_the_database_refuses$"):
        type("Cheat", (later,), {})
    type("Honest", (KnowledgeStoreContract, _Mixin), {"test_of_my_own": lambda self: None})
