"""Window statistics TA-Lib lacks or computes with cancellation. Rows are symbols, NaN spreads by window."""

import math

import numpy as np
from numba import njit

NO_PLACE = 32767


@njit(cache=True, error_model="numpy")
def rolling_deviation(values, period):
    """Mean and standard deviation (ddof 1) of the last ``period`` values, NaN where one is missing."""
    rows, columns = values.shape
    mean = np.full((rows, columns), np.nan)
    deviation = np.full((rows, columns), np.nan)
    for s in range(rows):
        filled = 0
        for t in range(columns):
            filled = filled + 1 if values[s, t] == values[s, t] else 0
            if filled < period:
                continue
            total = 0.0
            for k in range(t - period + 1, t + 1):
                total += values[s, k]
            centre = total / period
            square = 0.0
            for k in range(t - period + 1, t + 1):
                gap = values[s, k] - centre
                square += gap * gap
            mean[s, t] = centre
            deviation[s, t] = math.sqrt(square / (period - 1))
    return mean, deviation


@njit(cache=True, error_model="numpy")
def percentile_ranks(values, members):
    """Rank 0..100 of each member row in its column, ties averaged, 50 when alone."""
    out = np.full(values.shape, np.nan)
    for t in range(values.shape[1]):
        for s in members:
            own = values[s, t]
            if own != own:
                continue
            below = 0
            equal = 0
            count = 0
            for other in members:
                value = values[other, t]
                if value != value:
                    continue
                count += 1
                if value < own:
                    below += 1
                elif value == own:
                    equal += 1
            rank = below + (equal - 1) / 2.0
            out[s, t] = 100.0 * rank / (count - 1) if count > 1 else 50.0
    return out


@njit(cache=True, error_model="numpy")
def orders_of(values, members, descending):
    """Place (0 = best) of each member row per column, shape (T, S); ties by row; last without a value."""
    out = np.full((values.shape[1], values.shape[0]), NO_PLACE, np.int16)
    for t in range(values.shape[1]):
        for s in members:
            own = values[s, t]
            if own != own:
                continue
            place = 0
            for other in members:
                value = values[other, t]
                better = value > own if descending else value < own
                if better or (value == own and other < s):
                    place += 1
            out[t, s] = place
    return out
