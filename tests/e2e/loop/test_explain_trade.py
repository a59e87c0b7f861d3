"""`quantrail explain-trade` on the bundled bars, against what the backtest stored."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
import yaml

SPEC = {
    "universe": {"symbols": ["AAPL", "XOM"]},
    "features": {"mean": {"type": "sma", "inputs": ["close"], "params": {"period": 10}}},
    "conditions": {
        "above": {"node": "CMP", "left": "close", "op": ">", "right": "mean"},
        "below": {"node": "CMP", "left": "close", "op": "<", "right": "mean"},
    },
    "modules": {"entry": {"condition": {"ref": "above"}}, "exit": {"condition": {"ref": "below"}}},
}


@pytest.fixture(scope="module")
def asked(command: Any, bars_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """A home with one backtest, and the rows of engines A and B."""
    folder = tmp_path_factory.mktemp("explain")
    shutil.copytree(bars_home, folder / "home")
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC))
    done = command(
        "backtest", folder / "spec.yaml", "--period", "2015-01-01:2015-12-31", "--json",
        "--home", folder / "home",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return folder / "home", *done.json["results"]


def test_a_stored_trade_is_told_with_the_clauses_and_fills_behind_it(command: Any, asked: Any) -> None:
    home, _, b = asked
    rows = pq.read_table(home / "artifacts" / b["artifacts_dir"] / "trades.parquet").to_pylist()
    trade = next(k for k, row in enumerate(rows) if not row["is_open"] and row["bars_held"] > 1)
    told = command("explain-trade", b["backtest_id"][:8], trade, "--json", "--home", home)
    assert told.code == 0, told.stderr
    story = told.json["stories"][0]
    assert story["headline"].startswith(f"{rows[trade]['symbol']} long, {rows[trade]['entry_session']}")
    entered = next(c for c in story["entry"]["clauses"] if c["text"].startswith("long entry"))
    assert entered["held"]
    assert entered["left"] > entered["right"]
    assert story["entry"]["session"] < str(rows[trade]["entry_session"])
    left = next(c for c in story["exit"]["clauses"] if c["text"].startswith("long exit"))
    assert left["held"]
    assert left["left"] < left["right"]
    assert len(story["fills"]) == 2


def test_a_strategy_stands_for_its_newest_result_of_engine_b(command: Any, asked: Any) -> None:
    home, a, b = asked
    assert a["strategy_id"] == b["strategy_id"]
    by_strategy = command("explain-trade", b["strategy_id"][:10], 0, "--json", "--home", home)
    assert by_strategy.code == 0, by_strategy.stderr
    assert by_strategy.json["backtest_id"] == b["backtest_id"]


def test_engine_a_is_told_by_engine_b_under_its_rules(command: Any, asked: Any) -> None:
    home, a, _ = asked
    told = command("explain-trade", a["backtest_id"], 0, "--home", home)
    assert told.code == 0, told.stderr
    assert "agrees with the result trade by" in told.stdout
    assert "Why in:" in told.stdout


@pytest.mark.parametrize("engine", [0, 1])
def test_a_result_that_does_not_come_out_as_stored_is_not_told(
    command: Any, asked: Any, tmp_path: Path, engine: int
) -> None:
    home, *results = asked
    shutil.copytree(home, tmp_path / "home")
    asked_about = results[engine]["backtest_id"]
    with closing(sqlite3.connect(tmp_path / "home" / "quantrail.db")) as connection:
        # The store forbids this; what is meant is a file that something else has changed.
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE tbl_name = 'backtests' AND type = 'trigger'"
        ).fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        changed = connection.execute(
            "UPDATE backtests SET result_hash = ? WHERE backtest_id = ?", (bytes(32), UUID(asked_about).bytes)
        )
        connection.commit()
    assert changed.rowcount == 1
    told = command("explain-trade", asked_about, 0, "--home", tmp_path / "home")
    assert told.code != 0
    assert "does not come out as stored any more" in " ".join(told.stderr.split())


def test_a_day_is_told_for_one_symbol(command: Any, asked: Any) -> None:
    home, _, b = asked
    told = command(
        "explain-trade", b["backtest_id"], "--day", "2015-03-02", "--symbol", "AAPL", "--json", "--home", home
    )
    assert told.code == 0, told.stderr
    assert [(s["symbol"], s["session"]) for s in told.json["stories"]] == [("AAPL", "2015-03-02")]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (("9999",), "has no trade 9999: they are numbered 0 to"),
        ((), "give the number of a trade, or --day DATE"),
        (("--day", "2015-03-01"), "2015-03-01 is not a session"),
        (("--day", "2015-03-02", "--symbol", "ZZZ"), "symbol 'ZZZ' is not in the backtest"),
        (("--day", "soon"), "is not a date like 2015-03-02"),
    ],
)
def test_questions_about_nothing_exit_2_in_one_sentence(
    command: Any, asked: Any, question: tuple[str, ...], message: str
) -> None:
    home, _, b = asked
    told = command("explain-trade", b["backtest_id"], *question, "--home", home)
    assert told.code == 2
    assert message in " ".join(told.stderr.split())
    assert "Traceback" not in told.stderr
