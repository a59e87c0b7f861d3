"""Does a region of the search space fail more than the rest? Counts, interval and exact test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.constraints.observations import Observation, ObservedFailure
from quantrail.analysis.statistics import wilson_interval

QUANTILES = (0.2, 1 / 3, 0.5)


@dataclass(frozen=True, slots=True)
class Evidence:
    """``hits`` of ``n`` candidates inside the region failed, ``rest_hits`` of ``rest_n`` outside.

    ``p_value``: one-sided hypergeometric probability of so many inside if the region did not matter.
    """

    hits: int
    n: int
    rest_hits: int
    rest_n: int
    p_value: float
    failures: tuple[ObservedFailure, ...]

    @property
    def rate_interval(self) -> tuple[float, float]:
        return wilson_interval(self.hits, self.n)

    def statistics(self) -> dict[str, Any]:
        low, high = self.rate_interval
        return {
            "failures": self.hits,
            "n": self.n,
            "rate": self.hits / self.n,
            "rate_low": low,
            "rate_high": high,
            "rest_failures": self.rest_hits,
            "rest_n": self.rest_n,
            "p_value": self.p_value,
        }


@dataclass(frozen=True, slots=True)
class FailureQuery:
    """Which failures count: their tags and least confidence."""

    tags: frozenset[str]
    min_confidence: float

    def of(self, observation: Observation) -> tuple[ObservedFailure, ...]:
        return observation.failures_with(self.tags, self.min_confidence)


def weigh(
    observations: Sequence[Observation], query: FailureQuery, inside: Callable[[Observation], bool]
) -> Evidence | None:
    """Evidence on the region where ``inside`` holds; None when the region is empty."""
    from scipy.stats import hypergeom

    failed = [query.of(o) for o in observations]
    within = [inside(o) for o in observations]
    n, total = sum(within), len(observations)
    hits = sum(1 for f, w in zip(failed, within, strict=True) if f and w)
    all_hits = sum(1 for f in failed if f)
    if n == 0:
        return None
    p_value = 1.0 if n == total else float(hypergeom.sf(hits - 1, total, all_hits, n))
    cited = tuple(f for found, w in zip(failed, within, strict=True) if w for f in found)
    return Evidence(hits, n, all_hits - hits, total - n, p_value, cited)


def tail_cuts(values: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Candidate cuts of a trait: values at the low and at the high quantiles, extremes left out.

    A low cut c stands for the region value <= c, a high cut for value >= c. Regions that would
    hold everything are not offered.
    """
    ordered = np.sort(values)
    low = {float(ordered[int(q * (len(ordered) - 1))]) for q in QUANTILES} - {float(ordered[-1])}
    high = {float(ordered[-1 - int(q * (len(ordered) - 1))]) for q in QUANTILES} - {float(ordered[0])}
    return sorted(low), sorted(high)
