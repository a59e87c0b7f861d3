"""Identity: the canonical JSON of a spec and the two hashes over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantrail.domain.identity import canonical_json
from quantrail.domain.ids import LogicHash, StrategyId
from quantrail.errors import InvalidInput, SpecInvalid
from quantrail.strategy.documents import load_document
from quantrail.strategy.fast import FastForm, fast_form
from quantrail.strategy.models import StrategySpec
from quantrail.strategy.normal import NormalSpec
from quantrail.strategy.normalise import normal_spec
from quantrail.strategy.parse import parse_document
from quantrail.strategy.problems import ProblemList, spec_invalid

SPEC_HASH_VERSION = "h1"


@dataclass(frozen=True, slots=True)
class CanonicalSpec:
    """A strategy's identity and what engines execute.

    ``strategy_id`` is the SHA-256 of ``json``, which is the RFC 8785 form of ``spec``. ``logic_hash``
    covers features and modules only: one idea across universes, costs and risk settings. ``spec`` may
    be shared and is not to be written to.
    """

    strategy_id: StrategyId
    logic_hash: LogicHash
    spec_hash_version: str
    json: bytes
    spec: NormalSpec


def canonicalise(spec: StrategySpec | Mapping[str, Any]) -> CanonicalSpec:
    """The canonical form of a checked spec or of a document, which is checked here (SpecInvalid)."""
    if isinstance(spec, StrategySpec):
        return from_normal(normal_spec(spec))
    fast = fast_form(spec)
    return canonicalise_plainly(spec) if fast is None else _from_text(fast)


def canonicalise_plainly(spec: Mapping[str, Any]) -> CanonicalSpec:
    """As :func:`canonicalise`, by models and a general serialiser; the fast path must equal it."""
    return from_normal(parse_document(load_document(spec))[1])


def _from_text(fast: FastForm) -> CanonicalSpec:
    text = fast.text.encode()
    return CanonicalSpec(
        StrategyId(hashlib.sha256(text).hexdigest()),
        LogicHash(hashlib.sha256(fast.logic.encode()).hexdigest()),
        SPEC_HASH_VERSION,
        text,
        fast.normal,
    )


def from_normal(normal: NormalSpec) -> CanonicalSpec:
    """Identity of a form that is canonical already."""
    text = canonical_json(normal)
    logic = canonical_json({"features": normal["features"], "modules": normal["modules"]})
    return CanonicalSpec(
        StrategyId(hashlib.sha256(text).hexdigest()),
        LogicHash(hashlib.sha256(logic).hexdigest()),
        SPEC_HASH_VERSION,
        text,
        normal,
    )


def canonical_from_json(data: bytes) -> CanonicalSpec:
    """Back from the store. Raises SpecInvalid if ``data`` is not what :func:`canonicalise` printed."""
    try:
        normal = json.loads(data)
        found = from_normal(normal)
    except (ValueError, KeyError, TypeError, RecursionError, InvalidInput) as error:
        raise _not_stored(f"not a stored canonical spec: {error}") from error
    if found.json != data:
        raise _not_stored("a stored spec is not in canonical form; was it edited?")
    return found


def _not_stored(message: str) -> SpecInvalid:
    problems = ProblemList()
    problems.add((), "NOT_A_DOCUMENT", message)
    return spec_invalid(problems.items)
