"""The strategy language: a strategy is data, never code.

A document (mapping, JSON or YAML) is checked by :func:`parse_spec`, which lists everything that is
wrong with it at once, and brought by :func:`canonicalise` to the one form that everything with the
same meaning shares; the hash of that form is the strategy's identity and the form itself is what
the engines execute (:mod:`quantrail.strategy.normal` says what each part of it means). Templates and
atoms are ideas with parameters that make documents.
"""

from quantrail.domain.bands import BINS, NEAR
from quantrail.strategy import templates
from quantrail.strategy.advice import advisories
from quantrail.strategy.builders import ALWAYS, NEVER, Condition, Value, bar, ind, spec
from quantrail.strategy.canonical import (
    SPEC_HASH_VERSION,
    CanonicalSpec,
    canonical_from_json,
    canonicalise,
    from_normal,
    reframed,
)
from quantrail.strategy.catalogue import BAR_COLUMNS, FEATURE_TYPES, VARIABLES, FeatureParam, FeatureType
from quantrail.strategy.complexity import Complexity, complexity, module_trees
from quantrail.strategy.copying import copy_tree
from quantrail.strategy.diff import Difference, diff
from quantrail.strategy.documents import load_document
from quantrail.strategy.explain import condition_text, explain, explain_normal
from quantrail.strategy.fingerprint import (
    MOST_CELLS,
    Fingerprint,
    FingerprintIndex,
    bin_order,
    fingerprint,
    held_bars,
    mark_of,
    similarity,
)
from quantrail.strategy.models import StrategySpec
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
from quantrail.strategy.number import shortest
from quantrail.strategy.parse import parse_spec
from quantrail.strategy.pricing import COST_SETTINGS, priced
from quantrail.strategy.problems import CODES, Problem
from quantrail.strategy.recombine import recombine, to_document
from quantrail.strategy.schema import json_schema
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
    "ALWAYS",
    "ATOMS",
    "BAR_COLUMNS",
    "BINS",
    "CODES",
    "COST_SETTINGS",
    "FEATURE_TYPES",
    "MOST_CELLS",
    "NEAR",
    "NEVER",
    "SPEC_HASH_VERSION",
    "SUPPORTED",
    "TEMPLATES",
    "VARIABLES",
    "Atom",
    "CanonicalSpec",
    "Complexity",
    "Condition",
    "Constant",
    "Difference",
    "Distance",
    "FeatureParam",
    "FeatureType",
    "Fingerprint",
    "FingerprintIndex",
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
    "Value",
    "advisories",
    "assemble",
    "bar",
    "bin_order",
    "canonical_from_json",
    "canonicalise",
    "combine",
    "complexity",
    "condition_text",
    "content_name",
    "copy_tree",
    "diff",
    "explain",
    "explain_normal",
    "fingerprint",
    "from_normal",
    "held_bars",
    "ind",
    "json_schema",
    "load_document",
    "mark_of",
    "module_trees",
    "parse_spec",
    "priced",
    "recombine",
    "reframed",
    "shortest",
    "similarity",
    "spec",
    "template",
    "template_spec",
    "templates",
    "to_document",
]
