"""What a constraint did, pooled over the iterations of a run."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from quantrail.analysis.constraints import constraint_effect
from quantrail.apps.cli.tables import constraint_table
from quantrail.services.constraint_view import ConstraintHistory, constraint_histories


def _summary(iteration: int, effect: dict[str, int] | None, explored: int = 0) -> dict[str, Any]:
    """As ``iteration_summary`` stores it, with this iteration's own estimate beside the counts."""
    uplift = None
    if effect is not None and effect["explored"] and effect["allowed"]:
        uplift = effect["allowed_passed"] / effect["allowed"] - effect["explored_passed"] / effect["explored"]
    applied = {
        "constraint_id": "c" * 64,
        "type": "BAN_TEMPLATE",
        "params": {"template_id": "ADX_TREND"},
        "blocked": 10,
        "explored": explored,
        "rewrote": 0,
        "uplift": uplift,
        "uplift_low": None,
        "uplift_high": None,
        "effect": effect,
    }
    return {"iteration": iteration, "applied": [applied], "derived": []}


def _effect(explored: int, explored_passed: int, allowed: int, allowed_passed: int) -> dict[str, int]:
    return {
        "blocked": 30,
        "explored": explored,
        "explored_passed": explored_passed,
        "allowed": allowed,
        "allowed_passed": allowed_passed,
    }


def _two_iterations() -> ConstraintHistory:
    (history,) = constraint_histories(
        [_summary(2, _effect(9, 1, 400, 200), explored=12), _summary(3, _effect(1, 1, 400, 200), explored=2)]
    )
    return history


def test_uplift_is_pooled_over_iterations_and_not_that_of_the_last() -> None:
    history = _two_iterations()
    # The last iteration alone, with one explored candidate, would say 0.5 - 1 = -0.5.
    assert history.uplift == pytest.approx(400 / 800 - 2 / 10)
    pooled = constraint_effect(0, 10, 2, 800, 400)
    assert (history.uplift_low, history.uplift_high) == (pooled.uplift_low, pooled.uplift_high)


def test_the_number_measured_is_that_of_the_estimate() -> None:
    history = _two_iterations()
    assert (history.measured, history.measured_passed) == (10, 2)
    assert history.explored == 14  # of these four were blocked by others, too


def test_an_iteration_that_explored_nothing_adds_nothing_to_what_was_let_through() -> None:
    (history,) = constraint_histories([_summary(2, _effect(0, 0, 400, 0)), _summary(3, _effect(4, 0, 10, 5))])
    assert (history.allowed, history.allowed_passed) == (10, 5)
    assert history.uplift == pytest.approx(0.5)


def test_without_counts_there_is_no_estimate() -> None:
    (history,) = constraint_histories([_summary(2, None)])
    assert (history.uplift, history.uplift_low, history.uplift_high) == (None, None, None)


def test_the_table_shows_estimate_and_interval_beside_the_number_they_rest_on() -> None:
    history = _two_iterations()
    console = Console(file=io.StringIO(), width=80)
    console.print(constraint_table([history]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert " 10 +0.30" in " ".join(text.split())
    assert f"{history.uplift_low:+.2f}..{history.uplift_high:+.2f}" in text
    assert "…" not in text
