import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantrail.errors import BackendBusy
from quantrail.marketdata import MarketStore
from quantrail.marketdata.durable import writer_lock

WORKER = str(Path(__file__).with_name("worker.py"))


def start(*args: object) -> subprocess.Popen[str]:
    command = [sys.executable, WORKER, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out


def opened(root: Path) -> MarketStore:
    return MarketStore(root, lambda: datetime(2026, 11, 21, tzinfo=UTC))


def test_eight_processes_read_whole_snapshots_while_one_imports(tmp_path: Path) -> None:
    finish(start("write", tmp_path, 0, 1))
    writer = start("write", tmp_path, 1, 12)
    readers = [start("read", tmp_path, 12) for _ in range(8)]
    for reader in readers:
        assert int(finish(reader)) >= 1
    finish(writer)


def test_a_killed_import_leaves_the_former_version_whole_and_the_next_one_clean(tmp_path: Path) -> None:
    finish(start("write", tmp_path, 0, 1))
    chance = random.Random(5)
    for round_ in range(4):
        before = opened(tmp_path).current()
        assert before is not None
        writer = start("write", tmp_path, 100 * (round_ + 1), 50)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.15))
        writer.kill()
        writer.communicate(timeout=30)
        after = opened(tmp_path).current()
        assert after is not None
        closes = opened(tmp_path).bars(after.names(), recompute=True)
        assert np.unique(closes.close).size == 1
        assert closes.data_version == after.version
        assert (
            opened(tmp_path).bars(before.names(), version=before.version, recompute=True).data_version
            == before.version
        )
    finish(start("write", tmp_path, 900, 1))
    assert not list((tmp_path / "tmp").iterdir())
    last = opened(tmp_path)
    assert last.bars(["S00"]).close[0, 0] == 1000.0


def test_a_second_writer_waits_and_then_says_so(tmp_path: Path) -> None:
    with (
        writer_lock(tmp_path, 1.0),
        pytest.raises(BackendBusy, match="try again"),
        writer_lock(tmp_path, 0.1),
    ):
        raise AssertionError("two writers at once")


def test_every_old_version_reads_back_byte_for_byte_after_fifty_imports(tmp_path: Path) -> None:
    store = opened(tmp_path)
    chance = random.Random(11)
    days = pl.date_range(date(2019, 1, 1), date(2020, 6, 30), "1d", eager=True)
    kept = {}
    for k in range(50):
        symbols = chance.sample(["AAA", "BBB", "CCC", "DDD"], k=2)
        span = days.slice(chance.randrange(500), chance.randrange(1, 40))
        rows = [(s, d, 10.0 + k + i) for s in symbols for i, d in enumerate(span)]
        price = pl.DataFrame(rows, schema=["symbol", "date", "open"], orient="row")
        frame = price.with_columns(
            high=pl.col("open") + 2, low=pl.col("open") - 2, close=pl.col("open"), volume=5
        )
        snapshot = store.import_bars(frame, source="test", check=False).snapshot
        bars = store.bars(snapshot.names())
        kept[snapshot.version] = bars.close.tobytes() + bars.volume.tobytes() + bars.sessions.tobytes()
    for version, content in kept.items():
        for recompute in (False, True):
            names = store.snapshot(version).names()
            bars = store.bars(names, version=version, recompute=recompute)
            assert bars.close.tobytes() + bars.volume.tobytes() + bars.sessions.tobytes() == content
            assert bars.data_version == version
