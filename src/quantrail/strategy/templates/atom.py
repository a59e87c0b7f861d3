"""An atom: one typed piece of a strategy, with its parameters, reason and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from quantrail.domain.enums import Tier
from quantrail.strategy.templates.parameter import Parameter, Rule, Value

AtomKind = Literal["entry", "filter", "exit", "sizing", "risk"]


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of a document in which ``"$name"`` stands for the parameter ``name``.

    Entry, filter and exit atoms hold ``features`` and one ``condition``; sizing and risk atoms hold
    ``sections``, parts of a document by top-level key. ``confidence`` 0.5 means: no evidence yet.
    """

    atom_id: str
    kind: AtomKind
    rationale: str
    reference: str
    parameters: tuple[Parameter, ...] = ()
    rules: tuple[Rule, ...] = ()
    features: Mapping[str, Any] = field(default_factory=dict)
    condition: Mapping[str, Any] | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    tier: Tier = Tier.T0
    status: str = "ACTIVE"
    confidence: float = 0.5

    @property
    def parameter_schema(self) -> dict[str, Any]:
        """JSON Schema of the parameters."""
        return parameter_schema(self.parameters, self.rules)


def parameter_schema(parameters: tuple[Parameter, ...], rules: tuple[Rule, ...]) -> dict[str, Any]:
    """JSON Schema (2020-12) of parameters; rules between them stand under ``x-rules``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {parameter.name: parameter.schema() for parameter in parameters},
        "additionalProperties": False,
        "x-rules": [str(rule) for rule in rules],
    }


# A dict is told at once; whether something is any other Mapping takes several times as long.
_MAPPINGS = (dict, Mapping)


def fill(piece: Any, params: Mapping[str, Value]) -> Any:
    """A copy of ``piece`` with every ``"$name"`` replaced by its value."""
    if isinstance(piece, str):
        return params[piece[1:]] if piece.startswith("$") else piece
    if isinstance(piece, _MAPPINGS):
        return {key: fill(value, params) for key, value in piece.items()}
    if isinstance(piece, list | tuple):
        return [fill(value, params) for value in piece]
    return piece
