"""Atoms and templates: ideas with parameters, each with a reason and a source.

An atom is one typed piece (entry, filter, exit, sizing, risk); a template combines atoms into an
ordinary spec document, which then passes the same gate as everything else.
"""

from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.parameter import Parameter, Rule
from quantrail.strategy.templates.registry import ATOMS, TEMPLATES, combine, template, template_spec
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
