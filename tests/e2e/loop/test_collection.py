"""Market data that results rest on outlives a collection; what nothing rests on goes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from quantrail.domain.market import Period
from quantrail.marketdata import MarketStore

SPEC = {
    "universe": {"symbols": ["AAPL", "MSFT"]},
    "features": {"slow": {"type": "sma", "inputs": ["close"], "params": {"period": 30}}},
    "conditions": {
        "up": {"node": "CMP", "left": "close", "op": ">", "right": "slow"},
        "down": {"node": "CMP", "left": "close", "op": "<", "right": "slow"},
    },
    "modules": {"entry": {"condition": {"ref": "up"}}, "exit": {"condition": {"ref": "down"}}},
}


def test_a_result_still_reproduces_after_a_collection(command: Any, tmp_path: Path) -> None:
    home, spec = tmp_path / "home", tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(SPEC))
    store = MarketStore(home / "market", lambda: datetime.now(UTC) - timedelta(days=2))
    rested_on = store.import_sample().snapshot.version
    done = command("backtest", spec, "--json", "--home", home)
    assert done.code == 0, done.stderr
    made = [row["backtest_id"] for row in done.json["results"]]
    unused = revised(store, 1.01)
    command("data", "show", "AAPL", "--version", unused[:12], "--home", home)
    current = revised(store, 1.02)

    said = command("data", "gc", "--dry-run", "--home", home)
    planned = command("data", "gc", "--dry-run", "--json", "--home", home).json
    assert planned["snapshots"] == [unused]
    assert f"{planned['bytes']:,} bytes" in said.stdout
    assert store.snapshot(unused).version == unused
    before = size_of(home / "market")
    removed = command("data", "gc", "--json", "--home", home).json
    assert removed == planned
    assert before - size_of(home / "market") >= removed["bytes"] > 0

    kept = command("data", "list", "--snapshots", "--json", "--home", home).json
    assert {row["version"] for row in kept} == {rested_on, current}
    again = command("reproduce", *made, "--json", "--home", home)
    assert (again.code, again.json["equal"]) == (0, 2)


def test_without_a_knowledge_store_to_ask_whatever_was_read_is_kept(command: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = MarketStore(home / "market", lambda: datetime.now(UTC) - timedelta(days=2))
    read = store.import_sample().snapshot.version
    store.bars(["AAPL"], Period(date(2014, 1, 2), date(2014, 6, 30)))
    unread, current = revised(store, 1.01), revised(store, 1.02)
    assert command("data", "gc", "--json", "--home", home).json["snapshots"] == [unread]
    kept = command("data", "list", "--snapshots", "--json", "--home", home).json
    assert {row["version"] for row in kept} == {read, current}


def revised(store: MarketStore, factor: float) -> str:
    """A new data version in which Apple's last twenty closes and highs are higher."""
    bars = store.rows(["AAPL"]).tail(20)
    higher = bars.with_columns(pl.col("high", "close") * factor).drop("import_no")
    return store.import_bars(higher, source="revision", check=False).snapshot.version


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
