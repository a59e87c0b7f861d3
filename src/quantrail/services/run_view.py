"""A run as people look at it: leaderboard, funnel, failures, constraints, one strategy explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.domain.answers import LeaderboardFilter, RunRow
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import RunId, StrategyId
from quantrail.domain.ports import KnowledgeStore
from quantrail.services.constraint_view import ConstraintHistory, constraint_histories
from quantrail.services.leaderboard import Standing, leaderboard
from quantrail.strategy import canonical_from_json, explain_normal

TOP_FAILURES = 10
_NEWEST = 10_000  # runs to look through for the newest search


@dataclass(frozen=True, slots=True)
class RunView:
    """``summaries`` are those of finished iterations of a search; other runs, of one backtest each, have
    none. ``evaluated`` counts results, known ones included."""

    run: RunRow
    summaries: tuple[Mapping[str, Any], ...]
    standings: list[Standing]
    failures: list[tuple[str, int]]
    evaluated: int
    constraints: list[ConstraintHistory]
    explained: str
    n_trials: int


def run_view(store: KnowledgeStore, run_id: RunId, limit: int = 10) -> RunView:
    """Everything a reader wants of one run; NotFound when there is no such run."""
    run = store.get_run(run_id)
    summaries = tuple(i.summary for i in store.list_iterations(run_id) if i.summary and "funnel" in i.summary)
    standings = verified_or_screened(store, run_id, limit)
    return RunView(
        run=run,
        summaries=summaries,
        standings=standings,
        failures=_failures(summaries) if summaries else _failures_met(store, run_id),
        evaluated=_evaluated(summaries) if summaries else len(store.list_backtests(run_id)),
        constraints=constraint_histories(summaries),
        explained=explained(store, standings[0].strategy_id) if standings else "",
        n_trials=standings[0].n_trials if standings else 0,
    )


def newest_search(store: KnowledgeStore) -> RunId | None:
    """The newest run of the loop; runs of single backtests have no report of their own."""
    return next((run.run_id for run in store.list_runs(_NEWEST) if is_search(run)), None)


def is_search(run: RunRow) -> bool:
    """Whether the loop wrote it, from whichever door; other runs are of single backtests."""
    return "splits" in run.config.get("config", {}).get("data", {})


def verified_or_screened(store: KnowledgeStore, run_id: RunId, limit: int) -> list[Standing]:
    """What engine B verified in this run, best first; what engine A found where nothing was verified."""
    for mode in (EngineMode.B, EngineMode.A):
        found = leaderboard(
            store, LeaderboardFilter(engine_mode=mode, run_id=run_id), limit=limit, as_of=run_id
        )
        if found:
            return found
    return []


def explained(store: KnowledgeStore, strategy_id: StrategyId) -> str:
    """A stored strategy in two or three plain sentences."""
    stored = store.get_strategy(strategy_id).strategy
    if stored.kind == "signals":
        return (
            "It follows target weights computed elsewhere: what was known at a close is traded at the next "
            "open. The frame is kept with its hash, the logic behind it is not known here."
        )
    return explain_normal(canonical_from_json(stored.normalized_spec_json).spec)


def _failures(summaries: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    tags: Counter[str] = Counter()
    for summary in summaries:
        tags.update(summary["failure_tags"])
    return sorted(tags.items(), key=lambda item: (-item[1], item[0]))[:TOP_FAILURES]


def _failures_met(store: KnowledgeStore, run_id: RunId) -> list[tuple[str, int]]:
    return [(one.key, one.count) for one in store.repeated_failures(TOP_FAILURES, run_id=run_id)]


def _evaluated(summaries: Sequence[Mapping[str, Any]]) -> int:
    return sum(s["funnel"][step] for s in summaries for step in ("screened", "cached", "shortlisted"))
