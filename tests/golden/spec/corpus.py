"""Reads the corpus: cases that start from a base document and change it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


def read(name: str) -> Any:
    # JSON's scalars, as the language reads them; "TRUE" and "FALSE" are quoted in these files.
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def cases(name: str) -> list[dict[str, Any]]:
    bases = read("bases.yaml")
    found = read(name)
    for case in found:
        if "base" in case:
            case["document"] = changed(bases[case["base"]], case)
    return found


def changed(base: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(base)
    for path, value in case.get("set", {}).items():
        *parents, last = path.split(".")
        _descend(document, parents)[last] = copy.deepcopy(value)
    for path in case.get("drop", []):
        *parents, last = path.split(".")
        del _descend(document, parents)[last]
    return document


def _descend(document: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    for key in keys:
        document = document.setdefault(key, {})
    return document


def hashes() -> dict[str, dict[str, str]]:
    return json.loads((FOLDER / "hashes.json").read_text(encoding="utf-8"))


def canonical_text(name: str) -> str:
    return (FOLDER / "canonical" / f"{name.replace(' ', '-')}.json").read_text(encoding="utf-8")
