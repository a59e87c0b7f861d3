"""Entries and exits as target weights, by the fill rules that specs obey."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.errors import DataInvalid
from quantrail.services.signals.frames import Signals, as_signals, read_flags, read_table

Flags = NDArray[np.bool_]
SIDES = ("entry", "exit", "short_entry", "short_exit")


def weights_of_entries(frames: Mapping[str, Any], weight: float | None = None) -> Signals:
    """Signals of frames by name: entry, exit, short_entry, short_exit; at least one entry frame.

    A position opens at the first entry while flat, at ``weight`` of equity (None: 1 / number of symbols),
    is left alone until its exit, and opens again only at a later entry. Where entry and exit are both
    true, exit wins; where both sides want in, neither gets in. DataInvalid for frames that do not fit.
    """
    unknown = sorted(set(frames) - set(SIDES))
    if unknown:
        raise DataInvalid(f"signals {unknown[0]!r} are none of {', '.join(SIDES)}")
    if not {"entry", "short_entry"} & set(frames):
        raise DataInvalid("there is neither an entry nor a short_entry frame, so nothing would ever trade")
    read = {name: read_flags(frame, name) for name, frame in frames.items()}
    first = next(iter(read))
    symbols, sessions, _ = read[first]
    for name, (others, days, _) in read.items():
        if others != symbols or not np.array_equal(days, sessions):
            raise DataInvalid(f"{first} and {name} differ in symbols or dates; give them the same axes")
    share = 1.0 / len(symbols) if weight is None else weight
    if not 0.0 < share < float("inf"):
        raise DataInvalid(f"the weight of an entry must be above 0, got {weight}")
    nothing = np.zeros((len(symbols), len(sessions)), np.bool_)
    flags = [read[name][2] if name in read else nothing for name in SIDES]
    return as_signals(symbols, sessions, _walk(flags, share))


def signals_of_file(path: Path | str) -> Signals:
    """Signals of one file: rows of date and symbol with entry, exit, short_entry, short_exit as 0 or 1."""
    table = read_table(path)
    found = [name for name in SIDES if name in table.columns]
    if "symbol" not in table.columns or not found:
        raise DataInvalid(
            f"{path} needs the columns date, symbol and some of {', '.join(SIDES)}; it has "
            f"{', '.join(table.columns[:8])}"
        )
    return weights_of_entries(dict.fromkeys(found, table))


def _walk(flags: list[Flags], share: float) -> NDArray[np.float64]:
    """Weights (S, T), NaN where nothing changes; ``flags`` in the order of SIDES."""
    enter, leave, short, cover = flags
    longs, shorts = enter & ~leave, short & ~cover
    both = longs & shorts
    longs, shorts = longs & ~both, shorts & ~both
    weights = np.full(enter.shape, np.nan)
    side = np.zeros(len(enter), np.int64)
    for t in range(enter.shape[1]):
        out = ((side > 0) & leave[:, t]) | ((side < 0) & cover[:, t])
        flat = side == 0
        side = np.where(out, 0, np.where(flat & longs[:, t], 1, np.where(flat & shorts[:, t], -1, side)))
        moved = out | (flat & (side != 0))
        weights[moved, t] = side[moved] * share
    return weights
