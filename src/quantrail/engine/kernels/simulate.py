"""Engine A: one strategy after another over shared arrays, bar by bar, symbols as bits of a word."""

import numpy as np
from numba import njit

from quantrail.engine.kernels.addresses import words_at
from quantrail.engine.kernels.bitscan import lowest_bit
from quantrail.engine.kernels.coast import coast
from quantrail.engine.kernels.fills import leave_at_open, meet_waiting, touch, trade_at_open
from quantrail.engine.kernels.order_book import OrderBook, end_of_bar, review_waiting
from quantrail.engine.kernels.positions import (
    BORROW,
    CASH,
    DECIDED,
    ENTRY_BAR,
    EXIT_WHY,
    GOAL,
    HARD,
    LAST_LONG,
    LAST_SHORT,
    N_ACCOUNT,
    NEAR,
    QTY,
    RANK,
    SIDE,
    TRADED,
    TRAIL,
    WANT,
    WATER,
    record,
)

ONE = np.uint64(1)
ZERO = np.uint64(0)
NEVER = -(10**9)
# Columns of the totals row: sums of the account, then gross exposure summed and at most.
N_TOTALS = 8


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def ask_for_entry(t, g, plan, ranks, flags, masks):
    """Turn the wishes of the last close into orders, unless their symbol still cools down."""
    for w in range(masks.shape[1]):
        for side in (1, -1):
            fresh = 4 if side > 0 else 5
            ask = masks[fresh, w]
            masks[fresh, w] = ZERO
            while ask != ZERO:
                bit = ask & (~ask + ONE)
                s = (w << 6) + lowest_bit(ask)
                ask &= ask - ONE
                last = flags[s, LAST_LONG] if side > 0 else flags[s, LAST_SHORT]
                pause = plan.cooldown_long if side > 0 else plan.cooldown_short
                if t - 1 < last + pause:
                    continue
                flags[s, WANT] = side
                flags[s, DECIDED] = g - 1
                flags[s, RANK] = ranks[plan.rank, g - 1, s] if plan.rank >= 0 else 0
                masks[2, w] |= bit


