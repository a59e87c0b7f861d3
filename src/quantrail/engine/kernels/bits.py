"""Comparisons packed 64 symbols to a word: shape (W, T), bit s & 63 of word s >> 6 is symbol s."""

import numpy as np
from numba import njit

GT, GE, LT, LE, EQ = 0, 1, 2, 3, 4


@njit(cache=True, error_model="numpy")
def compare_pair(left, left_lag, left_scale, right, right_lag, right_scale, op, true, missing):
    """``op`` is GT, GE or EQ; symbols in rows. ``missing`` is set where either side is NaN."""
    rows, columns = left.shape
    start = min(max(left_lag, right_lag), columns)
    for s in range(rows):
        word = s >> 6
        shift = np.uint64(s & 63)
        missing[word, :start] |= np.uint64(1) << shift
        # Slices that start at the same bar: the loops below count from 0 and vectorise.
        a = left[s, start - left_lag : columns - left_lag]
        b = right[s, start - right_lag : columns - right_lag]
        hit = true[word, start:]
        gone = missing[word, start:]
        for t in range(len(gone)):
            x = a[t] * left_scale
            y = b[t] * right_scale
            gone[t] |= np.uint64((x != x) | (y != y)) << shift
        if op == 0:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * left_scale > b[t] * right_scale) << shift
        elif op == 1:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * left_scale >= b[t] * right_scale) << shift
        else:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * left_scale == b[t] * right_scale) << shift


@njit(cache=True, error_model="numpy")
def compare_literal(left, lag, scale, literal, op, true, missing):
    """As ``compare_pair`` against one number; ``op`` is any of the five."""
    rows, columns = left.shape
    start = min(lag, columns)
    for s in range(rows):
        word = s >> 6
        shift = np.uint64(s & 63)
        missing[word, :start] |= np.uint64(1) << shift
        a = left[s, : columns - start]
        hit = true[word, start:]
        gone = missing[word, start:]
        for t in range(len(gone)):
            gone[t] |= np.uint64(a[t] != a[t]) << shift
        if op == 0:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * scale > literal) << shift
        elif op == 1:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * scale >= literal) << shift
        elif op == 2:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * scale < literal) << shift
        elif op == 3:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * scale <= literal) << shift
        else:
            for t in range(len(hit)):
                hit[t] |= np.uint64(a[t] * scale == literal) << shift
