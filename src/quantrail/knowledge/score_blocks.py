"""Scores by column, with what leaderboards are filtered by, so that a million are sorted out at once.

A block holds the scores of consecutive keys, whatever their policy. A part that is the same for all of
them, as the policy and the run mostly are, is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.enums import EngineMode
from quantrail.knowledge.blocks import Blocks, Parts, Pks, arrays, packed, packed_once, unpacked, unsealed
from quantrail.knowledge.schema import BLOCK
from quantrail.knowledge.session import Session

Scores = NDArray[np.float64]
_SCORE = "score"
_PASSED, _VERIFIED = 1, 2
_FLAGS = (
    f"CASE WHEN passed THEN {_PASSED} ELSE 0 END + CASE WHEN engine_mode = 'B' THEN {_VERIFIED} ELSE 0 END"
)
# Mostly the same throughout a block; ``ahead`` leads from a score's key to its backtest's. A bit is set
# where a score differs from the block's first.
_ALIKE = {"ahead": ("backtest_pk - pk", 4), "policy": ("policy_pk", 8), "run": ("run_pk", 16)}
_TEMPLATE = 32
_SPAN = "FROM scores WHERE pk >= ? AND pk < ?"


def _parts(session: Session, first: int) -> Parts:
    """The score, NaN where a key is not taken, and the whole numbers; nothing if no key is taken."""
    span = [first, first + BLOCK]
    listed = ", ".join(sql for sql, _ in _ALIKE.values())
    head = session.one(f"SELECT {listed} {_SPAN} ORDER BY pk LIMIT 1", span)
    if head is None:
        return []
    alike = dict(zip(_ALIKE, head, strict=True))
    differs = [
        f"CASE WHEN {sql} = {alike[name]} THEN 0 ELSE {bit} END" for name, (sql, bit) in _ALIKE.items()
    ]
    # In one number, for each value of a row that Python is handed has its price.
    number = f"coalesce(template_pk, -1) * {_TEMPLATE} + {_FLAGS} + {' + '.join(differs)}"
    pks, totals, numbers = session.floats(f"SELECT pk, score_total, {number} {_SPAN}", span, 3).T
    places, bits = pks.astype(np.int64) - first, numbers.astype(np.int64)
    scores = np.full(BLOCK, np.nan)
    scores[places] = totals
    parts = {
        _SCORE: scores.astype("<f8").tobytes(),
        "flags": packed(places, bits & (_PASSED | _VERIFIED)),
        "template": packed(places, bits // _TEMPLATE),
    }
    for name, (sql, bit) in _ALIKE.items():
        once = not (bits & bit).any()
        parts[name] = packed_once(alike[name]) if once else _each(session, sql, first)
    return list(parts.items())


def _each(session: Session, sql: str, first: int) -> bytes:
    rows = session.rows(f"SELECT pk, {sql} {_SPAN}", [first, first + BLOCK])
    pks, values = np.array(rows, dtype=np.int64).T
    return packed(pks - first, values)


SCORES = Blocks("score_blocks", "part", "packed", "scores", "pk", "scores", _parts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scores: those under a policy, and of what is not None only these."""

    policy: int
    engine_mode: EngineMode | None = None
    passed: bool | None = None
    run: int | None = None
    template: int | None = None


def scored(session: Session, wanted: Wanted) -> Iterator[tuple[Pks, Scores]]:
    """Keys of all backtests with such a score and their scores, block by block: each once, in no order."""
    tests = _tests(wanted)
    held = {name: arrays(session, SCORES, name) for name in (_SCORE, "ahead", *tests)}
    for first, raw in held[_SCORE].items():
        scores = np.frombuffer(raw, dtype="<f8")
        kept = ~np.isnan(scores)
        for name, (mask, value) in tests.items():
            kept &= (unpacked(held[name][first]) & mask) == value
        pks = np.arange(first, first + BLOCK) + unpacked(held["ahead"][first])
        yield (pks, scores) if kept.all() else (pks[kept], scores[kept])
    yield from _rows(session, wanted)


def _tests(wanted: Wanted) -> dict[str, tuple[int, int]]:
    """By part: which bits of it are asked for, and what they must be."""
    exact = {"policy": wanted.policy, "run": wanted.run, "template": wanted.template}
    found = {name: (-1, value) for name, value in exact.items() if value is not None}
    flags = [(_PASSED, wanted.passed)]
    flags += [] if wanted.engine_mode is None else [(_VERIFIED, wanted.engine_mode is EngineMode.B)]
    asked = [(bit, bit if value else 0) for bit, value in flags if value is not None]
    return found | ({"flags": (sum(bit for bit, _ in asked), sum(v for _, v in asked))} if asked else {})


def _rows(session: Session, wanted: Wanted) -> Iterator[tuple[Pks, Scores]]:
    """What no sealed block covers."""
    for first, past in unsealed(session, SCORES):
        pks, scores = session.floats(*scores_within(wanted, first, past), 2).T
        yield pks.astype(np.int64), scores


def scores_within(wanted: Wanted, first: int, past: int | None) -> tuple[str, list[Any]]:
    """SQL for such scores with keys ``first`` to below ``past``, and its parameters."""
    engine = wanted.engine_mode
    # A plus keeps the planners from an index that holds far more than the range of keys does.
    tests = {
        "pk >= ?": first,
        "pk < ?": past,
        "+policy_pk = ?": wanted.policy,
        "+run_pk = ?": wanted.run,
        "+template_pk = ?": wanted.template,
        "passed = ?": wanted.passed,
        "engine_mode = ?": None if engine is None else engine.value,
    }
    asked = {test: value for test, value in tests.items() if value is not None}
    sql = f"SELECT backtest_pk, score_total FROM scores WHERE {' AND '.join(asked)}"
    return sql, list(asked.values())
