"""Constraint rules as data: which failure tags may lead to which constraint, on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from quantrail.errors import ConfigInvalid

DEFAULT_CONSTRAINT_RULES = "constraint_rules_v1"


@dataclass(frozen=True, slots=True)
class ConstraintRule:
    """``keep``: how many templates a ban must leave; ``value``: the limit to set, where it is not derived."""

    rule_id: str
    derive: str
    tags: frozenset[str]
    min_failures: int
    min_rate: float
    keep: int = 0
    value: float | None = None


@dataclass(frozen=True, slots=True)
class ConstraintRules:
    version: str
    min_confidence: float
    max_fdr: float
    cited_failures: int
    max_new: int
    rules: tuple[ConstraintRule, ...]


@cache
def load_constraint_rules(version: str = DEFAULT_CONSTRAINT_RULES) -> ConstraintRules:
    """Shipped rules by version; ConfigInvalid names the versions there are."""
    folder = files("quantrail.analysis") / "policies"
    known = sorted(f.name[:-5] for f in folder.iterdir() if f.name.startswith("constraint_rules_"))
    if version not in known:
        raise ConfigInvalid(f"constraint rules {version!r} are not known; there are: {', '.join(known)}")
    document = yaml.safe_load((folder / f"{version}.yaml").read_text(encoding="utf-8"))
    return ConstraintRules(
        version=document["version"],
        min_confidence=document["min_confidence"],
        max_fdr=document["max_fdr"],
        cited_failures=document["cited_failures"],
        max_new=document["max_new"],
        rules=tuple(_rule(entry) for entry in document["rules"]),
    )


def _rule(entry: dict[str, Any]) -> ConstraintRule:
    return ConstraintRule(
        rule_id=entry["id"],
        derive=entry["derive"],
        tags=frozenset(entry["tags"]),
        min_failures=entry["min_failures"],
        min_rate=entry["min_rate"],
        keep=entry.get("keep", 0),
        value=entry.get("value"),
    )
