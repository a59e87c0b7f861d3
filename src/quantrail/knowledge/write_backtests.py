"""Writes of backtests: known by their reproduction key, so that the same work meets itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter

from quantrail.domain import records as r
from quantrail.domain.answers import Written
from quantrail.domain.enums import BacktestStatus
from quantrail.domain.identity import backtest_id as worked_out
from quantrail.errors import Conflict, InvalidInput
from quantrail.knowledge import batches as many
from quantrail.knowledge import values as v
from quantrail.knowledge.keys import BacktestKeys, Keys, Told
from quantrail.knowledge.put import first_seen
from quantrail.knowledge.session import Row

_Stored = tuple[int, str, bytes | None]


def insert_backtests(keys: Keys, backtests: Sequence[r.Backtest]) -> Written:
    raws = [_checked_id(keys, b) for b in backtests]
    strategies = [keys.strategy_raws[b.key.strategy_id] for b in backtests]
    pk_of = keys.need_strategies(strategies)
    # A strategy that is new in this transaction has only the backtests that this transaction wrote.
    fresh, written = keys.fresh_strategies, keys.backtests
    known = _stored(
        keys,
        [raw for raw, of in zip(raws, strategies, strict=True) if pk_of[of] not in fresh or raw in written],
    )
    new: dict[bytes, r.Backtest] = {}
    for raw, b in zip(raws, backtests, strict=True):
        if raw not in known:
            new.setdefault(raw, b)
    rows = _insert(keys, list(new.values()))
    if len(new) == len(backtests):
        return Written((True,) * len(new))
    known.update({row[1]: (row[0], row[8], row[9]) for row in rows})
    first = first_seen(raws, new)
    return Written(
        tuple(one or _meet(keys, b, raw, known) for one, b, raw in zip(first, backtests, raws, strict=True))
    )


def _insert(keys: Keys, new: Sequence[r.Backtest]) -> list[Row]:
    strategies = [keys.strategies[keys.strategy_raws[b.key.strategy_id]] for b in new]
    rows = _rows(keys, new, strategies)
    runs, templates = Told(keys.run), keys.templates_of
    keys.backtests.update(
        (
            row[1],
            BacktestKeys(
                row[0],
                row[4],
                str(b.key.engine_mode),
                of,
                runs[b.run_id],
                templates[of],
                b.result_hash is None,
            ),
        )
        for row, b, of in zip(rows, new, strategies, strict=True)
    )
    pks = [row[0] for row in rows]
    for bare in (keys.unmeasured, keys.unscored, keys.unexplained):
        bare.update(pks)
    keys.session.insert("backtests", rows)
    return rows


def _checked_id(keys: Keys, b: r.Backtest) -> bytes:
    expected = worked_out(b.key)
    if b.backtest_id != expected:
        raise InvalidInput(f"backtest_id {b.backtest_id} is not that of its key, {expected}")
    if keys.content_of(b.calc_contract)[1] != b.key.calc_contract_hash:
        raise InvalidInput(f"backtest {b.backtest_id}: calc_contract does not hash to calc_contract_hash")
    if keys.content_of(b.model_versions)[1] != b.key.model_versions_hash:
        raise InvalidInput(f"backtest {b.backtest_id}: model_versions does not hash to model_versions_hash")
    if b.status is not BacktestStatus.DONE:
        v.member(BacktestStatus, b.status, "status")
    failed = b.status == BacktestStatus.FAILED
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


def _meet(keys: Keys, b: r.Backtest, raw: bytes, known: dict[bytes, _Stored]) -> bool:
    """A known key: DONE mends FAILED, FAILED leaves what is there, another result is a Conflict."""
    pk, status, result_hash = known[raw]
    if b.result_hash is None:
        return False
    offered = v.hash32(b.result_hash, "result_hash")
    if status == "FAILED":
        _mend(keys, b, raw, pk)
        known[raw] = (pk, "DONE", offered)
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


_MEND = """UPDATE backtests SET iteration_pk = ?, snapshot_pk = ?, status = ?, result_hash = ?,
error_code = NULL, error_message = NULL, artifacts_file_pk = ?, artifacts_row = ?, created_at = ?
WHERE pk = ?"""


def _mend(keys: Keys, b: r.Backtest, raw: bytes, pk: int) -> None:
    """The whole record of the success but for the key that both share: it is the first to have a result."""
    (row,) = _rows(keys, [b], [keys.strategies[keys.strategy_raws[b.key.strategy_id]]])
    keys.session.run(_MEND, (*row[6:10], *row[12:15], pk))
    found = keys.need_backtests([raw])[raw]
    found.failed, found.run_pk = False, keys.run(b.run_id)


def _rows(keys: Keys, backtests: Sequence[r.Backtest], strategies: Sequence[int]) -> list[Row]:
    first = keys.session.reserve("backtests", len(backtests))
    snapshots = Told(keys.snapshot)
    iterations = Told(lambda asked: keys.iteration(*asked))
    contracts: dict[str, int] = {}
    for b in backtests:
        if b.key.calc_contract_hash not in contracts:
            contracts[b.key.calc_contract_hash] = keys.contract(b.calc_contract)
    paths, lines = keys.artifacts([b.artifacts_dir for b in backtests])
    columns = (
        range(first, first + len(backtests)),
        [keys.backtest_raws[b.backtest_id] for b in backtests],
        strategies,
        _contexts(keys, backtests),
        [contracts[b.key.calc_contract_hash] for b in backtests],
        many.wholes([b.key.seed for b in backtests], "seed"),
        [iterations[b.run_id, b.iteration_id] for b in backtests],
        [None if b.snapshot_version is None else snapshots[b.snapshot_version] for b in backtests],
        many.members(BacktestStatus, [b.status for b in backtests], "status"),
        [None if b.result_hash is None else v.hash32(b.result_hash, "result_hash") for b in backtests],
        [v.maybe_label(b.error_code, "error_code") for b in backtests],
        [v.maybe_prose(b.error_message, "error_message") for b in backtests],
        paths, lines,
        repeat(keys.now(), len(backtests)),
    )  # fmt: skip
    return list(zip(*columns, strict=True))


_CONTEXT = attrgetter(
    "data_version", "engine_mode", "period_start", "period_end", "engine_version", "universe_version",
    "bar_interval", "model_versions_hash",
)  # fmt: skip


def _contexts(keys: Keys, backtests: Sequence[r.Backtest]) -> list[int]:
    asked = [_CONTEXT(b.key) for b in backtests]
    found = {
        one: keys.context(b.key, b.model_versions)
        for one, b in dict(zip(asked, backtests, strict=True)).items()
    }
    return [found[one] for one in asked]
