"""The strategy language: a strategy is data, never code.

A document (mapping, JSON or YAML) is checked by :func:`parse_spec`, which lists everything that is
wrong with it at once, and brought by :func:`canonicalise` to the one form that everything with the
same meaning shares; the hash of that form is the strategy's identity and the form itself is what
the engines execute (:mod:`quantrail.strategy.normal` says what each part of it means). Templates and
atoms are ideas with parameters that make documents.
"""

from quantrail.strategy.canonical import (
    SPEC_HASH_VERSION,
    CanonicalSpec,
    canonical_from_json,
    canonicalise,
    from_normal,
)
from quantrail.strategy.catalogue import BAR_COLUMNS, FEATURE_TYPES, VARIABLES, FeatureParam, FeatureType
from quantrail.strategy.complexity import Complexity, complexity, module_trees
from quantrail.strategy.explain import condition_text, explain, explain_normal
from quantrail.strategy.naming import content_name
from quantrail.strategy.normal import (
    Constant,
    Distance,
    Node,
    NormalFeature,
    NormalModules,
    NormalSelection,
    NormalSide,
    NormalSpec,
    NormalTradeRisk,
    Operand,
    Ref,
    TakeProfit,
)
from quantrail.strategy.parse import parse_spec
from quantrail.strategy.problems import CODES, Problem
from quantrail.strategy.recombine import recombine, to_document
from quantrail.strategy.spec import StrategySpec
from quantrail.strategy.support import SUPPORTED
from quantrail.strategy.templates import (
    ATOMS,
    TEMPLATES,
    Atom,
    Parameter,
    Rule,
    Template,
    assemble,
    combine,
    template,
    template_spec,
)

__all__ = [
    "ATOMS",
    "BAR_COLUMNS",
    "CODES",
    "FEATURE_TYPES",
    "SPEC_HASH_VERSION",
    "SUPPORTED",
    "TEMPLATES",
    "VARIABLES",
    "Atom",
    "CanonicalSpec",
    "Complexity",
    "Constant",
    "Distance",
    "FeatureParam",
    "FeatureType",
    "Node",
    "NormalFeature",
    "NormalModules",
    "NormalSelection",
    "NormalSide",
    "NormalSpec",
    "NormalTradeRisk",
    "Operand",
    "Parameter",
    "Problem",
    "Ref",
    "Rule",
    "StrategySpec",
    "TakeProfit",
    "Template",
    "assemble",
    "canonical_from_json",
    "canonicalise",
    "combine",
    "complexity",
    "condition_text",
    "content_name",
    "explain",
    "explain_normal",
    "from_normal",
    "module_trees",
    "parse_spec",
    "recombine",
    "template",
    "template_spec",
    "to_document",
]
