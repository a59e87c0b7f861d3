"""Every feature type against a second formula, and what gaps do to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from quantrail.domain.market import BAR_COLUMNS, Bars
from quantrail.engine.event_driven.liquidity import corwin_schultz_bps
from quantrail.engine.signals.features import RECORD_KINDS, FeatureStore
from quantrail.engine.signals.indicators import FEATURE_KINDS
from quantrail.errors import NotFound
from quantrail.strategy import FEATURE_TYPES
from quantrail.testing.engines import bars_of, feature, hard_market, with_made_up_records

Series = pd.Series


def one_symbol(n: int = 200) -> Bars:
    rng = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
    opens = close * np.exp(rng.normal(0, 0.01, n))
    high, low = np.maximum(opens, close) * 1.01, np.minimum(opens, close) * 0.99
    volume = np.round(rng.lognormal(10, 1, n))
    return bars_of({"X": list(zip(opens, high, low, close, volume, strict=True))})


def wilder(values: NDArray[np.float64], period: int, seed: float) -> NDArray[np.float64]:
    """Wilder's recursive mean of ``values`` from ``seed``."""
    out, last = [], seed
    for value in values:
        last = last + (value - last) / period
        out.append(last)
    return np.array(out)


def ema(x: Series, period: int) -> Series:
    """Seeded with the SMA of the first full window."""
    out = pd.Series(np.nan, x.index)
    values = x.dropna()
    last = values[:period].mean()
    out[values.index[period - 1]] = last
    for index in values.index[period:]:
        last = last + 2 / (period + 1) * (values[index] - last)
        out[index] = last
    return out


def true_range(b: dict[str, Series]) -> Series:
    old = b["close"].shift()
    spans = [b["high"] - b["low"], (b["high"] - old).abs(), (b["low"] - old).abs()]
    return pd.concat(spans, axis=1).max(axis=1).where(old.notna())


def rsi(x: Series, period: int) -> Series:
    move = x.diff().to_numpy()[1:]
    gains, losses = np.maximum(move, 0), np.maximum(-move, 0)
    up = wilder(gains[period:], period, gains[:period].mean())
    down = wilder(losses[period:], period, losses[:period].mean())
    first = gains[:period].mean() / (gains[:period].mean() + losses[:period].mean())
    return pd.Series(np.concatenate((np.full(period, np.nan), [100 * first], 100 * up / (up + down))))


def atr(b: dict[str, Series], period: int) -> Series:
    spans = true_range(b).to_numpy()[1:]
    seed = spans[:period].mean()
    return pd.Series(np.concatenate((np.full(period, np.nan), [seed], wilder(spans[period:], period, seed))))


def directional(b: dict[str, Series], period: int) -> tuple[Series, Series, Series]:
    """+DI, -DI, ADX with Wilder's sums as TA-Lib runs them."""
    up, down = b["high"].diff().to_numpy(), -b["low"].diff().to_numpy()
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    spans = true_range(b).to_numpy()
    n = len(plus)
    di = np.full((2, n), np.nan)
    sums = np.array([plus[1:period].sum(), minus[1:period].sum(), spans[1:period].sum()])
    for t in range(period, n):
        sums = sums - sums / period + np.array([plus[t], minus[t], spans[t]])
        di[:, t] = 100 * sums[:2] / sums[2]
    dx = 100 * np.abs(di[0] - di[1]) / (di[0] + di[1])
    adx = np.full(n, np.nan)
    adx[2 * period - 1] = dx[period : 2 * period].mean()
    for t in range(2 * period, n):
        adx[t] = (adx[t - 1] * (period - 1) + dx[t]) / period
    return pd.Series(di[0]), pd.Series(di[1]), pd.Series(adx)


def stochastic(b: dict[str, Series]) -> Series:
    low, high = b["low"].rolling(7).min(), b["high"].rolling(7).max()
    return (100 * (b["close"] - low) / (high - low)).rolling(3).mean()


def macd(x: Series) -> Series:
    # TA-Lib starts both means on the bar the slow one is ready.
    return ema(x[2:], 4).reindex(x.index) - ema(x, 6)


def obv(b: dict[str, Series]) -> Series:
    steps = np.sign(b["close"].diff()) * b["volume"]
    steps.iloc[0] = b["volume"].iloc[0]
    return steps.cumsum()


