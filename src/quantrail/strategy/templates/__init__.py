"""Atoms and templates: ideas with parameters, each with a reason and a source.

An atom is one typed piece (entry, filter, exit, sizing, risk); a template combines atoms into an
ordinary spec document, which then passes the same gate as everything else. Each template is also a
function of this package, by its id in small letters: ``templates.sma_crossover(20, 50, symbols=["SPY"])``.
"""

from typing import Any

from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.parameter import Parameter, Rule
from quantrail.strategy.templates.registry import ATOMS, TEMPLATES, combine, template, template_spec
from quantrail.strategy.templates.shelf import named_builder
from quantrail.strategy.templates.template import Template, assemble

__all__ = [
    "ATOMS",
    "TEMPLATES",
    "Atom",
    "Parameter",
    "Rule",
    "Template",
    "assemble",
    "combine",
    "template",
    "template_spec",
]


def __getattr__(name: str) -> Any:
    return named_builder(name)


def __dir__() -> list[str]:
    return sorted([*__all__, *(template_id.lower() for template_id in TEMPLATES)])
