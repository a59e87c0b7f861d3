"""Writes of backtests: known by their reproduction key, so that the same work meets itself."""

from __future__ import annotations

from collections.abc import Sequence

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import BacktestStatus
from quantrail.domain.identity import backtest_id as worked_out
from quantrail.errors import Conflict, InvalidInput
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys, Told
from quantrail.knowledge.session import Row

_Stored = tuple[int, str, bytes | None]


def insert_backtests(keys: Keys, backtests: Sequence[r.Backtest]) -> Written:
    now = keys.now()
    raws = [_checked_id(keys, b) for b in backtests]
    strategies = [keys.strategy_raws[b.key.strategy_id] for b in backtests]
    pk_of = keys.need_strategies(strategies)
    pks = [pk_of[raw] for raw in strategies]
    # A strategy that is new in this transaction has only the backtests that this transaction wrote.
    fresh, written = keys.fresh_strategies, keys.backtests
    known = _stored(
        keys, [raw for raw, one in zip(raws, pks, strict=True) if one not in fresh or raw in written]
    )
    pk = keys.session.reserve("backtests", len(backtests))
    asked = _Asked(keys)
    rows: list[Row] = []
    is_new: list[bool] = []
    for b, raw, strategy in zip(backtests, raws, pks, strict=True):
        if raw in known:
            is_new.append(_meet(keys, b, raw, known[raw]))
            continue
        row = _row(asked, b, pk, raw, strategy, now)
        keys.backtests[raw] = BacktestKeys(
            pk, row[4], b.key.engine_mode.value, strategy, asked.runs[b.run_id], keys.templates_of[strategy]
        )
        known[raw] = (pk, row[8], row[9])
        rows.append(row)
        is_new.append(True)
        pk += 1
    for bare in (keys.unmeasured, keys.unscored, keys.unexplained):
        bare.update(row[0] for row in rows)
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
    return keys.backtest_raws[b.backtest_id]


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


class _Asked:
    """What the backtests of a batch ask of the store, each once."""

    def __init__(self, keys: Keys) -> None:
        self.contexts = keys.context
        self.files, self.runs, self.snapshots = Told(keys.file), Told(keys.run), Told(keys.snapshot)
        self.iterations = Told(lambda asked: keys.iteration(*asked))
        self._contract, self._contracts = keys.contract, dict[str, int]()

    def contract(self, b: r.Backtest) -> int:
        found = self._contracts.get(b.key.calc_contract_hash)
        if found is None:
            found = self._contracts[b.key.calc_contract_hash] = self._contract(b.calc_contract)
        return found


def _row(asked: _Asked, b: r.Backtest, pk: int, raw: bytes, strategy: int, now: int) -> Row:
    file = b.artifacts_dir
    return (
        pk, raw, strategy, asked.contexts(b.key, b.model_versions), asked.contract(b),
        v.whole(b.key.seed, "seed"), asked.iterations[b.run_id, b.iteration_id],
        None if b.snapshot_version is None else asked.snapshots[b.snapshot_version], b.status.value,
        None if b.result_hash is None else v.hash32(b.result_hash, "result_hash"),
        v.maybe_label(b.error_code, "error_code"), v.maybe_prose(b.error_message, "error_message"),
        None if file is None else asked.files[file.path], None if file is None else file.row, now,
    )  # fmt: skip
