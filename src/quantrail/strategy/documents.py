"""Text to plain data: JSON or YAML, without duplicate keys, dates, NaN, or documents without end."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import yaml

from quantrail.errors import SpecInvalid
from quantrail.strategy.limits import (
    MAX_DOCUMENT_DEPTH,
    MAX_DOCUMENT_VALUES,
    MAX_NUMBER,
    MAX_STRING_LENGTH,
    MAX_TEXT_BYTES,
    MAX_YAML_BYTES,
)
from quantrail.strategy.problems import Path as JsonPath
from quantrail.strategy.problems import ProblemList, spec_invalid

Document = dict[str, Any]
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FILE_SUFFIXES = (".yaml", ".yml", ".json")


def load_document(data: Mapping[str, Any] | str | Path) -> Document:
    """Plain data of a mapping, of JSON or YAML text, or of a file.

    A string without a line break that ends in .yaml, .yml or .json names a file; every other
    string is text. Raises SpecInvalid with every problem found.
    """
    if isinstance(data, Path) or (isinstance(data, str) and _names_a_file(data)):
        data = _read(Path(data))
    problems = ProblemList()
    raw = _parse(data, problems) if isinstance(data, str) else data
    document = _Plain(problems).copy(raw) if not problems.items else None
    if not problems.items and not isinstance(document, dict):
        problems.add((), "NOT_A_DOCUMENT", "a strategy is one mapping", document)
    if problems.items:
        raise spec_invalid(problems.items)
    return cast("Document", document)


def _names_a_file(text: str) -> bool:
    return "\n" not in text and text.endswith(_FILE_SUFFIXES) and not text.lstrip().startswith("{")


def _read(path: Path) -> str:
    problems = ProblemList()
    try:
        if path.stat().st_size <= MAX_TEXT_BYTES:
            return path.read_text(encoding="utf-8")
        problems.add((), "TOO_LARGE", f"{path} is larger than {MAX_TEXT_BYTES} bytes")
    except (OSError, ValueError) as error:
        problems.add((), "NOT_A_DOCUMENT", f"cannot read {path}: {error}")
    raise spec_invalid(problems.items)


def _parse(text: str, problems: ProblemList) -> Any:
    if len(text) > MAX_TEXT_BYTES:
        problems.add((), "TOO_LARGE", f"longer than {MAX_TEXT_BYTES} characters")
        return None
    try:
        return _parse_json(text) if text.lstrip().startswith(("{", "[")) else _parse_yaml(text)
    except SpecInvalid:
        raise
    except _DuplicateKey as error:
        problems.add((), "DUPLICATE_KEY", f"the key {error.key!r} stands twice in one mapping", error.key)
    except (RecursionError, _TooLarge):
        limits = f"{MAX_DOCUMENT_DEPTH} levels, {MAX_YAML_BYTES} characters of YAML"
        problems.add((), "TOO_LARGE", f"the document exceeds {limits}")
    except (ValueError, yaml.YAMLError) as error:
        problems.add((), "NOT_A_DOCUMENT", f"neither JSON nor YAML: {' '.join(str(error).split())[:200]}")
    return None


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        # YAML's flow style looks like JSON: {node: TRUE}.
        return _parse_yaml(text)


class _DuplicateKey(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKey(key)
            seen.add(key)
    return mapping


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that a strategy may use")


def _mapping(loader: Any, node: yaml.MappingNode) -> Document:
    pairs = [(loader.construct_object(key, deep=True), value) for key, value in node.value]
    seen: set[str] = set()
    for key, _ in pairs:
        if not isinstance(key, str):
            raise ValueError(f"a key must be text, got {key!r:.80}; put it in quotes")
        if key in seen:
            raise _DuplicateKey(key)
        seen.add(key)
    return {key: loader.construct_object(value, deep=True) for key, value in pairs}


_TAG = "tag:yaml.org,2002:"
_RESOLVERS = (
    # TRUE and FALSE in capitals are condition nodes, and stay text.
    (f"{_TAG}bool", re.compile(r"^(?:true|True|false|False)$"), "tTfF"),
    (f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    (f"{_TAG}int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), "-+0123456789"),
    (
        f"{_TAG}float",
        re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
        "-+.0123456789",
    ),
)


def _by_first_letter() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for tag, pattern, letters in _RESOLVERS:
        for letter in letters:
            table.setdefault(letter, []).append((tag, pattern))
    return table


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML with JSON's scalars: no dates, octals, base 60, yes/no, merge or duplicate keys."""

    yaml_implicit_resolvers = _by_first_letter()
    yaml_constructors: ClassVar = {
        **yaml.SafeLoader.yaml_constructors,
        yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG: _mapping,
    }


def _parse_yaml(text: str) -> Any:
    # libyaml takes quadratic time over brackets that nest without end.
    if len(text) > MAX_YAML_BYTES or _bracket_depth(text) > 10 * MAX_DOCUMENT_DEPTH:
        raise _TooLarge
    return yaml.load(text, Loader=_StrictLoader)


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    for bracket in re.findall(r"[\[{\]}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


class _TooLarge(Exception):
    pass


class _Plain:
    """Copies to dict, list and scalars within the limits; aliases count each time they are met."""

    def __init__(self, problems: ProblemList) -> None:
        self.problems = problems
        self.left = MAX_DOCUMENT_VALUES

    def copy(self, value: Any, path: JsonPath = ()) -> Any:
        self.left -= 1
        if self.left < 0:
            if self.left == -1:
                self.problems.add((), "TOO_LARGE", f"more than {MAX_DOCUMENT_VALUES} values")
            return None
        if isinstance(value, Mapping | list | tuple):
            return self._container(value, path)
        return self._scalar(value, path)

    def _container(self, value: Any, path: JsonPath) -> Any:
        if len(path) >= MAX_DOCUMENT_DEPTH:
            self.problems.add(path[:8], "TOO_LARGE", f"nested deeper than {MAX_DOCUMENT_DEPTH} levels")
            return None
        if len(value) > self.left:
            self.left = 0
            return self.copy(None)
        if not isinstance(value, Mapping):
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        return {key: self.copy(item, (*path, key)) for key, item in value.items() if self._key(key, path)}

    def _key(self, key: Any, path: JsonPath) -> bool:
        if not isinstance(key, str) or len(key) > 200:
            self.problems.add(
                path, "WRONG_TYPE", f"a key must be text of at most 200 characters: {key!r:.80}"
            )
            return False
        return True

    def _scalar(self, value: Any, path: JsonPath) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if len(value) > MAX_STRING_LENGTH:
                self.problems.add(path, "TOO_LARGE", f"text longer than {MAX_STRING_LENGTH} characters")
            elif _LONE_SURROGATE.search(value):
                self.problems.add(path, "BAD_VALUE", "half a character (a lone surrogate)", value)
            return str(value)
        if isinstance(value, int | float):
            return self._number(value, path)
        self.problems.add(path, "WRONG_TYPE", f"{type(value).__name__} is not JSON; put it in quotes", value)
        return None

    def _number(self, value: int | float, path: JsonPath) -> int | float | None:
        if not abs(value) <= MAX_NUMBER:  # NaN compares false
            self.problems.add(path, "TOO_LARGE", "numbers are finite and below 2^53", value)
            return None
        return float(value) if isinstance(value, float) else int(value)
