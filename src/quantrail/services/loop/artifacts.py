"""Files of a run: one Parquet for the screen of an iteration, a folder for each of the shortlist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantrail.domain.ids import RunId, StrategyId
from quantrail.domain.records import ArtifactFile
from quantrail.services.loop.screening import Screened
from quantrail.services.loop.state import Evaluated, RunState, Verified


@dataclass(frozen=True, slots=True)
class IterationFiles:
    """``screen_rows``: row of each strategy in ``screen_file``; folders of the shortlist by strategy."""

    screen_file: str
    screen_rows: dict[StrategyId, int]
    shortlist_dirs: dict[StrategyId, str]
    written: list[ArtifactFile]


def iteration_folder(run_id: RunId, iteration: int) -> str:
    """Where an iteration's files lie, relative to the artifacts folder."""
    return f"runs/{run_id}/iterations/{iteration}"


def write_iteration_files(
    state: RunState, iteration: int, screened: Screened, verified: Sequence[Verified]
) -> IterationFiles:
    """Everything too large for the database."""
    folder = iteration_folder(state.run_id, iteration)
    store = state.services.artifacts
    curves = [e for e in screened.evaluated if e.outcome.equity is not None and not e.cached]
    screen_file = f"{folder}/metrics/screen.parquet"
    written = []
    if curves:
        written.append(store.write_parquet(screen_file, _screen_columns(curves)))
    dirs = {}
    for entry in verified:
        strategy = entry.b.candidate.strategy_id
        dirs[strategy] = f"{folder}/metrics_verified/{strategy[:16]}"
        written.extend(_write_verified(state, dirs[strategy], entry))
    rows = {e.candidate.strategy_id: row for row, e in enumerate(curves)}
    return IterationFiles(screen_file, rows, dirs, written)


def write_summary(state: RunState, iteration: int, summary: Mapping[str, Any]) -> ArtifactFile:
    """The iteration's summary, as stored in the database, beside its other files."""
    path = f"{iteration_folder(state.run_id, iteration)}/iteration_summary.json"
    return state.services.artifacts.write_json(path, dict(summary))


def _screen_columns(curves: Sequence[Evaluated]) -> dict[str, Any]:
    names = sorted({name for e in curves for name in e.outcome.metrics})
    columns: dict[str, Any] = {
        "strategy_id": [e.candidate.strategy_id for e in curves],
        "backtest_id": [e.backtest_id for e in curves],
        "signals_per_year": [e.candidate.traits.signals_per_year for e in curves],
    }
    for name in names:
        columns[name] = [e.outcome.metrics.get(name) for e in curves]
    # float32 halves the file; exact bits come back from `reproduce`, not from here.
    columns["equity"] = [np.asarray(e.outcome.equity, dtype=np.float32) for e in curves]
    return columns


def _write_verified(state: RunState, folder: str, entry: Verified) -> list[ArtifactFile]:
    store = state.services.artifacts
    written = [
        store.write_parquet(f"{folder}/curves.parquet", entry.curves),
        store.write_parquet(f"{folder}/slices.parquet", entry.slices),
        store.write_parquet(f"{folder}/trades.parquet", entry.trades),
        store.write_json(f"{folder}/failures.json", _evidence(entry)),
    ]
    for name, columns in sorted(entry.logs.items()):
        written.append(store.write_parquet(f"{folder}/{name}.parquet", columns))
    return written


def _evidence(entry: Verified) -> list[dict[str, Any]]:
    return [
        {
            "rule_id": f.rule.rule_id,
            "tag": f.rule.tag,
            "severity": f.severity.value,
            "confidence": f.confidence,
            "summary": f.summary,
            "evidence": f.evidence,
        }
        for f in entry.b.outcome.failures
    ]
