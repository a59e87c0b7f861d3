"""Small pieces of HTML for notebooks: no script, no network, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

_CELL = "padding:2px 10px 2px 0;text-align:{};border:none;background:none"
_POINTS = 240


def html_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; text to the left, everything in later columns to the right."""
    head = "".join(f'<th style="{_CELL.format(_side(k))}">{escape(c)}</th>' for k, c in enumerate(columns))
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL.format(_side(k))}">{escape(str(cell))}</td>' for k, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def html_card(title: str, *parts: str) -> str:
    """A titled box around ``parts``, which are HTML already."""
    inner = "".join(f'<div style="margin:4px 24px 4px 0">{part}</div>' for part in parts if part)
    return (
        '<div style="font:13px/1.45 system-ui,sans-serif;max-width:900px">'
        f'<div style="font-weight:600;margin:4px 0">{escape(title)}</div>'
        f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start">{inner}</div></div>'
    )


def sparkline(values: Sequence[float], label: str, width: int = 420, height: int = 130) -> str:
    """A line as inline SVG, thinned to what the eye can see; first value as a dashed rule."""
    series = np.asarray(values, dtype=np.float64)
    if len(series) < 2:
        return ""
    picked = series[np.linspace(0, len(series) - 1, min(_POINTS, len(series))).astype(int)]
    low, high = float(series.min()), float(series.max())
    scale = (height - 8) / (high - low) if high > low else 0.0
    x = np.linspace(0, width, len(picked))
    y = height - 4 - (picked - low) * scale
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    base = height - 4 - (float(series[0]) - low) * scale
    return (
        f'<svg role="img" aria-label="{escape(label)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
        f'<line x1="0" x2="{width}" y1="{base:.1f}" y2="{base:.1f}" stroke="#999" stroke-dasharray="4 4"/>'
        f'<polyline points="{points}" fill="none" stroke="#2a6fbb" stroke-width="1.6"/></svg>'
        f'<div style="color:#888">{escape(label)}</div>'
    )


def _side(column: int) -> str:
    return "left" if column == 0 else "right"
