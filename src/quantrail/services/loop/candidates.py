"""S20 and S30: propose, normalise, rewrite, drop duplicates, block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from quantrail.domain.records import Constraint
from quantrail.errors import SpecInvalid
from quantrail.search import Proposed, SourceWeights, blockers, propose, rewrite, traits_of
from quantrail.services.loop.state import Candidate, RunState, draw
from quantrail.strategy import TEMPLATES, CanonicalSpec, canonicalise, reframed

MAX_PROPOSALS_PER_CANDIDATE = 6
MIN_FILL = 0.25


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

    If constraints let less than a quarter of the budget through, the newest one that blocks is set
    aside and the proposals are looked at again.
    """
    quota = state.config.search.budget.candidates
    gathered = Gathered()
    proposals = _proposals(state, iteration)
    running = 0
    for _ in range(MAX_PROPOSALS_PER_CANDIDATE * quota):
        if running >= quota:
            break
        running += _admit(state, iteration, gathered, next(proposals))
    while is_starved(quota, gathered.candidates):
        newest = set_newest_aside(state, gathered.candidates)
        if newest is None:
            break
        gathered.relaxed.append(newest)
        gathered.candidates = _without(state, gathered.candidates, newest, quota)
    return gathered


def is_starved(quota: int, candidates: Sequence[Candidate]) -> bool:
    """Whether constraints let through less than a quarter of the budget; explorers do not count."""
    free = sum(c.runs and not c.blocked_by for c in candidates)
    return free < MIN_FILL * quota


def set_newest_aside(state: RunState, candidates: Sequence[Candidate]) -> Constraint | None:
    """Stop the newest constraint that blocks any of them from binding; None when none does."""
    blocking = {b.constraint_id for c in candidates for b in c.blocked_by}
    newest = next((c for c in reversed(state.binding) if c.constraint_id in blocking), None)
    if newest is not None:
        state.dropped.add(newest.constraint_id)
    return newest


def _without(
    state: RunState, candidates: Sequence[Candidate], relaxed: Constraint, quota: int
) -> list[Candidate]:
    """The proposals as if ``relaxed`` had never bound, up to where drawing would then have ended."""
    kept: list[Candidate] = []
    running = 0
    for candidate in candidates:
        if running >= quota:
            if not candidate.duplicate:
                state.seen.discard(candidate.strategy_id)
            continue
        left = tuple(b for b in candidate.blocked_by if b.constraint_id != relaxed.constraint_id)
        kept.append(replace(candidate, blocked_by=left))
        running += kept[-1].runs
    return kept


def _proposals(state: RunState, iteration: int) -> Iterator[Proposed]:
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([state.config.seed, iteration])))
    weights = state.config.search.generators
    templates = tuple(TEMPLATES[key] for key in sorted(TEMPLATES))
    parents = [parent for _, parent in state.parents]
    shares = SourceWeights(weights.template, weights.mutation)
    if iteration == 1:
        yield from (_seed(document, state.symbols) for document in state.config.search.seeds)
    while True:
        yield propose(rng, templates, parents, shares, state.symbols)


def _seed(document: Mapping[str, Any], symbols: Sequence[str]) -> Proposed:
    """A strategy the configuration brought, on the symbols of the run."""
    universe = {**(document.get("universe") or {}), "symbols": list(symbols)}
    universe.pop("universe_source", None)
    metadata = document.get("metadata") or {}
    template = metadata.get("template_id") if metadata.get("template_id") in TEMPLATES else None
    return Proposed({**document, "universe": universe}, "import", template, metadata.get("params") or {})


def _admit(state: RunState, iteration: int, gathered: Gathered, proposed: Proposed) -> bool:
    """Whether one more candidate runs."""
    try:
        canonical = canonicalise(proposed.document)
    except SpecInvalid:
        # Recombination may outgrow the limits of the language; such a child is not a strategy.
        gathered.refused += 1
        return False
    made = _candidate(state, iteration, len(gathered.candidates), proposed, canonical)
    gathered.candidates.append(made)
    return made.runs


def _candidate(
    state: RunState, iteration: int, ordinal: int, proposed: Proposed, source: CanonicalSpec
) -> Candidate:
    spec, changed = rewrite(state.binding, proposed.template_id, source.spec)
    canonical = reframed(source, spec) if changed else source
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
        blocked_by=() if duplicate else blockers(state.binding, traits, spec),
        explore=explores(state, iteration, canonical.strategy_id),
        duplicate=duplicate,
    )


def explores(state: RunState, iteration: int, strategy_id: str) -> bool:
    """Whether this candidate belongs to the exploration arm, should a constraint block it."""
    share = state.config.constraint_rules.exploration_share
    return draw("explore", state.config.seed, iteration, strategy_id) < share
