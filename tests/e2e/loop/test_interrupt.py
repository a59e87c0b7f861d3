"""Ctrl-C in the middle of the demo: exit 130, a readable store, and the next run as if nothing was."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_leaves_a_readable_store(command: Any, tmp_path: Path, workers: str) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "quantrail", "demo", "--home", str(home), "--workers", workers],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "iteration 2" in line:
            break
    time.sleep(0.3)
    # A terminal sends the signal to the whole foreground group, workers included.
    import os

    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.strip().splitlines()[-1] == "interrupted; what was finished is kept"
    assert "Traceback" not in errors
    runs = command("run", "list", "--json", "--home", home).json["rows"]
    assert [run["status"] for run in runs] == ["STOPPED"]
    # Which run it was, and what to type.
    said = f"run {runs[0]['run_id']} stopped; to go on: "
    line = next(line for line in errors.splitlines() if line.startswith(said))
    assert line.endswith(f" demo --home {home}")
    board = command("leaderboard", "--json", "--home", home)
    assert board.code == 0
    assert len(board.json["rows"]) == 20
    assert command("reproduce", "--sample", "3", "--home", home).code == 0
    assert command("db", "check", "--home", home).code == 0
