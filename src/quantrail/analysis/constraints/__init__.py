"""From failures to constraints: which regions of the search space fail, with what certainty.

``derive_constraints`` applies a versioned rule file to observations; ``constraint_effect`` says what a
constraint in force is worth.
"""

from quantrail.analysis.constraints.derive import DerivedConstraint, derive_constraints
from quantrail.analysis.constraints.effect import ConstraintEffect, constraint_effect
from quantrail.analysis.constraints.observations import Observation, ObservedFailure, Traits
from quantrail.analysis.constraints.rules import (
    DEFAULT_CONSTRAINT_RULES,
    ConstraintRules,
    load_constraint_rules,
)

__all__ = [
    "DEFAULT_CONSTRAINT_RULES",
    "ConstraintEffect",
    "ConstraintRules",
    "DerivedConstraint",
    "Observation",
    "ObservedFailure",
    "Traits",
    "constraint_effect",
    "derive_constraints",
    "load_constraint_rules",
]
