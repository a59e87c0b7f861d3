"""Orders that wait: limits, stops, volume caps. Compiled in only for strategies that ask for them.

``book`` is None for plain market orders; the compiler then drops every branch that asks for it.
"""

from collections import namedtuple

import numpy as np
from numba import njit

from quantrail.engine.kernels.bitscan import lowest_bit
from quantrail.engine.kernels.positions import (
    DECIDED,
    ENTRY_BAR,
    FIRST,
    GOAL,
    RANK,
    SIDE,
    TARGET,
    WANT,
    add_to,
    set_levels,
)

ONE = np.uint64(1)
ZERO = np.uint64(0)
MKT, LMT, STP = 0, 1, 2
# rules: one record of dtype ORDERS; volume (n, S): mean volume known before each bar of the period; per
# symbol: volume left in the bar ``stamp``, shares of a partly filled order still wanted, and the bar a
# position was last added to inside
OrderBook = namedtuple("OrderBook", "rules volume left stamp remain inside")


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def volume_left(book, t, s):
    """Shares the market may still take or give in this bar."""
    if book.rules.share <= 0.0:
        return np.inf
    if book.stamp[s] != t:
        mean = book.volume[t, s]
        book.stamp[s] = t
        book.left[s] = book.rules.share * mean if mean > 0.0 else 0.0
    return book.left[s]


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def use_volume(book, s, quantity):
    if book.rules.share > 0.0:
        book.left[s] -= quantity


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def drop_order(s, flags, masks):
    masks[2, s >> 6] &= ~(ONE << np.uint64(s & 63))
    flags[s, WANT] = 0


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def price_at_open(book, g, s, opens, marks, flags):
    """The open where the waiting order fills there, else NaN."""
    price = opens[g, s]
    if book.rules.kind == MKT:
        return price
    # A limit waits for prices to come to it, a stop for prices to run through it.
    toward = flags[s, WANT] if book.rules.kind == LMT else -flags[s, WANT]
    return price if toward * (price - marks[flags[s, DECIDED], s]) <= 0.0 else np.nan


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def price_inside(book, g, s, opens, highs, lows, marks, flags):
    """The order's level where the bar touches it after its open, else NaN."""
    if book.rules.kind == MKT:
        return np.nan
    level = marks[flags[s, DECIDED], s]
    toward = flags[s, WANT] if book.rules.kind == LMT else -flags[s, WANT]
    if toward * (opens[g, s] - level) <= 0.0:
        return np.nan
    reached = lows[g, s] <= level if toward > 0 else highs[g, s] >= level
    return level if reached else np.nan


@njit(cache=True, _nrt=False, error_model="numpy")
def line_up(at_open, g, book, opens, highs, lows, marks, flags, masks, work_i):
    """Orders to fill now, best rank first, ties by symbol: at the open those filled in part, inside all."""
    ready = 0
    for w in range(masks.shape[1]):
        word = masks[2, w]
        if at_open:
            word &= masks[0, w] | masks[1, w]
        while word != ZERO:
            s = (w << 6) + lowest_bit(word)
            word &= word - ONE
            if at_open:
                price = price_at_open(book, g, s, opens, marks, flags)
            else:
                price = price_inside(book, g, s, opens, highs, lows, marks, flags)
            if price != price:
                continue
            place = ready
            while place > 0 and flags[work_i[2, place - 1], RANK] > flags[s, RANK]:
                work_i[2, place] = work_i[2, place - 1]
                place -= 1
            work_i[2, place] = s
            ready += 1
    return ready


@njit(cache=True, _nrt=False, error_model="numpy")
def fill_entry(s, t, wanted, quantity, price, plan, atrs, book, account, held, flags, levels, masks, count):
    """Open or enlarge a position by ``quantity``; what is missing to ``wanted`` waits if it may."""
    side = flags[s, WANT]
    add_to(account, held[s], side, quantity, price, plan)
    held[s, FIRST] += quantity
    use_volume(book, s, quantity)
    if flags[s, SIDE] == 0:
        flags[s, SIDE] = side
        flags[s, ENTRY_BAR] = t
        set_levels(held[s], flags[s], levels[s], side, price, plan, atrs, s)
        masks[0 if side > 0 else 1, s >> 6] |= ONE << np.uint64(s & 63)
        count[1] += 1
    book.remain[s] = wanted - quantity
    if book.remain[s] > 0.0 and book.rules.good_till != 0:
        masks[2, s >> 6] |= ONE << np.uint64(s & 63)
    else:
        drop_order(s, flags, masks)


@njit(cache=True, _nrt=False, error_model="numpy")
def end_of_bar(t, g, opens, plan, book, held, flags, levels, masks):
    """DAY orders that had a bar lapse; targets of what was bought inside the bar go live."""
    for w in range(masks.shape[1]):
        word = masks[2, w] if book.rules.good_till == 0 else ZERO
        while word != ZERO:
            s = (w << 6) + lowest_bit(word)
            word &= word - ONE
            if opens[g, s] == opens[g, s]:
                drop_order(s, flags, masks)
        word = masks[0, w] | masks[1, w]
        while word != ZERO:
            s = (w << 6) + lowest_bit(word)
            word &= word - ONE
            if book.inside[s] == t and flags[s, TARGET] < plan.n_targets:
                held[s, GOAL] = levels[s, flags[s, TARGET]]


@njit(cache=True, _nrt=False, error_model="numpy")
def review_waiting(w, g, free, out_long, out_short, members, plan, flags, masks):
    """At the close: an exit signal, a lost place or the opposite entry cancels an order without a fill."""
    word = masks[2, w] & free
    while word != ZERO:
        bit = word & (~word + ONE)
        s = (w << 6) + lowest_bit(word)
        word &= word - ONE
        long_side = flags[s, WANT] > 0
        same, opposite = (4, 5) if long_side else (5, 4)
        gone = masks[opposite, w] & bit != ZERO
        if long_side and plan.exit_long >= 0:
            gone = gone or out_long[w, g] & bit != ZERO
        if not long_side and plan.exit_short >= 0:
            gone = gone or out_short[w, g] & bit != ZERO
        if plan.member >= 0:
            gone = gone or members[w, g] & bit == ZERO
        if gone:
            drop_order(s, flags, masks)
        else:
            masks[same, w] &= ~bit
