"""Writes of strategies: immutable, known by the hash of their spec."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import Keys, Told
from quantrail.knowledge.session import Row
from quantrail.knowledge.spec_texts import Cut, cut_specs


def upsert_strategies(keys: Keys, strategies: Sequence[r.Strategy]) -> Written:
    """The hash is the content, so a known id needs no comparison."""
    now = keys.now()
    raws = [_checked_id(keys, s) for s in strategies]
    parents = [v.hash32(s.derived_from, "derived_from") for s in strategies if s.derived_from is not None]
    known = keys.find_strategies([*raws, *parents])
    new = {raw: s for s, raw in zip(strategies, raws, strict=True) if raw not in known}
    is_new = _first_seen(raws, new)
    cuts = cut_specs(keys, [_spec(s) for s in new.values()])
    pk = keys.session.reserve("strategies", len(new))
    rows: list[Row] = []
    atoms: list[Row] = []
    template, atom = Told(keys.template), Told(keys.atom)
    keys.fresh_strategies.update(range(pk, pk + len(new)))
    for (raw, strategy), cut in zip(new.items(), cuts, strict=True):
        found = None if strategy.template_id is None else template[strategy.template_id]
        rows.append(_row(keys, strategy, pk, raw, cut, found, now))
        keys.templates_of[pk] = found
        atoms += [(atom[one], pk) for one in dict.fromkeys(strategy.atoms)]
        known[raw] = pk
        pk += 1
    keys.session.insert("strategies", rows)
    keys.session.insert("strategy_atoms", atoms)
    return Written(is_new)


def _first_seen(raws: Sequence[bytes], new: Collection[bytes]) -> tuple[bool, ...]:
    """New ones count as new where they stand first."""
    left = set(new)
    found = []
    for raw in raws:
        found.append(raw in left)
        left.discard(raw)
    return tuple(found)


def _checked_id(keys: Keys, strategy: r.Strategy) -> bytes:
    raw = keys.strategy_raws[strategy.strategy_id]
    found = hashlib.sha256(strategy.normalized_spec_json).digest()
    if raw != found:
        raise InvalidInput(
            f"strategy_id {strategy.strategy_id} is not the hash of its spec, which is {found.hex()}"
        )
    return raw


def _spec(s: r.Strategy) -> str:
    try:
        return v.label(s.normalized_spec_json.decode(), "normalized_spec_json", v.MAX_JSON)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the spec of {s.strategy_id} is not UTF-8: {error}") from error


def _row(keys: Keys, s: r.Strategy, pk: int, raw: bytes, cut: Cut, template: int | None, now: int) -> Row:
    return (
        pk, raw, v.hash32(s.logic_hash, "logic_hash"), cut[0],
        v.word(s.created_from, "created_from"), v.word(s.spec_hash_version, "spec_hash_version"),
        v.word(s.schema_version, "schema_version"), s.kind, v.maybe_label(s.name, "strategy name"),
        template, v.maybe_json(s.params, "params"),
        None if s.derived_from is None else _parent(keys, s.derived_from), now, cut[1], cut[2],
    )  # fmt: skip


def _parent(keys: Keys, derived_from: str) -> int:
    found = keys.strategies.get(bytes.fromhex(derived_from))
    if found is None:
        raise NotFound(
            f"derived_from {derived_from} is neither stored nor earlier in this batch; store the parent first"
        )
    return found
