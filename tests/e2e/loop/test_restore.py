"""Lost artifact files: what `db check` advises is what brings them back."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from quantrail.lab import Lab, open_lab
from quantrail.strategy import ind, spec

SYMBOLS = ("AAPL", "JPM", "XOM")
CROSS = spec(entry=ind.sma(10) > ind.sma(30), exit=ind.sma(10) <= ind.sma(30), symbols=SYMBOLS)


@pytest.fixture
def home(bars_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bars_home, tmp_path / "home"))


@pytest.fixture
def lab(home: Path) -> Iterator[Lab]:
    with open_lab(home) as opened:
        yield opened


def files_below(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def lose(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def weights(lab: Lab) -> pd.DataFrame:
    days = pd.DatetimeIndex(lab.data.bars(SYMBOLS).sessions)
    return pd.DataFrame({"AAPL": 0.5, "XOM": [0.4 if i // 60 % 2 else 0.1 for i in range(len(days))]}, days)


MADE: list[Callable[[Lab], Any]] = [
    lambda lab: lab.backtest(CROSS, period=(date(2014, 1, 2), date(2016, 12, 30)))[1],
    lambda lab: lab.backtest(CROSS, engine="b", execution="market_v1", benchmark="KO")[0],
    lambda lab: lab.backtest_weights(weights(lab)),
]


@pytest.mark.parametrize("make", MADE, ids=["spec", "market orders", "signals"])
def test_every_lost_file_of_a_backtest_comes_back_bit_by_bit(
    lab: Lab, home: Path, make: Callable[[Lab], Any]
) -> None:
    result = make(lab)
    folder = home / "artifacts" / result.record.artifacts_dir
    before = files_below(folder)
    assert len(before) >= 4
    lose(folder)
    (again,) = lab.reproduce([result.record.backtest_id])
    assert again.equal
    assert again.detail == f"put back {', '.join(sorted(before))}"
    assert files_below(folder) == before
    assert [one.detail for one in lab.reproduce([result.record.backtest_id])] == [""]


def test_a_file_that_would_come_out_otherwise_is_not_put_back(lab: Lab, home: Path) -> None:
    result = MADE[0](lab)
    folder = result.record.artifacts_dir
    with closing(sqlite3.connect(home / "quantrail.db", isolation_level=None)) as connection:
        path = f"{folder}/orders.parquet"
        connection.execute("DROP TRIGGER tr_files_frozen")  # the store forbids this
        connection.execute("UPDATE files SET sha256 = zeroblob(32) WHERE path = ?", [path])
    for name in ("orders.parquet", "fills.parquet"):
        (home / "artifacts" / folder / name).unlink()
    (again,) = lab.reproduce([result.record.backtest_id])
    assert again.equal
    assert again.detail == (
        "put back fills.parquet; orders.parquet would come out with other bytes, so it stays missing"
    )
    assert not (home / "artifacts" / path).exists()


def findings(command: Any, home: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = command("db", "check", "--json", "--home", home).json["findings"]
    return found


def test_the_advice_for_a_lost_file_of_a_run_is_true(command: Any, home: Path, small_config: Any) -> None:
    done = command("run", "start", small_config(home), "--json", "--home", home)
    assert done.code == 0, done.stderr
    assert findings(command, home) == []
    lost = next((home / "artifacts").rglob("metrics_verified/*/orders.parquet"))
    changed, kept = lost.with_name("trades.parquet"), lost.with_name("failures.json")
    page = Path(done.json["report"])
    lost.unlink()
    page.unlink()
    changed.write_bytes(b"not what was stored")
    evidence = kept.read_bytes()
    kept.unlink()
    advice = {Path(one["subject"]).name: one["mend"] for one in findings(command, home)}
    assert set(advice) == {"orders.parquet", "trades.parquet", "failures.json", page.name}
    assert advice["trades.parquet"] == f"move it away, then: {advice['orders.parquet']}"
    assert "backup of the artifacts folder" in advice["failures.json"]
    assert "under another name" in advice[page.name]
    changed.unlink()
    told = shlex.split(advice["orders.parquet"].split(" makes it again")[0])
    assert told[:2] == ["quantrail", "reproduce"]
    assert command(*told[1:], "--home", home).code == 0
    kept.write_bytes(evidence)
    assert [one["subject"] for one in findings(command, home)] == [
        page.relative_to(home / "artifacts").as_posix()
    ]
