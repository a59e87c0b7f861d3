"""Metrics of equity curves, one row per strategy. Reductions run in bar order: same bits everywhere.

Column numbers follow ``definitions.METRICS``; reason numbers follow ``definitions.Undefined``.
"""

import math

import numpy as np
from numba import njit

from quantrail.analysis.metrics.kernels.tails import lower_tail, upper_quantile

N_CURVE = 23
# A spread of returns below this is rounding of 1 + r, not variation.
FLAT = 1e-13


@njit(cache=True, error_model="numpy")
def bar_returns(equity, capital, rf, out, below):
    """Simple returns and the squares of what they fall short of ``rf`` by; how many are above zero.

    A return is -1 in the bar of ruin, 0 after it. Choices without branches, so that it vectorises.
    """
    ratio = max(equity[0] / capital, 0.0) - 1.0
    out[0] = ratio if capital > 0.0 else 0.0
    before = equity[:-1]
    after = equity[1:]
    returns = out[1:]
    for t in range(len(returns)):
        ratio = after[t] / before[t]
        ratio = (ratio if ratio > 0.0 else 0.0) - 1.0
        returns[t] = ratio if before[t] > 0.0 else 0.0
    wins = 0
    for t in range(len(out)):
        short = out[t] - rf
        short = short if short < 0.0 else 0.0
        below[t] = short * short
        wins += out[t] > 0.0
    return wins


@njit(cache=True, error_model="numpy")
def sharpe(returns, first, last, rf, q):
    """Value and reason over returns[first:last]."""
    n = last - first
    if n < 2:
        return np.nan, 1
    total = 0.0
    for t in range(first, last):
        total += returns[t] - rf
    mean = total / n
    square = 0.0
    for t in range(first, last):
        gap = returns[t] - rf - mean
        square += gap * gap
    spread = math.sqrt(square / (n - 1))
    if spread <= FLAT:
        return np.nan, 2
    return mean / spread * math.sqrt(q), 0


@njit(cache=True, error_model="numpy")
def sweep(equity, returns, below, capital):
    """Every sum over bars that needs no mean and keeps their order: returns, downside, drawdowns.

    One pass without branches: the sums run beside each other, each in bar order.
    """
    total = 0.0
    downside = 0.0
    peak = capital
    deepest = 0.0
    squares = 0.0
    under = 0
    longest = 0
    for t in range(len(returns)):
        total += returns[t]
        downside += below[t]
        value = equity[t]
        under = 0 if value >= peak else under + 1
        peak = value if value > peak else peak  # one instruction, which >= would not be
        fall = value / peak
        fall = (fall if fall > 0.0 else 0.0) - 1.0
        squares += fall * fall
        deepest = fall if fall < deepest else deepest
        longest = under if under > longest else longest
    return total, downside, deepest, squares, longest


@njit(cache=True, error_model="numpy")
def moments(returns, total, downside, wins, rf, q, out, why):
    n = len(returns)
    mean = total / n
    m2 = 0.0
    m3 = 0.0
    m4 = 0.0
    for t in range(n):
        gap = returns[t] - mean
        square = gap * gap
        m2 += square
        m3 += square * gap
        m4 += square * square
    out[7] = wins / n
    if n < 2:
        for k in (2, 4, 5, 8, 9):
            out[k] = np.nan
            why[k] = 1
        return
    spread = math.sqrt(m2 / (n - 1))
    out[2] = spread * math.sqrt(q)
    downside = math.sqrt(downside / n)
    if downside <= FLAT:
        out[5] = np.nan
        why[5] = 3
    else:
        out[5] = (mean - rf) / downside * math.sqrt(q)
    if spread <= FLAT:
        for k in (4, 8, 9):
            out[k] = np.nan
            why[k] = 2
        return
    out[4] = (mean - rf) / spread * math.sqrt(q)
    variance = m2 / n
    out[8] = (m3 / n) / (variance * math.sqrt(variance))
    out[9] = (m4 / n) / (variance * variance)


@njit(cache=True, error_model="numpy")
def growth(equity, capital, deepest, squares, longest, q, out, why):
    n = len(equity)
    last = equity[n - 1]
    out[0] = max(last / capital, 0.0) - 1.0
    out[1] = (last / capital) ** (q / n) - 1.0 if last > 0.0 else -1.0
    out[3] = deepest
    out[10] = longest
    out[11] = math.sqrt(squares / n)
    if deepest < 0.0:
        out[6] = out[1] / -deepest
    else:
        out[6] = np.nan
        why[6] = 4


