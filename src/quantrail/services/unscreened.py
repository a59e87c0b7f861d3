"""The fingerprint of a spec that was never screened, on the bars where others were screened last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.domain.answers import RunRow
from quantrail.domain.ids import DataVersion, StrategyId
from quantrail.domain.ledger import Fingerprint as Stored
from quantrail.engine import ENGINE_A_VERSION, fingerprints, prepare
from quantrail.errors import QuantrailError
from quantrail.services.context import Services
from quantrail.services.near import algorithm_of, as_stored
from quantrail.services.records import with_records
from quantrail.services.run_data import DataSection, bars_until, period_of
from quantrail.strategy import canonicalise

LATEST_RUNS = 20


def mark_now(services: Services, strategy_id: StrategyId, document: Mapping[str, Any]) -> Stored | None:
    """The mark ``document`` would have got in the latest search whose marks still compare.

    Without symbols of its own it trades those of that search. None where there is no such search, the
    spec cannot run on its data (symbols that are not there), or it holds nothing. Nothing is stored.
    """
    for run in services.store.list_runs(LATEST_RUNS):
        if "data_version_screen" in run.config.get("frozen", {}):
            found = _mark_in(services, run, strategy_id, document)
            if found is not None:
                return found
    return None


def _mark_in(
    services: Services, run: RunRow, strategy_id: StrategyId, document: Mapping[str, Any]
) -> Stored | None:
    frozen, config = run.config["frozen"], run.config["config"]
    try:
        # A snapshot that was cleared away, a symbol that is not there: this run has nothing to say.
        splits = DataSection.model_validate(config["data"]).splits
        train, snapshot = splits.train, DataVersion(frozen["snapshot_version"])
        benchmark = config["universe"].get("benchmark")
        plain = bars_until(services, splits, benchmark, snapshot, frozen["symbols"], train.end)
        spec = canonicalise(_on_symbols(document, frozen["symbols"])).spec
        # Runs of before there were records froze none.
        bars = with_records(services.market, plain, [spec], frozen.get("record_versions", {}))
    except QuantrailError:
        return None
    period = period_of(bars, train)
    algorithm = algorithm_of(ENGINE_A_VERSION, period)
    if not services.store.has_fingerprints(algorithm, plain.data_version):
        return None
    (mark,) = fingerprints(prepare(bars, [spec]), period, [0], plain.data_version)
    return None if mark is None else as_stored(strategy_id, algorithm, mark)


def _on_symbols(document: Mapping[str, Any], symbols: list[str]) -> dict[str, Any]:
    universe = dict(document.get("universe") or {})
    if universe.get("symbols") is None:
        universe["symbols"] = list(symbols)
        universe.pop("universe_source", None)
    return {**document, "universe": universe}
