"""Quantiles and expected shortfall of bar returns."""

import numpy as np
from numba import njit


@njit(cache=True)
def lower_tail(returns, share):
    """Linear-interpolated ``share`` quantile and expected shortfall of the worst ``share`` of mass."""
    n = len(returns)
    position = (n - 1) * share
    low = int(position)
    mass = share * n
    whole = int(mass + 1e-9)
    upto = min(max(low + 1, whole), n - 1)
    part = np.partition(returns, upto)
    tail = np.sort(part[: upto + 1])
    high = tail[low + 1] if low + 1 < n else tail[low]
    quantile = tail[low] + (position - low) * (high - tail[low])
    total = 0.0
    for i in range(whole):
        total += tail[i]
    if whole < n:
        total += max(mass - whole, 0.0) * tail[whole]
    return quantile, total / mass


@njit(cache=True)
def quantile(returns, share):
    """Linear-interpolated quantile."""
    n = len(returns)
    position = (n - 1) * share
    low = int(position)
    part = np.partition(returns, low)
    if low + 1 >= n:
        return part[low]
    high = part[low + 1]
    for i in range(low + 2, n):
        if part[i] < high:
            high = part[i]
    return part[low] + (position - low) * (high - part[low])
