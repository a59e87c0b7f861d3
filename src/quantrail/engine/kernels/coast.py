"""Bars on which nothing is decided and nothing fills: positions are only marked.

Most bars are like that. ``coast`` walks them in a tight loop and stops before the first bar on which
anything might happen; that bar is left to the full sequence of ``simulate``, so that every rule stands
in one place. Whatever is doubtful counts as an event: stopping too early costs time, never a bit.
"""

import numpy as np
from numba import njit

from quantrail.engine.kernels.bitscan import lowest_bit
from quantrail.engine.kernels.positions import (
    BORROW,
    CASH,
    ENTRY_BAR,
    GOAL,
    HARD,
    NEAR,
    QTY,
    TRAIL,
    WATER,
)

ONE = np.uint64(1)
ZERO = np.uint64(0)
ALL = ~np.uint64(0)
NO_BAR = 2**62


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def list_held(word, count, limit, due, flags, rows):
    """Append the symbols of ``word`` to ``rows``; (how many there are, first bar a time stop may act on)."""
    while word != ZERO:
        s = lowest_bit(word)
        word &= word - ONE
        rows[count] = s
        count += 1
        if limit > 0:
            due = min(due, flags[s, ENTRY_BAR] + limit - 1)
    return count, due


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def reaches(h, longs, count, floors, ceilings, held, rows):
    """Whether bar ``h`` may touch a stop or a target of what is held, at its open or inside."""
    hit = False
    for i in range(longs):
        s = rows[i]
        hit |= (floors[h, s] <= held[s, NEAR]) | (ceilings[h, s] >= held[s, GOAL])
    for i in range(longs, count):
        s = rows[i]
        hit |= (ceilings[h, s] >= held[s, NEAR]) | (floors[h, s] <= held[s, GOAL])
    return hit


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def trail(h, longs, count, plan, highs, lows, held, rows):
    """Let trailing stops follow the best price of bar ``h``."""
    for i in range(count):
        s = rows[i]
        side = 1 if i < longs else -1
        best = highs[h, s] if side > 0 else lows[h, s]
        if side * (best - held[s, WATER]) > 0.0:
            held[s, WATER] = best
            gap = plan.trail_value * best if plan.trail_kind == 1 else held[s, TRAIL]
            level = best - side * gap
            if plan.hard_kind == 0 or side * (level - held[s, HARD]) > 0.0:
                held[s, NEAR] = level


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def coast(
    t, n, first, room, plan, highs, lows, marks, floors, ceilings, calendar, present, in_long, out_long,
    in_short, out_short, members, account, held, flags, masks, rows, equity, previous, peak, gross_sum,
    gross_max,
):  # fmt: skip
    """Mark the bars after ``t`` until one may hold an event; universes of at most 64 symbols.

    Called after the exits of bar t are decided, with no order under way. ``room``: an entry wish can
    find a slot. Rows of signals are (T,) words; a side without a rule names any row. ``rows`` is scratch.
    Returns the last bar that is done (its entry wishes are still to be read), its equity, and the running
    peak, sum and maximum of gross exposure.
    """
    use_in_long = ALL if plan.entry_long >= 0 else ZERO
    use_in_short = ALL if plan.entry_short >= 0 else ZERO
    long_held = masks[0, 0]
    short_held = masks[1, 0]
    busy = long_held | short_held
    g = first + t
    # The last bar is marked but decides nothing: it is left to the full sequence.
    last = first + n - 2
    if busy == ZERO:
        while g < last and (in_long[g] & use_in_long | in_short[g] & use_in_short) & present[g] == ZERO:
            g += 1
        equity[t + 1 : g - first + 1] = previous
        return g - first, previous, peak, gross_sum, gross_max
    use_out_long = long_held if plan.exit_long >= 0 else ZERO
    use_out_short = short_held if plan.exit_short >= 0 else ZERO
    use_member = busy if plan.member >= 0 else ZERO
    rebalance = plan.rebalance
    borrow = plan.borrow
    daily_loss = plan.daily_loss
    drawdown = plan.drawdown
    trailing = plan.trail_kind != 0
    watching = plan.hard_kind != 0 or trailing or plan.n_targets > 0
    longs, due = list_held(long_held, 0, plan.hold_long, NO_BAR, flags, rows)
    count, due = list_held(short_held, longs, plan.hold_short, due, flags, rows)
    due = min(due, n) + first
    cash = account[CASH]
    while g < last:
        ask = (in_long[g] & use_in_long | in_short[g] & use_in_short) & present[g] & ~busy
        if ask != ZERO and (room or ask & ~present[g + 1] != ZERO):
            break
        h = g + 1
        leave = out_long[h] & use_out_long | out_short[h] & use_out_short | ~members[h] & use_member
        if leave & present[h] != ZERO or h >= due or (rebalance > 0 and calendar[rebalance, h]):
            break
        if watching and reaches(h, longs, count, floors, ceilings, held, rows):
            break
        long_value = 0.0
        short_value = 0.0
        for i in range(longs):
            long_value += held[rows[i], QTY] * marks[h, rows[i]]
        for i in range(longs, count):
            short_value += held[rows[i], QTY] * marks[h, rows[i]]
        lent = short_value * borrow if short_value > 0.0 and borrow > 0.0 else 0.0
        value = cash - lent + long_value - short_value
        high = max(peak, value)
        if value <= 0.0:
            break
        if daily_loss > 0.0 and value <= previous * (1.0 - daily_loss):
            break
        if drawdown > 0.0 and value <= high * (1.0 - drawdown):
            break
        if trailing:
            trail(h, longs, count, plan, highs, lows, held, rows)
        if lent > 0.0:
            cash -= lent
            account[BORROW] += lent
        g = h
        peak = high
        previous = value
        equity[h - first] = value
        gross = (long_value + short_value) / value
        gross_sum += gross
        gross_max = max(gross_max, gross)
    account[CASH] = cash
    return g - first, previous, peak, gross_sum, gross_max
