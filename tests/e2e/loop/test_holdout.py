"""Nothing the loop holds can read the holdout: changing it changes no result."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from quantrail.bootstrap import open_services
from quantrail.config import load_settings
from quantrail.domain.market import Bars, MarketReader
from quantrail.marketdata import sample_path
from quantrail.services.demo import demo_document
from quantrail.services.loop.runner import run_loop
from quantrail.services.run_config import RunConfig, parse_run_config

HOLDOUT = dt.date(2017, 1, 3)
SYMBOLS = ["AAPL", "AMZN", "BAC", "JPM", "KO", "MSFT"]


def config() -> RunConfig:
    document = demo_document()
    document["data"]["symbols"] = SYMBOLS
    document["search"]["budget"] = {"candidates": 40, "iterations": 2}
    document["search"]["shortlist"] = 2
    return parse_run_config(document | {"workers": 1})


class Recording:
    """A market reader that notes the last session of everything it hands out."""

    def __init__(self, inner: MarketReader) -> None:
        self.inner = inner
        self.last: list[dt.date] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def bars(self, *arguments: Any, **options: Any) -> Bars:
        found = self.inner.bars(*arguments, **options)
        self.last.append(found.sessions[-1].item())
        return found


def results(home: Path, frame: pl.DataFrame) -> tuple[list[Any], list[dt.date]]:
    from dataclasses import replace

    with open_services(load_settings(home), create=True) as services:
        services.market.import_bars(frame, source="test")  # type: ignore[attr-defined]
        recording = Recording(services.market)
        outcome = run_loop(replace(services, market=recording), config())
        rows = [services.store.get_backtest(key) for key in services.store.list_backtests()]
    found = sorted((r.backtest_id, r.result_hash, r.key.data_version) for r in rows)
    assert outcome.summaries
    return found, recording.last


def test_poisoned_holdout_changes_no_result_and_is_never_read(tmp_path: Path) -> None:
    bars = pl.read_parquet(sample_path()).filter(pl.col("symbol").is_in([*SYMBOLS, "SPY"]))
    late = pl.col("date").cast(pl.Date) >= HOLDOUT
    noise = np.random.default_rng(0).uniform(0.5, 2.0)
    prices = ["open", "high", "low", "close"]
    poisoned = bars.with_columns(
        [pl.when(late).then(pl.col(name) * noise).otherwise(pl.col(name)).alias(name) for name in prices]
    )
    clean, read = results(tmp_path / "clean", bars)
    dirty, _ = results(tmp_path / "dirty", poisoned)
    assert clean
    assert clean == dirty
    assert read
    assert max(read) < HOLDOUT
