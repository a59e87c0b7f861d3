"""Bars for tests: constant ones, given ones, and a market full of awkward days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.ids import DataVersion
from quantrail.domain.market import BAR_COLUMNS, Bars

Floats = NDArray[np.float64]
_NO_VERSION = DataVersion("0" * 64)


def bars_of(rows: Mapping[str, Sequence[Sequence[float] | None]], start: str = "2020-01-01") -> Bars:
    """Bars from (open, high, low, close[, volume]) per weekday from ``start``; None is a missing bar."""
    symbols = tuple(sorted(rows))
    length = len(rows[symbols[0]])
    table = np.full((5, len(symbols), length), np.nan)
    for s, symbol in enumerate(symbols):
        for t, bar in enumerate(rows[symbol]):
            if bar is not None:
                table[:, s, t] = bar if len(bar) == 5 else (*bar, 1e6)
    return _assemble(symbols, table, start)


def constant_bars(symbols: Sequence[str], n_bars: int, price: float = 100.0) -> Bars:
    """The same price everywhere."""
    return bars_of({symbol: [(price, price, price, price)] * n_bars for symbol in symbols})


def hard_market(seed: int, n_symbols: int = 5, n_bars: int = 160) -> Bars:
    """Random walks with gaps, halts, flat days, zero volume, a split, a late start and an early end."""
    rng = np.random.default_rng(seed)
    table = np.empty((5, n_symbols, n_bars))
    for s in range(n_symbols):
        table[:, s] = _walk(rng, n_bars)
    _awkward_days(table, rng)
    return _assemble(tuple(f"S{k:02d}" for k in range(n_symbols)), table, "2019-12-02")


def with_made_up_records(bars: Bars, features: Mapping[str, Mapping[str, Any]], seed: int = 0) -> Bars:
    """``bars`` with a made-up record for each of ``features`` that reads one: steps, missing at first."""
    rng = np.random.default_rng(seed)
    n_symbols, n_bars = bars.close.shape
    records = {}
    for name, feature in sorted(features.items()):
        rows = {"econ": 1, "news_sentiment": n_symbols}.get(str(feature["type"]))
        if rows is not None:
            values = np.repeat(rng.uniform(-1.0, 1.0, (rows, n_bars // 4 + 1)), 4, axis=1)[:, :n_bars]
            values[:, :3] = np.nan
            records[name] = values[0] if rows == 1 else values
    return replace(bars, records=records)


def _walk(rng: np.random.Generator, n_bars: int) -> Floats:
    overnight = rng.normal(0.0, 0.01, n_bars)
    overnight[rng.random(n_bars) < 0.06] = rng.normal(0.0, 0.12)
    during = rng.normal(0.0003, 0.015, n_bars)
    during[rng.random(n_bars) < 0.05] = 0.0
    close = 50.0 * np.exp(np.cumsum(overnight + during))
    opens = close / np.exp(during)
    reach = np.abs(rng.normal(0.0, 0.01, (2, n_bars))) * (rng.random((2, n_bars)) < 0.8)
    high = np.maximum(opens, close) * (1.0 + reach[0])
    low = np.minimum(opens, close) * (1.0 - reach[1])
    volume = np.round(rng.lognormal(12.0, 0.5, n_bars))
    volume[rng.random(n_bars) < 0.02] = 0.0
    return np.stack([opens, high, low, close, volume])


def _awkward_days(table: Floats, rng: np.random.Generator) -> None:
    n_symbols, n_bars = table.shape[1:]
    for _ in range(2 * n_symbols):  # halts of one to four bars
        s, t, length = rng.integers(n_symbols), rng.integers(n_bars), rng.integers(1, 5)
        table[:, s, t : t + length] = np.nan
    split = int(rng.integers(n_bars // 2, n_bars))
    table[:4, 0, split:] /= 2.0
    table[4, 0, split:] *= 2.0
    if n_symbols > 2:
        table[:, 1, : n_bars // 3] = np.nan
        table[:, 2, n_bars - n_bars // 5 :] = np.nan


def _assemble(symbols: tuple[str, ...], table: Floats, start: str) -> Bars:
    sessions = np.busday_offset(start, np.arange(table.shape[2]), roll="forward").astype("datetime64[D]")
    columns: dict[str, Any] = {name: np.ascontiguousarray(table[k]) for k, name in enumerate(BAR_COLUMNS)}
    for column in columns.values():
        column.setflags(write=False)
    return Bars(symbols, sessions, **columns, data_version=_NO_VERSION)
