"""The three reference strategies on the bundled bars, through both engines."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib
from numpy.typing import NDArray

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import ExitReason, TradeTable
from quantrail.engine import compare, prepare, screen, verify
from quantrail.marketdata import sample_path
from quantrail.strategy import canonicalise, parse_spec

REFERENCES = Path(__file__).parents[2] / "golden" / "spec" / "references"
PERIOD = Period(date(2014, 6, 2), date(2018, 2, 7))
COLUMNS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def bars() -> Bars:
    frame = pd.read_parquet(sample_path())
    wide = {name: frame.pivot_table(index="symbol", columns="date", values=name) for name in COLUMNS}
    close = wide["close"]
    arrays = {name: np.ascontiguousarray(wide[name].to_numpy(dtype=float)) for name in COLUMNS}
    sessions = pd.to_datetime(close.columns).to_numpy().astype("datetime64[D]")
    return Bars(tuple(close.index), sessions, **arrays, data_version=DataVersion("0" * 64))


def both(bars: Bars, name: str) -> TradeTable:
    """Trades of a reference strategy, after checking that the engines agree."""
    spec = canonicalise(parse_spec(REFERENCES / f"{name}.yaml")).spec
    contract = CalcContract()
    screened = screen(prepare(bars, [spec]), PERIOD, contract)
    assert screened.errors == [None]
    verified = verify(bars, spec, PERIOD, contract, ModelVersions())
    assert compare(screened.result(0), verified.result).agree
    return verified.result.trades


def known(bars: Bars, symbol: str) -> NDArray[np.bool_]:
    return ~np.isnan(bars.close[bars.index_of(symbol)])


def test_a_hardly_trades(bars: Bars) -> None:
    trades = both(bars, "a")
    years = (PERIOD.end - PERIOD.start).days / 365
    assert len(trades) / (len(bars.symbols) * years) < 0.1


def test_b_flattens_at_the_open_after_its_exit_first_holds(bars: Bars) -> None:
    trades = both(bars, "b")
    start = bars.span(PERIOD).start
    closed = np.flatnonzero(trades.exit_reason == ExitReason.SIGNAL)
    assert len(closed) > 100
    for k in closed:
        row = trades.symbol[k]
        present = ~np.isnan(bars.close[row])
        if not present.all():
            continue
        high, low, close = bars.high[row], bars.low[row], bars.close[row]
        leave = (talib.PLUS_DI(high, low, close, 14) < talib.MINUS_DI(high, low, close, 14)) | (
            talib.EMA(close, 8) < talib.EMA(close, 21)
        )
        held = leave[start + trades.entry_bar[k] : start + trades.exit_bar[k]]
        assert held[-1]
        assert not held[:-1].any()


def test_c_enters_only_while_risk_is_on(bars: Bars) -> None:
    trades = both(bars, "c")
    assert len(trades) > 20
    spy = pd.Series(bars.close[bars.index_of("SPY")])
    volatility = spy.pct_change().rolling(20).std()
    calm = volatility < volatility.rolling(252).quantile(0.8)
    risk_on = ((spy > spy.rolling(200).mean()) & calm).to_numpy()
    start = bars.span(PERIOD).start
    decided = start + trades.entry_bar - 1
    assert risk_on[decided].all()
    assert not risk_on[start:].all()
    for row, bar in zip(trades.symbol, decided, strict=True):
        if not np.isnan(bars.close[row]).any():
            assert talib.RSI(bars.close[row], 14)[bar] <= 35
