"""What a running loop tells those who watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Funnel:
    """How many candidates reached each step of one iteration."""

    generated: int = 0
    refused: int = 0
    blocked: int = 0
    explored: int = 0
    rewritten: int = 0
    duplicate: int = 0
    cached: int = 0
    screened: int = 0
    errors: int = 0
    passed: int = 0
    shortlisted: int = 0
    verified: int = 0

    def to_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a run. ``done`` of ``total`` units of the stage; ``best`` is the best score so far."""

    iteration: int
    iterations: int
    stage: str
    title: str
    done: int = 0
    total: int = 0
    best: float | None = None
    best_label: str = ""
    funnel: Funnel = field(default_factory=Funnel)


Listener = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A listener that nobody watches."""
