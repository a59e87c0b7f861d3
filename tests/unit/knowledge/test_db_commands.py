"""`quantrail db …` as people and machines call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quantrail.apps.cli.db import app
from quantrail.apps.cli.main import invoke
from quantrail.errors import ConfigInvalid, SchemaOutdated
from quantrail.knowledge import open_store
from quantrail.knowledge import upgrade as migrate
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a filled store and the files its rows point to."""
    monkeypatch.delenv("QUANTRAIL_DATABASE_URL", raising=False)
    monkeypatch.delenv("QUANTRAIL_HOME", raising=False)
    home = tmp_path / "home"
    assert call("upgrade", "--home", str(home)) == (0, {"from": None, "to": "0006", "changed": True})
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
    assert call("upgrade", "--home", str(home)) == (0, {"from": "0006", "to": "0006", "changed": False})


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


def test_a_damaged_file_is_a_finding_with_exit_code_3(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "quantrail.db"
    file.write_bytes(b"?" * 64 + file.read_bytes()[64:])
    code, found = call("check", "--home", str(home))
    assert (code, found["total"]) == (3, 1)
    assert found["findings"][0]["kind"] == "damage"
    assert str(file) in found["findings"][0]["detail"]
    assert invoke(["doctor", "--json", "--home", str(home)]) == 1
    (store,) = [one for one in json.loads(capsys.readouterr().out)["checks"] if one["name"] == "store"]
    assert (store["ok"], store["remedy"]) == (False, f"quantrail db check --home {home}")


def test_an_empty_target_is_refused_in_a_sentence(home: Path) -> None:
    with pytest.raises(ConfigInvalid, match="not a database: ''; write a file"):
        call("copy", "--to", "", "--home", str(home))


@pytest.fixture
def old_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("QUANTRAIL_DATABASE_URL", raising=False)
    home = tmp_path / "old"
    migrate(home / "quantrail.db", "0004")
    return home


def test_an_older_store_is_backed_up_before_its_upgrade(old_home: Path, tmp_path: Path) -> None:
    assert call("backup", str(tmp_path / "backup.db"), "--home", str(old_home))[0] == 0
    assert call("upgrade", "--home", str(old_home))[1]["from"] == "0004"
    with pytest.raises(SchemaOutdated, match="is at schema 0004"):
        open_store(tmp_path / "backup.db", build.SteadyClock())


def test_a_backup_of_nothing_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SchemaOutdated, match="holds no store yet"):
        call("backup", str(tmp_path / "backup.db"), "--home", str(tmp_path / "nothing"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
def test_an_older_server_is_told_how_to_keep_it(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres_url, "0004")
    monkeypatch.setenv("QUANTRAIL_DATABASE_URL", postgres_url)
    with pytest.raises(
        SchemaOutdated, match="at schema 0004; keep it with pg_dump, then run: QUANTRAIL_DATA"
    ):
        call("backup", str(tmp_path / "backup.db"), "--home", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ["leaderboard"],
        ["demo"],
        ["db", "stats"],
        ["db", "check"],
        ["backtest", "SPEC"],
        ["run", "start", "RUN"],
    ],
)
def test_no_command_migrates_unasked_and_each_names_the_one_that_does(
    old_home: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    files = {"SPEC": ROOT / "examples" / "sma.yaml", "RUN": ROOT / "examples" / "search.yaml"}
    before = (old_home / "quantrail.db").read_bytes()
    called = [str(files.get(word, word)) for word in command]
    assert invoke([*called, "--home", str(old_home)]) == 1
    assert f"run: quantrail db upgrade --home {old_home}" in capsys.readouterr().err
    assert invoke(["doctor", "--json", "--home", str(old_home)]) == 1
    told = {one["name"]: one["remedy"] for one in json.loads(capsys.readouterr().out)["checks"]}
    assert told["store"] == f"quantrail db upgrade --home {old_home}"
    assert (old_home / "quantrail.db").read_bytes() == before


def test_a_demo_in_a_home_of_other_runs_is_refused_before_bars_come_in(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["demo", "--home", str(home)]) == 1
    assert "runs that are not demo runs" in capsys.readouterr().err
    assert list((home / "market").iterdir()) == []


@pytest.mark.parametrize("command", ["upgrade", "check", "backup", "stats", "vacuum", "copy"])
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert f"quantrail db {command}" in done.stdout
