"""Does a region of the search space fail more than the rest? Counts, interval and exact test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
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
    ``inside``: which observations of ``sample`` the region holds, shape (N,).
    """

    hits: int
    n: int
    rest_hits: int
    rest_n: int
    p_value: float
    sample: Sample
    inside: NDArray[np.bool_]

    @property
    def failures(self) -> tuple[ObservedFailure, ...]:
        """Every failure that counts inside the region, in the order of the observations."""
        return tuple(f for found in compress(self.sample.failures, self.inside) for f in found)

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


class Sample:
    """N observations with the failures that a query counts, looked up once for every region weighed."""

    def __init__(
        self, observations: Sequence[Observation], failures: Sequence[tuple[ObservedFailure, ...]]
    ) -> None:
        self.observations = observations
        self.failures = failures
        self._failed = np.array([bool(found) for found in failures], dtype=np.bool_)

    @classmethod
    def of(cls, observations: Sequence[Observation], query: FailureQuery) -> Sample:
        return cls(observations, [query.of(o) for o in observations])

    def __len__(self) -> int:
        return len(self.observations)

    def where(self, trait: Callable[[Observation], object]) -> Sample:
        """Only the observations for which ``trait`` is true."""
        chosen = [bool(trait(o)) for o in self.observations]
        return Sample(list(compress(self.observations, chosen)), list(compress(self.failures, chosen)))

    def values(self, trait: Callable[[Observation], float]) -> NDArray[np.float64]:
        """A trait of every observation, shape (N,)."""
        return np.array([trait(o) for o in self.observations], dtype=np.float64)

    def weigh(self, inside: NDArray[np.bool_]) -> Evidence | None:
        """Evidence on the region that holds the observations ``inside``; None when it is empty."""
        from scipy.stats import hypergeom

        n, total = int(inside.sum()), len(self)
        if n == 0:
            return None
        hits, all_hits = int((self._failed & inside).sum()), int(self._failed.sum())
        p_value = 1.0 if n == total else float(hypergeom.sf(hits - 1, total, all_hits, n))
        return Evidence(hits, n, all_hits - hits, total - n, p_value, self, inside)


def tail_cuts(values: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Candidate cuts of a trait: values at the low and at the high quantiles, extremes left out.

    A low cut c stands for the region value <= c, a high cut for value >= c. Regions that would
    hold everything are not offered.
    """
    ordered = np.sort(values)
    low = {float(ordered[int(q * (len(ordered) - 1))]) for q in QUANTILES} - {float(ordered[-1])}
    high = {float(ordered[-1 - int(q * (len(ordered) - 1))]) for q in QUANTILES} - {float(ordered[0])}
    return sorted(low), sorted(high)
