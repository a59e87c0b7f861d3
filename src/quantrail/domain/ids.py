"""Identifiers, each a type of its own, so that mypy tells a strategy from a backtest.

Content ids are worked out in :mod:`quantrail.domain.identity`; nothing else makes one.
"""

from __future__ import annotations

from typing import NewType

StrategyId = NewType("StrategyId", str)  # 64 hex digits: SHA-256 of the canonical spec
LogicHash = NewType("LogicHash", str)  # 64 hex digits
BacktestId = NewType("BacktestId", str)  # UUIDv8 text, from the reproduction key
RunId = NewType("RunId", str)  # UUIDv7 text
TrialId = NewType("TrialId", str)  # 64 hex digits
FailureId = NewType("FailureId", str)  # 64 hex digits
ConstraintId = NewType("ConstraintId", str)  # 64 hex digits
ConstraintSetId = NewType("ConstraintSetId", str)  # 64 hex digits
ContentHash = NewType("ContentHash", str)  # 64 hex digits of any canonical JSON
ResultHash = NewType("ResultHash", str)  # 64 hex digits over exact bits
DataVersion = NewType("DataVersion", str)  # 64 hex digits, Merkle root
UniverseVersion = NewType("UniverseVersion", str)  # 64 hex digits

__all__ = [
    "BacktestId",
    "ConstraintId",
    "ConstraintSetId",
    "ContentHash",
    "DataVersion",
    "FailureId",
    "LogicHash",
    "ResultHash",
    "RunId",
    "StrategyId",
    "TrialId",
    "UniverseVersion",
]
