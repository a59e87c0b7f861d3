"""Trades on candles, and returns by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.domain.results import ExitReason
from quantrail.services.charts import BLUE, ORANGE, fragment

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CHARTED = 6


def monthly_returns(
    sessions: NDArray[np.datetime64], equity: NDArray[np.float64]
) -> tuple[list[int], NDArray[np.float64]]:
    """Years, and net returns by year and month (Y, 12) as fractions, NaN where there is no session.

    A month compounds from the last close of the month before; the first from the first close.
    """
    months = sessions.astype("datetime64[M]").astype(int)
    last = np.append(np.flatnonzero(np.diff(months)), len(months) - 1)
    before = np.concatenate((equity[:1], equity[last[:-1]]))
    returns = np.divide(equity[last], before, out=np.ones(len(last)), where=before > 0) - 1.0
    years, place = months[last] // 12 + 1970, months[last] % 12
    grid = np.full((int(years[-1] - years[0]) + 1, 12), np.nan)
    grid[years - years[0], place] = returns
    return list(range(int(years[0]), int(years[-1]) + 1)), grid


def month_chart(sessions: NDArray[np.datetime64], equity: NDArray[np.float64]) -> Markup:
    """Returns by month as a heat map with the year's return at its end; blue gains, orange losses."""
    import plotly.graph_objects as go

    years, grid = monthly_returns(sessions, equity)
    known = np.where(np.isnan(grid), 0.0, grid)
    whole = np.prod(1.0 + known, axis=1) - 1.0
    shown = np.column_stack((grid, whole))
    most = max(float(np.nanmax(np.abs(grid))), 1e-9)
    text = [["" if np.isnan(v) else f"{100 * v:.1f}" for v in row] for row in shown]
    # The year's column carries text only: its size would wash out the months.
    figure = go.Figure(
        go.Heatmap(
            z=np.column_stack((grid, np.zeros(len(years)))),
            x=[*MONTHS, "year"],
            y=[str(year) for year in years],
            text=text,
            texttemplate="%{text}",
            colorscale=[(0.0, ORANGE), (0.5, "#f7f7f7"), (1.0, BLUE)],
            zmin=-most,
            zmax=most,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{x} %{y}: %{text} %<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(side="top")
    # The months stand above the map, where the tool bar would hide the last of them.
    return fragment(figure, 90 + 30 * len(years), tools=False)


def most_traded(trades: Mapping[str, Sequence[Any]], most: int = CHARTED) -> list[str]:
    """Symbols by number of round trips, then name; at most ``most``."""
    counts = Counter(str(symbol) for symbol in trades["symbol"])
    return sorted(counts, key=lambda symbol: (-counts[symbol], symbol))[:most]


def candle_chart(bars: Bars, trades: Mapping[str, Sequence[Any]], symbols: Sequence[str]) -> Markup:
    """Candles of each symbol with its trades, one symbol at a time; ``bars`` end with the period.

    Triangles: entries, up long and down short. Circles: exits, filled where the trade gained.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for place, symbol in enumerate(symbols):
        for trace in _symbol_traces(bars, trades, symbol):
            figure.add_trace(trace.update(visible=place == 0))
    per = len(figure.data) // max(1, len(symbols))
    buttons = [
        {
            "label": symbol,
            "method": "update",
            "args": [{"visible": [k // per == place for k in range(len(figure.data))]}],
        }
        for place, symbol in enumerate(symbols)
    ]
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.16, "yanchor": "top", "direction": "down"}
    figure.update_layout(updatemenus=[menu] if len(symbols) > 1 else [])
    figure.update_xaxes(rangeslider={"visible": True, "thickness": 0.06})
    return fragment(figure, 560)


def _symbol_traces(bars: Bars, trades: Mapping[str, Sequence[Any]], symbol: str) -> list[Any]:
    import plotly.graph_objects as go

    row = bars.index_of(symbol)
    there = ~np.isnan(bars.close[row])
    days = bars.sessions[there].astype(str)
    prices = {name: np.round(getattr(bars, name)[row, there], 4) for name in ("open", "high", "low", "close")}
    candles = go.Candlestick(
        x=days,
        **prices,
        name=symbol,
        increasing={"line": {"color": "#8fb4dc", "width": 1}},
        decreasing={"line": {"color": "#b5b5b5", "width": 1}},
        hoverinfo="x+y",
    )
    own = [k for k, name in enumerate(trades["symbol"]) if name == symbol]
    return [candles, _holding(trades, own), _entries(trades, own), _exits(trades, own)]


def _holding(trades: Mapping[str, Sequence[Any]], own: list[int]) -> Any:
    import plotly.graph_objects as go

    x: list[Any] = []
    y: list[Any] = []
    for k in own:
        x += [_day(trades["entry_session"][k]), _day(trades["exit_session"][k]), None]
        y += [trades["entry_price"][k], trades["exit_price"][k], None]
    line = {"width": 1.2, "dash": "dot", "color": "#444"}
    return go.Scatter(x=x, y=y, mode="lines", line=line, name="held", hoverinfo="skip")


def _entries(trades: Mapping[str, Sequence[Any]], own: list[int]) -> Any:

    sides = [trades["side"][k] for k in own]
    marker = {
        "symbol": ["triangle-up" if s > 0 else "triangle-down" for s in sides],
        "size": 11,
        "color": BLUE,
        "line": {"width": 1, "color": "white"},
    }
    text = [
        f"trade {k}: {'long' if trades['side'][k] > 0 else 'short'} {trades['quantity'][k]:g} "
        f"at {trades['entry_price'][k]:.2f}"
        for k in own
    ]
    return _markers(trades, own, "entry", marker, text)


def _exits(trades: Mapping[str, Sequence[Any]], own: list[int]) -> Any:
    gains = [trades["pnl_net"][k] > 0 for k in own]
    marker = {
        "symbol": ["circle" if gain else "circle-open" for gain in gains],
        "size": 9,
        "color": ORANGE,
        "line": {"width": 2, "color": ORANGE},
    }
    text = [
        f"trade {k}: {_reason(trades, k)} at {trades['exit_price'][k]:.2f}, net {trades['pnl_net'][k]:,.0f} "
        f"({100 * trades['return_net'][k]:.1f} %)"
        for k in own
    ]
    return _markers(trades, own, "exit", marker, text)


def _markers(
    trades: Mapping[str, Sequence[Any]], own: list[int], end: str, marker: dict[str, Any], text: list[str]
) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[_day(trades[f"{end}_session"][k]) for k in own],
        y=[trades[f"{end}_price"][k] for k in own],
        mode="markers",
        marker=marker,
        text=text,
        hoverinfo="text",
        name=end if end == "entry" else "exit (filled: a gain)",
    )


def _reason(trades: Mapping[str, Sequence[Any]], k: int) -> str:
    reason = ExitReason(int(trades["exit_reason"][k]))
    return "still held" if reason is ExitReason.OPEN else reason.name.lower().replace("_", " ")


def _day(value: Any) -> str:
    return str(value)[:10]
