"""Metrics on the terminal: by their unit, never cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from quantrail.analysis.metrics import METRICS
from quantrail.apps.cli.figures import metric_table, metric_text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("return_total_net", 0.057, "5.70%"),
        ("cagr_net", 0.019, "1.90%"),
        ("ulcer_index", 0.031, "3.10%"),
        ("blocked_share", 0.0, "0.00%"),
        ("closed_trades", 41.0, "41"),
        ("bars", 1259.0, "1,259"),
        ("avg_trade_duration_bars", 12.25, "12.2"),
        ("costs_total", 1234.5, "1,234.50"),
        ("sharpe_net", 1.0, "1.000"),
        ("alpha", None, "–"),
    ],
)
def test_a_metric_is_printed_by_its_unit(name: str, value: float | None, text: str) -> None:
    assert metric_text(name, value) == text


@pytest.mark.parametrize("width", [44, 60, 80, 120])
def test_no_name_and_no_value_is_cut(width: int) -> None:
    values = {metric.name: 123456.789 for metric in METRICS}
    console = Console(file=io.StringIO(), width=width)
    console.print(metric_table(values, width))
    words = console.file.getvalue().split()  # type: ignore[attr-defined]
    for name, value in values.items():
        assert name in words
        assert metric_text(name, value) in words
