"""One symbol's bars in time order, beside what its market did on the same days."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.marketdata.canonical import timestamps

# Bars around a bar that tell how much its symbol usually moves.
_REACH = 32
_NORMAL = 1.4826
# Below this many symbols a median says more about them than about a market.
_MARKET_LEAST = 8

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Series:
    """Shape (T,) each. ``when``: datetime64. Moves are differences of natural logarithms.

    ``night``: last close to open, first entry 0. ``day``: open to close. Both less the market's median
    move of that bar (0 where fewer than eight symbols traded). ``turnover``: price times volume over its
    median of the 20 bars before, 1 where unknown.
    """

    symbol: str
    when: NDArray[np.datetime64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    dividend: Floats
    split: Floats
    night: Floats
    day: Floats
    turnover: Floats

    def at(self, index: int) -> Any:
        """The date of a daily bar, the aware time of an intraday one."""
        return moment(self.when[index])


def moment(when: np.datetime64) -> Any:
    """A date as it is, a time as an aware one."""
    found = when.item()
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) else found


def series_of(rows: pl.DataFrame, unit: str, of: Collection[str] | None = None) -> Iterator[Series]:
    """``rows`` sorted by symbol and ts, cut by symbol; those ``of`` these symbols, beside all of the rows."""
    when = timestamps(rows).astype("datetime64[us]").astype(f"datetime64[{unit}]")
    table = _moves(rows)
    columns = {name: table[name].to_numpy() for name in Series.__slots__ if name in table.columns}
    del columns["symbol"]
    starts = np.flatnonzero(np.diff(rows["symbol"].rle_id().to_numpy().astype(np.int64), prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), rows.height], strict=True):
        symbol = rows["symbol"][start]
        if of is None or symbol in of:
            cut = {name: values[start:end] for name, values in columns.items()}
            yield Series(symbol=symbol, when=when[start:end], **cut)


def _moves(rows: pl.DataFrame) -> pl.DataFrame:
    log = rows.with_columns(pl.col("open", "high", "low", "close").log())
    money = pl.col("volume") * pl.col("close").exp()
    usual = money.rolling_median(20, min_samples=5).shift().over("symbol")
    raw = log.with_columns(
        night=(pl.col("open") - pl.col("close").shift()).over("symbol").fill_null(0.0),
        day=pl.col("close") - pl.col("open"),
        turnover=pl.when(usual > 0).then(money / usual).otherwise(1.0),
    )
    common = (
        raw.group_by("ts")
        .agg(pl.len(), pl.col("night", "day").median().name.prefix("market_"))
        .with_columns(pl.when(pl.col("len") >= _MARKET_LEAST).then(pl.col(m)).otherwise(0.0) for m in _MARKET)
    )
    joined = raw.join(common, on="ts", how="left", maintain_order="left")
    return joined.with_columns(
        night=pl.col("night") - pl.col("market_night"), day=pl.col("day") - pl.col("market_day")
    )


_MARKET = ("market_night", "market_day")


def usual(values: Floats, where: Flags, least: float) -> Floats:
    """Robust standard deviation around each entry: median size of its 65 neighbours, at least ``least``.

    Worked out only ``where`` a threshold could be passed; infinite elsewhere.
    """
    out = np.full(values.size, np.inf)
    size = np.abs(values)
    for i in np.flatnonzero(where):
        near = size[max(i - _REACH, 0) : i + _REACH + 1]
        out[i] = max(float(np.median(near)) * _NORMAL, least)
    return out
