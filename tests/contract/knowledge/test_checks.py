"""Operating a store, on both backends: drift is found, copies are verified, room is given back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from quantrail.domain import ledger
from quantrail.domain.enums import Tier
from quantrail.errors import BackendCorrupt
from quantrail.knowledge import (
    Backend,
    SqlKnowledgeStore,
    check_store,
    copy_store,
    open_store,
    store_stats,
    upgrade,
    vacuum_store,
)
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill

BOTH = [pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kind: str = request.param
    return str(tmp_path / "store.db") if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[SqlKnowledgeStore]:
    upgrade(url)
    store = open_store(url, build.SteadyClock())
    world = fill(store, 6)
    with store.unit() as unit:
        own = (world.strategies[2].strategy_id, "minhash128/x", build.DATA, bytes(range(132)) * 2)
        unit.save_fingerprints([ledger.Fingerprint(*own)])
        unit.save_promotions(
            [
                ledger.Promotion(
                    world.strategies[0].strategy_id, "PROMOTE", Tier.T0, Tier.T1, build.POLICY, ("x",)
                )
            ]
        )
        unit.commit()
    yield store
    store.close()


DRIFT = {
    "a score of a tier gone": ("DELETE FROM tier_scores", "tier_scores"),
    "a score under another tier": ("UPDATE tier_scores SET tier = 'T3'", "tier_scores"),
    "a score that moved": ("UPDATE tier_scores SET score_total = score_total + 1", "tier_scores"),
    "a band gone": (
        "DELETE FROM fingerprint_bands WHERE band = (SELECT min(band) FROM fingerprint_bands)",
        "fingerprint_bands",
    ),
    "a band too many": (
        "INSERT INTO fingerprint_bands (block, band, fingerprint_pk) "
        "SELECT block, max(band) + 1, fingerprint_pk FROM fingerprint_bands GROUP BY block, fingerprint_pk",
        "fingerprint_bands",
    ),
}


@pytest.mark.parametrize("url", BOTH, indirect=True)
@pytest.mark.parametrize("case", DRIFT)
def test_the_check_finds_derived_tables_that_drifted(store: SqlKnowledgeStore, case: str) -> None:
    statement, table = DRIFT[case]
    assert check_store(store.backend) == []
    with store.backend.writing() as session:
        assert session.run(statement) > 0
        session.commit()
    assert [(one.kind, one.subject) for one in check_store(store.backend)] == [("drifted table", table)]


BENT_SQLITE = (
    "CREATE TRIGGER bend AFTER INSERT ON atoms BEGIN "
    "UPDATE atoms SET confidence = 0.25 WHERE pk = NEW.pk AND pk = 2; END",
)
BENT_POSTGRES = (
    "CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN IF NEW.pk = 2 THEN NEW.confidence := 0.25; END IF; RETURN NEW; END$$",
    "CREATE TRIGGER bend BEFORE INSERT ON atoms FOR EACH ROW EXECUTE FUNCTION bend()",
)


def bend(url: str) -> None:
    """A database that stores something else than it is given."""
    if "://" in url:
        with psycopg.connect(url, autocommit=True) as server:
            for statement in BENT_POSTGRES:
                server.execute(statement.encode())
        return
    with closing(sqlite3.connect(url)) as connection:
        for statement in BENT_SQLITE:
            connection.execute(statement)


@pytest.mark.parametrize("url", BOTH, indirect=True)
def test_a_copy_that_came_out_otherwise_is_told_and_not_kept(url: str, tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    upgrade(source)
    store = open_store(source, build.SteadyClock())
    fill(store, 3)
    upgrade(url)
    bend(url)
    with pytest.raises(BackendCorrupt, match=r"^atoms: 4 rows were read, 4 came back, or their hash differs"):
        copy_store(store.backend, url)
    store.close()
    there = open_store(url, build.SteadyClock())
    assert set(there.counts().values()) == {0}
    there.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_vacuum_returns_free_pages_to_the_disk(store: SqlKnowledgeStore, url: str) -> None:
    with closing(sqlite3.connect(url, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE junk AS SELECT randomblob(2000000) AS bytes")
        connection.execute("DROP TABLE junk")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 400
        on_disk = Path(url).stat().st_size
        before, after = vacuum_store(store.backend)
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert before - after > 1_900_000
    assert on_disk - Path(url).stat().st_size > 1_900_000
    assert after == store_stats(store.backend).size_bytes


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_vacuum_lets_the_server_reuse_room_and_know_its_tables(store: SqlKnowledgeStore, url: str) -> None:
    vacuum_store(store.backend)
    with psycopg.connect(url) as server:
        left = server.execute(
            "SELECT relname FROM pg_stat_user_tables WHERE relname IN ('strategies', 'backtests', 'scores') "
            "AND (last_vacuum IS NULL OR last_analyze IS NULL)"
        ).fetchall()
    assert left == []


def test_a_copy_onto_itself_is_refused(tmp_path: Path) -> None:
    upgrade(tmp_path / "store.db")
    store = open_store(tmp_path / "store.db", build.SteadyClock())
    fill(store, 2)
    before = store.counts()
    with pytest.raises(Exception, match="holds rows already"):
        copy_store(store.backend, tmp_path / "store.db")
    assert store.counts() == before
    store.close()
    backend = Backend(tmp_path / "store.db")
    assert check_store(backend) == []
    backend.close()
