"""What is wrong with a document: every problem, each with path, code, message, value and hint."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.errors import SpecInvalid

Path = tuple[str | int, ...]

# Stable codes; a code is never given a second meaning.
CODES: dict[str, str] = {
    "NOT_A_DOCUMENT": "the text is not one JSON or YAML mapping",
    "DUPLICATE_KEY": "a key stands twice in one mapping",
    "TOO_LARGE": "too long, too deep, too many values or a number out of range",
    "WRONG_TYPE": "a value of another type is expected here",
    "MISSING": "a required key is not there",
    "UNKNOWN_KEY": "the grammar has no such key here",
    "UNKNOWN_NAME": "a feature, condition, type or parameter that is not defined",
    "BAD_VALUE": "right type, value not allowed",
    "OUT_OF_RANGE": "a number outside its bounds",
    "CYCLE": "features feed each other in a circle",
    "DUPLICATE": "listed twice, or set twice with different values",
    "TYPE_MISMATCH": "a comparison of a number with a string",
    "LIMIT": "the condition or feature graph is too complex",
    "CROSS_RULE": "two parameters contradict each other",
    "NO_DATA_SOURCE": "uses a variable for which the spec names no source",
    "UNSUPPORTED": "in the grammar, but no engine runs it yet",
    "LOOKAHEAD_POLICY_VIOLATION": "fills anywhere but at the next bar",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` is a JSON path such as ``$.features.fast.params.period``; ``hint`` may be empty."""

    path: str
    code: str
    message: str
    value: Any = None
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "code": self.code,
            "message": self.message,
            "value": self.value,
            "hint": self.hint,
        }


def json_path(parts: Path) -> str:
    text = "$"
    for part in parts:
        plain = isinstance(part, str) and part.isidentifier()
        text += f".{part}" if plain else f"[{part!r}]" if isinstance(part, str) else f"[{part}]"
    return text


def brief(value: Any) -> Any:
    """``value`` short enough to print: scalars as they are, the rest as clipped text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else f"{value.bit_length()}-bit integer"
    if isinstance(value, str):
        return printable(value if len(value) <= 80 else value[:77] + "...")
    return (
        f"{type(value).__name__} of {len(value)}" if isinstance(value, dict | list) else type(value).__name__
    )


def printable(text: str) -> str:
    """``text`` without lone surrogates, which no terminal and no JSON takes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest known spelling, else the first few known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name[:64], names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}" if names else ""


class ProblemList:
    """Collects problems while a document is walked."""

    def __init__(self) -> None:
        self.items: list[Problem] = []
        # A document of ten thousand wrong symbols must not compare each problem with all others.
        self._seen: set[Problem] = set()
        self._bad_values: list[str] = []

    def add(self, path: Path, code: str, message: str, value: Any = None, hint: str = "") -> None:
        assert code in CODES, code
        problem = Problem(printable(json_path(path)), code, printable(message), brief(value), hint)
        unknown_anyway = code == "UNSUPPORTED" and any(
            problem.path.startswith(known) for known in self._bad_values
        )
        if problem in self._seen or unknown_anyway:
            return
        self.items.append(problem)
        self._seen.add(problem)
        if code == "BAD_VALUE":
            self._bad_values.append(problem.path)


def spec_invalid(problems: Sequence[Problem]) -> SpecInvalid:
    """One error that lists them all, in the order of their paths."""
    ordered = sorted(problems, key=lambda item: (item.path, item.code, item.message))
    lines = [
        f"{item.path}: {item.message}" + (f" ({item.hint})" if item.hint else "") for item in ordered[:20]
    ]
    if len(ordered) > 20:
        lines.append(f"... and {len(ordered) - 20} more")
    noun = "problem" if len(ordered) == 1 else "problems"
    return SpecInvalid(
        f"the strategy spec has {len(ordered)} {noun}:\n" + "\n".join(lines),
        problems=[item.to_json() for item in ordered],
    )
