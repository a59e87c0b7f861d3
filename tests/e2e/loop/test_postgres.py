"""The whole loop on PostgreSQL: the same ids, scores and constraints as on SQLite."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

QUERIES = (
    "SELECT strategy_id FROM v_strategies",
    "SELECT backtest_id, status, result_hash FROM v_backtests",
    "SELECT backtest_id, policy_version, score_total FROM v_scores",
    "SELECT failure_id, severity, confidence FROM v_failures",
    "SELECT constraint_set_id, constraint_id FROM v_constraints",
    "SELECT constraint_id, failure_id FROM v_constraint_provenance",
)


def content(url: str) -> list[Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [sorted(tuple(row) for row in connection.execute(text(query))) for query in QUERIES]
    engine.dispose()
    return found


@pytest.mark.postgres
def test_a_run_is_the_same_on_both_backends(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path, postgres_url: str
) -> None:
    config = small_config(tmp_path)
    homes = {name: tmp_path / name for name in ("sqlite", "postgres")}
    for home in homes.values():
        shutil.copytree(bars_home, home)
    database = {"QUANTRAIL_DATABASE_URL": postgres_url}
    done = command("run", "start", config, "--home", homes["sqlite"])
    assert done.code == 0, done.stderr
    done = command("run", "start", config, "--home", homes["postgres"], env=database)
    assert done.code == 0, done.stderr
    assert content(postgres_url) == content(f"sqlite:///{homes['sqlite'] / 'quantrail.db'}")
    assert not (homes["postgres"] / "quantrail.db").exists()
    for arguments in (
        ("leaderboard",),
        ("failures", "top", "--by", "template"),
        ("constraints", "list"),
        ("run", "list"),
        ("reproduce", "--sample", "3"),
        ("report",),
        ("doctor",),
    ):
        done = command(*arguments, "--json", "--home", homes["postgres"], env=database)
        assert done.code == 0, (arguments, done.stdout, done.stderr)
