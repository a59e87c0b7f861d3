"""The metrics page is the registry, and the registry is whole."""

from __future__ import annotations

from pathlib import Path

from quantrail.analysis.metrics import EXPLANATION, METRIC_NAMES, METRICS, Undefined
from quantrail.analysis.metrics.document import metrics_page

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page()


def test_names_are_unique_and_every_definition_is_complete() -> None:
    assert len(set(METRIC_NAMES)) == len(METRICS)
    for metric in METRICS:
        assert metric.definition
        assert metric.unit
        assert metric.sign
        assert metric.undefined


def test_every_reason_has_a_sentence() -> None:
    assert set(EXPLANATION) == set(Undefined) - {Undefined.DEFINED}
