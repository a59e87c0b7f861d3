"""What signals alone would hold, in packed words, and the first held cell of each MinHash bin."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def hold(entry, leave, held):
    """All (W, T): held from an entry on until the bar before the next exit; exit wins over entry."""
    words, bars = entry.shape
    for w in range(words):
        state = np.uint64(0)
        for t in range(bars):
            state = (state | entry[w, t]) & ~leave[w, t]
            held[w, t] = state


@njit(cache=True, error_model="numpy")
def hold_at_most(entry, leave, longest, n_symbols, held):
    """As ``hold``, for ``longest`` bars at most; an entry signal that stays true enters again."""
    bars = entry.shape[1]
    for s in range(n_symbols):
        w, shift = s >> 6, np.uint64(s & 63)
        count = 0
        for t in range(bars):
            wanted = (entry[w, t] >> shift) & np.uint64(1)
            gone = (leave[w, t] >> shift) & np.uint64(1)
            if gone or count >= longest:
                count = 0
            if not gone and (count or wanted):
                count += 1
                held[w, t] |= np.uint64(1) << shift


@njit(cache=True, error_model="numpy")
def first_held(long, short, order, n_symbols, first):
    """``order`` (bins, n): cells of (2, S, T) by rank, padded by their number. -1 where none is held."""
    bars = long.shape[1]
    half = n_symbols * bars
    for b in range(order.shape[0]):
        first[b] = -1
        for k in range(order.shape[1]):
            cell = order[b, k]
            if cell >= 2 * half:
                break
            side = long if cell < half else short
            place = cell if cell < half else cell - half
            s, t = place // bars, place % bars
            if (side[s >> 6, t] >> np.uint64(s & 63)) & np.uint64(1):
                first[b] = k
                break
