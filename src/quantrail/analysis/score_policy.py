"""Score policies: versioned files of terms, penalties and gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from quantrail.errors import ConfigInvalid

DEFAULT_POLICY = "score_v1"


@dataclass(frozen=True, slots=True)
class Term:
    """``weight`` times where the input lies between ``worst`` (0) and ``best`` (1), clipped."""

    name: str
    input: str
    worst: float
    best: float
    weight: float


@dataclass(frozen=True, slots=True)
class Gate:
    """Passes when the input is defined and within the bounds, both included."""

    name: str
    input: str
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class ScorePolicy:
    version: str
    terms: tuple[Term, ...]
    penalties: tuple[Term, ...]
    gates: tuple[Gate, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input the policy reads, once each, sorted."""
        parts: tuple[Term | Gate, ...] = (*self.terms, *self.penalties, *self.gates)
        return tuple(sorted({part.input for part in parts}))


@cache
def load_policy(version: str = DEFAULT_POLICY) -> ScorePolicy:
    """A shipped policy by version; ConfigInvalid names those there are."""
    folder = files("quantrail.analysis") / "policies"
    known = sorted(f.name[:-5] for f in folder.iterdir() if f.name.startswith("score_"))
    if version not in known:
        raise ConfigInvalid(f"score policy {version!r} is not known; there are: {', '.join(known)}")
    return parse_policy(yaml.safe_load((folder / f"{version}.yaml").read_text(encoding="utf-8")))


def parse_policy(document: Mapping[str, Any]) -> ScorePolicy:
    """A policy from its document; ConfigInvalid when weights of the terms do not sum to 1."""
    terms = _terms(document["terms"])
    total = sum(term.weight for term in terms)
    if abs(total - 1.0) > 1e-12:
        raise ConfigInvalid(f"weights of the score terms must sum to 1, they sum to {total:g}")
    gates = tuple(
        Gate(name, gate["input"], gate.get("min"), gate.get("max"))
        for name, gate in document["gates"].items()
    )
    return ScorePolicy(document["version"], terms, _terms(document["penalties"]), gates)


def _terms(section: Mapping[str, Mapping[str, Any]]) -> tuple[Term, ...]:
    return tuple(
        Term(name, t["input"], float(t["worst"]), float(t["best"]), float(t["weight"]))
        for name, t in section.items()
    )
