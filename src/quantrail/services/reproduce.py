"""Run a stored backtest again and say whether it comes out the same, and if not, why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from quantrail.domain.answers import BacktestRow
from quantrail.domain.enums import BacktestStatus, DriftCause, EngineMode
from quantrail.domain.identity import content_hash
from quantrail.domain.ids import BacktestId, ResultHash
from quantrail.domain.ledger import Reproduction
from quantrail.domain.market import Bars
from quantrail.engine import ENGINE_A_VERSION, ENGINE_B_VERSION, prepare, screen
from quantrail.errors import BackendCorrupt, DataInvalid, InvalidInput, NotFound, QuantrailError
from quantrail.services.loop.state import Services
from quantrail.services.rerun import is_signals, stored_bars, stored_period, stored_spec, verify_again
from quantrail.services.restore import Tables, restore_missing, signals_tables, verified_tables
from quantrail.services.signals import signals_again

CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Reproduced:
    """One re-run. ``cause`` is None exactly when ``equal``."""

    backtest_id: BacktestId
    equal: bool
    cause: DriftCause | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Rerun:
    """``tables`` makes the backtest's artifact files anew, where it has files of its own."""

    result_hash: ResultHash
    metrics: Mapping[str, float | None]
    tables: Callable[[], Tables] | None = None


def reproduce(services: Services, ids: Sequence[BacktestId]) -> list[Reproduced]:
    """Re-run stored backtests, in the order asked, and record what came out.

    Where a result comes out equal, artifact files of it that are gone are put back; ``detail`` names them.
    """
    done = [_reproduce(services, services.store.get_backtest(key)) for key in ids]
    with services.store.unit() as unit:
        unit.save_reproductions([record for record, _ in done])
        unit.commit()
    return [result for _, result in done]


def sample_ids(services: Services, size: int, seed: int = 0) -> list[BacktestId]:
    """``size`` stored backtests drawn without repetition, or all of them when there are fewer."""
    if size < 1:
        raise InvalidInput(f"a sample needs at least one backtest, got {size}")
    ids = sorted(services.store.list_backtests(limit=10**9))
    if not ids:
        raise NotFound(
            "this home holds no backtest yet; `quantrail demo` or `quantrail run start` makes some"
        )
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(ids))[:size]
    return [ids[int(i)] for i in sorted(chosen)]


def _reproduce(services: Services, row: BacktestRow) -> tuple[Reproduction, Reproduced]:
    found: _Rerun | None = None
    try:
        cause, detail, found = _rerun_and_compare(services, row)
    except QuantrailError as error:
        same = row.status is BacktestStatus.FAILED and row.error_code == error.code
        other = DriftCause.MISSING if isinstance(error, NotFound) else DriftCause.CODE
        cause, detail = None if same else other, error.message
    record = Reproduction(
        backtest_id=row.backtest_id,
        equal=cause is None,
        cause=cause,
        result_hash_stored=row.result_hash,
        result_hash_found=found.result_hash if found else None,
        code_version=services.code_version,
        detail=detail,
    )
    return record, Reproduced(row.backtest_id, cause is None, cause, detail)


def _rerun_and_compare(services: Services, row: BacktestRow) -> tuple[DriftCause | None, str, _Rerun | None]:
    try:
        bars = stored_bars(services, row, recompute=True)
    except (BackendCorrupt, DataInvalid) as error:
        return DriftCause.DATA, error.message, None
    if bars.data_version != row.key.data_version:
        detail = (
            f"the data it rests on have changed: data version {bars.data_version[:12]} now, "
            f"{row.key.data_version[:12]} then"
        )
        return DriftCause.DATA, detail, None
    current = ENGINE_A_VERSION if row.key.engine_mode is EngineMode.A else ENGINE_B_VERSION
    if current != row.key.engine_version:
        return (
            DriftCause.CODE,
            f"engine {current} is installed, the result came from {row.key.engine_version}",
            None,
        )
    try:
        found = _rerun(services, bars, row)
    except DataInvalid as error:  # splits, dividends or signals that are not those of the result
        return DriftCause.DATA, error.message, None
    if found.result_hash == row.result_hash:
        detail = "" if found.tables is None else restore_missing(services, row, found.tables)
        return None, detail, found
    return *_cause_of_difference(services, row, found), found


def _rerun(services: Services, bars: Bars, row: BacktestRow) -> _Rerun:
    if is_signals(services, row):
        again = signals_again(services, row, bars)
        tables = partial(signals_tables, services, row, bars, again)
        return _Rerun(again.result.result_hash, again.metrics.values, tables)
    if row.key.engine_mode is EngineMode.B:
        done_b = verify_again(services, row, bars)
        tables = partial(verified_tables, services, row, bars, done_b)
        return _Rerun(done_b.result.result_hash, done_b.metrics.values, tables)
    done = screen(prepare(bars, [stored_spec(services, row)]), stored_period(row), row.calc_contract)
    error = done.errors[0]
    if error is not None:
        raise error
    return _Rerun(done.result_hash(0), done.metric_row(0))


def _cause_of_difference(services: Services, row: BacktestRow, found: _Rerun) -> tuple[DriftCause, str]:
    stored: Mapping[str, Any] = row.metrics.values if row.metrics else {}
    moved = sorted(_moved(stored, found.metrics))
    then = services.store.get_run(row.run_id).config.get("frozen", {}).get("environment", {})
    now = dict(services.environment)
    if then and content_hash(dict(then)) != content_hash(now):
        changed = ", ".join(f"{k} {then.get(k)} -> {now[k]}" for k in sorted(now) if then.get(k) != now[k])
        return DriftCause.DEPENDENCY, f"other versions are installed: {changed}"
    if not moved:
        return DriftCause.NUMERICS, f"bits differ, every metric agrees to {CLOSE:g}"
    return DriftCause.CODE, f"metrics moved: {', '.join(moved[:5])}"


def _moved(stored: Mapping[str, Any], found: Mapping[str, float | None]) -> Iterable[str]:
    for name, value in found.items():
        before = stored.get(name)
        if before is None or value is None:
            same = before is None and value is None
        else:
            same = abs(before - value) <= CLOSE * max(1.0, abs(before))
        if not same:
            yield name
