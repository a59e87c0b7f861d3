"""Adjustment of stored prices for splits and dividends, worked out on each read and never stored."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from quantrail.errors import InvalidInput
from quantrail.marketdata.records import StoredBasis

Floats = NDArray[np.float64]


class Adjust(StrEnum):
    """How bars come out. ``TOTAL_RETURN``: a dividend is reinvested at the close before its ex-date."""

    AS_STORED = "as_stored"
    SPLIT = "split"
    TOTAL_RETURN = "total_return"


def factors(
    close: Floats, dividend: Floats, split: Floats, basis: StoredBasis, wanted: Adjust
) -> tuple[Floats, Floats]:
    """What prices and volumes of one symbol are multiplied with; both (T,), 1 at the last bar.

    ``close`` as stored, ``dividend`` in the unit of the stored price of its ex-date, ``split`` new shares
    per old one on the ex-date. Only actions inside the array count: a factor never tells of a later one.
    Formula: a price before an ex-date is divided by the split ratio and multiplied by
    1 - dividend / close before (CRSP's convention).

    Raises InvalidInput when the stored basis does not allow what is wanted.
    """
    _possible(basis, wanted)
    splits = 1.0 / split if basis is StoredBasis.RAW else np.ones_like(split)
    steps = splits.copy()
    if wanted is Adjust.TOTAL_RETURN and basis is not StoredBasis.TOTAL:
        # In the units of the close before: a dividend on the day of a split is per new share.
        before = np.concatenate((close[:1], close[:-1]))
        steps = splits * (1.0 - dividend / (before * splits))
    return _from_the_end(steps), 1.0 / _from_the_end(splits)


def _possible(basis: StoredBasis, wanted: Adjust) -> None:
    if basis is StoredBasis.UNKNOWN:
        raise InvalidInput(
            "the price basis of these bars is unknown; import them with a basis (raw, split_adjusted, "
            "total_return) before asking for adjusted prices"
        )
    if basis is StoredBasis.TOTAL and wanted is Adjust.SPLIT:
        raise InvalidInput("these bars came with dividends worked in; they cannot be had without")


def _from_the_end(steps: Floats) -> Floats:
    """Product of all later steps: the step of an ex-date changes the bars before it."""
    out = np.ones_like(steps)
    out[:-1] = np.cumprod(steps[:0:-1])[::-1]
    return out


def adjust_block(
    block: Floats, dividend: Floats, split: Floats, bases: Mapping[int, StoredBasis], wanted: Adjust
) -> Floats:
    """``block`` (5, S, T) adjusted row by row; missing bars stay NaN. ``bases``: by row."""
    if wanted is Adjust.AS_STORED:
        return block
    out = block.copy()
    for row, basis in bases.items():
        there = ~np.isnan(block[3, row])
        price, volume = factors(block[3, row, there], dividend[row, there], split[row, there], basis, wanted)
        out[:4, row, there] *= price
        out[4, row, there] *= volume
    return out
