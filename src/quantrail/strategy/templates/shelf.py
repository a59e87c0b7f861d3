"""Templates as functions: ``templates.sma_crossover(short_window=20, long_window=50)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from quantrail.errors import InvalidInput
from quantrail.strategy.problems import nearest
from quantrail.strategy.templates.registry import TEMPLATES
from quantrail.strategy.templates.template import Template

Builder = Callable[..., dict[str, Any]]


def named_builder(name: str) -> Builder:
    """The builder of the template whose id is ``name`` in capitals; AttributeError names the nearest."""
    if name.upper() not in TEMPLATES:
        hint = nearest(name, [template_id.lower() for template_id in TEMPLATES])
        raise AttributeError(f"no template {name!r}; {hint}")
    return _builder(TEMPLATES[name.upper()])


def _builder(template: Template) -> Builder:
    names = [parameter.name for parameter in template.parameters]

    def build(*values: float, symbols: Sequence[str] | None = None, **given: Any) -> dict[str, Any]:
        if len(values) > len(names):
            raise InvalidInput(f"{template.template_id} has {len(names)} parameters, got {len(values)}")
        params = dict(zip(names, values, strict=False))
        twice = sorted(params.keys() & given.keys())
        if twice:
            raise InvalidInput(f"{template.template_id} got {', '.join(twice)} twice")
        sections = {key: given.pop(key) for key in list(given) if key not in names and key in SECTIONS}
        return template.build({**params, **given}, symbols, **sections)

    build.__name__ = template.template_id.lower()
    build.__doc__ = f"{template.rationale} Parameters, in order: {', '.join(names) or 'none'}."
    return build


SECTIONS = ("universe", "risk", "portfolio_constraints", "execution", "cost_model", "name", "family")
