"""Quantiles and expected shortfall of bar returns.

Selection and sorting are written out: numba's own take seconds to compile.
"""

from numba import njit


@njit(cache=True, error_model="numpy")
def select(values, k):
    """Reorder so that values[:k] <= values[k] <= values[k + 1:] (Hoare's quickselect)."""
    low = 0
    high = len(values) - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i = low
        j = high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            return


@njit(cache=True, error_model="numpy")
def shell_sort(values):
    gap = len(values) // 2
    while gap > 0:
        for i in range(gap, len(values)):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 2


@njit(cache=True, error_model="numpy")
def lower_tail(values, share):
    """Linear-interpolated ``share`` quantile and expected shortfall of the worst ``share`` of mass.

    Reorders ``values``.
    """
    n = len(values)
    position = (n - 1) * share
    low = int(position)
    mass = share * n
    whole = int(mass + 1e-9)
    upto = min(max(low + 1, whole), n - 1)
    select(values, upto)
    shell_sort(values[: upto + 1])
    high = values[low + 1] if low + 1 < n else values[low]
    quantile = values[low] + (position - low) * (high - values[low])
    total = 0.0
    for i in range(whole):
        total += values[i]
    if whole < n:
        total += max(mass - whole, 0.0) * values[whole]
    return quantile, total / mass


@njit(cache=True, error_model="numpy")
def upper_quantile(values, share):
    """Linear-interpolated quantile. Reorders ``values``."""
    n = len(values)
    position = (n - 1) * share
    low = int(position)
    select(values, low)
    if low + 1 >= n:
        return values[low]
    high = values[low + 1]
    for i in range(low + 2, n):
        if values[i] < high:
            high = values[i]
    return values[low] + (position - low) * (high - values[low])
