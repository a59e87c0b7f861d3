"""From what a person or a program wrote to a checked spec, or to a list of all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantrail.strategy.checks import check_conditions, check_features, check_modules, check_settings
from quantrail.strategy.complexity import comparison_count, module_trees, tree_depth
from quantrail.strategy.documents import load_document
from quantrail.strategy.limits import MAX_AST_DEPTH, MAX_COMPARISONS
from quantrail.strategy.models import StrategySpec
from quantrail.strategy.normal import NormalSpec
from quantrail.strategy.normalise import normal_spec
from quantrail.strategy.problems import Path as JsonPath
from quantrail.strategy.problems import ProblemList, spec_invalid
from quantrail.strategy.structure import check_structure


def parse_spec(data: Mapping[str, Any] | str | Path) -> StrategySpec:
    """A checked spec from a mapping, JSON or YAML text, or a file.

    A string without a line break that ends in .yaml, .yml or .json names a file. Raises SpecInvalid,
    whose ``context["problems"]`` lists every problem as {path, code, message, value, hint}.
    """
    return parse_document(load_document(data))[0]


def parse_document(document: dict[str, Any]) -> tuple[StrategySpec, NormalSpec]:
    """A checked spec and its canonical form from plain data."""
    problems = ProblemList()
    spec = check_structure(document, problems)
    for check in (check_features, check_conditions, check_modules, check_settings):
        check(document, problems)
    if spec is None or problems.items:
        raise spec_invalid(problems.items)
    normal = normal_spec(spec)
    _check_whole_trees(normal, problems)
    if problems.items:
        raise spec_invalid(problems.items)
    return spec, normal


def _check_whole_trees(normal: NormalSpec, problems: ProblemList) -> None:
    # A filter and a condition may each be within the limits and their conjunction beyond; so may a
    # BETWEEN, once it is two comparisons.
    for name, tree in module_trees(normal["modules"]).items():
        path: JsonPath = ("modules", name)
        deep, count = tree_depth(tree), comparison_count(tree)
        if deep > MAX_AST_DEPTH:
            message = f"with filter and BETWEEN spelt out, {deep} levels deep; the limit is {MAX_AST_DEPTH}"
            problems.add(path, "LIMIT", message, deep)
        if count > MAX_COMPARISONS:
            message = f"with its filter, {count} comparisons; the limit is {MAX_COMPARISONS}"
            problems.add(path, "LIMIT", message, count)