@njit(cache=True, _nrt=False, error_model="numpy")
def simulate(
    plan, book, opens, highs, lows, marks, floors, ceilings, volatility, atrs, ranks, calendar,
    present_words, gaps, first, equity, series, totals, trade_i, trade_f, start, held, flags, levels, masks,
    work_i, work_f, account, count,
):  # fmt: skip
    """Run one strategy; returns the number of trades after it, or -1 when the trade arrays are full.

    Prices (T, S), ``marks`` the last known close, ``floors`` and ``ceilings`` the extremes of each bar;
    ``present_words`` (W, T), as the words whose addresses the plan holds; ``gaps`` whether any bar may be
    missing; ``first`` the column of the period's first bar. ``equity`` (n,) is filled, ``series`` (8, n)
    too unless it is empty; the rest is scratch. ``book`` is None for plain market orders.
    """
    n = len(equity)
    n_symbols = opens.shape[1]
    n_words = present_words.shape[0]
    held[:] = 0.0
    flags[:] = 0
    for s in range(n_symbols):
        flags[s, LAST_LONG] = NEVER
        flags[s, LAST_SHORT] = NEVER
    masks[:] = ZERO  # held long, held short, entry orders, exit orders, fresh wishes long and short
    account[:] = 0.0
    account[CASH] = plan.capital
    count[1] = 0  # trades so far, positions held, entries rejected
    count[2] = 0
    if book is not None:
        book.stamp[:] = -1
        book.inside[:] = -1
    count[0] = start
    wanted = False
    resize = False
    leaving = False
    halted = False
    watching = plan.hard_kind != 0 or plan.trail_kind != 0 or plan.n_targets > 0
    detailed = series.shape[1] > 0
    guarded = plan.daily_loss > 0.0 or plan.drawdown > 0.0
    previous = plan.capital
    peak = plan.capital
    gross_sum = 0.0
    gross_max = 0.0
    # Copies: the arrays written below might alias the plan for all the compiler knows.
    entry_long = plan.entry_long
    exit_long = plan.exit_long
    entry_short = plan.entry_short
    exit_short = plan.exit_short
    member = plan.member
    hold_long = plan.hold_long
    hold_short = plan.hold_short
    rebalance = plan.rebalance
    borrow = plan.borrow
    max_positions = plan.max_positions
    daily_loss = plan.daily_loss
    drawdown = plan.drawdown
    trail_kind = plan.trail_kind
    trail_value = plan.trail_value
    hard_kind = plan.hard_kind
    in_long, out_long = words_at(entry_long, present_words), words_at(exit_long, present_words)
    in_short, out_short = words_at(entry_short, present_words), words_at(exit_short, present_words)
    members = words_at(member, present_words)
    t = -1
    while t < n - 1:
        t += 1
        g = first + t
        if count[0] + n_symbols + count[1] > trade_i.shape[1]:
            return -1
        if leaving or (watching and count[1] > 0):
            leaving = False
            for w in range(n_words):
                word = masks[0, w] | masks[1, w] if watching else masks[3, w]
                while word != ZERO:
                    s = (w << 6) + lowest_bit(word)
                    word &= word - ONE
                    price = opens[g, s]
                    side = flags[s, SIDE]
                    due = side * (price - held[s, NEAR]) <= 0.0 or side * (price - held[s, GOAL]) >= 0.0
                    if due or (flags[s, EXIT_WHY] != 0 and price == price):
                        leave_at_open(
                            s, t, price, plan, book, account, held, flags, levels, masks, trade_i, trade_f,
                            count,
                        )  # fmt: skip
        if book is not None:
            if wanted:
                ask_for_entry(t, g, plan, ranks, flags, masks)
            for w in range(n_words):
                if resize:
                    # Resizing aims at the whole weight; what is left of an entry would come on top.
                    masks[2, w] &= ~(masks[0, w] | masks[1, w])
            if wanted:
                meet_waiting(
                    True, t, g, opens, highs, lows, marks, volatility, atrs, plan, book, account, held, flags,
                    levels, masks, work_i, work_f, count,
                )  # fmt: skip
        elif wanted and (gaps or resize or count[1] < max_positions):
            ask_for_entry(t, g, plan, ranks, flags, masks)
        else:
            # Without a free slot every order lapses; none waits where no bar is missing.
            wanted = False
            for w in range(n_words):
                masks[2, w] = ZERO
                masks[4, w] = ZERO
                masks[5, w] = ZERO
        if wanted or resize:
            trade_at_open(
                t, g, resize, opens, marks, volatility, atrs, plan, book, account, held, flags, levels, masks,
                work_i, work_f, count,
            )  # fmt: skip
            resize = False
            wanted = False
            for w in range(n_words):
                wanted = wanted or masks[2, w] != ZERO
        if book is not None and wanted:
            meet_waiting(
                False, t, g, opens, highs, lows, marks, volatility, atrs, plan, book, account, held, flags,
                levels, masks, work_i, work_f, count,
            )  # fmt: skip
        if watching and count[1] > 0:
            for w in range(n_words):
                word = masks[0, w] | masks[1, w]
                while word != ZERO:
                    s = (w << 6) + lowest_bit(word)
                    word &= word - ONE
                    if book is not None and flags[s, EXIT_WHY] != 0:
                        continue  # its volume is used up
                    side = flags[s, SIDE]
                    worst = lows[g, s] if side > 0 else highs[g, s]
                    best = highs[g, s] if side > 0 else lows[g, s]
                    if side * (worst - held[s, NEAR]) <= 0.0 or side * (best - held[s, GOAL]) >= 0.0:
                        touch(
                            s, t, worst, best, plan, book, account, held, flags, levels, masks, trade_i,
                            trade_f, count,
                        )  # fmt: skip
                        if flags[s, SIDE] == 0:
                            continue
                    if trail_kind != 0 and side * (best - held[s, WATER]) > 0.0:
                        held[s, WATER] = best
                        gap = trail_value * best if trail_kind == 1 else held[s, TRAIL]
                        level = best - side * gap
                        if hard_kind == 0 or side * (level - held[s, HARD]) > 0.0:
                            held[s, NEAR] = level

        if book is not None and wanted:
            end_of_bar(t, g, opens, plan, book, held, flags, levels, masks)
            wanted = False
            for w in range(n_words):
                wanted = wanted or masks[2, w] != ZERO

        # the close: mark
        long_value = 0.0
        short_value = 0.0
        if count[1] > 0:
            for w in range(n_words):
                word = masks[0, w]
                while word != ZERO:
                    s = (w << 6) + lowest_bit(word)
                    word &= word - ONE
                    long_value += held[s, QTY] * marks[g, s]
                word = masks[1, w]
                while word != ZERO:
                    s = (w << 6) + lowest_bit(word)
                    word &= word - ONE
                    short_value += held[s, QTY] * marks[g, s]
            if short_value > 0.0 and borrow > 0.0:
                account[CASH] -= short_value * borrow
                account[BORROW] += short_value * borrow
        value = account[CASH] + long_value - short_value
        equity[t] = value
        gross = 0.0
        if count[1] > 0 and value > 0.0:
            gross = (long_value + short_value) / value
            gross_sum += gross
            gross_max = max(gross_max, gross)
        if detailed:
            series[0, t] = account[CASH]
            series[1, t] = gross
            series[2, t] = (long_value - short_value) / value if value > 0.0 else 0.0
            for k in range(5):
                series[3 + k, t] = account[TRADED + k]

        # the close: decide
        if t == n - 1:
            break
        broken = value <= 0.0
        if guarded and not broken:
            broken = daily_loss > 0.0 and value <= previous * (1.0 - daily_loss)
            peak = max(peak, value)
            broken = broken or (drawdown > 0.0 and value <= peak * (1.0 - drawdown))
        previous = value
        why = 7
        if book is not None and not broken and book.rules.halt_after > 0:
            broken = count[2] >= book.rules.halt_after
            why = 10
        if broken and not halted:
            halted = True
            wanted = False
            for w in range(n_words):
                masks[2, w] = ZERO
                masks[4, w] = ZERO
                masks[5, w] = ZERO
            for s in range(n_symbols):
                if flags[s, SIDE] != 0:
                    flags[s, EXIT_WHY] = why
                    masks[3, s >> 6] |= ONE << np.uint64(s & 63)
        if halted:
            leaving = True
            if count[1] == 0:
                # Flat for good: nothing can move equity any more.
                for rest in range(t + 1, n):
                    equity[rest] = value
                    if detailed:
                        for k in range(len(series)):
                            series[k, rest] = series[k, t]
                break
            continue
        if rebalance > 0 and calendar[rebalance, g]:
            resize = count[1] > 0
        for w in range(n_words):
            present = present_words[w, g]
            long_held = masks[0, w] & present
            short_held = masks[1, w] & present
            if (long_held | short_held) != ZERO:
                leave = ZERO
                if exit_long >= 0:
                    leave |= long_held & out_long[w, g]
                if exit_short >= 0:
                    leave |= short_held & out_short[w, g]
                if book is not None:
                    leave &= ~masks[3, w]  # what is on its way out keeps its reason
                masks[3, w] |= leave
                while leave != ZERO:
                    s = (w << 6) + lowest_bit(leave)
                    leave &= leave - ONE
                    flags[s, EXIT_WHY] = 1
                if member >= 0:
                    leave = (long_held | short_held) & ~members[w, g]
                    while leave != ZERO:
                        s = (w << 6) + lowest_bit(leave)
                        leave &= leave - ONE
                        if flags[s, EXIT_WHY] == 0:
                            flags[s, EXIT_WHY] = 6
                            masks[3, w] |= ONE << np.uint64(s & 63)
                if hold_long > 0 or hold_short > 0:
                    leave = long_held | short_held
                    while leave != ZERO:
                        s = (w << 6) + lowest_bit(leave)
                        leave &= leave - ONE
                        limit = hold_long if flags[s, SIDE] > 0 else hold_short
                        old = limit > 0 and t - flags[s, ENTRY_BAR] + 1 >= limit
                        if old and flags[s, EXIT_WHY] == 0:
                            flags[s, EXIT_WHY] = 2
                            masks[3, w] |= ONE << np.uint64(s & 63)
            leaving = leaving or masks[3, w] != ZERO
        if book is None and n_words == 1 and not (leaving or resize or wanted or detailed):
            t, previous, peak, gross_sum, gross_max = coast(
                t, n, first, count[1] < max_positions, plan, highs, lows, marks, floors, ceilings, calendar,
                present_words[0], in_long[0], out_long[0], in_short[0], out_short[0], members[0], account,
                held, flags, masks, work_i[0], equity, previous, peak, gross_sum, gross_max,
            )  # fmt: skip
            g = first + t
        for w in range(n_words):
            free = present_words[w, g] & ~(masks[0, w] | masks[1, w])
            if entry_long >= 0:
                masks[4, w] = in_long[w, g] & free
            if entry_short >= 0:
                masks[5, w] = in_short[w, g] & free
            if book is not None:
                masks[2, w] &= ~masks[3, w]
                review_waiting(w, g, free, out_long, out_short, members, plan, flags, masks)
            wanted = wanted or (masks[4, w] | masks[5, w]) != ZERO
    for s in range(n_symbols):
        if flags[s, SIDE] != 0:
            record(trade_i, trade_f, count[0], s, held[s], flags[s], n - 1, 0, marks[first + n - 1, s])
            count[0] += 1
    for k in range(N_ACCOUNT):
        totals[k] = account[k]
    totals[6] = gross_sum / n
    totals[7] = gross_max
    return count[0]


