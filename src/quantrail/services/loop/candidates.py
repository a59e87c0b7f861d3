"""S20 and S30: propose, normalise, rewrite, drop duplicates, block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from quantrail.domain.records import Constraint
from quantrail.errors import SpecInvalid
from quantrail.search.binding import blockers, rewrite
from quantrail.search.sources import Parent, Proposed, SourceWeights, propose
from quantrail.search.traits import traits_of
from quantrail.services.loop.state import Candidate, RunState, draw
from quantrail.strategy import TEMPLATES, CanonicalSpec, canonicalise, from_normal

MAX_PROPOSALS_PER_CANDIDATE = 6
MIN_FILL = 0.25
PARENTS = 40


@dataclass(slots=True)
class Gathered:
    """All proposals of an iteration in order. ``relaxed``: constraints set aside, newest first."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: int = 0
    relaxed: list[Constraint] = field(default_factory=list)

    @property
    def running(self) -> list[Candidate]:
        return [c for c in self.candidates if c.runs]


def gather(state: RunState, iteration: int) -> Gathered:
    """Candidates of one iteration: as many as the budget asks for can run, in a fixed order.

    If constraints block so much that less than a quarter of the budget could run, the newest
    constraint is set aside and the blocked proposals are looked at again.
    """
    quota = state.config.search.budget.candidates
    gathered = Gathered()
    proposals = _proposals(state, iteration)
    for _ in range(MAX_PROPOSALS_PER_CANDIDATE * quota):
        if len(gathered.running) >= quota:
            break
        _admit(state, iteration, gathered, next(proposals))
    while len(gathered.running) < MIN_FILL * quota and any(c.blocked_by for c in gathered.candidates):
        _relax(gathered, state.constraints, quota)
    return gathered


def _proposals(state: RunState, iteration: int) -> Iterator[Proposed]:
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([state.config.seed, iteration])))
    weights = state.config.search.generators
    templates = tuple(TEMPLATES[key] for key in sorted(TEMPLATES))
    while True:
        yield propose(
            rng,
            templates,
            _best_parents(state),
            SourceWeights(weights.template, weights.mutation),
            state.symbols,
        )


def _best_parents(state: RunState) -> list[Parent]:
    ranked = sorted(state.parents, key=lambda entry: (-entry[0], entry[1].strategy_id))
    return [parent for _, parent in ranked[:PARENTS]]


def _admit(state: RunState, iteration: int, gathered: Gathered, proposed: Proposed) -> None:
    try:
        canonical = canonicalise(proposed.document)
    except SpecInvalid:
        # Recombination may outgrow the limits of the language; such a child is not a strategy.
        gathered.refused += 1
        return
    gathered.candidates.append(_candidate(state, iteration, len(gathered.candidates), proposed, canonical))


def _candidate(
    state: RunState, iteration: int, ordinal: int, proposed: Proposed, source: CanonicalSpec
) -> Candidate:
    spec, changed = rewrite(state.constraints, proposed.template_id, source.spec)
    canonical = from_normal(spec) if changed else source
    traits = traits_of(canonical.strategy_id, spec, proposed.template_id, np.nan)
    duplicate = canonical.strategy_id in state.seen
    state.seen.add(canonical.strategy_id)
    return Candidate(
        ordinal=ordinal,
        proposed=proposed,
        canonical=canonical,
        source=source if changed else None,
        rewritten_by=changed,
        traits=traits,
        blocked_by=() if duplicate else blockers(state.constraints, traits, spec),
        explore=explores(state, iteration, canonical.strategy_id),
        duplicate=duplicate,
    )


def explores(state: RunState, iteration: int, strategy_id: str) -> bool:
    """Whether this candidate belongs to the exploration arm, should a constraint block it."""
    share = state.config.constraint_rules.exploration_share
    return draw("explore", state.config.seed, iteration, strategy_id) < share


def _relax(gathered: Gathered, constraints: tuple[Constraint, ...], quota: int) -> None:
    blocking = {b.constraint_id for c in gathered.candidates for b in c.blocked_by}
    newest = next(c for c in reversed(constraints) if c.constraint_id in blocking)
    gathered.relaxed.append(newest)
    room = quota - len(gathered.running)
    for position, candidate in enumerate(gathered.candidates):
        left = tuple(b for b in candidate.blocked_by if b.constraint_id != newest.constraint_id)
        # What would run beyond the budget stays out of the list, as if it had never been drawn.
        if not left and candidate.blocked_by and not candidate.runs:
            room -= 1
        if room >= 0:
            gathered.candidates[position] = replace(candidate, blocked_by=left)
