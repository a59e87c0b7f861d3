"""Round trips of a screen: the room the kernel writes them to, and the columns kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Round trips in the room: few enough to stay in the processor's cache until they are copied away. Columns
# that lie a multiple of 4096 bytes apart would share their places in it, hence the odd number.
ROOM = 2048 + 40
N_WHOLE, N_REAL = 5, 7


class TradeColumns:
    """``whole`` (5, room) and ``real`` (7, room): the first ``written`` columns are trades not yet kept."""

    def __init__(self) -> None:
        self.written = 0
        self._pieces: list[list[NDArray[Any]]] = [[] for _ in range(N_WHOLE + N_REAL)]
        self._reserve(ROOM)

    def _reserve(self, room: int) -> None:
        self.whole = np.empty((N_WHOLE, room), np.int64)
        self.real = np.empty((N_REAL, room))

    def empty_room(self) -> None:
        """Keep what is written; make a larger room if that is nothing, since a strategy needs more."""
        if self.written == 0:
            self._reserve(4 * self.whole.shape[1])
            return
        for pieces, column in zip(self._pieces, (*self.whole, *self.real), strict=True):
            pieces.append(column[: self.written].copy())
        self.written = 0

    def join(self, order: NDArray[np.int64] | None) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The five whole and seven real columns, in ``order`` if one is given; nothing stays here.

        One column after the other, so that there are never two copies of all of them.
        """
        if self.written:
            self.empty_room()
        self._reserve(0)
        columns = []
        for k, pieces in enumerate(self._pieces):
            column = (
                np.concatenate(pieces) if pieces else np.empty(0, np.int64 if k < N_WHOLE else np.float64)
            )
            pieces.clear()
            columns.append(column if order is None else column[order])
        return columns[:N_WHOLE], columns[N_WHOLE:]
