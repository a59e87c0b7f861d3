"""Disks and connections that fail: each gives its named error, and nothing is half-written."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from quantrail.domain.records import ArtifactRef
from quantrail.errors import (
    BackendBusy,
    BackendCorrupt,
    BackendError,
    ConfigInvalid,
    Conflict,
    InvalidInput,
    NotFound,
)
from quantrail.knowledge import (
    ArtifactFolder,
    Backend,
    SqlKnowledgeStore,
    backup_store,
    check_store,
    copy_store,
    open_store,
    store_stats,
    to_pandas,
    to_polars,
    upgrade,
    vacuum_store,
)
from quantrail.knowledge import backend as backend_module
from quantrail.knowledge.statistics import Statistics
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill
from quantrail.testing.knowledge.world import save_results
from quantrail.testing.postgres import PostgresServer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    upgrade(path)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqlKnowledgeStore]:
    store = open_store(path, build.SteadyClock())
    fill(store, 5)
    yield store
    store.close()


def write_much(store: SqlKnowledgeStore, first: int = 1000, size: int = 400) -> None:
    with store.unit() as unit:
        save_results(unit, [build.strategy(first + i) for i in range(size)], first)
        unit.commit()


def limit_pages(store: SqlKnowledgeStore, pages: int) -> None:
    """As if the disk were full for the connection that writes."""
    with store.backend.writing() as session:
        session.rows(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_named_and_leaves_nothing_half_written(store: SqlKnowledgeStore) -> None:
    before = store.counts()
    limit_pages(store, 1)  # that is, to those it has
    with pytest.raises(BackendError, match="disk is full"):
        write_much(store)
    assert store.counts() == before
    assert check_store(store.backend) == []


def test_room_regained_lets_the_same_store_go_on(store: SqlKnowledgeStore) -> None:
    limit_pages(store, 1)
    with pytest.raises(BackendError):
        write_much(store)
    limit_pages(store, 1073741823)
    write_much(store)
    assert store.counts()["strategies"] == 405


def test_statistics_that_cannot_be_refreshed_now_are_refreshed_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "BUSY_SECONDS", 0.1)
    backend = Backend(path)
    statistics = Statistics(backend)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        statistics.after(5000)  # a commit stands, whatever happens here
        other.execute("ROLLBACK")
        analysed = "SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'"
        assert other.execute(analysed).fetchone() == (0,)
        statistics.after(1)
        assert other.execute(analysed).fetchone() == (1,)
    backend.close()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BackendError, match="cannot make the folder"):
        upgrade(tmp_path / "file" / "below" / "store.db")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(BackendError, match="cannot be opened"):
        upgrade(folder)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this is not a database, it is a letter" * 100)
    with pytest.raises(BackendCorrupt, match="not a database"):
        open_store(path, build.SteadyClock())


def test_a_damaged_page_is_found_by_the_check(store: SqlKnowledgeStore, path: Path) -> None:
    write_much(store)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    for page in range(40, len(content) // 4096, 9):
        content[page * 4096 : page * 4096 + 64] = os.urandom(64)
    path.write_bytes(content)
    backend = Backend(path)
    kinds = {one.kind for one in check_store(backend)}
    backend.close()
    assert kinds == {"damage"}


def test_waiting_for_another_writer_ends_in_busy(
    store: SqlKnowledgeStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        quick = Backend(path)
        with pytest.raises(BackendBusy) as caught, quick.writing():
            pass
        quick.close()
    assert caught.value.retry == "TRANSIENT"


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "://", "postgres//x"])
def test_a_url_that_names_no_store_is_refused_by_name(url: str) -> None:
    if url == "postgres//x":  # no scheme: a file path, and its folder is not there
        with pytest.raises(Exception, match="db upgrade"):
            open_store(url, build.SteadyClock())
        return
    with pytest.raises(ConfigInvalid):
        open_store(url, build.SteadyClock())


def test_a_process_killed_by_a_file_size_limit_leaves_a_readable_store(path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from quantrail.errors import BackendError\n"
        "from quantrail.knowledge import open_store\n"
        "from quantrail.testing import records as build\n"
        "from quantrail.testing.knowledge.world import register, save_results\n"
        "store = open_store(sys.argv[1], build.SteadyClock())\n"
        "with store.unit() as unit:\n"
        "    register(unit)\n"
        "    unit.commit()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    for batch in range(1000):\n"
        "        with store.unit() as unit:\n"
        "            save_results(unit, [build.strategy(batch * 50 + i) for i in range(50)], batch * 50)\n"
        "            unit.commit()\n"
        "        print(batch, flush=True)\n"
        "except BackendError as error:\n"
        "    print('refused', error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    *batches, last = done.stdout.splitlines()
    assert last.startswith("refused"), done.stderr
    store = open_store(path, build.SteadyClock())
    assert store.counts()["scores"] == 50 * len(batches)
    assert check_store(store.backend) == []
    store.close()


def write_while_connections_drop(store: SqlKnowledgeStore, url: str) -> None:
    with store.unit() as unit:
        save_results(unit, [build.strategy(1000)], 1000)
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        save_results(unit, [build.strategy(1001)], 1001)
        unit.commit()


@pytest.mark.postgres
def test_a_connection_dropped_mid_batch_undoes_it_and_the_store_goes_on(postgres_url: str) -> None:
    upgrade(postgres_url)
    store = open_store(postgres_url, build.SteadyClock())
    fill(store, 5)
    before = store.counts()
    with pytest.raises(BackendError, match=r"went away|terminat"):
        write_while_connections_drop(store, postgres_url)
    assert store.counts() == before
    write_much(store, size=3)
    assert store.counts()["strategies"] == before["strategies"] + 3
    store.close()


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(BackendError) as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/none", build.SteadyClock())
    assert "secret" not in caught.value.message


# --- operations ---------------------------------------------------------------------------------------


def kinds(store: SqlKnowledgeStore, folder: Path) -> set[str]:
    return {one.kind for one in check_store(store.backend, ArtifactFolder(folder))}


def test_the_check_tells_missing_changed_and_orphaned_files_apart(
    store: SqlKnowledgeStore, tmp_path: Path
) -> None:
    folder = ArtifactFolder(tmp_path / "artifacts")
    kept = folder.write_json("a/kept.json", {"x": 1})
    changed = folder.write_json("a/changed.json", {"x": 1})
    for name in ("artifacts/batch.parquet", "artifacts/metrics.parquet"):
        folder.write_bytes(name, b"there")
    with store.unit() as unit:
        unit.save_files([kept, changed])
        unit.commit()
    assert kinds(store, folder.root) == set()
    folder.write_bytes("stray.bin", b"?")
    assert kinds(store, folder.root) == {"orphaned file"}
    folder.path(changed.path).write_text("{}")
    folder.path("artifacts/batch.parquet").unlink()
    assert kinds(store, folder.root) == {"orphaned file", "changed file", "missing file"}


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DROP TRIGGER tr_scores_frozen", "missing rule"),
        (
            "DROP TRIGGER tr_scores_frozen; CREATE TRIGGER tr_scores_frozen BEFORE UPDATE ON scores "
            "BEGIN SELECT 1; END",
            "changed rule",
        ),
        ("DROP VIEW v_recalls; CREATE VIEW v_recalls AS SELECT 1 AS kind", "changed rule"),
        ("DROP INDEX ix_scores_engine", "missing rule"),
        ("UPDATE tag_counts SET failures = failures + 1", "drifted count"),
    ],
)
def test_the_check_finds_what_was_done_behind_the_store_s_back(
    store: SqlKnowledgeStore, path: Path, statement: str, kind: str
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:  # foreign keys are off here
        connection.executescript(statement)
    assert {one.kind for one in check_store(store.backend)} == {kind}
    assert all(one.mend for one in check_store(store.backend))


@pytest.mark.parametrize(
    ("guard", "statement", "found"),
    [
        ("universes_kept", "DELETE FROM universes", ("broken key", "contexts.fk_contexts_universe_pk")),
        (
            "metrics_frozen",
            "UPDATE metrics SET calc_contract_pk = calc_contract_pk + 1 WHERE backtest_pk = 1",
            ("broken key", "metrics.fk_metrics_contract_echo"),
        ),
        ("scores_frozen", "UPDATE scores SET engine_mode = 'B' WHERE pk = 1", ("wrong echo", "scores")),
        ("scores_frozen", "UPDATE scores SET run_pk = run_pk + 1 WHERE pk = 1", ("wrong echo", "scores")),
        ("scores_frozen", "UPDATE scores SET template_pk = NULL WHERE pk = 1", ("wrong echo", "scores")),
    ],
)
def test_the_check_finds_rows_changed_while_a_guard_was_gone(
    store: SqlKnowledgeStore, path: Path, guard: str, statement: str, found: tuple[str, str]
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:  # foreign keys are off here
        (sql,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", [f"tr_{guard}"]
        ).fetchone()
        connection.execute(f"DROP TRIGGER tr_{guard}")
        connection.execute(statement)
        connection.execute(sql)
    said = [(one.kind, one.subject) for one in check_store(store.backend)]
    assert found in said
    assert not [kind for kind, _ in said if kind.endswith("rule")]


# What somebody may do to the rules of a server, and what the check says of it.
BROKEN_ON_POSTGRES = {
    "ALTER TABLE failures DROP CONSTRAINT ck_failures_evidence_there": {
        ("missing rule", "ck_failures_evidence_there")
    },
    "ALTER TABLE scores DROP CONSTRAINT fk_scores_metrics": {("missing rule", "fk_scores_metrics")},
    "ALTER TABLE metrics ALTER schema_version DROP NOT NULL": {("changed rule", "metrics.schema_version")},
    "ALTER TABLE metrics DROP CONSTRAINT ck_metrics_drawdown_sign; ALTER TABLE metrics ADD CONSTRAINT "
    "ck_metrics_drawdown_sign CHECK (max_drawdown_net <= 1)": {("changed rule", "ck_metrics_drawdown_sign")},
    "ALTER TABLE metrics DISABLE TRIGGER tr_metrics_frozen": {("disabled rule", "tr_metrics_frozen")},
    "ALTER TABLE tag_counts DISABLE TRIGGER ALL": {("disabled rule", "fk_tag_counts_tag_pk")},
    "DROP TRIGGER tr_trials_whole ON trials": {("missing rule", "tr_trials_whole")},
    "CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$; "
    "DROP TRIGGER tr_strategies_frozen ON strategies; CREATE TRIGGER tr_strategies_frozen "
    "BEFORE UPDATE ON strategies FOR EACH ROW EXECUTE FUNCTION noop()": {
        ("changed rule", "tr_strategies_frozen")
    },
    "CREATE OR REPLACE FUNCTION quantrail_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN RETURN NEW; END$$": {("changed rule", "quantrail_refuse")},
    "DROP FUNCTION quantrail_earned() CASCADE": {
        ("missing rule", "quantrail_earned"),
        ("missing rule", "tr_promotion_records_earned"),
    },
    "DROP INDEX ix_scores_engine": {("missing rule", "ix_scores_engine")},
    "CREATE OR REPLACE VIEW v_recalls AS SELECT kind, target, reason, outcome_json, 'never' AS created_at "
    "FROM recalls": {("changed rule", "v_recalls")},
}


@pytest.mark.postgres
def test_the_check_finds_broken_rules_on_postgres(postgres_server: PostgresServer, postgres_url: str) -> None:
    upgrade(postgres_url)
    for statement, found in BROKEN_ON_POSTGRES.items():
        name = postgres_server.create_database(postgres_url.rpartition("/")[2].partition("?")[0])
        backend = Backend(postgres_server.url(name))
        assert check_store(backend) == []
        with psycopg.connect(postgres_server.url(name), autocommit=True) as connection:
            connection.execute(statement.encode())
        assert {(one.kind, one.subject) for one in check_store(backend)} == found, statement
        backend.close()
        postgres_server.drop_database(name)


def test_the_check_finds_a_spec_that_was_changed(store: SqlKnowledgeStore, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER tr_strategies_frozen")
        connection.execute("UPDATE strategies SET normalized_spec_json = '{}' WHERE pk = 1")
    assert {one.kind for one in check_store(store.backend)} == {"missing rule", "changed spec"}


def test_a_backup_taken_while_another_unit_is_open_holds_the_committed_state(
    store: SqlKnowledgeStore, tmp_path: Path
) -> None:
    before = store.counts()
    target = tmp_path / "backups" / "one.db"
    with store.unit() as unit:
        save_results(unit, [build.strategy(1000)], 1000)
        assert backup_store(store.backend, target) == target.stat().st_size
        unit.commit()
    copy = open_store(target, build.SteadyClock())
    assert copy.counts() == before
    assert check_store(copy.backend) == []
    copy.close()
    with pytest.raises(Conflict, match="never overwrites"):
        backup_store(store.backend, target)


def test_vacuum_gives_room_back_and_keeps_every_row(store: SqlKnowledgeStore) -> None:
    write_much(store)
    before = store.counts()
    size = store_stats(store.backend)
    assert size.bytes_per_backtest == size.size_bytes / before["backtests"]
    vacuum_store(store.backend)
    assert store.counts() == before


@pytest.mark.postgres
def test_copying_to_postgres_and_back_keeps_every_row_and_hash(
    store: SqlKnowledgeStore, postgres_url: str, tmp_path: Path
) -> None:
    there = copy_store(store.backend, postgres_url)
    server = Backend(postgres_url)
    back = copy_store(server, tmp_path / "back.db")
    assert there == back
    assert check_store(server) == []
    again = open_store(tmp_path / "back.db", build.SteadyClock())
    assert again.counts() == store.counts()
    assert again.leaderboard(limit=100) == store.leaderboard(limit=100)
    assert again.latest_constraint_set() == store.latest_constraint_set()
    with pytest.raises(Conflict, match="holds rows already"):
        copy_store(store.backend, postgres_url)
    size = backup_store(server, tmp_path / "from_server.db")
    assert size == (tmp_path / "from_server.db").stat().st_size
    server.close()
    again.close()


def test_copying_mends_drifted_counts(store: SqlKnowledgeStore, path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE tag_counts SET failures = 77")
    copy_store(store.backend, tmp_path / "mended.db")
    mended = Backend(tmp_path / "mended.db")
    assert check_store(mended) == []
    mended.close()


def test_lists_become_frames_of_either_kind(store: SqlKnowledgeStore) -> None:
    rows = store.leaderboard(limit=5).rows
    for make in (to_pandas, to_polars):
        frame: Any = make(rows)
        assert list(frame["backtest_id"]) == [one.backtest_id for one in rows]
        assert list(frame["sharpe_net"]) == [one.metrics["sharpe_net"] for one in rows]


# --- artifact files -------------------------------------------------------------------------------------


def test_an_artifact_is_written_whole_and_read_back(tmp_path: Path) -> None:
    folder = ArtifactFolder(tmp_path)
    made = folder.write_parquet("runs/x/equity.parquet", {"equity": np.array([1.0, 1.1]), "day": [1, 2]})
    assert folder.describe(made.path) == made
    assert folder.read_parquet("runs/x/equity.parquet")["equity"].to_pylist() == [1.0, 1.1]
    assert folder.read_parquet(ArtifactRef(made.path, 1)).to_pylist() == [{"equity": 1.1, "day": 2}]
    lines = folder.write_json_lines("runs/x/evidence.jsonl", [{"a": 1}, {"b": "한글"}])
    assert folder.read_json(ArtifactRef(lines.path, 1)) == {"b": "한글"}


def test_an_artifact_is_never_overwritten(tmp_path: Path) -> None:
    folder = ArtifactFolder(tmp_path)
    first = folder.write_json("a.json", {"x": 1})
    assert folder.write_json("a.json", {"x": 1}) == first
    with pytest.raises(Conflict, match=r"a\.json"):
        folder.write_json("a.json", {"x": 2})
    assert folder.read_json("a.json") == {"x": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


REFUSALS: list[tuple[Callable[[ArtifactFolder], object], type[Exception]]] = [
    (lambda folder: folder.write_json("../out.json", {}), InvalidInput),
    (lambda folder: folder.write_json("/out.json", {}), InvalidInput),
    (lambda folder: folder.write_json("nan.json", {"x": float("nan")}), InvalidInput),
    (lambda folder: folder.read_json("missing.json"), NotFound),
    (lambda folder: folder.write_json("file/below.json", {}), BackendError),
]


@pytest.mark.parametrize(("act", "error"), REFUSALS)
def test_an_artifact_that_cannot_be_is_refused_by_name(
    tmp_path: Path, act: Callable[[ArtifactFolder], object], error: type[Exception]
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(error):
        act(ArtifactFolder(tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_leaves_no_part_of_an_artifact(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(BackendError, match="cannot write"):
            ArtifactFolder(tmp_path).write_bytes("large.bin", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
