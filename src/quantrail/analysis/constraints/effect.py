"""What a constraint is worth, estimated from blocked candidates that ran anyway."""

from __future__ import annotations

from dataclasses import dataclass

from quantrail.analysis.statistics import wilson_interval


@dataclass(frozen=True, slots=True)
class ConstraintEffect:
    """``uplift``: pass rate of allowed candidates minus that of blocked ones that ran (-1..1).

    The interval is Newcombe's hybrid score interval at 95 %.
    """

    blocked: int
    explored: int
    explored_passed: int
    allowed: int
    allowed_passed: int
    uplift: float | None
    uplift_low: float
    uplift_high: float

    @property
    def harmful(self) -> bool:
        """The interval says that what it blocks is better than what it lets through."""
        return self.explored > 0 and self.uplift_high < 0


def constraint_effect(
    blocked: int, explored: int, explored_passed: int, allowed: int, allowed_passed: int
) -> ConstraintEffect:
    """Effect from counts. Without a candidate in either arm the uplift is None, the interval (-1, 1).

    Source: Newcombe (1998), method 10.
    """
    low_a, high_a = wilson_interval(allowed_passed, allowed)
    low_b, high_b = wilson_interval(explored_passed, explored)
    if not allowed or not explored:
        return ConstraintEffect(blocked, explored, explored_passed, allowed, allowed_passed, None, -1.0, 1.0)
    p, q = allowed_passed / allowed, explored_passed / explored
    low = p - q - ((p - low_a) ** 2 + (high_b - q) ** 2) ** 0.5
    high = p - q + ((high_a - p) ** 2 + (q - low_b) ** 2) ** 0.5
    return ConstraintEffect(blocked, explored, explored_passed, allowed, allowed_passed, p - q, low, high)
