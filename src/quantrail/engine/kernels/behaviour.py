"""What signals alone would hold, in packed words, and the first held cell of each MinHash bin."""

import numpy as np
from numba import njit

from quantrail.engine.kernels.bitscan import lowest_bit


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
def hold_at_most(entry, leave, longest, held):
    """As ``hold``, for ``longest`` bars at most; an entry signal that stays true enters again."""
    words, bars = entry.shape
    since = np.zeros(64, np.int64)
    ends = np.zeros(bars, np.uint64)
    one = np.uint64(1)
    for w in range(words):
        state = np.uint64(0)
        ends[:] = 0
        for t in range(bars):
            state &= ~leave[w, t]
            due = ends[t] & state
            while due:
                s = lowest_bit(due)
                due &= due - one
                if since[s] == t - longest:
                    state &= ~(one << np.uint64(s))
            fresh = entry[w, t] & ~leave[w, t] & ~state
            state |= fresh
            while fresh:
                s = lowest_bit(fresh)
                if t + longest < bars:
                    ends[t + longest] |= one << np.uint64(s)
                since[s] = t
                fresh &= fresh - one
            held[w, t] = state


@njit(cache=True, error_model="numpy")
def first_of_many(long, short, order, n_symbols, first):
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


@njit(cache=True, error_model="numpy")
def first_of_few(held, offset, places, first):
    """The same, cell by cell held; ``places``: where each cell of (2, S, T) stands in the order."""
    words, bars = held.shape
    bins = len(first)
    for w in range(words):
        for t in range(bars):
            word = held[w, t]
            while word:
                s = (w << 6) + lowest_bit(word)
                word &= word - np.uint64(1)
                place = places[offset + s * bars + t]
                b, rank = place % bins, place // bins
                if first[b] < 0 or rank < first[b]:
                    first[b] = rank
