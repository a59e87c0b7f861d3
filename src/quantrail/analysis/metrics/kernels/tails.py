"""Quantiles and expected shortfall of bar returns.

Selection and sorting are written out: numba's own take seconds to compile. Only ranks matter, so every
way to find the lowest values gives the same bits.
"""

from numba import njit

SAMPLE = 64
# A limit this many places further into the sample than the share asked for rarely falls short.
MARGIN = 5


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
def lowest(values, sign, count, out):
    """Put at least the ``count`` lowest of ``sign * values`` into ``out``, in any order; how many it holds.

    One pass without branches keeps what lies below a limit read from a sample; were that too few,
    everything is kept.
    """
    n = len(values)
    if n > 4 * SAMPLE:
        for k in range(SAMPLE):
            out[k] = sign * values[k * (n // SAMPLE)]
        shell_sort(out[:SAMPLE])
        limit = out[min(SAMPLE * count // n + MARGIN, SAMPLE - 1)]
        size = 0
        for t in range(n):
            value = sign * values[t]
            out[size] = value
            size += value <= limit
        if size >= count:
            return size
    for t in range(n):
        out[t] = sign * values[t]
    return n


@njit(cache=True, error_model="numpy")
def lower_tail(values, share, scratch):
    """Linear-interpolated ``share`` quantile and expected shortfall of the worst ``share`` of mass.

    ``scratch`` is as long as ``values``.
    """
    n = len(values)
    position = (n - 1) * share
    low = int(position)
    mass = share * n
    whole = int(mass + 1e-9)
    upto = min(max(low + 1, whole), n - 1)
    worst = scratch[: lowest(values, 1.0, upto + 1, scratch)]
    select(worst, upto)
    shell_sort(worst[: upto + 1])
    high = worst[low + 1] if low + 1 < n else worst[low]
    quantile = worst[low] + (position - low) * (high - worst[low])
    total = 0.0
    for i in range(whole):
        total += worst[i]
    if whole < n:
        total += max(mass - whole, 0.0) * worst[whole]
    return quantile, total / mass


@njit(cache=True, error_model="numpy")
def upper_quantile(values, share, scratch):
    """Linear-interpolated quantile; ``scratch`` is as long as ``values``."""
    n = len(values)
    position = (n - 1) * share
    low = int(position)
    # Counted from the top: the highest values are the lowest with their sign turned.
    place = n - 1 - low
    best = scratch[: lowest(values, -1.0, place + 1, scratch)]
    select(best, place)
    value = -best[place]
    if place == 0:
        return value
    high = best[0]
    for i in range(1, place):
        if best[i] > high:
            high = best[i]
    return value + (position - low) * (-high - value)
