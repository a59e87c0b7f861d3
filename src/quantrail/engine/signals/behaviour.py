"""Fingerprints of a batch: what its signals hold, read from the words they are packed in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.domain.market import Period
from quantrail.engine.signals.batch import SignalBatch, Signals
from quantrail.strategy import BINS, MOST_CELLS, Fingerprint, NormalSpec, bin_order, mark_of

Words = NDArray[np.uint64]


def fingerprints(
    batch: SignalBatch, period: Period, chosen: Sequence[int], grid: str
) -> list[Fingerprint | None]:
    """As :func:`quantrail.strategy.fingerprint` of the held bars of ``period``, one for each of ``chosen``.

    A symbol that is no member any more and a time stop end a holding like an exit.
    None for a strategy in error, and for all of them when there are more cells than a fingerprint covers.
    """
    span = batch.bars.span(period)
    n_symbols, n_bars = len(batch.bars.symbols), span.stop - span.start
    if 2 * n_symbols * n_bars > MOST_CELLS:
        return [None] * len(chosen)
    order = bin_order(2 * n_symbols * n_bars)
    made: list[Fingerprint | None] = []
    for i in chosen:
        signals = batch.signals[i]
        made.append(None if signals is None else _mark(signals, batch.specs[i], span, order, n_symbols, grid))
    return made


@lru_cache(8)
def _places(cells: int) -> NDArray[np.int32]:
    """Where each cell stands in the order of all: its bin is that modulo the bins, its rank the rest."""
    shuffled = bin_order(cells).T.ravel()[:cells]
    places = np.empty(cells, np.int32)
    places[shuffled] = np.arange(cells, dtype=np.int32)
    return places


def _mark(
    signals: Signals,
    spec: NormalSpec,
    span: slice,
    order: NDArray[np.int64],
    n_symbols: int,
    grid: str,
) -> Fingerprint:
    kernels = load_kernels("quantrail.engine.kernels.behaviour")
    pairs = ((signals.entry_long, signals.exit_long), (signals.entry_short, signals.exit_short))
    rules: Any = (spec["modules"]["long"], spec["modules"]["short"])
    outside = None if signals.member is None else ~signals.member
    sides = []
    for (entry, leave), side in zip(pairs, rules, strict=True):
        held = np.zeros(signals.blocked[:, span].shape, np.uint64)
        if entry is not None and leave is not None:
            ends = leave if outside is None else leave | outside
            words = np.ascontiguousarray(entry[:, span]), np.ascontiguousarray(ends[:, span])
            if side["max_holding_bars"]:
                kernels.hold_at_most(*words, int(side["max_holding_bars"]), held)
            else:
                kernels.hold(*words, held)
        sides.append(held)
    count = int(sum(np.bitwise_count(held).sum() for held in sides))
    first = np.full(BINS, -1, np.int64)
    cells = 2 * n_symbols * (span.stop - span.start)
    if count * count < BINS * cells:
        for offset, held in zip((0, cells // 2), sides, strict=True):
            kernels.first_of_few(held, offset, _places(cells), first)
    else:
        kernels.first_of_many(sides[0], sides[1], order, n_symbols, first)
    return mark_of(first, count, grid)
