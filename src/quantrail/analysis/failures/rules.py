"""Failure rules as data: versioned files that bind a measure, a threshold, a tag and a category."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from quantrail.domain.enums import FailureCategory
from quantrail.errors import ConfigInvalid

DEFAULT_RULES = "failure_rules_v1"
Stage = Literal["screen", "verify"]


@dataclass(frozen=True, slots=True)
class FailureRule:
    """``threshold`` and ``scale`` are in the unit of the measure; ``stage`` None means both."""

    rule_id: str
    version: str
    tag: str
    category: FailureCategory
    threshold: float
    stage: Stage | None
    scale: float


@cache
def load_rules(version: str = DEFAULT_RULES) -> tuple[FailureRule, ...]:
    """Shipped rules by version, in file order; ConfigInvalid names the versions there are."""
    folder = files("quantrail.analysis") / "policies"
    known = sorted(f.name[:-5] for f in folder.iterdir() if f.name.startswith("failure_rules_"))
    if version not in known:
        raise ConfigInvalid(f"failure rules {version!r} are not known; there are: {', '.join(known)}")
    document = yaml.safe_load((folder / f"{version}.yaml").read_text(encoding="utf-8"))
    return tuple(_rule(entry, document["version"]) for entry in document["rules"])


def _rule(entry: dict[str, Any], version: str) -> FailureRule:
    return FailureRule(
        rule_id=entry["id"],
        version=version,
        tag=entry["tag"],
        category=FailureCategory(entry["category"]),
        threshold=float(entry["threshold"]),
        stage=None if entry["stage"] == "both" else entry["stage"],
        scale=float(entry.get("scale", abs(entry["threshold"]))),
    )
