"""Comparisons packed 64 symbols to a word: shape (W, T), bit s & 63 of word s >> 6 is symbol s."""

import numpy as np
from numba import njit

GT, GE, LT, LE, EQ = 0, 1, 2, 3, 4


@njit(cache=True)
def compare_pair(left, left_lag, left_scale, right, right_lag, right_scale, op, true, missing):
    """``op`` is GT, GE or EQ; symbols in rows. ``missing`` is set where either side is NaN."""
    rows, columns = left.shape
    start = max(left_lag, right_lag)
    for s in range(rows):
        word = s >> 6
        shift = np.uint64(s & 63)
        bit = np.uint64(1) << shift
        for t in range(min(start, columns)):
            missing[word, t] |= bit
        a = left[s]
        b = right[s]
        for t in range(start, columns):
            x = a[t - left_lag] * left_scale
            y = b[t - right_lag] * right_scale
            missing[word, t] |= np.uint64((x != x) | (y != y)) << shift
        if op == 0:
            for t in range(start, columns):
                hit = a[t - left_lag] * left_scale > b[t - right_lag] * right_scale
                true[word, t] |= np.uint64(hit) << shift
        elif op == 1:
            for t in range(start, columns):
                hit = a[t - left_lag] * left_scale >= b[t - right_lag] * right_scale
                true[word, t] |= np.uint64(hit) << shift
        else:
            for t in range(start, columns):
                hit = a[t - left_lag] * left_scale == b[t - right_lag] * right_scale
                true[word, t] |= np.uint64(hit) << shift


@njit(cache=True)
def compare_literal(left, lag, scale, literal, op, true, missing):
    """As ``compare_pair`` against one number; ``op`` is any of the five."""
    rows, columns = left.shape
    for s in range(rows):
        word = s >> 6
        shift = np.uint64(s & 63)
        bit = np.uint64(1) << shift
        a = left[s]
        for t in range(min(lag, columns)):
            missing[word, t] |= bit
        for t in range(lag, columns):
            x = a[t - lag]
            missing[word, t] |= np.uint64(x != x) << shift
        if op == 0:
            for t in range(lag, columns):
                true[word, t] |= np.uint64(a[t - lag] * scale > literal) << shift
        elif op == 1:
            for t in range(lag, columns):
                true[word, t] |= np.uint64(a[t - lag] * scale >= literal) << shift
        elif op == 2:
            for t in range(lag, columns):
                true[word, t] |= np.uint64(a[t - lag] * scale < literal) << shift
        elif op == 3:
            for t in range(lag, columns):
                true[word, t] |= np.uint64(a[t - lag] * scale <= literal) << shift
        else:
            for t in range(lag, columns):
                true[word, t] |= np.uint64(a[t - lag] * scale == literal) << shift
