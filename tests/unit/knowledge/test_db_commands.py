"""`quantrail db …` as people and machines call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quantrail.apps.cli.db import app
from quantrail.errors import SchemaOutdated
from quantrail.knowledge import open_store
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a filled store and the files its rows point to."""
    monkeypatch.delenv("QUANTRAIL_DATABASE_URL", raising=False)
    monkeypatch.delenv("QUANTRAIL_HOME", raising=False)
    home = tmp_path / "home"
    assert call("upgrade", "--home", str(home)) == (0, {"from": None, "to": "0005", "changed": True})
    store = open_store(home / "quantrail.db", build.SteadyClock())
    fill(store, 4)
    store.close()
    for name in ("batch", "metrics"):
        file = home / "artifacts" / "artifacts" / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"there")
    return home


def call(*arguments: str) -> tuple[int, Any]:
    """Exit code and the JSON document."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def test_upgrading_again_says_that_nothing_changed(home: Path) -> None:
    assert call("upgrade", "--home", str(home)) == (0, {"from": "0005", "to": "0005", "changed": False})


def test_a_sound_store_passes_the_check_and_a_lost_file_fails_it(home: Path) -> None:
    assert call("check", "--home", str(home)) == (0, {"findings": [], "total": 0})
    (home / "artifacts" / "artifacts" / "batch.parquet").unlink()
    code, found = call("check", "--home", str(home))
    assert code == 3
    assert [one["kind"] for one in found["findings"]] == ["missing file"]


def test_stats_count_rows_and_bytes(home: Path) -> None:
    code, found = call("stats", "--home", str(home))
    assert code == 0
    assert found["rows"]["strategies"] == 4
    assert found["size_bytes"] > 0


def test_a_backup_and_a_copy_hold_the_same_rows(home: Path, tmp_path: Path) -> None:
    code, found = call("backup", str(tmp_path / "backup.db"), "--home", str(home))
    assert (code, found["size_bytes"]) == (0, (tmp_path / "backup.db").stat().st_size)
    code, found = call("copy", "--to", f"sqlite:///{tmp_path / 'copy.db'}", "--home", str(home))
    assert code == 0
    counts = []
    for name in ("backup.db", "copy.db"):
        store = open_store(tmp_path / name, build.SteadyClock())
        counts.append(store.counts())
        store.close()
    assert counts[0] == counts[1]
    assert found["rows"] == sum(n for name, n in counts[1].items() if name not in ("tag_counts",))


def test_vacuum_tells_the_size_before_and_after(home: Path) -> None:
    code, found = call("vacuum", "--home", str(home))
    assert code == 0
    assert set(found) == {"before_bytes", "after_bytes"}


def test_an_empty_home_names_the_command_that_makes_the_store(tmp_path: Path) -> None:
    with pytest.raises(SchemaOutdated, match="quantrail db upgrade"):
        call("check", "--home", str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", ["upgrade", "check", "backup", "stats", "vacuum", "copy"])
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert f"quantrail db {command}" in done.stdout
