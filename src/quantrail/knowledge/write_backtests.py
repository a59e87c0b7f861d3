"""Writes of backtests: known by their reproduction key, so that the same work meets itself."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import BacktestStatus
from quantrail.domain.identity import backtest_id as worked_out
from quantrail.errors import Conflict, InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys
from quantrail.knowledge.session import Row

_Stored = tuple[int, str, bytes | None]


def insert_backtests(keys: Keys, backtests: Sequence[r.Backtest]) -> Written:
    now = keys.now()
    raws = [_checked_id(keys, b) for b in backtests]
    keys.need_strategies(keys.strategy_raw(b.key.strategy_id) for b in backtests)
    known = _stored(keys, raws)
    pk = keys.session.reserve("backtests", len(backtests))
    rows: list[Row] = []
    is_new: list[bool] = []
    for b, raw in zip(backtests, raws, strict=True):
        if raw in known:
            is_new.append(_meet(keys, b, raw, known[raw]))
            continue
        row = (pk, *_row(keys, b, raw, now))
        _remember(keys, b, row)
        known[raw] = (pk, row[8], row[9])
        rows.append(row)
        is_new.append(True)
        pk += 1
    keys.session.insert("backtests", rows)
    return Written(tuple(is_new))


def _checked_id(keys: Keys, b: r.Backtest) -> bytes:
    expected = worked_out(b.key)
    if b.backtest_id != expected:
        raise InvalidInput(f"backtest_id {b.backtest_id} is not that of its key, {expected}")
    if keys.content_of(b.calc_contract)[1] != b.key.calc_contract_hash:
        raise InvalidInput(f"backtest {b.backtest_id}: calc_contract does not hash to calc_contract_hash")
    if keys.content_of(b.model_versions)[1] != b.key.model_versions_hash:
        raise InvalidInput(f"backtest {b.backtest_id}: model_versions does not hash to model_versions_hash")
    failed = b.status is BacktestStatus.FAILED
    if (b.result_hash is None) != failed or (b.error_code is None) == failed:
        raise InvalidInput(
            f"backtest {b.backtest_id} is {b.status} with result_hash {b.result_hash} and error_code "
            f"{b.error_code}; DONE needs the first, FAILED the second, and only that"
        )
    return keys.backtest_raw(b.backtest_id)


def _stored(keys: Keys, raws: Sequence[bytes]) -> dict[bytes, _Stored]:
    select = "SELECT backtest_id, pk, status, result_hash FROM backtests"
    found = keys.session.among(select, "backtest_id", raws)
    return {row[0]: (row[1], row[2], row[3]) for row in found}


def _meet(keys: Keys, b: r.Backtest, raw: bytes, stored: _Stored) -> bool:
    """A known key: DONE mends FAILED, FAILED leaves what is there, another result is a Conflict."""
    pk, status, result_hash = stored
    if b.result_hash is None:
        return False
    offered = v.hash32(b.result_hash, "result_hash")
    if status == "FAILED":
        keys.session.run(
            "UPDATE backtests SET status = 'DONE', result_hash = ?, error_code = NULL, "
            "error_message = NULL WHERE pk = ?",
            (offered, pk),
        )
        return True
    if offered != result_hash:
        raise Conflict(
            f"backtest {b.backtest_id} is stored with result_hash {(result_hash or b'').hex()}, now offered "
            f"with {b.result_hash}; nothing was changed",
            key=b.backtest_id,
            stored=(result_hash or b"").hex(),
            offered=b.result_hash,
        )
    return False


def _row(keys: Keys, b: r.Backtest, raw: bytes, now: int) -> Row:
    return (
        raw, keys.strategies[keys.strategy_raw(b.key.strategy_id)], keys.context(b.key, b.model_versions),
        keys.contract(b.calc_contract), v.whole(b.key.seed, "seed"), keys.iteration(b.run_id, b.iteration_id),
        None if b.snapshot_version is None else keys.snapshot(b.snapshot_version), b.status.value,
        None if b.result_hash is None else v.hash32(b.result_hash, "result_hash"),
        v.maybe_label(b.error_code, "error_code"), v.maybe_prose(b.error_message, "error_message"),
        *keys.artifact(b.artifacts_dir), now,
    )  # fmt: skip


def _remember(keys: Keys, b: r.Backtest, row: Row) -> None:
    pk, raw, strategy_pk, _, contract_pk = row[:5]
    keys.fresh_backtests.add(pk)
    keys.backtests[raw] = BacktestKeys(
        pk,
        contract_pk,
        b.key.engine_mode.value,
        strategy_pk,
        keys.run(b.run_id),
        keys.templates_of[strategy_pk],
    )
