from collections.abc import Callable

import numpy as np
import pytest

from quantrail.domain.market import Bars
from quantrail.errors import InvalidInput
from quantrail.marketdata import SAMPLE_STOCKS, MarketStore
from quantrail.marketdata.synthetic import (
    SyntheticMarket,
    block_bootstrap,
    cost_cliff,
    garch,
    lookahead_bait,
    planted_edge,
    random_walk,
    regime_switching,
    survivorship,
)

Market = Callable[..., SyntheticMarket]
ALL: list[Market] = [
    random_walk,
    garch,
    regime_switching,
    planted_edge,
    lookahead_bait,
    survivorship,
    cost_cliff,
]


def load(store: MarketStore, market: SyntheticMarket) -> Bars:
    report = store.import_bars(market.bars, source=market.kind, check=False)
    assert report.rejected == 0
    return store.bars(report.snapshot.names())


def held(bars: Bars, signal: np.ndarray) -> np.ndarray:
    """Log returns (S, T-2), open to open, of holding from the open after each bar whose signal is on."""
    log = np.log(bars.open)
    return np.asarray(signal[:, :-2] * (log[:, 2:] - log[:, 1:-1]))


def sharpe(returns: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(252) * returns.mean(axis=1) / returns.std(axis=1))


@pytest.mark.parametrize("market", ALL)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(market: Market) -> None:
    first, again, other = (market(4, 60, seed=s).bars for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("market", [random_walk, garch, regime_switching, lookahead_bait])
def test_markets_without_an_edge_pay_nothing_for_holding(store: MarketStore, market: Market) -> None:
    bars = load(store, market(200, 500, seed=3))
    growth = bars.close[:, -1] / 100.0
    error = growth.std() / np.sqrt(growth.size)
    assert abs(growth.mean() - 1) < 4 * error


def test_garch_volatility_clusters_and_a_random_walks_does_not(store: MarketStore) -> None:
    clusters = []
    for market in (garch(60, 1500, seed=5), random_walk(60, 1500, seed=5)):
        close = np.log(market.bars["close"].to_numpy().reshape(60, 1500))
        square = np.diff(close, axis=1) ** 2
        square -= square.mean(axis=1, keepdims=True)
        clusters.append(float((square[:, 1:] * square[:, :-1]).sum() / (square**2).sum()))
    assert clusters[0] > 0.1
    assert abs(clusters[1]) < 0.02
    with pytest.raises(InvalidInput, match="alpha"):
        garch(2, 10, seed=1, alpha=0.5, beta=0.6)


def test_regimes_differ_in_volatility(store: MarketStore) -> None:
    market = regime_switching(40, 2000, seed=2, volatilities=(0.01, 0.03))
    close = np.log(market.bars["close"].to_numpy().reshape(40, 2000))
    daily = np.diff(close, axis=1).std(axis=0)
    assert np.quantile(daily, 0.05) == pytest.approx(0.01, rel=0.3)
    assert np.quantile(daily, 0.95) == pytest.approx(0.03, rel=0.3)


@pytest.mark.parametrize("wanted", [0.0, 1.0, 2.5])
def test_the_planted_edge_has_the_sharpe_it_was_asked_for(store: MarketStore, wanted: float) -> None:
    bars = load(store, planted_edge(60, 2000, seed=9, sharpe=wanted))
    found = sharpe(held(bars, bars.volume > 1e6))
    # Eight years, sixty independent symbols: a standard error of about sqrt(1/8/60) = 0.046.
    assert found.mean() == pytest.approx(wanted, abs=0.18)
    assert abs(sharpe(held(bars, np.ones_like(bars.volume))).mean()) < 0.2


def test_the_bait_pays_at_the_same_open_only(store: MarketStore) -> None:
    bars = load(store, lookahead_bait(60, 1260, seed=4))
    gap = np.zeros_like(bars.open)
    gap[:, 1:] = bars.open[:, 1:] > bars.close[:, :-1]
    cheating = gap * np.log(bars.close / bars.open)
    assert sharpe(cheating[:, 1:]).mean() > 5
    assert abs(sharpe(held(bars, gap)).mean()) < 0.25


def test_survivors_flatter_and_the_whole_does_not(store: MarketStore) -> None:
    market = survivorship(200, 1000, seed=6)
    bars = load(store, market)
    last = np.array([row[~np.isnan(row)][-1] for row in bars.close]) / 100.0
    assert abs(last.mean() - 1) < 4 * last.std() / np.sqrt(last.size)
    survivors = [bars.index_of(s) for s in market.universe]
    assert 0 < len(survivors) < 200
    assert last[survivors].mean() > 1.05
    assert np.isnan(bars.close).any()


def test_the_cliff_pays_before_costs_and_not_after(store: MarketStore) -> None:
    bars = load(store, cost_cliff(60, 2000, seed=8, edge_bps=4.0))
    fell = bars.close < bars.open
    gross = held(bars, fell)
    assert sharpe(gross).mean() > 0.5
    per_bar = gross.sum() / fell[:, :-2].sum()
    assert per_bar == pytest.approx(4e-4, rel=0.2)
    sides = np.abs(np.diff(fell[:, :-2].astype(float), axis=1)).sum(axis=1)
    net = gross.sum(axis=1) - 4e-4 * sides
    assert net.mean() < 0


def test_the_bootstrap_keeps_tails_and_common_moves_and_loses_the_trend(store: MarketStore) -> None:
    store.import_sample()
    real = store.bars(SAMPLE_STOCKS)
    market = block_bootstrap(real, seed=3)
    close = np.log(market.bars["close"].to_numpy().reshape(30, -1))
    mine, theirs = np.diff(close, axis=1), np.diff(np.log(real.close), axis=1)
    assert np.allclose(mine.std(axis=1), theirs.std(axis=1), rtol=0.35)
    assert np.corrcoef(mine).mean() == pytest.approx(np.corrcoef(theirs).mean(), abs=0.12)
    assert np.abs(np.exp(mine).mean(axis=1) - 1).max() < 2e-4
    assert market.bars.equals(block_bootstrap(real, seed=3).bars)
    ratio = market.bars["high"] / market.bars["low"]
    assert ratio.min() >= 1.0
