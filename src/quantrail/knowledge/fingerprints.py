"""Reads of behaviour fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from quantrail.domain.ids import DataVersion, StrategyId
from quantrail.domain.ledger import Fingerprint
from quantrail.knowledge import values as v
from quantrail.knowledge.bands import meeting
from quantrail.knowledge.session import Row, Session

_COLUMNS = "s.strategy_id, f.algorithm, f.data_version, f.value"
_FROM = "FROM fingerprints f JOIN strategies s ON s.pk = f.strategy_pk "
_SELECT = f"SELECT {_COLUMNS} {_FROM}"


def fingerprints_of(session: Session, strategy_id: StrategyId) -> list[Fingerprint]:
    raw = v.hash32(strategy_id, "strategy_id")
    return _read(session, "WHERE s.strategy_id = ? ORDER BY f.algorithm, f.data_version", [raw])


def fingerprints_among(
    session: Session, strategy_ids: Sequence[StrategyId]
) -> dict[StrategyId, list[Fingerprint]]:
    asked = [v.hash32(one, "strategy_id") for one in strategy_ids]
    found: dict[StrategyId, list[Fingerprint]] = {}
    for row in sorted(session.among(_SELECT, "s.strategy_id", asked), key=itemgetter(0, 1, 2)):
        mark = _mark(row)
        found.setdefault(mark.strategy_id, []).append(mark)
    return found


def list_fingerprints(session: Session, algorithm: str, data_version: DataVersion) -> list[Fingerprint]:
    raw = v.hash32(data_version, "data_version")
    return _read(session, "WHERE f.algorithm = ? AND f.data_version = ? ORDER BY f.pk", [algorithm, raw])


def has_fingerprints(session: Session, algorithm: str, data_version: DataVersion) -> bool:
    # The newest first: who asks has just searched there, as a rule.
    raw = v.hash32(data_version, "data_version")
    where = "WHERE f.algorithm = ? AND f.data_version = ? ORDER BY f.pk DESC LIMIT 1"
    return bool(session.rows(f"SELECT 1 FROM fingerprints f {where}", [algorithm, raw]))


def fingerprints_meeting(session: Session, mark: Fingerprint) -> list[Fingerprint]:
    found = meeting(session, (mark.algorithm, str(mark.data_version), mark.value))
    rows = sorted(session.among(f"SELECT f.pk, {_COLUMNS} {_FROM}", "f.pk", found))
    same = (mark.algorithm, mark.data_version)
    marks = [_mark(row[1:]) for row in rows]
    return [one for one in marks if (one.algorithm, one.data_version) == same]


def _read(session: Session, where: str, params: list[object]) -> list[Fingerprint]:
    return [_mark(row) for row in session.rows(_SELECT + where, params)]


def _mark(row: Row) -> Fingerprint:
    return Fingerprint(StrategyId(row[0].hex()), row[1], DataVersion(row[2].hex()), bytes(row[3]))
