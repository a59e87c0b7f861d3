"""Run by the tests as a process of its own: imports or reads a market store until told to stop."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from quantrail.marketdata import MarketStore

SYMBOLS = [f"S{i:02d}" for i in range(12)]
DAYS = [d for i in range(1100) if (d := date(2015, 1, 1) + timedelta(days=i)).weekday() < 5]


def store(root: str) -> MarketStore:
    return MarketStore(Path(root), lambda: datetime(2026, 11, 21, tzinfo=UTC))


def bars(shift: float) -> pl.DataFrame:
    """All closes carry ``shift``, so that a torn mixture of two imports shows."""
    grid = pl.DataFrame({"symbol": SYMBOLS}).join(pl.DataFrame({"date": DAYS}), how="cross")
    price = pl.lit(100.0 + shift)
    return grid.with_columns(open=price, high=price + 1, low=price - 1, close=price, volume=pl.lit(100))


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def write(root: str, start: int, count: int) -> None:
    target = store(root)
    for k in range(start, start + count):
        target.import_bars(bars(float(k)), source="test", check=False)
        tell(k)


def read(root: str, count: int) -> None:
    target = store(root)
    seen = set()
    for _ in range(count):
        closes = target.bars(SYMBOLS, recompute=True).close
        values = {float(v) for v in closes.ravel()}
        if len(values) != 1:
            raise SystemExit(f"a torn snapshot: {sorted(values)}")
        seen |= values
    tell(len(seen))


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        read(sys.argv[2], int(sys.argv[3]))
