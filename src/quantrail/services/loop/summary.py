"""What an iteration came to, in one JSON document that the store keeps and reports read."""

from __future__ import annotations

from collections import Counter
from typing import Any

from quantrail.analysis.constraints import ConstraintEffect
from quantrail.domain.records import Constraint
from quantrail.services.loop.candidates import Gathered
from quantrail.services.loop.recording import Iterated
from quantrail.services.loop.state import Candidate, RunState
from quantrail.services.progress import Funnel


def iteration_summary(state: RunState, funnel: Funnel, gathered: Gathered, done: Iterated) -> dict[str, Any]:
    """Funnel, most frequent failure tags, what each applied constraint did, what was derived."""
    tags = Counter(
        f.rule.tag
        for entry in (*done.screened.evaluated, *done.verified.looks)
        for f in entry.outcome.failures
    )
    return {
        "iteration": done.iteration,
        "funnel": funnel.to_json(),
        "failure_tags": dict(sorted(tags.items(), key=lambda item: (-item[1], item[0]))),
        "applied": [_applied(c, done.screened.candidates, done) for c in state.constraints],
        "relaxed": [c.constraint_id for c in gathered.relaxed],
        "retired": [e.constraint_id for e in done.learnt.events],
        "derived": [_derived(d.constraint, len(d.failure_ids)) for d in done.learnt.derived],
        "constraint_set_id": done.learnt.constraint_set.constraint_set_id,
    }


def _applied(constraint: Constraint, candidates: list[Candidate], done: Iterated) -> dict[str, Any]:
    key = constraint.constraint_id
    blocked = [c for c in candidates if any(b.constraint_id == key for b in c.blocked_by)]
    effect = done.learnt.effects.get(key)
    return {
        "constraint_id": key,
        "type": constraint.type.value,
        "params": dict(constraint.params),
        "blocked": sum(not c.explore for c in blocked),
        "explored": sum(c.explore for c in blocked),
        "rewrote": sum(any(r.constraint_id == key for r in c.rewritten_by) for c in candidates),
        "uplift": effect.uplift if effect else None,
        "uplift_low": effect.uplift_low if effect else None,
        "uplift_high": effect.uplift_high if effect else None,
        "effect": _counts(effect) if effect else None,
    }


def _counts(effect: ConstraintEffect) -> dict[str, int]:
    """What the estimate rests on, so that it can be pooled over iterations."""
    return {
        "blocked": effect.blocked,
        "explored": effect.explored,
        "explored_passed": effect.explored_passed,
        "allowed": effect.allowed,
        "allowed_passed": effect.allowed_passed,
    }


def _derived(constraint: Constraint, cited: int) -> dict[str, Any]:
    return {
        "constraint_id": constraint.constraint_id,
        "type": constraint.type.value,
        "params": dict(constraint.params),
        "statistics": dict(constraint.statistics),
        "cited_failures": cited,
    }
