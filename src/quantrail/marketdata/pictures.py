"""Pictures of bars and of what is wrong with them, as HTML that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.errors import DataInvalid
from quantrail.marketdata.records import Finding

_COLOURS = {
    Severity.INFO: "#7f8c8d",
    Severity.WARN: "#e67e22",
    Severity.ERROR: "#c0392b",
    Severity.CRITICAL: "#c0392b",
}


def candles(symbol: str, rows: pl.DataFrame, findings: Sequence[Finding]) -> str:
    """Candles with volume below; dividends, splits and findings are marked. One HTML page."""
    # Half a second to import, and only pictures need it.
    from plotly.subplots import make_subplots

    if rows.is_empty():
        raise DataInvalid(f"no bars of {symbol} to draw")
    figure: Any = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.03)
    when = rows["ts"].to_list()
    prices = {name: rows[name].to_list() for name in ("open", "high", "low", "close")}
    figure.add_candlestick(x=when, **prices, name=symbol, row=1, col=1)
    figure.add_bar(x=when, y=rows["volume"].to_list(), name="volume", marker_color="#95a5a6", row=2, col=1)
    tops = dict(zip(when, rows["high"].to_list(), strict=True))
    for name, text, sign, kept in (
        ("dividends", "dividend {}", "triangle-up", pl.col("dividend") > 0),
        ("splits", "split {}:1", "star", pl.col("split") != 1),
    ):
        hit = rows.filter(kept)
        if hit.height:
            values = hit["dividend" if name == "dividends" else "split"].to_list()
            labels = [text.format(f"{value:g}") for value in values]
            _mark(figure, hit["ts"].to_list(), tops, labels, name, sign, "#2980b9")
    _mark_findings(figure, findings, tops)
    figure.update_layout(title=f"{symbol}, {rows.height:,} bars", xaxis_rangeslider_visible=False, bargap=0)
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page


def _mark_findings(figure: Any, findings: Sequence[Finding], tops: dict[Any, float]) -> None:
    by_severity: dict[Severity, list[Finding]] = {}
    for finding in findings:
        by_severity.setdefault(finding.severity, []).append(finding)
    for severity, group in by_severity.items():
        shown = [f for f in group if f.date in tops]
        labels = [f"{f.kind}: {f.detail}" for f in shown]
        name = f"findings ({severity})"
        _mark(figure, [f.date for f in shown], tops, labels, name, "x", _COLOURS[severity])


def _mark(
    figure: Any, when: list[Any], tops: dict[Any, float], texts: list[str], name: str, sign: str, colour: str
) -> None:
    heights = [1.02 * tops[day] for day in when]
    marker = {"symbol": sign, "size": 10, "color": colour}
    figure.add_scatter(
        x=when,
        y=heights,
        mode="markers",
        text=texts,
        name=name,
        marker=marker,
        hoverinfo="text",
        row=1,
        col=1,
    )


def coverage(rows: pl.DataFrame, findings: Sequence[Finding]) -> str:
    """Bars per symbol and month as a map, symbols with findings listed below it. One HTML page."""
    import plotly.graph_objects as go

    months = pl.col("ts").dt.strftime("%Y-%m").alias("month")
    counts = rows.group_by("symbol", months).len().pivot("month", index="symbol", values="len").sort("symbol")
    columns = sorted(name for name in counts.columns if name != "symbol")
    values = counts.select(columns).fill_null(0).rows()
    figure: Any = go.Figure(
        go.Heatmap(x=columns, y=counts["symbol"].to_list(), z=values, colorscale="Greens", zmin=0)
    )
    figure.update_layout(title="bars per symbol and month", height=200 + 18 * counts.height)
    lines = "".join(
        f"<tr><td>{_escaped(f.symbol or '')}</td><td>{f.date or ''}</td><td>{f.severity}</td>"
        f"<td>{_escaped(f.kind)}</td><td>{_escaped(f.detail)}</td></tr>"
        for f in findings
    )
    table = f"<table><tr><th>symbol<th>date<th>severity<th>kind<th>detail</tr>{lines}</table>"
    body: str = figure.to_html(include_plotlyjs=True, full_html=False)
    return f'<!doctype html><meta charset="utf-8"><title>Market data check</title>{body}{table}'


def _escaped(text: str) -> str:
    import html

    return html.escape(text)
