"""State of open positions and the four things that happen to them: open, resize, reduce, close.

Columns of ``held`` (S, 12) floats and ``flags`` (S, 9) integers, one row per symbol.
"""

import numpy as np
from numba import njit

# held: quantity, hard stop level, trailing distance, watermark, quantity opened first,
# and over the round trip: value and quantity bought in, value and quantity let out, costs
# and the next stop and target levels, kept ready for the bar's scan
QTY, HARD, TRAIL, WATER, FIRST, IN_VALUE, IN_QTY, OUT_VALUE, OUT_QTY, COSTS, NEAR, GOAL = range(12)
N_HELD = 12
# flags: side, entry bar, pending exit reason, next target, last exit of long and short side,
# pending entry side, its rank and the bar it was decided on
SIDE, ENTRY_BAR, EXIT_WHY, TARGET, LAST_LONG, LAST_SHORT, WANT, RANK, DECIDED = range(9)
N_FLAGS = 9
# account: cash and sums of traded value, fees, spread, slippage, borrow
CASH, TRADED, FEES, SPREAD, SLIPPAGE, BORROW = range(6)
N_ACCOUNT = 6


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def pay(account, row, value, plan):
    """Costs of one fill of ``value``, per side."""
    fee = value * plan.fee
    spread = value * plan.spread
    slippage = value * plan.slippage
    account[CASH] -= fee + spread + slippage
    account[TRADED] += value
    account[FEES] += fee
    account[SPREAD] += spread
    account[SLIPPAGE] += slippage
    row[COSTS] += fee + spread + slippage


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def add_to(account, row, side, quantity, price, plan):
    value = quantity * price
    account[CASH] -= side * value
    pay(account, row, value, plan)
    row[QTY] += quantity
    row[IN_VALUE] += value
    row[IN_QTY] += quantity


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def take_from(account, row, side, quantity, price, plan):
    value = quantity * price
    account[CASH] += side * value
    pay(account, row, value, plan)
    row[QTY] -= quantity
    row[OUT_VALUE] += value
    row[OUT_QTY] += quantity


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def distance(kind, value, atr_row, price, atrs, bar, s):
    """Stop or target distance in price."""
    if kind == 1:
        return value * price
    return value * atrs[atr_row, bar, s]


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def stop_level(row, side, plan):
    """The nearer of hard and trailing stop, and which it is (exit reason)."""
    level = -np.inf * side
    why = 0
    if plan.hard_kind != 0:
        level = row[HARD]
        why = 3
    if plan.trail_kind != 0:
        gap = plan.trail_value * row[WATER] if plan.trail_kind == 1 else row[TRAIL]
        trail = row[WATER] - side * gap
        if why == 0 or side * (trail - level) > 0.0:
            level = trail
            why = 4
    return level, why


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def set_levels(row, flag, levels, side, price, plan, atrs, s):
    """Stops and targets of a fresh position; ATR is that of the decision bar."""
    bar = flag[DECIDED]
    row[WATER] = price
    flag[TARGET] = 0
    if plan.hard_kind != 0:
        row[HARD] = price - side * distance(
            plan.hard_kind, plan.hard_value, plan.hard_atr, price, atrs, bar, s
        )
    if plan.trail_kind == 2:
        row[TRAIL] = plan.trail_value * atrs[plan.trail_atr, bar, s]
    for k in range(plan.n_targets):
        gap = distance(plan.target_kind[k], plan.target_value[k], plan.target_atr[k], price, atrs, bar, s)
        levels[k] = price + side * gap
    row[NEAR], _why = stop_level(row, side, plan)
    row[GOAL] = levels[0] if plan.n_targets > 0 else np.inf * side


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def record(trade_i, trade_f, k, s, row, flag, bar, why, mark):
    """Write one round trip; ``mark`` is the price of what is still held (open trades only)."""
    side = flag[SIDE]
    left = row[QTY]
    out_value = row[OUT_VALUE] + left * mark
    out_qty = row[OUT_QTY] + left
    trade_i[0, k] = s
    trade_i[1, k] = side
    trade_i[2, k] = flag[ENTRY_BAR]
    trade_i[3, k] = bar
    trade_i[4, k] = why
    trade_f[0, k] = row[IN_VALUE] / row[IN_QTY]
    trade_f[1, k] = out_value / out_qty
    trade_f[2, k] = row[IN_QTY]
    trade_f[3, k] = row[IN_VALUE]
    trade_f[4, k] = row[COSTS]
    trade_f[5, k] = side * (out_value - row[IN_VALUE]) - row[COSTS]
    trade_f[6, k] = trade_f[5, k] / row[IN_VALUE]


@njit(cache=True, _nrt=False, error_model="numpy", forceinline=True)
def forget(row, flag, bar):
    """Back to flat; the bar of the exit stays for the cooldown."""
    if flag[SIDE] > 0:
        flag[LAST_LONG] = bar
    else:
        flag[LAST_SHORT] = bar
    row[:] = 0.0
    flag[SIDE] = 0
    flag[EXIT_WHY] = 0