@njit(cache=True, _nrt=False, error_model="numpy")
def simulate_batch(
    plans, books, opens, highs, lows, marks, floors, ceilings, volatility, atrs, ranks, calendar, present,
    gaps, first, begin, rows, equity, totals, trade_i, trade_f, offsets, series, held, flags, levels, masks,
    work_i, work_f, account, count,
):  # fmt: skip
    """Run plans from ``begin`` on; returns how far the trade arrays reached (``len(plans)`` when all fitted).

    Plan i fills rows ``rows[i]`` of ``equity`` and ``totals``; its trades end at ``offsets[i + 1]``.
    ``series`` is for a batch of one, else empty. ``books`` is None when every order is a plain market
    order, else an OrderBook with one rule record per plan.
    """
    for i in range(begin, len(plans)):
        if books is None:
            book = None
        else:
            book = OrderBook(
                books.rules[i], books.volume, books.left, books.stamp, books.remain, books.inside
            )
        done = simulate(
            plans[i], book, opens, highs, lows, marks, floors, ceilings, volatility, atrs, ranks, calendar,
            present, gaps, first, equity[rows[i]], series, totals[rows[i]], trade_i, trade_f, offsets[i],
            held, flags, levels, masks, work_i, work_f, account, count,
        )  # fmt: skip
        if done < 0:
            return i
        offsets[i + 1] = done
    return len(plans)
