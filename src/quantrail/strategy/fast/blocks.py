"""Memoised pieces of the fast path: each distinct block is checked and printed once.

A key is the block's marshal (version 2: equal plain values, equal bytes; 1, 1.0 and True differ), so
a block that hits was checked by the same models and rules as on the plain path. Whatever is not
plainly right raises NotFast, and the plain path says what is wrong.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from quantrail.strategy.catalogue import BAR_COLUMNS, VARIABLES
from quantrail.strategy.checks import check_feature, check_section
from quantrail.strategy.limits import FEATURE_KEY, MAX_DOCUMENT_VALUES, MAX_NUMBER
from quantrail.strategy.models import (
    CostModel,
    Execution,
    Feature,
    PortfolioConstraints,
    Risk,
    Universe,
)
from quantrail.strategy.naming import content_name, normal_feature
from quantrail.strategy.normal import NormalFeature
from quantrail.strategy.number import number_text
from quantrail.strategy.printing import canonical_text
from quantrail.strategy.problems import ProblemList
from quantrail.strategy.settings import (
    normal_execution,
    normal_portfolio,
    normal_risk,
    normal_universe,
    plain,
)

MEMO = 4096
_MANY_SYMBOLS = 5000
_LONG_TEXT = 200
_DEEPEST = 12
_MANY_INPUTS = 8


class NotFast(Exception):
    """The document is not one the fast path knows; the plain path decides."""


class Block(NamedTuple):
    """A block in canonical form, as data and as text."""

    normal: Any
    text: str


class NamedFeature(NamedTuple):
    name: str
    content: NormalFeature
    text: str  # "name":{...}
    sources: tuple[str, ...]  # inputs that are features


def key_of(block: Any) -> bytes:
    try:
        return marshal.dumps(block, 2)
    except ValueError as error:
        raise NotFast from error


def checked(key: bytes, model: type[BaseModel], section: str | None = None) -> dict[str, Any]:
    """A block with every default, after the checks that its part of a document passes through."""
    raw = marshal.loads(key)
    # What models let through in any number takes four bytes or more a value.
    if len(key) > 4 * MAX_DOCUMENT_VALUES or not _is_plain(raw, _DEEPEST):
        raise NotFast
    problems = ProblemList()
    try:
        part = model.model_validate(raw)
    except ValidationError as error:
        raise NotFast from error
    if section is not None:
        check_section(section, raw, problems)
    if problems.items:
        raise NotFast
    return part.model_dump()


def _is_plain(value: Any, levels: int) -> bool:
    """Whether loading ``value`` as a document would return it as it is."""
    kind = type(value)
    if kind is str:
        return len(value) <= _LONG_TEXT and value.isascii()
    if kind is int or kind is float:
        return bool(abs(value) <= MAX_NUMBER)  # NaN compares false
    if kind is dict:
        return levels > 0 and all(
            type(key) is str and _is_plain(key, 0) and _is_plain(item, levels - 1)
            for key, item in value.items()
        )
    if kind is list:
        return levels > 0 and all(_is_plain(item, levels - 1) for item in value)
    return value is None or kind is bool


def block_of(normal: Any) -> Block:
    return Block(normal, canonical_text(normal))


def _section(name: str, model: type[BaseModel], form: Callable[[Any], Any]) -> Callable[[bytes], Block]:
    @lru_cache(MEMO)
    def printed(key: bytes) -> Block:
        return block_of(form(checked(key, model, name)))

    return printed


risk_block = _section("risk", Risk, normal_risk)
execution_block = _section("execution", Execution, normal_execution)
cost_block = _section("cost_model", CostModel, plain)


@lru_cache(64)
def universe_block(key: bytes) -> Block:
    normal = normal_universe(checked(key, Universe, "universe"))
    if normal["symbols"] is not None and len(normal["symbols"]) > _MANY_SYMBOLS:
        raise NotFast
    return block_of(normal)


@lru_cache(MEMO)
def portfolio_block(key: bytes, symbol_count: int | None) -> Block:
    return block_of(
        normal_portfolio(checked(key, PortfolioConstraints, "portfolio_constraints"), symbol_count)
    )


SECTIONS = ("portfolio_constraints", "risk", "execution", "cost_model")


class Surroundings(NamedTuple):
    """All but logic and universe: data in the order of SECTIONS, and text before and after the logic."""

    blocks: tuple[Any, ...]
    head: str
    tail: str


@lru_cache(MEMO)
def surroundings(key: bytes, symbol_count: int | None) -> Surroundings:
    keys = [key_of(section) for section in marshal.loads(key)]
    portfolio = portfolio_block(keys[0], symbol_count)
    risk, execution, cost = risk_block(keys[1]), execution_block(keys[2]), cost_block(keys[3])
    head = f'"cost_model":{cost.text},"execution":{execution.text}'
    tail = f'"portfolio_constraints":{portfolio.text},"risk":{risk.text},"schema_version":"1.0"'
    return Surroundings((portfolio.normal, risk.normal, execution.normal, cost.normal), head, tail)


@lru_cache(4 * MEMO)
def feature_block(key: bytes) -> NamedFeature:
    """A feature whose inputs are bar columns or content names."""
    raw = marshal.loads(key)
    if not _is_feature(raw):
        raise NotFast
    problems = ProblemList()
    check_feature(("feature",), raw, dict.fromkeys(raw.get("inputs") or ()), problems)
    if problems.items:
        raise NotFast
    content = normal_feature(raw, {})
    name = content_name(content)
    sources = tuple(source for source in content["inputs"] if source not in BAR_COLUMNS)
    return NamedFeature(name, content, f'"{name}":{_feature_text(content)}', sources)


def _is_feature(raw: dict[str, Any]) -> bool:
    """Whether the model of a feature takes ``raw``."""
    inputs, params = raw.get("inputs"), raw.get("params", {})
    named = inputs is None or (type(inputs) is list and len(inputs) <= _MANY_INPUTS and _are_texts(inputs))
    return (
        raw.keys() <= Feature.model_fields.keys()
        and type(raw.get("type")) is str
        and named
        and type(params) is dict
        and all(type(value) in (int, float, str) for value in params.values())
        and _is_plain(params, 1)
    )


def _are_texts(values: list[Any]) -> bool:
    return all(type(value) is str for value in values)


def _feature_text(content: NormalFeature) -> str:
    # Types, names and series are of letters that JSON writes as they are.
    params = ",".join(
        f'"{name}":' + (f'"{value}"' if isinstance(value, str) else number_text(value))
        for name, value in sorted(content["params"].items())
    )
    inputs = ",".join([f'"{name}"' for name in content["inputs"]])
    return f'{{"inputs":[{inputs}],"params":{{{params}}},"type":"{content["type"]}"}}'


@lru_cache(MEMO)
def is_key(key: str) -> bool:
    return re.fullmatch(FEATURE_KEY, key) is not None


@lru_cache(MEMO)
def is_feature_key(key: str) -> bool:
    return key not in BAR_COLUMNS and key not in VARIABLES and is_key(key)
