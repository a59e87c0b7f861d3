"""What a run's constraints came from and what they did, read from its stored summaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.analysis.constraints import constraint_effect
from quantrail.domain.ports import KnowledgeStore


@dataclass(slots=True)
class ConstraintHistory:
    """One constraint through the iterations of a run.

    ``evidence``: failed/tried inside the region it forbids, then outside. ``blocked_next``: candidates
    it blocked in the first iteration it was applied (None: in none yet); ``blocked`` over all of them;
    ``explored`` ran although it would have blocked them. Portfolio and risk constraints rewrite instead
    of blocking.

    ``measured`` of the explored ones were blocked by this constraint alone, ``measured_passed`` of them
    passed; ``allowed`` and ``allowed_passed`` count what was let through in the iterations that measured.
    ``uplift``, with its 95 % interval, is the difference of these two pass rates; all None before anything
    was measured, and for runs recorded before the counts were kept.
    """

    constraint_id: str
    type: str
    params: Mapping[str, Any]
    origin: str
    evidence: str
    blocked_next: int | None = None
    rewrote_next: int = 0
    blocked: int = 0
    rewrote: int = 0
    explored: int = 0
    measured: int = 0
    measured_passed: int = 0
    allowed: int = 0
    allowed_passed: int = 0
    uplift: float | None = None
    uplift_low: float | None = None
    uplift_high: float | None = None


def constraint_histories(summaries: Sequence[Mapping[str, Any]]) -> list[ConstraintHistory]:
    """Every constraint that a run applied or derived, in the order it was met."""
    found: dict[str, ConstraintHistory] = {}
    for summary in summaries:
        for applied in summary["applied"]:
            history = found.setdefault(applied["constraint_id"], _inherited(applied))
            _count(history, applied)
        for derived in summary["derived"]:
            history = _derived(derived, summary["iteration"])
            found.setdefault(derived["constraint_id"], history)
    return list(found.values())


def _count(history: ConstraintHistory, applied: Mapping[str, Any]) -> None:
    if history.blocked_next is None:
        history.blocked_next, history.rewrote_next = applied["blocked"], applied["rewrote"]
    history.blocked += applied["blocked"]
    history.rewrote += applied["rewrote"]
    history.explored += applied["explored"]
    effect = applied.get("effect")
    if effect is not None and effect["explored"]:
        _measure(history, effect)


def _measure(history: ConstraintHistory, effect: Mapping[str, int]) -> None:
    history.measured += effect["explored"]
    history.measured_passed += effect["explored_passed"]
    history.allowed += effect["allowed"]
    history.allowed_passed += effect["allowed_passed"]
    pooled = constraint_effect(
        history.blocked, history.measured, history.measured_passed, history.allowed, history.allowed_passed
    )
    if pooled.uplift is not None:
        history.uplift = pooled.uplift
        history.uplift_low, history.uplift_high = pooled.uplift_low, pooled.uplift_high


def _inherited(applied: Mapping[str, Any]) -> ConstraintHistory:
    return ConstraintHistory(applied["constraint_id"], applied["type"], applied["params"], "earlier run", "")


def _derived(derived: Mapping[str, Any], iteration: int) -> ConstraintHistory:
    statistics = derived["statistics"]
    evidence = f"{statistics['failures']}/{statistics['n']}"
    if statistics["rest_n"]:
        evidence += f" {statistics['rest_failures']}/{statistics['rest_n']}"
    return ConstraintHistory(
        derived["constraint_id"], derived["type"], derived["params"], f"it {iteration}", evidence
    )


def all_histories(store: KnowledgeStore) -> dict[str, ConstraintHistory]:
    """What every constraint did over all runs of the store, by id."""
    summaries = [
        iteration.summary
        for run in reversed(store.list_runs(limit=10_000))
        for iteration in store.list_iterations(run.run_id)
        if iteration.summary is not None and "applied" in iteration.summary
    ]
    return {h.constraint_id: h for h in constraint_histories(summaries)}


def describe_params(params: Mapping[str, Any]) -> str:
    """Parameters in one short line; what is unset is left out."""
    shown = {k: v for k, v in params.items() if v is not None and k != "reason"}
    if "feature" in shown and "param" in shown:
        name = f"{shown.pop('feature')}.{shown.pop('param')}"
        low, high = shown.get("min"), shown.get("max")
        return f"{name} >= {low:g}" if low is not None else f"{name} <= {high:g}"
    texts = {k: f"{v:g}" if isinstance(v, (int, float)) else str(v) for k, v in shown.items()}
    if len(params) == 1 or "template_id" in shown:
        return next(iter(texts.values()))
    return ", ".join(f"{key} {text}" for key, text in texts.items())
