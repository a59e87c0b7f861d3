"""Best and worst price a round trip saw."""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def excursions(highs, lows, first, symbol, side, entry_bar, exit_bar, is_open, entry_price, exit_price):
    """(mfe, mae) as fractions of the entry price: fills, and bars held to their close."""
    n = len(symbol)
    mfe = np.zeros(n)
    mae = np.zeros(n)
    for k in range(n):
        top = max(entry_price[k], exit_price[k])
        bottom = min(entry_price[k], exit_price[k])
        stop = exit_bar[k] + 1 if is_open[k] else exit_bar[k]
        for g in range(first + entry_bar[k], first + stop):
            high = highs[g, symbol[k]]
            low = lows[g, symbol[k]]
            if high > top:
                top = high
            if low < bottom:
                bottom = low
        up = top / entry_price[k] - 1.0
        down = bottom / entry_price[k] - 1.0
        mfe[k] = up if side[k] > 0 else -down
        mae[k] = down if side[k] > 0 else -up
    return mfe, mae
