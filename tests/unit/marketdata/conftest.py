from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from quantrail.marketdata import MarketStore

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> MarketStore:
    return MarketStore(tmp_path / "market", lambda: NOW)


@pytest.fixture
def make_bars() -> Callable[..., pl.DataFrame]:
    """Rising bars on consecutive weekdays; every symbol starts at another price."""

    def make(symbols: list[str], start: date = date(2020, 1, 6), count: int = 60) -> pl.DataFrame:
        days = [d for i in range(2 * count) if (d := start + timedelta(days=i)).weekday() < 5][:count]
        rows = []
        for offset, symbol in enumerate(symbols):
            for i, day in enumerate(days):
                price = 50.0 + 10 * offset + 0.25 * i
                rows.append((symbol, day, price, price + 1, price - 1, price + 0.5, 1000 + i))
        names = ["symbol", "date", "open", "high", "low", "close", "volume"]
        return pl.DataFrame(rows, schema=names, orient="row")

    return make