def weighted(x: Series) -> Series:
    return x.rolling(5).apply(lambda w: w @ np.arange(1, 6) / 15, raw=True)


def band(x: Series, width: float) -> Series:
    return x.rolling(5).mean() + width * x.rolling(5).std(ddof=0)


SECOND: dict[str, tuple[dict[str, float], Callable[[dict[str, Series]], Series]]] = {
    "sma": ({"period": 5}, lambda b: b["close"].rolling(5).mean()),
    "ema": ({"period": 5}, lambda b: ema(b["close"], 5)),
    "wma": ({"period": 5}, lambda b: weighted(b["close"])),
    "rsi": ({"period": 5}, lambda b: rsi(b["close"], 5)),
    "stoch_k": ({"k_period": 7, "k_smooth": 3}, stochastic),
    "stoch_d": ({"k_period": 7, "k_smooth": 3, "d_period": 4}, lambda b: stochastic(b).rolling(4).mean()),
    "macd": ({"fast_period": 4, "slow_period": 6}, lambda b: macd(b["close"])),
    "macd_signal": (
        {"fast_period": 4, "slow_period": 6, "signal_period": 3}, lambda b: ema(macd(b["close"]), 3)
    ),
    "bbands_upper": (
        {"period": 5, "num_std": 1.5}, lambda b: band(b["close"], 1.5)
    ),
    "bbands_middle": ({"period": 5}, lambda b: b["close"].rolling(5).mean()),
    "bbands_lower": (
        {"period": 5, "num_std": 2}, lambda b: band(b["close"], -2)
    ),
    "atr": ({"period": 5}, lambda b: atr(b, 5)),
    "atr_pct": ({"period": 5}, lambda b: atr(b, 5) / b["close"]),
    "adx": ({"period": 5}, lambda b: directional(b, 5)[2]),
    "di_plus": ({"period": 5}, lambda b: directional(b, 5)[0]),
    "di_minus": ({"period": 5}, lambda b: directional(b, 5)[1]),
    "roc": ({"period": 5}, lambda b: 100 * b["close"].pct_change(5)),
    "momentum": ({"period": 5}, lambda b: b["close"].pct_change(5)),
    "zscore": (
        {"period": 5}, lambda b: (b["close"] - b["close"].rolling(5).mean()) / b["close"].rolling(5).std()
    ),
    "donchian_high": ({"period": 5}, lambda b: b["high"].rolling(5).max().shift()),
    "donchian_low": ({"period": 5}, lambda b: b["low"].rolling(5).min().shift()),
    "obv": ({}, obv),
    "volume_sma": ({"period": 5}, lambda b: b["volume"].rolling(5).mean()),
    "volatility": ({"period": 5}, lambda b: b["close"].pct_change().rolling(5).std()),
    "lag": ({"bars": 3}, lambda b: b["close"].shift(3)),
    "ratio": ({}, lambda b: b["close"] / b["volume"]),
    "diff": ({}, lambda b: b["close"] - b["volume"]),
}  # fmt: skip


def value_of(bars: Bars, kind: str, params: dict[str, float]) -> NDArray[np.float64]:
    inputs = FEATURE_TYPES[kind].inputs or ("close", "volume")[: FEATURE_TYPES[kind].arity]
    name, definition = feature(kind, inputs, **params)
    return FeatureStore(bars).value(name, {name: definition}, np.arange(len(bars.symbols)))


@pytest.mark.parametrize("kind", sorted(SECOND))
def test_each_feature_agrees_with_a_second_formula(kind: str) -> None:
    bars = one_symbol()
    params, formula = SECOND[kind]
    columns = {k: pd.Series(getattr(bars, k)[0]) for k in BAR_COLUMNS}
    wanted = formula(columns).to_numpy()
    np.testing.assert_allclose(value_of(bars, kind, params)[0], wanted, rtol=1e-9, atol=1e-9)
    assert np.isfinite(wanted).sum() > 150


def test_every_feature_type_of_the_language_is_known_and_tested() -> None:
    computed = {name for name, kind in FEATURE_TYPES.items() if kind.records is None}
    assert computed == FEATURE_KINDS == set(SECOND) | {"rs_percentile"}
    assert set(FEATURE_TYPES) - computed == RECORD_KINDS == {"econ", "news_sentiment"}


