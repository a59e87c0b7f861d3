"""From stored rows to dense arrays, as the engines read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.domain.ids import DataVersion
from quantrail.domain.market import BAR_COLUMNS, Bars
from quantrail.errors import DataInvalid
from quantrail.marketdata import segments
from quantrail.marketdata.adjusting import Adjust, adjust_block
from quantrail.marketdata.canonical import by_key, timestamps
from quantrail.marketdata.leaves import leaves
from quantrail.marketdata.manifest import Manifest
from quantrail.marketdata.merkle import nodes, root
from quantrail.marketdata.records import DAILY


@dataclass(frozen=True, slots=True)
class SliceRequest:
    """Rows of ``symbols`` (sorted) with ``first`` <= session < ``before``; None: open end."""

    symbols: tuple[str, ...]
    interval: str
    first: date | None
    before: date | None
    adjust: Adjust = Adjust.AS_STORED


def rows_of(home: Path, manifest: Manifest, request: SliceRequest, *, verify: bool) -> pl.DataFrame:
    """The slice's stored rows, sorted by symbol and time. ``verify`` compares each file with its hash."""
    frames = []
    for entry in sorted(manifest.parts(request.interval).values(), key=lambda e: e.part):
        if (request.first and entry.last < request.first) or (
            request.before and entry.first >= request.before
        ):
            continue
        if verify:
            segments.verify(home, entry)
        frame = segments.read(home, entry, request.symbols)
        day = pl.col("ts").cast(pl.Date)
        if request.first and entry.first < request.first:
            frame = frame.filter(day >= request.first)
        if request.before and entry.last >= request.before:
            frame = frame.filter(day < request.before)
        frames.append(frame)
    if not frames or all(frame.is_empty() for frame in frames):
        raise DataInvalid(
            f"no bars of {', '.join(request.symbols[:5])} from {request.first or 'the start'} "
            f"until before {request.before or 'the end'}"
        )
    return by_key(pl.concat(frames))


def version_of(manifest: Manifest, request: SliceRequest, rows: pl.DataFrame) -> DataVersion:
    """Merkle version of exactly ``rows``; a symbol without rows in the slice counts as such."""
    infos = manifest.infos(request.interval)
    basis = {symbol: infos[symbol].basis for symbol in request.symbols}
    found = nodes(leaves(rows), request.interval, basis)
    return root((request.interval, symbol, value) for symbol, value in found)


def build(manifest: Manifest, request: SliceRequest, rows: pl.DataFrame, version: DataVersion) -> Bars:
    """Scatter ``rows`` into arrays, adjusted; a bar that is not there is NaN in all five."""
    stamps = timestamps(rows)
    axis = np.unique(stamps)
    index = {symbol: i for i, symbol in enumerate(request.symbols)}
    which = rows["symbol"].replace_strict(index, return_dtype=pl.Int64).to_numpy()
    when = np.searchsorted(axis, stamps)
    block = np.full((len(BAR_COLUMNS), len(index), axis.size), np.nan)
    for i, name in enumerate(BAR_COLUMNS):
        block[i, which, when] = rows[name].to_numpy()
    if request.adjust is not Adjust.AS_STORED:
        dividend, split = np.zeros(block.shape[1:]), np.ones(block.shape[1:])
        dividend[which, when], split[which, when] = rows["dividend"].to_numpy(), rows["split"].to_numpy()
        infos = manifest.infos(request.interval)
        bases = {row: infos[symbol].basis for symbol, row in index.items()}
        block = adjust_block(block, dividend, split, bases, request.adjust)
    unit = "D" if request.interval == DAILY else "s"
    return frozen(
        request.symbols, axis.astype("datetime64[us]").astype(f"datetime64[{unit}]"), block, version
    )


def frozen(
    symbols: tuple[str, ...],
    sessions: NDArray[np.datetime64],
    block: NDArray[np.float64],
    version: DataVersion,
) -> Bars:
    """Bars over ``block`` (5, S, T), which nobody may write to from now on."""
    block.flags.writeable = False
    sessions.flags.writeable = False
    opens, highs, lows, closes, volumes = block
    return Bars(symbols, sessions, opens, highs, lows, closes, volumes, version)
