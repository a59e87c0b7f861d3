"""Rebalance bars: the first session of each ISO week or calendar month."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rebalance_bars(sessions: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Shape (3, T): never, weekly, monthly. A bar opens a period when its predecessor lies in another one.

    Known at the bar itself; column 0 counts as the first of its week and month.
    """
    days = sessions.astype("datetime64[D]").astype(np.int64)
    weeks = (days + 3) // 7  # 1970-01-01 was a Thursday
    months = sessions.astype("datetime64[M]").astype(np.int64)
    flags = np.zeros((3, len(days)), np.bool_)
    for row, numbers in ((1, weeks), (2, months)):
        flags[row] = np.concatenate(([True], numbers[1:] != numbers[:-1]))
    return flags
