"""Ids from content: the same work done twice, or on two machines, meets itself."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import Any

import rfc8785

from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ConstraintSetId,
    ContentHash,
    DataVersion,
    FailureId,
    RunId,
    StrategyId,
    TrialId,
    UniverseVersion,
)
from quantrail.errors import InvalidInput

_EXACT = 2**53 - 1  # the largest whole number that every JSON reader keeps


def canonical_json(value: Any) -> bytes:
    """``value`` as RFC 8785 JSON: sorted keys, shortest numbers, UTF-8.

    NaN, infinities and integers beyond 2**53 have no canonical form and raise InvalidInput.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise InvalidInput(f"value has no canonical JSON form: {error}") from error


def content_hash(value: Any) -> ContentHash:
    """SHA-256 of the canonical JSON of ``value``, as hex."""
    return ContentHash(hashlib.sha256(canonical_json(value)).hexdigest())


@dataclass(frozen=True, slots=True)
class ReproductionKey:
    """Everything that can change a backtest's result, and nothing else.

    ``period_start`` and ``period_end`` are inclusive session dates.
    """

    strategy_id: StrategyId
    engine_mode: EngineMode
    engine_version: str
    data_version: DataVersion
    universe_version: UniverseVersion
    period_start: date
    period_end: date
    bar_interval: str
    calc_contract_hash: ContentHash
    model_versions_hash: ContentHash
    seed: int


def backtest_id(key: ReproductionKey) -> BacktestId:
    """UUIDv8 (RFC 9562) from the first 128 bits of the key's SHA-256."""
    raw = bytearray(_key_hash(key)[:16])
    raw[6] = raw[6] & 0x0F | 0x80  # version 8
    raw[8] = raw[8] & 0x3F | 0x80  # variant
    text = raw.hex()
    return BacktestId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


def _key_hash(key: ReproductionKey) -> bytes:
    # SHA-256 of what canonical_json says of the same mapping, written out because every backtest needs it
    # twice. A copy of the hash goes on from where whole batches are alike.
    if not abs(key.seed) <= _EXACT:
        raise InvalidInput(f"a seed has at most 53 bits, not {key.seed}")
    try:
        found = _shared_part(
            key.bar_interval, key.calc_contract_hash, key.data_version, key.engine_mode, key.engine_version,
            key.model_versions_hash, key.period_end, key.period_start,
        ).copy()  # fmt: skip
        found.update(
            f'"seed":{key.seed},"strategy_id":{_quoted(key.strategy_id)},'
            f'"universe_version":{_quoted(key.universe_version)}}}'.encode()
        )
    except UnicodeEncodeError as error:
        raise InvalidInput(f"the reproduction key is not valid Unicode: {error}") from error
    return found.digest()


@lru_cache(maxsize=256)
def _shared_part(
    bar_interval: str,
    calc_contract_hash: str,
    data_version: str,
    engine_mode: EngineMode,
    engine_version: str,
    model_versions_hash: str,
    period_end: date,
    period_start: date,
) -> hashlib._Hash:
    """The hash of the key's beginning."""
    return hashlib.sha256(
        f'{{"bar_interval":{_quoted(bar_interval)},"calc_contract_hash":{_quoted(calc_contract_hash)},'
        f'"data_version":{_quoted(data_version)},"engine_mode":{_quoted(engine_mode.value)},'
        f'"engine_version":{_quoted(engine_version)},"model_versions_hash":{_quoted(model_versions_hash)},'
        f'"period_end":"{period_end.isoformat()}","period_start":"{period_start.isoformat()}",'.encode()
    )


def backtest_seed(strategy_id: StrategyId, data_version: DataVersion) -> int:
    """A 32-bit seed from content, never from the run, so that every door draws the same."""
    return int.from_bytes(hashlib.sha256(f"{strategy_id}|{data_version}".encode()).digest()[:4], "big")


def universe_version(symbols: Iterable[str]) -> UniverseVersion:
    """Content hash of a list of symbols without dates, in any order, repeats counted once."""
    members = [[symbol, None, None] for symbol in sorted(set(symbols))]
    return UniverseVersion(content_hash({"members": members}))


def trial_id(run_id: RunId, iteration_id: int, ordinal: int) -> TrialId:
    """Position, not content: resuming a run meets its own trials instead of recounting them."""
    _check_whole(iteration_id, ordinal)
    return TrialId(_text_hash(f"[{_quoted(run_id)},{iteration_id},{ordinal}]"))


def failure_id(backtest: BacktestId, rule_id: str, rule_version: str) -> FailureId:
    """One backtest breaks one rule once."""
    return FailureId(_text_hash(f"[{_quoted(backtest)},{_quoted(rule_id)},{_quoted(rule_version)}]"))


def _text_hash(canonical: str) -> str:
    # content_hash of what is written out as canonical_json would write it: a loop makes thousands.
    try:
        return hashlib.sha256(canonical.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"an id's content is not valid Unicode: {error}") from error


def _check_whole(*numbers: int) -> None:
    for number in numbers:
        if not abs(number) <= _EXACT:
            raise InvalidInput(f"a whole number in an id has at most 53 bits, not {number}")


def constraint_id(
    scope: str, constraint_type: str, params: Mapping[str, Any], applies_to: Mapping[str, Any]
) -> ConstraintId:
    """Two failures that lead to the same rule lead to one constraint."""
    return ConstraintId(content_hash([scope, constraint_type, dict(params), dict(applies_to)]))


def constraint_set_id(members: Iterable[ConstraintId], base: ConstraintSetId | None) -> ConstraintSetId:
    """The set's members, in any order, and what it was built on."""
    return ConstraintSetId(content_hash([sorted(members), base]))


def new_run_id(now: datetime, entropy: Callable[[int], bytes]) -> RunId:
    """UUIDv7 (RFC 9562): milliseconds of ``now`` and ten bytes of ``entropy``."""
    if now.tzinfo is None:
        raise InvalidInput(f"run ids need an aware time, got naive {now.isoformat()}")
    value = (int(now.timestamp() * 1000) & (2**48 - 1)) << 80 | int.from_bytes(entropy(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return RunId(str(uuid.UUID(int=value)))
