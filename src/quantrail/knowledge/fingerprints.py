"""Reads of behaviour fingerprints."""

from __future__ import annotations

from quantrail.domain.ids import DataVersion, StrategyId
from quantrail.domain.ledger import Fingerprint
from quantrail.knowledge import values as v
from quantrail.knowledge.session import Session

_SELECT = (
    "SELECT s.strategy_id, f.algorithm, f.data_version, f.value "
    "FROM fingerprints f JOIN strategies s ON s.pk = f.strategy_pk "
)


def fingerprints_of(session: Session, strategy_id: StrategyId) -> list[Fingerprint]:
    raw = v.hash32(strategy_id, "strategy_id")
    return _read(session, "WHERE s.strategy_id = ? ORDER BY f.algorithm, f.data_version", [raw])


def list_fingerprints(session: Session, algorithm: str, data_version: DataVersion) -> list[Fingerprint]:
    raw = v.hash32(data_version, "data_version")
    return _read(session, "WHERE f.algorithm = ? AND f.data_version = ? ORDER BY f.pk", [algorithm, raw])


def _read(session: Session, where: str, params: list[object]) -> list[Fingerprint]:
    return [
        Fingerprint(StrategyId(row[0].hex()), row[1], DataVersion(row[2].hex()), bytes(row[3]))
        for row in session.rows(_SELECT + where, params)
    ]
