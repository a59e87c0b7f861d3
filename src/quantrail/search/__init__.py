"""Candidate generators and the application of constraints to the search space.

``propose`` draws one candidate from templates or parents; ``blockers`` says which constraints keep it from
running, ``rewrite`` applies those that change it, ``traits_of`` reads off what both look at.
"""

from quantrail.search.binding import blockers, check_enforceable, density_limits, rewrite
from quantrail.search.sources import Document, Parent, Proposed, SourceWeights, propose
from quantrail.search.traits import traits_of

__all__ = [
    "Document",
    "Parent",
    "Proposed",
    "SourceWeights",
    "blockers",
    "check_enforceable",
    "density_limits",
    "propose",
    "rewrite",
    "traits_of",
]
