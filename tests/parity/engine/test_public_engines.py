"""Long-only cases trade by trade against backtrader and backtesting.py, under their conventions.

Both fill market orders at the next open. backtrader sizes from that open (``cheat_on_open``), so its equity
must be ours; backtesting.py buys whole units, so it gets an account in which one unit is nothing.
"""

from __future__ import annotations

import warnings
from datetime import date
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.domain.results import SimulationResult
from quantrail.engine import prepare, screen
from quantrail.testing.engines import compare_with, feature, spec_of

SYMBOLS = ("AAPL", "KO", "NFLX", "XOM")
WINDOWS = ((5, 20), (10, 50))
COST = 0.0006


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    path = files("quantrail.marketdata") / "sample" / "sample_daily_2013_2018.parquet"
    table = pd.read_parquet(str(path))
    table["date"] = pd.to_datetime(table["date"].astype(str)).astype("datetime64[ns]")
    return {s: table[table["symbol"] == s].set_index("date").sort_index() for s in SYMBOLS}


def ours(
    frame: pd.DataFrame, symbol: str, fast: int, slow: int, cash: float, skip: int = 0
) -> SimulationResult:
    columns = {name: frame[name].to_numpy(float)[None].copy() for name in BAR_COLUMNS}
    sessions = frame.index.to_numpy().astype("datetime64[D]")
    bars = Bars((symbol,), sessions, **columns, data_version="0" * 64)
    (a, a_def), (b, b_def) = feature("sma", period=fast), feature("sma", period=slow)
    spec = spec_of(
        entry=compare_with(a, ">", b), leave=compare_with(a, "<=", b), features={a: a_def, b: b_def},
        costs_bps=(6, 0, 0),
    )  # fmt: skip
    contract = CalcContract(initial_capital=cash)
    period = Period(sessions[skip].item(), sessions[-1].item())
    return screen(prepare(bars, [spec]), period, contract).result(0)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("windows", WINDOWS)
def test_backtrader_makes_the_same_trades_and_the_same_equity(
    frames: dict[str, pd.DataFrame], symbol: str, windows: tuple[int, int]
) -> None:
    with warnings.catch_warnings():
        # backtrader's source holds escape sequences that newer Pythons warn about
        warnings.simplefilter("ignore")
        import backtrader

    class Crossing(backtrader.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            # The same means for both: on a tie of 5- and 20-bar means rounding would decide.
            close = frames[symbol]["close"].to_numpy(float)
            self.above = talib.SMA(close, windows[0]) > talib.SMA(close, windows[1])
            self.want = False
            self.curve: list[float] = []
            self.done: list[tuple[date, date, float]] = []

        def next_open(self) -> None:
            if self.want and not self.position:
                # A hair less: backtrader rejects an order that rounding makes dearer than the cash.
                self.buy(size=self.broker.getcash() / (self.data.open[0] * (1 + COST)) * (1 - 1e-13))
            elif not self.want and self.position:
                self.close()

        def next(self) -> None:
            self.want = bool(self.above[len(self) - 1])
            self.curve.append(self.broker.getvalue())

        def notify_trade(self, trade: Any) -> None:
            if trade.isclosed:
                opened, closed = (backtrader.num2date(when).date() for when in (trade.dtopen, trade.dtclose))
                self.done.append((opened, closed, trade.pnlcomm))

    cerebro = backtrader.Cerebro(cheat_on_open=True, stdstats=False)
    cerebro.broker.set_coo(True)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=COST)
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frames[symbol].drop(columns="symbol")))
    cerebro.addstrategy(Crossing)
    theirs = cerebro.run()[0]
    result = ours(frames[symbol], symbol, *windows, 100_000.0)
    closed = ~result.trades.is_open
    days = [day.item() for day in result.sessions]
    got = [
        (days[i], days[j])
        for i, j in zip(result.trades.entry_bar[closed], result.trades.exit_bar[closed], strict=True)
    ]
    assert got == [(opened, left) for opened, left, _ in theirs.done]
    assert len(got) > 10
    np.testing.assert_allclose(result.trades.pnl_net[closed], [p for _, _, p in theirs.done], rtol=1e-9)
    np.testing.assert_allclose(result.equity[-len(theirs.curve) :], theirs.curve, rtol=1e-9)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("windows", WINDOWS)
def test_backtesting_py_makes_the_same_trades(
    frames: dict[str, pd.DataFrame], symbol: str, windows: tuple[int, int]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backtesting import Backtest, Strategy

    class Crossing(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            close = np.asarray(self.data.Close, float)
            self.fast = self.I(talib.SMA, close, windows[0])
            self.slow = self.I(talib.SMA, close, windows[1])

        def next(self) -> None:
            if self.fast[-1] > self.slow[-1] and not self.position:
                self.buy(size=1 - 1e-9)
            elif self.fast[-1] <= self.slow[-1] and self.position:
                self.position.close()

    frame = frames[symbol].drop(columns="symbol").rename(columns=str.capitalize)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats = Backtest(frame, Crossing, cash=1e12, commission=COST).run()
    theirs = stats["_trades"]
    # Its strategy first speaks one bar after its indicators do.
    skip = windows[1]
    result = ours(frames[symbol], symbol, *windows, 1e12, skip)
    closed = ~result.trades.is_open
    trades = result.trades
    theirs = theirs[theirs["ExitBar"] <= len(frame) - 1].head(int(closed.sum()))
    assert (trades.entry_bar[closed] + skip).tolist() == theirs["EntryBar"].tolist()
    assert (trades.exit_bar[closed] + skip).tolist() == theirs["ExitBar"].tolist()
    np.testing.assert_allclose(trades.entry_price[closed], theirs["EntryPrice"], rtol=1e-12)
    np.testing.assert_allclose(trades.exit_price[closed], theirs["ExitPrice"], rtol=1e-12)
    np.testing.assert_allclose(trades.quantity[closed], theirs["Size"], rtol=1e-6)
    np.testing.assert_allclose(trades.pnl_net[closed], theirs["PnL"], rtol=1e-5, atol=1e6)
