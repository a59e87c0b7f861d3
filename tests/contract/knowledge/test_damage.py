"""Damaged files, lost files, files nobody knows: each is told by name, with advice that is true."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quantrail.domain.records import ArtifactFile, ArtifactRef
from quantrail.errors import BackendCorrupt, ConfigInvalid, InvalidInput
from quantrail.knowledge import (
    ArtifactFolder,
    Backend,
    Finding,
    SqlKnowledgeStore,
    backup_store,
    check_store,
    copy_store,
    open_store,
    upgrade,
)
from quantrail.knowledge.backend import prepare_sqlite
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "store.db"
    upgrade(path)
    store = open_store(path, build.SteadyClock())
    fill(store, 60)
    store.close()
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "store.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqlKnowledgeStore]:
    store = open_store(path, build.SteadyClock())
    yield store
    store.close()


def root_page(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name]).fetchone()
    return int(page)


def overwrite(path: Path, page: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(content)


def empty_page(path: Path, page: int) -> None:
    """An empty leaf of a table: rows that indexes promise are gone, and SQLite says nothing when reading."""
    overwrite(path, page, b"\x0d\x00\x00\x00\x00\x10\x00\x00")


def garble(path: Path) -> None:
    """Bytes that are no UTF-8 in the name of a template."""
    content = path.read_bytes()
    at = content.rindex(build.TEMPLATES[0].title().encode())
    path.write_bytes(content[:at] + b"\xff\xfe" + content[at + 2 :])


def findings(path: Path) -> list[Finding]:
    backend = Backend(path)
    try:
        return check_store(backend)
    finally:
        backend.close()


def test_a_row_that_only_an_index_knows_is_damage_not_a_programming_error(path: Path) -> None:
    empty_page(path, root_page(path, "metrics"))
    store = open_store(path, build.SteadyClock())
    with pytest.raises(BackendCorrupt, match=r"store\.db: the database file is damaged .*restore a backup"):
        store.leaderboard()
    store.close()


def test_an_error_that_is_ours_is_not_put_down_to_a_sound_file(store: SqlKnowledgeStore) -> None:
    with pytest.raises(InvalidInput) as caught:
        store.leaderboard("no filter")  # type: ignore[arg-type]
    assert isinstance(caught.value.__cause__, AttributeError)


def test_text_that_is_no_text_is_damage(path: Path) -> None:
    """A changed byte within a row is in no page's order, so SQLite's own check does not see it."""
    garble(path)
    store = open_store(path, build.SteadyClock())
    with pytest.raises(BackendCorrupt, match=r"store\.db: the database file is damaged"):
        store.list_templates()
    store.close()


@pytest.mark.parametrize("page", ["first", "inner"])
def test_a_damaged_file_is_a_finding_with_the_way_out(path: Path, page: str) -> None:
    if page == "first":
        overwrite(path, 1, b"no database at all, but a letter, and a long one" * 50)
    else:
        overwrite(path, root_page(path, "scores"), os.urandom(64))
    found = findings(path)
    assert {one.kind for one in found} == {"damage"}
    assert all("newest backup" in one.mend for one in found)
    assert all(one.detail and "\n" not in one.detail and len(one.detail) < 400 for one in found)


@pytest.mark.parametrize("seen", ["by SQLite's check", "only when it is read"])
def test_a_copy_of_a_damaged_file_names_it_and_leaves_no_target(
    path: Path, tmp_path: Path, seen: str
) -> None:
    if seen == "only when it is read":
        garble(path)
    else:
        overwrite(path, root_page(path, "scores"), b"\xff" * 64)
    backend = Backend(path)
    with pytest.raises(BackendCorrupt) as caught:
        copy_store(backend, tmp_path / "copy.db")
    backend.close()
    assert str(path) in caught.value.message
    assert "copy.db" not in caught.value.message
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("copy")] == []


def test_a_copy_does_not_pass_over_rows_that_are_lost(path: Path, tmp_path: Path) -> None:
    empty_page(path, root_page(path, "scores"))
    backend = Backend(path)
    with pytest.raises(BackendCorrupt, match=r"store\.db: the database file is damaged"):
        copy_store(backend, tmp_path / "copy.db")
    backend.close()
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_that_fails_keeps_a_target_that_was_there(path: Path, tmp_path: Path) -> None:
    overwrite(path, root_page(path, "scores"), b"\xff" * 64)
    target = tmp_path / "copy.db"
    upgrade(target)
    backend = Backend(path)
    with pytest.raises(BackendCorrupt):
        copy_store(backend, target)
    backend.close()
    assert findings(target) == []


def test_a_backup_of_a_damaged_file_is_no_backup(path: Path, tmp_path: Path) -> None:
    empty_page(path, root_page(path, "metrics"))
    (tmp_path / "kept").mkdir()
    backend = Backend(path)
    with pytest.raises(BackendCorrupt, match=r"the backup of .*store\.db is damaged"):
        backup_store(backend, tmp_path / "kept" / "backup.db")
    backend.close()
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("url", ["", "  ", None, 5])
def test_a_url_that_says_nothing_is_refused_in_a_sentence(
    store: SqlKnowledgeStore, url: str, tmp_path: Path
) -> None:
    for act in (
        lambda: open_store(url, build.SteadyClock()),
        lambda: upgrade(url),
        lambda: copy_store(store.backend, url),
    ):
        with pytest.raises(ConfigInvalid, match=r"not a database: .*write a file"):
            act()


def test_a_connection_works_under_the_settings_that_the_docs_promise(path: Path) -> None:
    store = open_store(path, build.SteadyClock())
    with store.backend.reading() as session:
        assert session.rows("PRAGMA journal_mode") == [("wal",)]
        assert session.rows("PRAGMA foreign_keys") == [(1,)]
        assert session.rows("PRAGMA busy_timeout") == [(5000,)]
    for durable, level in ((False, 1), (True, 2), (False, 1)):  # NORMAL, FULL
        with store.backend.writing(durable) as session:
            assert session.rows("PRAGMA synchronous") == [(level,)]
    store.close()
    with closing(sqlite3.connect(path.with_name("other.db"))) as plain:
        prepare_sqlite(plain)
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_durable_unit_asks_for_full_flushes(store: SqlKnowledgeStore) -> None:
    for durable, level in ((True, 2), (False, 1)):
        with store.unit(durable=durable) as unit:
            unit.upsert_strategy(build.strategy(900 + level))
            unit.commit()
        with store.backend._writer() as (cursor, _):
            assert cursor.execute("PRAGMA synchronous").fetchone() == (level,)


# --- artifact files -------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    made = ArtifactFolder(tmp_path / "artifacts")
    for name in ("batch", "metrics"):
        made.write_bytes(f"artifacts/{name}.parquet", b"there")
    return made


def kept(store: SqlKnowledgeStore, folder: ArtifactFolder, *names: str) -> None:
    with store.unit() as unit:
        unit.save_files([folder.write_bytes(name, name.encode()) for name in names])
        unit.commit()


def told(store: SqlKnowledgeStore, folder: ArtifactFolder) -> list[tuple[str, str]]:
    found = check_store(store.backend, folder)
    assert all(one.mend for one in found)
    return [(one.kind, one.subject) for one in found]


def test_a_file_that_became_a_folder_is_a_finding(store: SqlKnowledgeStore, folder: ArtifactFolder) -> None:
    kept(store, folder, "a/one.json")
    folder.path("a/one.json").unlink()
    folder.path("a/one.json").mkdir()
    assert told(store, folder) == [("changed file", "a/one.json")]


def test_a_stray_file_in_a_backtest_s_folder_is_orphaned(
    store: SqlKnowledgeStore, folder: ArtifactFolder
) -> None:
    strategy = build.strategy(700)
    with store.unit() as unit:
        unit.upsert_strategy(strategy)
        unit.insert_backtest(build.backtest(strategy, 700, artifacts_dir=ArtifactRef("runs/x")))
        unit.commit()
    folder.write_bytes("runs/x/deep/whole.bin", b"handed over as a whole folder")
    assert told(store, folder) == []
    kept(store, folder, "runs/x/trades.parquet", "runs/x/deep/whole.bin2")
    folder.path("runs/x/deep/whole.bin").rename(folder.path("runs/x/stray.bin"))
    assert told(store, folder) == [("orphaned file", "runs/x/stray.bin")]


@pytest.mark.parametrize("layout", ["of today", "of before"])
def test_a_lost_table_comes_back_only_with_its_own_bytes(folder: ArtifactFolder, layout: str) -> None:
    columns = {"session": [1, 2, 3], "equity": [1.0, 1.5, 0.1]}
    if layout == "of today":
        stored = folder.write_parquet("x/curves.parquet", columns)
    else:
        made = io.BytesIO()
        pq.write_table(pa.table(columns), made, compression="zstd")
        stored = folder.write_bytes("x/curves.parquet", made.getvalue())
    before = folder.path(stored.path).read_bytes()
    folder.path(stored.path).unlink()
    other = {**columns, "equity": [1.0, 1.5, 0.2]}
    assert not folder.restore_parquet(stored.path, other, stored.sha256)
    assert not folder.path(stored.path).exists()
    assert folder.restore_parquet(stored.path, columns, stored.sha256)
    assert folder.path(stored.path).read_bytes() == before


@pytest.mark.parametrize(
    ("odd", "plain"),
    [("a//b.json", "a/b.json"), ("./c.json", "c.json"), ("d/./e.json", "d/e.json"), ("f/", "f")],
)
def test_a_path_has_one_spelling(
    store: SqlKnowledgeStore, folder: ArtifactFolder, odd: str, plain: str
) -> None:
    strategy = build.strategy(701)
    attempts = [
        lambda unit: folder.write_json(odd, {}),
        lambda unit: unit.save_files([ArtifactFile(odd, build.hash_of("x"), 1)]),
        lambda unit: (
            unit.upsert_strategy(strategy),
            unit.insert_backtest(build.backtest(strategy, 701, artifacts_dir=ArtifactRef(odd))),
        ),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidInput, match=f"write '{plain}'"), store.unit() as unit:
            attempt(unit)
    assert told(store, folder) == []


def test_rows_of_before_under_another_spelling_still_find_their_file(
    store: SqlKnowledgeStore, folder: ArtifactFolder, path: Path
) -> None:
    kept(store, folder, "a/b.json")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO files SELECT pk + 1000, 'a//./b.json', sha256, size_bytes, created_at FROM files "
            "WHERE path = 'a/b.json'"
        )
    assert told(store, folder) == []
    folder.path("a/b.json").unlink()
    assert told(store, folder) == [("missing file", "a//./b.json"), ("missing file", "a/b.json")]