def test_a_record_is_read_as_it_came_for_every_symbol_and_its_absence_is_told() -> None:
    bars = hard_market(4, n_symbols=3, n_bars=60)
    (econ, first), (news, second) = feature("econ", (), series="CPI"), feature("news_sentiment", (), days=7)
    definitions = {econ: first, news: second}
    recorded = with_made_up_records(bars, definitions)
    everyone = np.arange(3)
    store = FeatureStore(recorded)
    for row in store.value(econ, definitions, everyone):
        np.testing.assert_array_equal(row, recorded.records[econ])
    np.testing.assert_array_equal(store.value(news, definitions, everyone), recorded.records[news])
    with pytest.raises(NotFound, match=r"no record of econ\(;series=CPI\)"):
        FeatureStore(bars).value(econ, definitions, everyone)


def test_relative_strength_ranks_members_with_ties_averaged() -> None:
    rows = {
        name: [(10.0,) * 4, (price,) * 4] for name, price in zip("ABCD", (11.0, 12.0, 12.0, 9.0), strict=True)
    }
    bars = bars_of(rows)
    name, definition = feature("rs_percentile", period=1)
    store = FeatureStore(bars)
    everyone = store.value(name, {name: definition}, np.arange(4))
    np.testing.assert_allclose(everyone[:, 1], [100 / 3, 250 / 3, 250 / 3, 0.0])
    some = store.value(name, {name: definition}, np.array([0, 3]))
    np.testing.assert_allclose(some[:, 1], [100, np.nan, np.nan, 0])
    alone = store.value(name, {name: definition}, np.array([2]))
    assert alone[2, 1] == 50


@pytest.mark.parametrize("kind", sorted(set(SECOND) - {"lag", "ratio", "diff"}))
def test_each_run_of_bars_is_computed_on_its_own(kind: str) -> None:
    whole = one_symbol()
    rows = list(
        zip(*(getattr(whole, k)[0].tolist() for k in ("open", "high", "low", "close", "volume")), strict=True)
    )
    gap = {"X": [*rows[:80], None, None, *rows[82:]]}
    params = SECOND[kind][0]
    found = value_of(bars_of(gap), kind, params)[0]
    early, late = (value_of(bars_of({"X": part}), kind, params)[0] for part in (rows[:80], rows[82:]))
    np.testing.assert_array_equal(found, np.concatenate((early, [np.nan, np.nan], late)))


def test_features_of_features_and_gaps_stay_missing_not_zero() -> None:
    bars = hard_market(4)
    inner, inner_def = feature("rsi", period=3)
    outer, outer_def = feature("sma", [inner], period=4)
    store = FeatureStore(bars)
    features = {inner: inner_def, outer: outer_def}
    members = np.arange(len(bars.symbols))
    smooth = store.value(outer, features, members)
    plain = pd.DataFrame(store.value(inner, features, members)).T.rolling(4).mean().T.to_numpy()
    np.testing.assert_allclose(smooth, plain, rtol=1e-9, atol=1e-9)
    assert np.isnan(smooth[np.isnan(bars.close)]).all()


def test_a_store_over_its_budget_forgets_but_answers_the_same() -> None:
    bars = hard_market(1)
    members = np.arange(len(bars.symbols))
    tiny, roomy = FeatureStore(bars, budget=1), FeatureStore(bars)
    for period in (3, 4, 3):
        name, definition = feature("ema", period=period)
        values = [store.value(name, {name: definition}, members) for store in (tiny, roomy)]
        np.testing.assert_array_equal(*values)


def test_the_spread_estimate_recovers_a_known_spread() -> None:
    # Corwin and Schultz: trades bounce between bid and ask around a random walk.
    rng = np.random.default_rng(0)
    spread, steps, days = 0.01, 390, 2_000
    rows, price = [], 100.0
    for _ in range(days):
        path = price * np.exp(np.cumsum(rng.normal(0, 0.01 / np.sqrt(steps), steps)))
        traded = path * (1 + spread / 2 * rng.choice([-1, 1], steps))
        rows.append((traded[0], traded.max(), traded.min(), traded[-1]))
        price = path[-1]
    found = np.nanmean(corwin_schultz_bps(bars_of({"X": rows})))
    assert found == pytest.approx(spread * 1e4, rel=0.1)
