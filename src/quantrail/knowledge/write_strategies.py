"""Writes of strategies: immutable, known by the hash of their spec."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import repeat

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import batches as many
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import Keys, Told
from quantrail.knowledge.put import first_seen
from quantrail.knowledge.session import Row
from quantrail.knowledge.spec_texts import cut_specs


def upsert_strategies(keys: Keys, strategies: Sequence[r.Strategy]) -> Written:
    """The hash is the content, so a known id needs no comparison."""
    raws = [_checked_id(keys, s) for s in strategies]
    parents = [v.hash32(s.derived_from, "derived_from") for s in strategies if s.derived_from is not None]
    known = keys.find_strategies([*raws, *parents])
    new: dict[bytes, r.Strategy] = {}
    for raw, s in zip(raws, strategies, strict=True):
        if raw not in known:
            new.setdefault(raw, s)
    is_new = (True,) * len(new) if len(new) == len(raws) else first_seen(raws, new)
    _insert(keys, list(new), list(new.values()))
    return Written(is_new)


def _insert(keys: Keys, raws: Sequence[bytes], new: Sequence[r.Strategy]) -> None:
    first = keys.session.reserve("strategies", len(new))
    pks = range(first, first + len(new))
    templates, atoms = Told(keys.template), Told(keys.atom)
    template_pks = [None if s.template_id is None else templates[s.template_id] for s in new]
    of_atoms = [(atoms[one], pk) for s, pk in zip(new, pks, strict=True) for one in dict.fromkeys(s.atoms)]
    rows = _rows(keys, new, pks, raws, template_pks)
    keys.templates_of.update(zip(pks, template_pks, strict=True))
    keys.strategies.update(zip(raws, pks, strict=True))
    keys.fresh_strategies.update(pks)
    keys.session.insert("strategies", rows)
    keys.session.insert("strategy_atoms", of_atoms)


def _checked_id(keys: Keys, strategy: r.Strategy) -> bytes:
    raw = keys.strategy_raws[strategy.strategy_id]
    found = hashlib.sha256(strategy.normalized_spec_json).digest()
    if raw != found:
        raise InvalidInput(
            f"strategy_id {strategy.strategy_id} is not the hash of its spec, which is {found.hex()}"
        )
    return raw


def _spec(s: r.Strategy) -> str:
    # Edges only: to parse each of thousands would cost more than to store it. Who wrote it parsed it.
    if s.normalized_spec_json[:1] != b"{" or s.normalized_spec_json[-1:] != b"}":
        raise InvalidInput(f"the spec of {s.strategy_id} is no JSON object: {s.normalized_spec_json[:60]!r}")
    try:
        return v.label(s.normalized_spec_json.decode(), "normalized_spec_json", v.MAX_JSON)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the spec of {s.strategy_id} is not UTF-8: {error}") from error


def _rows(
    keys: Keys, new: Sequence[r.Strategy], pks: range, raws: Sequence[bytes], templates: Sequence[int | None]
) -> list[Row]:
    cuts = cut_specs(keys, [_spec(s) for s in new])
    columns = (
        pks, raws,
        many.hashes([s.logic_hash for s in new], "logic_hash"),
        [cut[0] for cut in cuts],
        [v.word(s.created_from, "created_from") for s in new],
        [v.word(s.spec_hash_version, "spec_hash_version") for s in new],
        [v.word(s.schema_version, "schema_version") for s in new],
        [v.word(s.kind, "kind") for s in new],
        [v.maybe_label(s.name, "strategy name") for s in new],
        templates,
        many.jsons([s.params for s in new], "params"),
        _parents(keys, new, raws, pks),
        repeat(keys.now(), len(new)),
        [cut[1] for cut in cuts],
        [cut[2] for cut in cuts],
    )  # fmt: skip
    return list(zip(*columns, strict=True))


def _parents(keys: Keys, new: Sequence[r.Strategy], raws: Sequence[bytes], pks: range) -> list[int | None]:
    if not any(s.derived_from for s in new):
        return [None] * len(new)
    earlier = dict(keys.strategies)
    found: list[int | None] = []
    for s, raw, pk in zip(new, raws, pks, strict=True):
        found.append(None if s.derived_from is None else _parent(earlier, s.derived_from))
        earlier[raw] = pk
    return found


def _parent(known: Mapping[bytes, int], derived_from: str) -> int:
    found = known.get(bytes.fromhex(derived_from))
    if found is None:
        raise NotFound(
            f"derived_from {derived_from} is neither stored nor earlier in this batch; store the parent first"
        )
    return found
