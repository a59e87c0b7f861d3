"""Pydantic's errors as problems: with the path in the document as written, and the nearest name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from quantrail.strategy.models import StrategySpec
from quantrail.strategy.problems import Path, ProblemList, nearest

_CODES = {
    "missing": "MISSING",
    "extra_forbidden": "UNKNOWN_KEY",
    "literal_error": "BAD_VALUE",
    "union_tag_invalid": "BAD_VALUE",
    "union_tag_not_found": "MISSING",
    "string_pattern_mismatch": "BAD_VALUE",
    "operand": "WRONG_TYPE",
    "too_long": "LIMIT",
    "too_short": "LIMIT",
}
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def check_structure(document: dict[str, Any], problems: ProblemList) -> StrategySpec | None:
    """The parsed spec, or None with what is wrong added to ``problems``."""
    try:
        return StrategySpec.model_validate(document)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            _add(document, dict(item), problems)
        return None


def _add(document: dict[str, Any], item: dict[str, Any], problems: ProblemList) -> None:
    kind = str(item["type"])
    code = _CODES.get(kind, "OUT_OF_RANGE" if kind in _BOUNDS else "WRONG_TYPE")
    path = _path_as_written(document, item["loc"], keep_last=kind in ("missing", "extra_forbidden"))
    value = None if kind == "missing" else item["input"]
    message, hint = str(item["msg"]), ""
    if kind == "extra_forbidden":
        message = f"unknown key {path[-1]!r}"
        hint = nearest(str(path[-1]), _known_keys(document, path[:-1]))
    elif kind == "missing":
        message = f"{path[-1]!r} is required"
    elif kind == "union_tag_not_found":
        message = f"needs the key {item['ctx']['discriminator']}"
    elif kind == "string_type" and not isinstance(value, dict | list):
        message, hint = "a text is expected here", "put it in quotes"
    elif kind in ("literal_error", "union_tag_invalid"):
        message, hint = _wrong_choice(item)
    problems.add(path, code, message, value, hint)


def _wrong_choice(item: dict[str, Any]) -> tuple[str, str]:
    context = item["ctx"]
    value = context.get("tag", item["input"])
    choices = context.get("expected_tags", context.get("expected", ""))
    names = [part.strip(" '\"") for part in str(choices).replace(" or ", ", ").split(",")]
    return f"{value!r:.80} is not one of {', '.join(names)}", nearest(str(value), names)


def _path_as_written(document: Any, loc: Iterable[str | int], *, keep_last: bool) -> Path:
    # Pydantic puts union tags between the keys; a tag is what cannot be followed in the document.
    parts = [part for part in loc if part != "[key]"]
    path: list[str | int] = []
    here = document
    for index, part in enumerate(parts):
        if _leads_on(here, part):
            here = here[part]
            path.append(part)
        elif keep_last and index == len(parts) - 1:
            path.append(part)
    return tuple(path)


def _leads_on(here: Any, part: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(part, int) and part < len(here)
    return isinstance(here, dict) and part in here


def _known_keys(document: Any, path: Path) -> set[str]:
    if not path:
        return set(StrategySpec.model_fields)
    here: Any = document
    for part in path:
        here = here[part] if _leads_on(here, part) else None
    if not isinstance(here, dict):
        return set()
    fields = [set(model.model_fields) for model in _models(StrategySpec, set())]
    return set().union(*(names for names in fields if names & here.keys()))


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterable[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for inner in _inside(field.annotation):
            yield from _models(inner, seen)


def _inside(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _inside(argument)
