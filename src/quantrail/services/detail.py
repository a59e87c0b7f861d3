"""One record with what people ask about it next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from quantrail.domain.answers import BacktestRow, IdKind, StrategyRow
from quantrail.domain.artifacts import ArtifactStore
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId, ConstraintSetId, FailureId, RunId, StrategyId
from quantrail.domain.ledger import Reproduction, RobustnessCase
from quantrail.domain.ports import KnowledgeStore
from quantrail.domain.records import EngineComparison
from quantrail.errors import NotFound
from quantrail.services.description import described, differing_models
from quantrail.services.run_view import explained


@dataclass(frozen=True, slots=True)
class BacktestDetail:
    """``explained`` speaks of this backtest's costs and models, not only of its strategy.

    ``models_differ``: for each comparison what its two models differ in; empty where they are the same.
    ``slices``: engine B's figures by slice, as kept in its folder; empty where none were kept.
    """

    backtest: BacktestRow
    explained: str
    comparisons: tuple[EngineComparison, ...]
    robustness: tuple[RobustnessCase, ...]
    reproductions: tuple[Reproduction, ...]
    models_differ: tuple[str, ...] = ()
    slices: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class StrategyDetail:
    strategy: StrategyRow
    explained: str
    history: tuple[BacktestRow, ...]


def detail(store: KnowledgeStore, prefix: str, artifacts: ArtifactStore | None = None) -> Any:
    """The record that an id or unique prefix names; NotFound or InvalidInput otherwise.

    With ``artifacts`` a backtest comes with its slices.
    """
    kind, full = store.resolve(prefix)
    if kind is IdKind.BACKTEST:
        row = store.get_backtest(cast(BacktestId, full))
        comparisons = tuple(store.comparisons_of(row.backtest_id))
        return BacktestDetail(
            backtest=row,
            explained=described(store, row),
            comparisons=comparisons,
            models_differ=tuple(_models_differ(store, made) for made in comparisons),
            robustness=tuple(store.list_robustness_cases(row.backtest_id)),
            reproductions=tuple(store.list_reproductions(row.backtest_id)),
            slices=_slices(row, artifacts),
        )
    if kind is IdKind.STRATEGY:
        strategy_id = cast(StrategyId, full)
        return StrategyDetail(
            store.get_strategy(strategy_id),
            explained(store, strategy_id),
            tuple(store.strategy_history(strategy_id)),
        )
    if kind is IdKind.FAILURE:
        return store.get_failure(cast(FailureId, full))
    if kind is IdKind.RUN:
        return store.get_run(cast(RunId, full))
    if kind is IdKind.CONSTRAINT_SET:
        return store.get_constraint_set(cast(ConstraintSetId, full))
    if kind is IdKind.CONSTRAINT:
        return next(
            c for c in store.list_constraints(active_only=False) if c.constraint.constraint_id == full
        )
    raise NotFound(f"{kind} {full} has no page of its own; `quantrail lineage {prefix}` shows its trail")


def _models_differ(store: KnowledgeStore, made: EngineComparison) -> str:
    a, b = (store.get_backtest(key).model_versions for key in (made.backtest_a, made.backtest_b))
    return differing_models(a, b)


def _slices(row: BacktestRow, artifacts: ArtifactStore | None) -> tuple[Mapping[str, Any], ...]:
    if artifacts is None or row.artifacts_dir is None or row.key.engine_mode is not EngineMode.B:
        return ()
    path = f"{row.artifacts_dir.path}/slices.parquet"
    return tuple(artifacts.read_parquet(path).to_pylist()) if artifacts.path(path).exists() else ()
