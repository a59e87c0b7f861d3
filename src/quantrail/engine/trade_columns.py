"""Round trips of a screen: the room the kernel writes them to, and the columns kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Round trips in the room: few enough to stay in the processor's cache until they are copied away. Columns
# that lie a multiple of 4096 bytes apart would share their places in it, hence the odd number.
ROOM = 2048 + 40
# Trades expected beyond what the strategies simulated so far would come to.
MARGIN = 1.1
# Most trades of one block, about 100 MB, however wrong the expectation.
MOST = 1 << 20
N_WHOLE, N_REAL = 5, 7


class TradeColumns:
    """``whole`` (5, room) and ``real`` (7, room): the first ``written`` columns are trades not yet kept.

    Kept trades lie in blocks, as a rule a single one: the first is made as large as the strategies done
    by then make expect. So they are copied once, and few large arrays come cheaper than many small ones.
    """

    def __init__(self) -> None:
        self.written = 0
        self._blocks: list[_Block] = []
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
        begin = 0
        if self._blocks:
            begin = self._blocks[-1].take(self.whole, self.real, 0, self.written)
        if begin < self.written:
            kept = sum(block.used for block in self._blocks)
            expected = int((kept + self.written) / share_done * MARGIN) - kept
            self._blocks.append(_Block(max(min(expected, MOST), self.written - begin)))
            self._blocks[-1].take(self.whole, self.real, begin, self.written)
        self.written = 0

    def join(self, order: NDArray[np.int64] | None) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The five whole and seven real columns, in ``order`` if one is given; nothing stays here.

        One column after the other, so that there are never two copies of all of them.
        """
        if self.written:
            self.empty_room(1.0)
        self._reserve(0)
        columns = [self._column(k, order) for k in range(N_WHOLE + N_REAL)]
        self._blocks.clear()
        return columns[:N_WHOLE], columns[N_WHOLE:]

    def _column(self, k: int, order: NDArray[np.int64] | None) -> NDArray[Any]:
        if not self._blocks:
            return np.empty(0, np.int64 if k < N_WHOLE else np.float64)
        pieces = [block.column(k) for block in self._blocks]
        # A view keeps its whole block alive: fine while nearly all of that is used.
        fits = len(pieces) == 1 and self._blocks[0].is_nearly_full
        column = pieces[0] if fits else np.concatenate(pieces)
        return column if order is None else column[order]


class _Block:
    """Room for a number of trades, filled from the left."""

    def __init__(self, size: int) -> None:
        self.used = 0
        self._whole = np.empty((N_WHOLE, size), np.int64)
        self._real = np.empty((N_REAL, size))

    def take(self, whole: NDArray[np.int64], real: NDArray[np.float64], begin: int, end: int) -> int:
        """Copy trades ``begin`` to ``end`` as far as they fit; the first one that is left."""
        stop = min(end, begin + self._whole.shape[1] - self.used)
        there = slice(self.used, self.used + stop - begin)
        self._whole[:, there] = whole[:, begin:stop]
        self._real[:, there] = real[:, begin:stop]
        self.used = there.stop
        return stop

    @property
    def is_nearly_full(self) -> bool:
        return self.used >= 0.8 * self._whole.shape[1]

    def column(self, k: int) -> NDArray[Any]:
        rows: NDArray[Any] = self._whole[k] if k < N_WHOLE else self._real[k - N_WHOLE]
        return rows[: self.used]
