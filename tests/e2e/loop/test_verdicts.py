"""What a reader is told of a finished run and its parts, at the terminal and in the report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantrail.strategy import TEMPLATES


@pytest.fixture(scope="module")
def told(command: Any, bars_home: Path, small_config: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home after one run, then one backtest over the same dates, and what both said."""
    folder = tmp_path_factory.mktemp("told")
    home = folder / "home"
    shutil.copytree(bars_home, home)
    run = command("run", "start", small_config(folder), "--home", home, "--json")
    assert run.code == 0, run.stderr
    spec = folder / "spec.yaml"
    spec.write_text(yaml.safe_dump(TEMPLATES["SMA_CROSSOVER"].build()))
    backtest = command("backtest", spec, "--home", home)
    assert backtest.code == 0, backtest.stderr
    return home, run.json, spec, backtest.stdout


def test_a_finished_runs_report_stays_as_it_is(command: Any, told: Any) -> None:
    home, run, _, _ = told
    again = command("report", run["run_id"], "--home", home, "--json").json["report"]
    assert again == run["report"]  # the path carries the page's hash
    page = Path(again).read_text(encoding="utf-8")
    assert "join days that lie apart" in page


def test_gates_and_failures_are_told_apart(command: Any, told: Any) -> None:
    home, _, spec, printed = told
    assert "gates of the score" in printed
    assert "sessions" in printed.splitlines()[0]
    tried = command("spec", "tried", spec, "--home", home).stdout
    assert "gates" in tried.splitlines()[0]
    assert "Apart from the gates it broke failure rules" in tried
    best = command("leaderboard", "--engine", "b", "--json", "--home", home).json["rows"][0]
    shown = " ".join(command("show", best["backtest_id"], "--home", home).stdout.split())
    assert "under score_v1; its gates: " in shown
    assert "join days that lie apart" in shown


def test_a_constraint_says_both_limits(command: Any, told: Any) -> None:
    home, _, _, _ = told
    held = command("constraints", "list", "--json", "--home", home).json["rows"]
    cited = {}
    for row in held:
        key = row["constraint"]["constraint_id"]
        found = command("constraints", "show", key, "--json", "--home", home).json
        cited[key] = len(found["provenance"]), found["constraint"]["constraint"]["statistics"]["failures"]
    key, (stored, counted) = max(cited.items(), key=lambda item: item[1])
    assert stored > 2
    shown = " ".join(command("constraints", "show", key, "--limit", "2", "--home", home).stdout.split())
    assert f"Cites {stored} stored failures" in shown
    assert f"and {stored - 2} more" in shown
    assert (f"a sample of {counted:,.0f}" in shown) == (counted > stored)


def test_a_run_is_shown_without_python_and_nones(command: Any, told: Any) -> None:
    home, run, _, _ = told
    shown = command("show", run["run_id"], "--home", home).stdout
    assert "None" not in shown
    assert "{'" not in shown
    assert "config:" in shown


def test_what_never_held_anything_does_not_lead_by_drawdown(command: Any, told: Any) -> None:
    home, _, _, _ = told
    rows = command("leaderboard", "--order", "drawdown", "--json", "--limit", "1000", "--home", home).json[
        "rows"
    ]
    assert rows
    assert all(row["max_drawdown_net"] < 0 or row["return_total_net"] != 0 for row in rows)
    everyone = command("leaderboard", "--json", "--limit", "1000", "--home", home).json["rows"]
    assert len(everyone) > len(rows)
