"""What goes wrong is said in one sentence, with the exit code the table of codes promises."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest


def one_sentence(ran: Any) -> str:
    lines = [line for line in ran.stderr.strip().splitlines() if line]
    assert len(lines) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    return str(lines[0])


def test_a_missing_config_exits_2(command: Any, tmp_path: Path) -> None:
    done = command("run", "start", tmp_path / "none.yaml", "--home", tmp_path / "home")
    assert done.code == 2
    assert "none.yaml does not exist" in one_sentence(done)
    assert not (tmp_path / "home").exists()


def test_a_malformed_config_exits_2(command: Any, tmp_path: Path) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text("name: x\ndata: {splitz: 3}\n")
    done = command("run", "start", config, "--home", tmp_path / "home")
    assert done.code == 2
    assert "data.splitz is not a known key; did you mean splits?" in one_sentence(done)


def test_an_unknown_symbol_exits_2_with_the_nearest(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    from quantrail.services.demo import demo_document

    data = demo_document()["data"] | {"symbols": ["APPL"]}
    done = command("run", "start", small_config(tmp_path, data=data), "--home", home)
    assert done.code == 2
    sentence = one_sentence(done)
    assert "'APPL'" in sentence
    assert "AAPL" in sentence
    assert command("run", "list", "--home", home, "--json").json["rows"] == []


def test_an_empty_data_file_exits_2(command: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    done = command("data", "import", empty, "--home", tmp_path / "home")
    assert done.code == 2
    assert "empty.csv" in one_sentence(done)


def test_a_home_without_bars_exits_2(command: Any, small_config: Any, tmp_path: Path) -> None:
    done = command("run", "start", small_config(tmp_path), "--home", tmp_path / "home")
    assert done.code == 2
    assert "no market data" in one_sentence(done)


def test_a_home_that_cannot_be_written_exits_1(command: Any, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    done = command("demo", "--home", blocker / "home")
    assert done.code == 1
    assert "cannot be written" in one_sentence(done)


def test_a_home_that_is_not_there_exits_2(command: Any, tmp_path: Path) -> None:
    done = command("leaderboard", "--home", tmp_path / "nothing")
    assert done.code == 2
    assert "there is no quantrail home at" in one_sentence(done)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("arguments", [("leaderbord",), ("leaderboard", "--limit", "none"), ("reproduce",)])
def test_bad_usage_exits_2(command: Any, arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert command(*arguments, "--home", tmp_path / "nothing").code == 2


def test_errors_are_one_json_document_for_machines(command: Any, tmp_path: Path) -> None:
    done = command("leaderboard", "--home", tmp_path / "nothing", "--json")
    assert done.code == 2
    assert done.json["error"]["code"] == "NOT_FOUND"
    assert done.stderr == ""


def test_the_demo_leaves_a_home_with_other_runs_alone(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    config = small_config(tmp_path, search={"budget": {"candidates": 5, "iterations": 1}, "shortlist": 1})
    assert command("run", "start", config, "--home", home).code == 0
    done = command("demo", "--home", home)
    assert done.code == 1
    assert "runs that are not demo runs" in one_sentence(done)


def test_every_command_has_help_with_an_example(command: Any) -> None:
    names = ["demo", "doctor", "leaderboard", "show", "lineage", "reproduce", "report"]
    grouped = [
        ("run", "start"),
        ("run", "list"),
        ("run", "show"),
        ("failures", "top"),
        ("constraints", "list"),
    ]
    for arguments in [(name,) for name in names] + grouped:
        done = command(*arguments, "--help")
        assert done.code == 0
        assert "Example" in done.stdout, arguments
        assert "--json" in done.stdout, arguments


def test_a_validation_without_bars_exits_2_and_records_nothing(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    from quantrail.services.demo import demo_document

    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    data = demo_document()["data"] | {"symbols": ["AAPL", "KO"]}
    train = data["splits"]["train"]
    data["splits"] = {"train": train, "validation": {"start": "2020-01-02", "end": "2021-01-04"}}
    done = command("run", "start", small_config(tmp_path, data=data), "--home", home)
    assert done.code == 2
    assert "validation 2020-01-02 to 2021-01-04 holds 0 sessions" in one_sentence(done)
    assert command("run", "list", "--home", home, "--json").json["rows"] == []


@pytest.mark.parametrize("base", ["abc", "0123456789abcdef", "f" * 64])
def test_a_base_set_that_is_not_there_exits_2(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path, base: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    done = command("run", "start", small_config(tmp_path, constraints={"base": base}), "--home", home)
    assert done.code == 2
    assert "is neither latest, none, nor the id of a stored set" in one_sentence(done)
