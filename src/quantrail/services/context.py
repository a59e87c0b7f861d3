"""What every use case is handed. Imports nothing heavy: commands that only read must start at once."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from quantrail.domain.artifacts import ArtifactStore
from quantrail.domain.market import MarketReader
from quantrail.domain.ports import Clock, KnowledgeStore

# What results may depend on besides our own code; stored with every run.
DEPENDENCIES = ("numpy", "numba", "TA-Lib", "scipy")


@dataclass(frozen=True, slots=True)
class Services:
    """What a use case is handed: stores, clock, randomness, and what code is running."""

    store: KnowledgeStore
    market: MarketReader
    artifacts: ArtifactStore
    clock: Clock
    entropy: Callable[[int], bytes]
    code_version: str
    environment: Mapping[str, str]


def environment() -> dict[str, str]:
    """Versions of everything outside this package that a number can depend on."""
    found = {name: version(name) for name in DEPENDENCIES}
    return {**found, "python": platform.python_version(), "machine": platform.machine()}
