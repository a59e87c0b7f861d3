"""A template: atoms that make a whole strategy, with one set of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.domain.enums import Tier
from quantrail.errors import InvalidInput
from quantrail.strategy.problems import ProblemList, nearest, spec_invalid
from quantrail.strategy.templates.atom import Atom, fill, parameter_schema
from quantrail.strategy.templates.parameter import Parameter, Rule, Value, check_params

_SECTIONS = (
    "universe",
    "risk",
    "portfolio_constraints",
    "execution",
    "cost_model",
    "logging",
    "name",
    "family",
)


@dataclass(frozen=True, slots=True)
class Template:
    """One idea with parameters. ``atoms``: entry, exit, then filters, sizing and risk in any order.

    ``confidence`` 0.5 means: no evidence yet. Evidence, tier changes and use counts live in the store.
    """

    template_id: str
    name: str
    rationale: str
    reference: str
    atoms: tuple[Atom, ...]
    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...]
    tier: Tier = Tier.T0
    status: str = "ACTIVE"
    confidence: float = 0.5

    @property
    def parameter_schema(self) -> dict[str, Any]:
        """JSON Schema of the parameters."""
        return parameter_schema(self.parameters, self.rules)

    @property
    def atom_ids(self) -> tuple[str, ...]:
        return tuple(atom.atom_id for atom in self.atoms)

    def problems(self, params: Mapping[str, Any]) -> ProblemList:
        """What is wrong with ``params``; what is left out takes its default."""
        problems = ProblemList()
        check_params(self.parameters, self.rules, params, problems)
        return problems

    def build(
        self,
        params: Mapping[str, Any] | None = None,
        universe_symbols: Sequence[str] | None = None,
        **overrides: Any,
    ) -> dict[str, Any]:
        """An ordinary spec document; ``overrides`` replace whole top-level sections.

        Without ``universe_symbols`` the strategy trades every symbol of the data. Raises SpecInvalid
        with every problem of the parameters.
        """
        problems = ProblemList()
        complete = check_params(self.parameters, self.rules, params or {}, problems)
        for key in overrides:
            if key not in _SECTIONS:
                problems.add(
                    (key,), "UNKNOWN_KEY", "not a section to override", None, nearest(key, _SECTIONS)
                )
        if problems.items:
            raise spec_invalid(problems.items)
        document = self._document(complete)
        if universe_symbols is not None:
            document["universe"] = {"symbols": list(universe_symbols)}
        return {**document, **overrides}

    def _document(self, params: Mapping[str, Value]) -> dict[str, Any]:
        document = assemble(self.atoms, params)
        document["name"] = self.name
        document["family"] = self.template_id
        document["metadata"] = {
            "created_by": "template",
            "template_id": self.template_id,
            "params": dict(params),
        }
        return document


def assemble(atoms: Sequence[Atom], params: Mapping[str, Value]) -> dict[str, Any]:
    """A document of these atoms: exactly one entry, exactly one exit, any filters, sizing and risk."""
    document: dict[str, Any] = {"schema_version": "1.0", "features": {}, "conditions": {}, "modules": {}}
    for atom in atoms:
        _merge(document["features"], fill(atom.features, params))
        _merge(document, fill(atom.sections, params))
    for role in ("entry", "exit"):
        atom = _only(atoms, role)
        document["conditions"][role] = fill(atom.condition, params)
        _merge(document["modules"], {role: {"condition": {"ref": role}}})
    filters = [fill(atom.condition, params) for atom in atoms if atom.kind == "filter"]
    if filters:
        document["conditions"]["filter"] = (
            filters[0] if len(filters) == 1 else {"node": "AND", "children": filters}
        )
        document["modules"]["entry"]["filter"] = {"ref": "filter"}
    return document


def _only(atoms: Sequence[Atom], role: str) -> Atom:
    found = [atom for atom in atoms if atom.kind == role]
    if len(found) != 1:
        raise InvalidInput(f"a strategy needs exactly one {role} atom, got {len(found)}")
    return found[0]


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
