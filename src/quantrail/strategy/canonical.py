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
from quantrail.strategy.fast import fast_form
from quantrail.strategy.models import StrategySpec
from quantrail.strategy.normal import NormalSpec
from quantrail.strategy.normalise import normal_spec
from quantrail.strategy.parse import parse_document
from quantrail.strategy.printing import canonical_text
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
    if fast is None:
        return from_normal(parse_document(load_document(spec))[1])
    return _identified(fast.normal, fast.text.encode(), fast.logic.encode())


def canonicalise_plainly(spec: Mapping[str, Any]) -> CanonicalSpec:
    """As :func:`canonicalise`, by models and a general serialiser; the faster ways must equal it."""
    normal = parse_document(load_document(spec))[1]
    return _identified(normal, canonical_json(normal), canonical_json(_logic(normal)))


def from_normal(normal: NormalSpec) -> CanonicalSpec:
    """Identity of a form that is canonical already."""
    text, logic = canonical_text(normal), canonical_text(_logic(normal))
    return _identified(normal, text.encode(), logic.encode())


def reframed(source: CanonicalSpec, normal: NormalSpec) -> CanonicalSpec:
    """Identity of a canonical form that differs from ``source`` around its logic only."""
    text = canonical_text(normal).encode()
    identity = StrategyId(hashlib.sha256(text).hexdigest())
    return CanonicalSpec(identity, source.logic_hash, SPEC_HASH_VERSION, text, normal)


def _logic(normal: NormalSpec) -> dict[str, Any]:
    return {"features": normal["features"], "modules": normal["modules"]}


def _identified(normal: NormalSpec, text: bytes, logic: bytes) -> CanonicalSpec:
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
