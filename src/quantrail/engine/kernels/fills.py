"""What happens at the open and inside a bar: exits, resizing, entries, stops and targets."""

import numpy as np
from numba import njit

from quantrail.engine.kernels.bitscan import lowest_bit
from quantrail.engine.kernels.order_book import (
    drop_order,
    fill_entry,
    line_up,
    price_at_open,
    price_inside,
    use_volume,
    volume_left,
)
from quantrail.engine.kernels.positions import (
    CASH,
    DECIDED,
    ENTRY_BAR,
    EXIT_WHY,
    FIRST,
    GOAL,
    QTY,
    RANK,
    SIDE,
    TARGET,
    WANT,
    add_to,
    forget,
    record,
    set_levels,
    stop_level,
    take_from,
)

ONE = np.uint64(1)
ZERO = np.uint64(0)
DUST = 1e-6


@njit(cache=True, _nrt=False, error_model="numpy")
def let_out_part(s, t, price, why, plan, book, account, held, flags, masks):
    """Before an exit: whether the volume allows only a part, which then leaves; the rest goes on later."""
    drop_order(s, flags, masks)
    room = volume_left(book, t, s)
    if held[s, QTY] <= room:
        use_volume(book, s, held[s, QTY])
        return False
    flags[s, EXIT_WHY] = why
    masks[3, s >> 6] |= ONE << np.uint64(s & 63)
    take_from(account, held[s], flags[s, SIDE], room, price, plan)
    use_volume(book, s, room)
    return True


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def close_all(s, t, price, why, plan, book, account, held, flags, masks, trade_i, trade_f, count):
    """Let go of everything held in ``s``; ``count`` is the number of trades so far, in a cell."""
    row = held[s]
    flag = flags[s]
    if book is not None and let_out_part(s, t, price, why, plan, book, account, held, flags, masks):
        return
    take_from(account, row, flag[SIDE], row[QTY], price, plan)
    row[QTY] = 0.0
    record(trade_i, trade_f, count[0], s, row, flag, t, why, 0.0)
    count[0] += 1
    count[1] -= 1
    bit = ONE << np.uint64(s & 63)
    masks[0 if flag[SIDE] > 0 else 1, s >> 6] &= ~bit
    masks[3, s >> 6] &= ~bit
    forget(row, flag, t)


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def hit_targets(
    s, t, price, at_open, plan, book, account, held, flags, levels, masks, trade_i, trade_f, count
):
    """Targets reached by ``price``; fills at the open when it gapped there, else at the level."""
    row = held[s]
    flag = flags[s]
    side = flag[SIDE]
    while flag[TARGET] < plan.n_targets:
        k = flag[TARGET]
        if side * (price - levels[s, k]) < 0.0:
            return
        fill = price if at_open else levels[s, k]
        part = plan.target_fraction[k] * row[FIRST]
        flag[TARGET] += 1
        row[GOAL] = levels[s, k + 1] if k + 1 < plan.n_targets else np.inf * side
        if part >= row[QTY] * (1.0 - 1e-12):
            close_all(s, t, fill, 5, plan, book, account, held, flags, masks, trade_i, trade_f, count)
            return
        if book is not None:
            drop_order(s, flags, masks)
            part = min(part, volume_left(book, t, s))
            use_volume(book, s, part)
        take_from(account, row, side, part, fill, plan)


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def leave_at_open(s, t, price, plan, book, account, held, flags, levels, masks, trade_i, trade_f, count):
    """The order of the last close, else a stop, else targets that the open has jumped over."""
    flag = flags[s]
    if flag[EXIT_WHY] != 0:
        close_all(
            s, t, price, flag[EXIT_WHY], plan, book, account, held, flags, masks, trade_i, trade_f, count
        )
        return
    level, why = stop_level(held[s], flag[SIDE], plan)
    if flag[SIDE] * (price - level) <= 0.0:
        close_all(s, t, price, why, plan, book, account, held, flags, masks, trade_i, trade_f, count)
        return
    hit_targets(s, t, price, True, plan, book, account, held, flags, levels, masks, trade_i, trade_f, count)


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def touch(s, t, worst, best, plan, book, account, held, flags, levels, masks, trade_i, trade_f, count):
    """A bar that reached the stop or a target; the stop goes first."""
    side = flags[s, SIDE]
    level, why = stop_level(held[s], side, plan)
    if side * (worst - level) <= 0.0:
        close_all(s, t, level, why, plan, book, account, held, flags, masks, trade_i, trade_f, count)
        return
    hit_targets(s, t, best, False, plan, book, account, held, flags, levels, masks, trade_i, trade_f, count)


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def marked_at_open(g, opens, marks, account, held, flags, masks):
    """Equity, gross and net value at the open; a missing bar stands at its last close."""
    equity = account[CASH]
    gross = 0.0
    net = 0.0
    for w in range(masks.shape[1]):
        word = masks[0, w] | masks[1, w]
        while word != ZERO:
            s = (w << 6) + lowest_bit(word)
            word &= word - ONE
            price = opens[g, s]
            if price != price:
                price = marks[g - 1, s]
            value = held[s, QTY] * price
            gross += value
            net += flags[s, SIDE] * value
    return equity + net, gross, net


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def affordable(wish, side, equity, gross, net, plan):
    """The part of ``wish`` (value with costs) that leaves gross and net within their limits after costs."""
    cost = plan.fee + plan.spread + plan.slippage
    room = (plan.max_gross * equity - gross) * (1.0 + cost) / (1.0 + plan.max_gross * cost)
    tilt = (plan.max_net * equity - side * net) * (1.0 + cost) / (1.0 + plan.max_net * cost)
    return max(min(wish, min(room, tilt)), 0.0)


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def weights_of(group, size, plan, volatility, bars, out):
    """Target weight of each of the first ``size`` symbols of ``group``, decided on ``bars``."""
    base = plan.equal_weight
    total = 0.0
    if plan.sizing == 2:
        for i in range(size):
            total += 1.0 / volatility[bars[i], group[i]]
    for i in range(size):
        weight = base
        if plan.sizing == 1:
            weight = plan.sizing_value
        elif plan.sizing == 2:
            weight = base * size / volatility[bars[i], group[i]] / total
        elif plan.sizing == 3:
            annual = volatility[bars[i], group[i]] * np.sqrt(252.0)
            weight = base if annual <= plan.sizing_value else base * plan.sizing_value / annual
        out[i] = min(weight, plan.max_weight)


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def trade_at_open(
    t,
    g,
    resize,
    opens,
    marks,
    volatility,
    atrs,
    plan,
    book,
    account,
    held,
    flags,
    levels,
    masks,
    work_i,
    work_f,
    count,
):
    """Resize what is kept (reductions first), then enter in rank order until slots or money end."""
    cost = 1.0 + plan.fee + plan.spread + plan.slippage
    group = work_i[0]
    decided = work_i[1]
    kept = 0
    for w in range(masks.shape[1]):
        word = masks[0, w] | masks[1, w]
        while resize and word != ZERO:
            s = (w << 6) + lowest_bit(word)
            word &= word - ONE
            sized = plan.sizing < 2 or volatility[g - 1, s] > 0.0
            if book is not None and flags[s, EXIT_WHY] != 0:
                continue  # on its way out, bit by bit
            if opens[g, s] == opens[g, s] and sized:
                group[kept] = s
                decided[kept] = g - 1
                kept += 1
    size = kept
    slots = plan.max_positions - count[1]
    ready = queue_of(g, opens, marks, book, flags, masks, work_i, count)
    for i in range(ready):
        if size - kept < slots:
            group[size] = work_i[2, i]
            decided[size] = flags[work_i[2, i], DECIDED]
            size += 1
        else:
            flags[work_i[2, i], WANT] = 0
    weights_of(group, size, plan, volatility, decided, work_f)
    equity, gross, net = marked_at_open(g, opens, marks, account, held, flags, masks)
    start = equity
    for i in range(kept):
        s = group[i]
        price = opens[g, s]
        excess = held[s, QTY] - work_f[i] * start / price
        if start > 0.0 and excess * price > DUST * start:
            if book is not None:
                excess = min(excess, volume_left(book, t, s))
                use_volume(book, s, excess)
            take_from(account, held[s], flags[s, SIDE], excess, price, plan)
            gross -= excess * price
            net -= flags[s, SIDE] * excess * price
            equity -= excess * price * (cost - 1.0)
    for i in range(size):
        s = group[i]
        price = opens[g, s]
        side = flags[s, SIDE] if i < kept else flags[s, WANT]
        wish = work_f[i] * start - (held[s, QTY] * price if i < kept else 0.0)
        value = affordable(wish, side, equity, gross, net, plan)
        flags[s, WANT] = 0
        if value <= DUST * max(start, 0.0):
            if book is not None and i >= kept:
                count[2] += 1
            continue
        quantity = value / (price * cost)
        if book is not None:
            wanted = quantity
            quantity = min(wanted, volume_left(book, t, s))
            if i >= kept:
                flags[s, WANT] = side
                enter_or_wait(
                    s,
                    t,
                    wanted,
                    quantity,
                    price,
                    plan,
                    atrs,
                    book,
                    account,
                    held,
                    flags,
                    levels,
                    masks,
                    count,
                )
                gross += quantity * price
                net += side * quantity * price
                equity -= quantity * price * (cost - 1.0)
                continue
            use_volume(book, s, quantity)
        add_to(account, held[s], side, quantity, price, plan)
        gross += quantity * price
        net += side * quantity * price
        equity -= quantity * price * (cost - 1.0)
        if i >= kept:
            flags[s, SIDE] = side
            flags[s, ENTRY_BAR] = t
            held[s, FIRST] = quantity
            set_levels(held[s], flags[s], levels[s], side, price, plan, atrs, s)
            masks[0 if side > 0 else 1, s >> 6] |= ONE << np.uint64(s & 63)
            count[1] += 1


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def queue_of(g, opens, marks, book, flags, masks, work_i, count):
    """Entry orders that have a bar, best rank first, ties by symbol; the rest keep waiting."""
    ready = 0
    for w in range(masks.shape[1]):
        word = masks[2, w]
        while word != ZERO:
            bit = word & (~word + ONE)
            s = (w << 6) + lowest_bit(word)
            word &= word - ONE
            if opens[g, s] != opens[g, s]:
                continue
            if book is not None:
                price = price_at_open(book, g, s, opens, marks, flags)
                if flags[s, SIDE] != 0 or price != price:
                    continue
                if book.rules.too_wide != 0:
                    drop_order(s, flags, masks)
                    count[2] += 1
                    continue
            masks[2, w] &= ~bit
            place = ready
            while place > 0 and flags[work_i[2, place - 1], RANK] > flags[s, RANK]:
                work_i[2, place] = work_i[2, place - 1]
                place -= 1
            work_i[2, place] = s
            ready += 1
    return ready


