"""Ids shortened to a prefix, as people type them."""

from __future__ import annotations

from collections.abc import Iterator

from quantrail.domain.answers import IdKind
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.session import Session

_PLACES: dict[IdKind, tuple[str, str, int]] = {
    IdKind.RUN: ("runs", "run_id", 16),
    IdKind.BACKTEST: ("backtests", "backtest_id", 16),
    IdKind.STRATEGY: ("strategies", "strategy_id", 32),
    IdKind.FAILURE: ("failures", "failure_id", 32),
    IdKind.CONSTRAINT_SET: ("constraint_sets", "constraint_set_id", 32),
    IdKind.CONSTRAINT: ("constraints", "constraint_id", 32),
    IdKind.TRIAL: ("trials", "trial_id", 32),
}
_SHOWN = 8


def resolve(session: Session, prefix: str, kind: IdKind | None) -> tuple[IdKind, str]:
    if not isinstance(prefix, str):
        raise InvalidInput(f"an id is text, not {prefix!r:.60}")
    digits = prefix.strip().lower().replace("-", "")
    if len(digits) < 4 or set(digits) - set("0123456789abcdef") or len(digits) > 64:
        raise InvalidInput(f"an id is 4 to 64 hexadecimal digits, not {prefix!r}")
    kinds = list(_PLACES) if kind is None else [IdKind(v.member(IdKind, kind, "kind"))]
    found = [(one, full) for one in kinds for full in _matches(session, one, digits)]
    if not found:
        raise NotFound(f"nothing stored has an id that starts with {prefix!r}")
    if len(found) > 1:
        listed = ", ".join(f"{one} {full}" for one, full in found[:_SHOWN])
        raise InvalidInput(f"{prefix!r} is ambiguous: {listed}; write more digits")
    return found[0]


def _matches(session: Session, kind: IdKind, digits: str) -> Iterator[str]:
    table, column, size = _PLACES[kind]
    if len(digits) > size * 2:
        return
    low = bytes.fromhex(digits.ljust(size * 2, "0"))
    high = bytes.fromhex(digits.ljust(size * 2, "f"))
    rows = session.rows(
        f"SELECT DISTINCT {column} FROM {table} WHERE {column} >= ? AND {column} <= ? ORDER BY {column} "
        f"LIMIT ?",
        [low, high, _SHOWN],
    )
    for row in rows:
        yield v.uuid_text(row[0]) if size == 16 else row[0].hex()
