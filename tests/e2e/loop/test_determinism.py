"""Same configuration, data and seed: the same ids, scores and constraints, for any number of workers."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

QUERIES = {
    "strategies": "SELECT strategy_id FROM v_strategies ORDER BY 1",
    "backtests": "SELECT backtest_id, status, result_hash FROM v_backtests ORDER BY 1",
    "scores": "SELECT backtest_id, policy_version, score_total, passed FROM v_scores ORDER BY 1, 2",
    "failures": "SELECT failure_id, severity, confidence FROM v_failures ORDER BY 1",
    "constraints": "SELECT constraint_set_id, constraint_id FROM v_constraints ORDER BY 1, 2",
    "provenance": "SELECT constraint_id, failure_id FROM v_constraint_provenance ORDER BY 1, 2",
}


def content(home: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(home / "quantrail.db") as connection:
        found = {name: connection.execute(query).fetchall() for name, query in QUERIES.items()}
    connection.close()
    return found


def ran(command: Any, bars_home: Path, folder: Path, config: Path) -> dict[str, list[Any]]:
    shutil.copytree(bars_home, folder)
    done = command("run", "start", config, "--home", folder, "--json")
    assert done.code == 0, done.stderr
    return content(folder)


def test_one_worker_or_two_fresh_home_or_another(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    one = small_config(tmp_path)
    two = small_config(tmp_path / "two", workers=2)
    first = ran(command, bars_home, tmp_path / "a", one)
    assert all(first.values()), {k: len(v) for k, v in first.items()}
    assert ran(command, bars_home, tmp_path / "b", one) == first
    assert ran(command, bars_home, tmp_path / "c", two) == first


def test_another_seed_searches_elsewhere(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    first = ran(command, bars_home, tmp_path / "a", small_config(tmp_path))
    second = ran(command, bars_home, tmp_path / "b", small_config(tmp_path / "other", seed=8))
    ids = {row[0] for row in first["strategies"]}
    other = {row[0] for row in second["strategies"]}
    assert len(ids & other) < 0.2 * len(ids)


def test_a_repeated_run_finds_its_results_in_the_store(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    config = small_config(tmp_path, constraints={"base": "none"})
    first = ran(command, bars_home, home, config)
    done = command("run", "start", config, "--home", home, "--json")
    assert done.code == 0, done.stderr
    funnels = [i["funnel"] for i in done.json["iterations"]]
    assert sum(f["screened"] for f in funnels) == 0
    assert sum(f["cached"] for f in funnels) > 100
    assert sum(f["verified"] for f in funnels) == 0
    assert content(home) == first


def test_every_result_reproduces_also_with_a_gap_before_validation(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    from quantrail.services.demo import demo_document

    data = demo_document()["data"] | {"symbols": ["AAPL", "KO", "MSFT", "XOM"]}
    data["splits"] = data["splits"] | {"train": {"start": "2014-01-02", "end": "2015-06-30"}}
    search = {"budget": {"candidates": 30, "iterations": 2}, "shortlist": 3}
    home = tmp_path / "home"
    ran(command, bars_home, home, small_config(tmp_path, data=data, search=search))
    done = command("reproduce", "--sample", "100000", "--json", "--home", home)
    assert done.code == 0, done.stdout
    assert done.json["equal"] == done.json["total"] > 60
