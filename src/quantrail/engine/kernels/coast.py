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
# Bars whose signals are tested together.
BLOCK = 32


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
    for i in range(longs):
        s = np.uint64(rows[i])
        if (floors[h, s] <= held[s, NEAR]) | (ceilings[h, s] >= held[s, GOAL]):
            return True
    for i in range(longs, count):
        s = np.uint64(rows[i])
        if (ceilings[h, s] >= held[s, NEAR]) | (floors[h, s] <= held[s, GOAL]):
            return True
    return False


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
def events(
    g, wish_long, wish_short, out_long, out_short, out_member, room, present, in_long, leave_long, in_short,
    leave_short, members,
):  # fmt: skip
    """Symbols that ask for an entry at the close of ``g`` or have to leave at the next."""
    # Unsigned, so that no index is tested for counting from the end.
    u = np.uint64(g)
    v = np.uint64(g + 1)
    ask = (in_long[u] & wish_long | in_short[u] & wish_short) & present[u] & (room | ~present[v])
    leave = leave_long[v] & out_long | leave_short[v] & out_short | ~members[v] & out_member
    return ask | leave & present[v]


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def quiet_until(
    g, limit, long_held, short_held, room, plan, present, in_long, out_long, in_short, out_short, members
):
    """The last bar from ``g`` to ``limit`` that can be reached without an entry wish or an exit signal.

    Many bars at a time as long as there is none: the words of a block need one test together.
    """
    busy = long_held | short_held
    wish_long = ~busy if plan.entry_long >= 0 else ZERO
    wish_short = ~busy if plan.entry_short >= 0 else ZERO
    use_long = long_held if plan.exit_long >= 0 else ZERO
    use_short = short_held if plan.exit_short >= 0 else ZERO
    use_member = busy if plan.member >= 0 else ZERO
    free = ALL if room else ZERO
    block = ZERO
    while block == ZERO and g + BLOCK <= limit:
        for k in range(BLOCK):
            block |= events(
                g + k, wish_long, wish_short, use_long, use_short, use_member, free, present, in_long,
                out_long, in_short, out_short, members,
            )  # fmt: skip
        if block == ZERO:
            g += BLOCK
    while g < limit and (
        events(
            g, wish_long, wish_short, use_long, use_short, use_member, free, present, in_long, out_long,
            in_short, out_short, members,
        )
        == ZERO
    ):  # fmt: skip
        g += 1
    return g


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def mark_one(g, limit, first, s, is_long, cash, marks, held, equity, gross_sum, gross_max):
    """Mark a single position until ``limit`` or ruin; the last bar done, and the two of gross exposure."""
    quantity = held[s, QTY]
    prices = marks[g + 1 : limit + 1, s]
    out = equity[g + 1 - first : limit + 1 - first]
    done = len(out)
    for k in range(len(out)):
        worth = 0.0 + quantity * prices[k]
        out[k] = cash + worth if is_long else cash - worth
        if out[k] <= 0.0:
            done = k
            break
    # A loop of its own: with all of the above, the sum would not stay in a register.
    for k in range(done):
        gross = (0.0 + quantity * prices[k]) / out[k]
        gross_sum += gross
        gross_max = max(gross_max, gross)
    return g + done, gross_sum, gross_max


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def mark_many(g, limit, first, longs, count, cash, marks, held, rows, equity, gross_sum, gross_max):
    """As ``mark_one`` for the positions listed in ``rows``."""
    out = equity[g + 1 - first : limit + 1 - first]
    for k in range(len(out)):
        prices = marks[g + 1 + k]
        long_value = 0.0
        short_value = 0.0
        for i in range(longs):
            s = np.uint64(rows[i])
            long_value += held[s, QTY] * prices[s]
        for i in range(longs, count):
            s = np.uint64(rows[i])
            short_value += held[s, QTY] * prices[s]
        value = cash + long_value - short_value
        if value <= 0.0:
            return g + k, gross_sum, gross_max
        out[k] = value
        gross = (long_value + short_value) / value
        gross_sum += gross
        gross_max = max(gross_max, gross)
    return limit, gross_sum, gross_max


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
    long_held = masks[0, 0]
    short_held = masks[1, 0]
    g = first + t
    # The last bar is marked but decides nothing: it is left to the full sequence.
    limit = first + n - 2
    if (long_held | short_held) == ZERO:
        g = quiet_until(
            g, limit, ZERO, ZERO, True, plan, present, in_long, out_long, in_short, out_short, members
        )
        equity[t + 1 : g - first + 1] = previous
        return g - first, previous, peak, gross_sum, gross_max
    rebalance = plan.rebalance
    borrow = plan.borrow
    daily_loss = plan.daily_loss
    drawdown = plan.drawdown
    trailing = plan.trail_kind != 0
    watching = plan.hard_kind != 0 or trailing or plan.n_targets > 0
    longs, due = list_held(long_held, 0, plan.hold_long, NO_BAR, flags, rows)
    count, due = list_held(short_held, longs, plan.hold_short, due, flags, rows)
    limit = min(limit, due + first - 1)
    if rebalance > 0:
        for h in range(g + 1, limit + 1):
            if calendar[rebalance, h]:
                limit = h - 1
                break
    limit = quiet_until(
        g, limit, long_held, short_held, room, plan, present, in_long, out_long, in_short, out_short, members
    )
    if watching and not trailing:
        h = g + 1
        while h <= limit and not reaches(h, longs, count, floors, ceilings, held, rows):
            h += 1
        limit = min(limit, h - 1)
    cash = account[CASH]
    if limit > g and not (trailing or daily_loss > 0.0 or drawdown > 0.0 or (borrow > 0.0 and count > longs)):
        if count == 1:
            g, gross_sum, gross_max = mark_one(
                g, limit, first, rows[0], longs == 1, cash, marks, held, equity, gross_sum, gross_max
            )
        else:
            g, gross_sum, gross_max = mark_many(
                g, limit, first, longs, count, cash, marks, held, rows, equity, gross_sum, gross_max
            )
        return g - first, equity[g - first], peak, gross_sum, gross_max
    while g < limit:
        h = g + 1
        if trailing and reaches(h, longs, count, floors, ceilings, held, rows):
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
