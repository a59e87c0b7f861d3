"""A metric as people read it, by the unit that the registry of metrics gives it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from quantrail.analysis.metrics import METRICS
from quantrail.apps.cli.output import number, percent, table

# What judging adds to an engine's metrics.
_ADDED = {"bars": "bars", "comparisons": "comparisons", "blocked_share": "fraction"}
_UNITS = {metric.name: metric.unit for metric in METRICS} | _ADDED


def metric_text(name: str, value: float | None) -> str:
    """Fractions as percent, currency to the cent, counts whole, ratios to three digits."""
    unit = _UNITS.get(name, "")
    if unit.startswith("fraction"):
        return percent(value, 2)
    if unit == "currency":
        return number(value, 2)
    if unit in ("bars", "trades", "comparisons"):
        whole = value is None or value == int(value)
        return number(value, 0 if whole else 1)
    return number(value, 3)


def metric_table(values: Mapping[str, float | None], width: int) -> Table:
    """Every metric by name, two beside each other where ``width`` holds them uncut."""
    rows = [[name, metric_text(name, value)] for name, value in sorted(values.items())]
    pair = sum(max((len(row[i]) for row in rows), default=0) + 1 for i in (0, 1))
    if 2 * pair > width:
        return table(None, ["metric", "value"], rows)
    half = (len(rows) + 1) // 2
    left, right = rows[:half], rows[half:] + [["", ""]] * (2 * half - len(rows))
    joined = [[*a, *b] for a, b in zip(left, right, strict=True)]
    return table(None, ["metric", "value", "metric ", "value "], joined)
