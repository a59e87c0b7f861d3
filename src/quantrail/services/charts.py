"""Charts as HTML fragments. Plotly draws them; its script is put into the page once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

# Told apart by colour-blind readers, too.
BLUE, ORANGE = "#2a6fbb", "#d9730d"

_LAYOUT = {
    "margin": {"l": 60, "r": 20, "t": 30, "b": 40},
    "template": "plotly_white",
    "legend": {"orientation": "h", "y": 1.08},
    "hovermode": "x unified",
}


def figures_script() -> Markup:
    """Plotly's own script, inline, so that the page needs no network."""
    from plotly.offline import get_plotlyjs

    return Markup(f"<script>{get_plotlyjs()}</script>")


def curve_chart(curves: Mapping[str, Sequence[Any]], split: str | None, name: str, key: str = "") -> Markup:
    """Equity of both engines beside holding the universe, and the drawdown below; see :func:`fragment`."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.06)
    days = curves["session"]
    for column, label, style in (
        ("equity_b", f"{name} (engine B)", {"width": 2, "color": BLUE}),
        ("equity_a", "engine A", {"width": 1, "dash": "dot", "color": ORANGE}),
        ("equity_hold", "holding the universe", {"width": 1, "color": "grey"}),
    ):
        if column not in curves:
            continue
        figure.add_trace(go.Scatter(x=days, y=curves[column], name=label, line=style), row=1, col=1)
    figure.add_trace(
        go.Scatter(
            x=days,
            y=curves["drawdown_b"],
            name="drawdown",
            fill="tozeroy",
            line={"width": 1, "color": ORANGE},
        ),
        row=2,
        col=1,
    )
    if split is not None:
        figure.add_vline(x=split, line_dash="dash", line_color="grey")
        figure.add_annotation(x=split, y=1, yref="paper", text=" validation", showarrow=False, xanchor="left")
    figure.update_yaxes(tickformat=".1~%", row=2, col=1)
    return fragment(figure, 460, key=key)


def funnel_chart(summaries: Sequence[Mapping[str, Any]]) -> Markup:
    """How many candidates reached each step, one bar group per iteration."""
    import plotly.graph_objects as go

    steps = ["generated", "blocked", "screened", "passed", "shortlisted", "verified"]
    figure = go.Figure()
    for summary in summaries:
        counts = [summary["funnel"].get(step, 0) for step in steps]
        figure.add_trace(go.Bar(x=steps, y=counts, name=f"iteration {summary['iteration']}"))
    figure.update_layout(barmode="group")
    return fragment(figure, 320)


def fragment(figure: Any, height: int, *, tools: bool = True, key: str = "") -> Markup:
    """A figure as a piece of a page that carries :func:`figures_script` already.

    Its element is named by what it shows, so that the same page comes out the same again; ``key`` tells
    equal figures of one page apart.
    ``tools``: plotly's tool bar, which lies over whatever is in the upper right corner.
    """
    figure.update_layout(height=height, **_LAYOUT)
    config = {"displaylogo": False} | ({} if tools else {"displayModeBar": False})
    name = hashlib.sha256(f"{key}|{figure.to_json()}".encode()).hexdigest()[:16]
    html = figure.to_html(full_html=False, include_plotlyjs=False, config=config, div_id=f"chart-{name}")
    return Markup(html)