@njit(cache=True, _nrt=False, error_model="numpy")
def enter_or_wait(
    s, t, wanted, quantity, price, plan, atrs, book, account, held, flags, levels, masks, count
):  # fmt: skip
    """Fill what the volume allows; with none left the order waits for another bar."""
    if quantity > 0.0:
        fill_entry(
            s, t, wanted, quantity, price, plan, atrs, book, account, held, flags, levels, masks, count
        )
    else:
        masks[2, s >> 6] |= ONE << np.uint64(s & 63)


@njit(cache=True, _nrt=False, error_model="numpy")
def meet_waiting(
    at_open, t, g, opens, highs, lows, marks, volatility, atrs, plan, book, account, held, flags, levels,
    masks, work_i, work_f, count,
):  # fmt: skip
    """Fill waiting orders one by one: at the open those filled in part, inside the bar those it touches."""
    ready = line_up(at_open, g, book, opens, highs, lows, marks, flags, masks, work_i)
    if ready == 0:
        return
    cost = 1.0 + plan.fee + plan.spread + plan.slippage
    equity, gross, net = marked_at_open(g, opens, marks, account, held, flags, masks)
    start = equity
    for i in range(ready):
        s = work_i[2, i]
        side = flags[s, WANT]
        fresh = flags[s, SIDE] == 0
        price = opens[g, s] if at_open else price_inside(book, g, s, opens, highs, lows, marks, flags)
        if fresh and book.rules.too_wide != 0:
            count[2] += 1
            drop_order(s, flags, masks)
            continue
        if fresh and count[1] >= plan.max_positions:
            drop_order(s, flags, masks)
            continue
        wish = book.remain[s] * price * cost
        if fresh:
            work_i[0, 0] = s
            work_i[1, 0] = flags[s, DECIDED]
            weights_of(work_i[0], 1, plan, volatility, work_i[1], work_f)
            wish = work_f[0] * start
        value = affordable(wish, side, equity, gross, net, plan)
        if value <= DUST * max(start, 0.0):
            count[2] += fresh
            drop_order(s, flags, masks)
            continue
        wanted = value / (price * cost)
        quantity = min(wanted, volume_left(book, t, s))
        enter_or_wait(
            s, t, wanted, quantity, price, plan, atrs, book, account, held, flags, levels, masks, count
        )
        if quantity > 0.0 and not at_open:
            # The order of the bar's extremes is unknown: no profit is taken on it.
            book.inside[s] = t
            held[s, GOAL] = np.inf * side
        gross += quantity * price
        net += side * quantity * price
        equity -= quantity * price * (cost - 1.0)
