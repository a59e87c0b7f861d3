"""Ways round the rules that one backend has: replacing, rowids and keys switched off, TRUNCATE."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from quantrail.knowledge import open_store, upgrade
from quantrail.knowledge.schema import metadata, table_columns
from quantrail.knowledge.schema.guards import KEYS, OPEN_TO_REPLACE, guarded
from quantrail.testing import records as build
from quantrail.testing.knowledge.every_table import fill_every_table

GUARDED = guarded(table_columns())
KEYED = [name for name in GUARDED if metadata.tables[name].dialect_options["sqlite"]["with_rowid"]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("filled") / "store.db"
    upgrade(path)
    store = open_store(path, build.SteadyClock())
    fill_every_table(store)
    store.close()
    return path.read_bytes()


@pytest.fixture
def plain(tmp_path: Path, filled: bytes) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "store.db"
    path.write_bytes(filled)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_every_key_of_a_frozen_table_is_guarded() -> None:
    assert set(KEYS) == set(GUARDED) - set(OPEN_TO_REPLACE)
    for name, keys in KEYS.items():
        table = metadata.tables[name]
        unique = [one for one in table.constraints if one.__visit_name__ == "unique_constraint"]
        there = {frozenset(one.columns.keys()) for one in [*unique, table.primary_key]}
        there |= {frozenset(index.columns.keys()) for index in table.indexes if index.unique}
        guarded = {frozenset(key) for key in keys}
        assert guarded == {key for key in there if not any(other < key for other in there)}, name


@pytest.mark.parametrize("enforced", ["ON", "OFF"])
@pytest.mark.parametrize("table", KEYS)
def test_no_stored_row_is_replaced(plain: sqlite3.Connection, table: str, enforced: str) -> None:
    plain.execute(f"PRAGMA foreign_keys = {enforced}")
    before = plain.execute(f"SELECT * FROM {table}").fetchall()
    assert before
    if table == "promotion_records":
        plain.execute("DROP TRIGGER tr_promotion_records_earned")  # refuses it too, and first
    with pytest.raises(sqlite3.IntegrityError, match=f"{table}: stored rows cannot be replaced"):
        plain.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    assert plain.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO texts SELECT pk, text_hash, replace(body, 'sizing', 'SIZING') FROM texts",
        "INSERT OR REPLACE INTO texts SELECT pk, x'00', 'other' FROM texts",
        "INSERT OR REPLACE INTO texts SELECT pk + 100, text_hash, 'other' FROM texts",
        "INSERT OR REPLACE INTO calc_contracts SELECT pk, calc_contract_hash, '{}' FROM calc_contracts",
        "INSERT OR REPLACE INTO calc_contracts SELECT pk + 100, calc_contract_hash, '{}' FROM calc_contracts",
    ],
)
def test_specs_and_contracts_stay_as_they_were_read(plain: sqlite3.Connection, statement: str) -> None:
    plain.execute("PRAGMA foreign_keys = ON")
    read = "SELECT normalized_spec_json FROM v_strategies ORDER BY strategy_id"
    before = plain.execute(read).fetchall()
    with pytest.raises(sqlite3.IntegrityError, match="cannot be replaced"):
        plain.execute(statement)
    assert plain.execute(read).fetchall() == before


@pytest.mark.parametrize("table", GUARDED)
def test_no_kept_row_is_deleted_where_foreign_keys_are_off(plain: sqlite3.Connection, table: str) -> None:
    plain.execute("PRAGMA foreign_keys = OFF")
    with pytest.raises(sqlite3.IntegrityError, match=f"{table}: stored rows cannot be deleted"):
        plain.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("name", ["rowid", "_rowid_", "oid"])
@pytest.mark.parametrize("table", KEYED)
def test_no_row_moves_to_another_key_by_its_rowid(plain: sqlite3.Connection, table: str, name: str) -> None:
    plain.execute("PRAGMA foreign_keys = OFF")
    for word in ("", "OR IGNORE ", "OR REPLACE "):
        with pytest.raises(sqlite3.IntegrityError, match="cannot be changed"):
            plain.execute(f"UPDATE {word}{table} SET {name} = {name} + 1000")


def test_metrics_stay_with_their_backtest_once_the_score_is_gone(plain: sqlite3.Connection) -> None:
    plain.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError, match="scores: stored rows cannot be deleted"):
        plain.execute("DELETE FROM scores WHERE backtest_pk = 1")
    plain.execute("DROP TRIGGER tr_scores_kept")
    plain.execute("DELETE FROM scores WHERE backtest_pk = 1")
    with pytest.raises(sqlite3.IntegrityError, match="metrics: stored rows cannot be changed"):
        plain.execute("UPDATE metrics SET rowid = 900 WHERE backtest_pk = 1")


def test_a_new_text_is_still_taken(plain: sqlite3.Connection) -> None:
    plain.execute("INSERT INTO texts VALUES (900, x'01', 'new')")
    assert plain.execute("SELECT body FROM texts WHERE pk = 900").fetchone() == ("new",)


@pytest.mark.postgres
def test_no_table_is_truncated(postgres_url: str) -> None:
    upgrade(postgres_url)
    store = open_store(postgres_url, build.SteadyClock())
    fill_every_table(store)
    before = store.counts()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for table in GUARDED:
            for how in (f"{table} CASCADE", f"{table}, tag_counts CASCADE"):
                with pytest.raises(psycopg.IntegrityError, match="cannot be deleted"):
                    connection.execute(f"TRUNCATE {how}".encode())
    assert store.counts() == before
    store.close()
