"""Slices by the market's state, against a plain second reading, and against the future."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np

from quantrail.analysis.metrics import market_index, market_slices
from quantrail.testing.engines import hard_market


def prices(n: int = 700, seed: int = 3) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    calm = np.where((np.arange(n) // 90) % 2 == 0, 0.005, 0.02)
    return 100.0 * np.exp(np.cumsum(rng.normal(0.0002, calm)))


def labels_at(market: list[float], t: int) -> set[str]:
    """The states of session ``t``, read off closes up to ``t - 1`` one by one."""
    known = market[:t]
    found = set()
    if len(known) >= 200:
        found.add("regime_up" if known[-1] > sum(known[-200:]) / 200 else "regime_down")
    spreads = []
    for end in range(len(known) - 251, len(known) + 1):
        window = known[max(0, end - 21) : end]
        if len(window) == 21:
            spreads.append(statistics.stdev(b / a - 1 for a, b in itertools.pairwise(window)))
    if len(spreads) == 252:
        ranked, now = sorted(spreads), spreads[-1]
        low, high = (_between(ranked, q * 251) for q in (1 / 3, 2 / 3))
        found.add("vol_low" if now <= low else "vol_mid" if now <= high else "vol_high")
    return found


def _between(ranked: list[float], place: float) -> float:
    under = math.floor(place)
    return ranked[under] + (place - under) * (ranked[under + 1] - ranked[under])


def test_every_session_carries_the_labels_of_a_plain_reading() -> None:
    market = prices()
    slices = market_slices(market, slice(100, 700))
    assert set(slices) == {"regime_up", "regime_down", "vol_low", "vol_mid", "vol_high"}
    for t in range(100, 700, 7):
        assert {name for name, mask in slices.items() if mask[t - 100]} == labels_at(market.tolist(), t), t


def test_a_close_changes_no_label_up_to_its_own_session() -> None:
    market = prices()
    poisoned = market.copy()
    poisoned[500:] *= np.linspace(0.2, 5.0, 200)
    ours, theirs = (market_slices(m, slice(0, 700)) for m in (market, poisoned))
    for name, mask in ours.items():
        np.testing.assert_array_equal(mask[:501], theirs[name][:501])
    assert any((ours[name] != theirs[name]).any() for name in ours)


def test_sessions_without_history_are_in_no_state() -> None:
    assert market_slices(prices(150), slice(0, 150)) == {}
    slices = market_slices(prices(), slice(0, 700))
    assert not slices["regime_up"][:200].any()
    assert not slices["vol_mid"][:272].any()


def test_the_market_of_one_symbol_is_its_price_and_gaps_return_nothing() -> None:
    close = hard_market(5, n_symbols=1, n_bars=120).close
    index = market_index(close)
    plain = close[0]
    both = ~np.isnan(plain[1:]) & ~np.isnan(plain[:-1])
    np.testing.assert_allclose((index[1:] / index[:-1])[both], (plain[1:] / plain[:-1])[both])
    assert ((index[1:] == index[:-1]) | both).all()
