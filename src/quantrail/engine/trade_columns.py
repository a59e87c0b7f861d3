"""Round trips of a screen: the room the kernel writes them to, and the columns kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Round trips in the room: few enough to stay in the processor's cache until they are copied away. Columns
# that lie a multiple of 4096 bytes apart would share their places in it, hence the odd number.
ROOM = 2048 + 40
# Room for trades beyond what the strategies simulated so far would come to.
MARGIN = 1.1
# Most trades room is made for at once, about 100 MB, however far off the expectation.
MOST = 1 << 20
N_WHOLE, N_REAL = 5, 7


class TradeColumns:
    """``whole`` (5, room) and ``real`` (7, room): the first ``written`` columns are trades not yet kept.

    Kept columns are made as long as the strategies done so far make expect and trimmed in the end, so
    that most trades are copied once.
    """

    def __init__(self) -> None:
        self.written = 0
        self._kept = 0
        self._columns: list[NDArray[Any]] = [
            *(np.empty(0, np.int64) for _ in range(N_WHOLE)),
            *(np.empty(0) for _ in range(N_REAL)),
        ]
        self._reserve(ROOM)

    def _reserve(self, room: int) -> None:
        self.whole = np.empty((N_WHOLE, room), np.int64)
        self.real = np.empty((N_REAL, room))

    def empty_room(self, share_done: float) -> None:
        """Keep what is written; make a larger room if that is nothing, since a strategy needs more.

        ``share_done`` in (0, 1]: the part of all strategies whose trades are written or kept.
        """
        if self.written == 0:
            self._reserve(4 * self.whole.shape[1])
            return
        stop = self._kept + self.written
        if stop > len(self._columns[0]):
            expected = int(stop / share_done * MARGIN)
            self._lengthen(max(stop, min(expected, stop + MOST)))
        for column, fresh in zip(self._columns, (*self.whole, *self.real), strict=True):
            column[self._kept : stop] = fresh[: self.written]
        self._kept, self.written = stop, 0

    def _lengthen(self, length: int) -> None:
        # One column after the other, so that there are never two copies of all of them.
        for k, column in enumerate(self._columns):
            longer = np.empty(length, column.dtype)
            longer[: self._kept] = column[: self._kept]
            self._columns[k] = longer

    def join(self, order: NDArray[np.int64] | None) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The five whole and seven real columns, in ``order`` if one is given; nothing stays here."""
        if self.written:
            self.empty_room(1.0)
        self._reserve(0)
        columns, self._columns = self._columns, []
        for k, column in enumerate(columns):
            # Nothing refers to a column before it is handed out, so none can point to what is given back.
            column.resize(self._kept, refcheck=False)
            if order is not None:
                columns[k] = column[order]
        return columns[:N_WHOLE], columns[N_WHOLE:]