@njit(cache=True, error_model="numpy")
def split(equity, returns, capital, first_oos, rf, q, out, why):
    n = len(returns)
    if first_oos <= 0 or first_oos >= n:
        for k in range(12, 16):
            out[k] = np.nan
            why[k] = 8
        return
    base = equity[first_oos - 1]
    out[12] = max(equity[n - 1] / base, 0.0) - 1.0 if base > 0.0 else 0.0
    out[13], why[13] = sharpe(returns, first_oos, n, rf, q)
    out[14], why[14] = sharpe(returns, 0, first_oos, rf, q)
    if why[14] == 0 and out[14] > 0.0 and why[13] == 0:
        out[15] = out[13] / out[14]
    else:
        out[15] = np.nan
        why[15] = 9 if why[14] != 0 or out[14] <= 0.0 else why[13]


@njit(cache=True, error_model="numpy")
def mean_of(values):
    """0 for an empty series."""
    total = 0.0
    for t in range(len(values)):
        total += values[t]
    return total / max(len(values), 1)


@njit(cache=True, error_model="numpy")
def against_benchmark(returns, mean_r, bench, mean_b, rf, q, out, why):
    n = len(returns)
    if len(bench) != n or n < 2:
        for k in range(16, 19):
            out[k] = np.nan
            why[k] = 7 if len(bench) != n else 1
        return
    cross = 0.0
    square = 0.0
    active = 0.0
    for t in range(n):
        b = bench[t] - mean_b
        r = returns[t] - mean_r
        cross += r * b
        square += b * b
        active += (r - b) * (r - b)
    if math.sqrt(square / (n - 1)) <= FLAT:
        out[16] = np.nan
        out[17] = np.nan
        why[16] = 2
        why[17] = 2
    else:
        out[17] = cross / square
        out[16] = q * (mean_r - rf - out[17] * (mean_b - rf))
    active = math.sqrt(active / (n - 1))
    if active <= FLAT:
        out[18] = np.nan
        why[18] = 2
    else:
        out[18] = (mean_r - mean_b) / active * math.sqrt(q)


@njit(cache=True, error_model="numpy")
def curve_row(equity, capital, q, rf, first_oos, bench, mean_b, with_tails, returns, scratch, out, why):
    wins = bar_returns(equity, capital, rf, returns, scratch)
    total, downside, deepest, squares, longest = sweep(equity, returns, scratch, capital)
    growth(equity, capital, deepest, squares, longest, q, out, why)
    moments(returns, total, downside, wins, rf, q, out, why)
    split(equity, returns, capital, first_oos, rf, q, out, why)
    against_benchmark(returns, total / len(returns), bench, mean_b, rf, q, out, why)
    if with_tails:
        out[20] = upper_quantile(returns, 0.95, scratch)
        out[21], out[22] = lower_tail(returns, 0.05, scratch)
        out[19] = out[21]


@njit(cache=True, error_model="numpy")
def curve_batch(equity, capital, q, rf, first_oos, bench, with_tails, out, why):
    """Fill ``out`` and ``why`` (N, N_CURVE) from ``equity`` (N, n)."""
    returns = np.empty(equity.shape[1])
    scratch = np.empty(equity.shape[1])
    mean_b = mean_of(bench)
    for i in range(equity.shape[0]):
        curve_row(
            equity[i], capital, q, rf, first_oos, bench, mean_b, with_tails, returns, scratch, out[i], why[i]
        )


@njit(cache=True, error_model="numpy")
def trade_batch(offsets, is_open, pnl, ret, bars, out, why):
    """Fill ``out`` and ``why`` (N, 6) from the round trips of each strategy."""
    for i in range(len(offsets) - 1):
        closed = 0
        wins = 0
        gain = 0.0
        loss = 0.0
        total = 0.0
        returned = 0.0
        held = 0.0
        for k in range(offsets[i], offsets[i + 1]):
            if is_open[k]:
                continue
            closed += 1
            total += pnl[k]
            returned += ret[k]
            held += bars[k]
            if pnl[k] > 0.0:
                wins += 1
                gain += pnl[k]
            else:
                loss -= pnl[k]
        out[i, 0] = closed
        if closed == 0:
            for j in range(1, 6):
                out[i, j] = np.nan
                why[i, j] = 5
            continue
        out[i, 1] = wins / closed
        if loss > 0.0:
            out[i, 2] = gain / loss
        else:
            out[i, 2] = np.nan
            why[i, 2] = 6
        out[i, 3] = total / closed
        out[i, 4] = returned / closed
        out[i, 5] = held / closed
