"""A small store with a row in every table that is not derived."""

from __future__ import annotations

from datetime import UTC, datetime

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.enums import ConstraintStatus, FailureState, Severity, StageStatus, Tier
from quantrail.domain.ports import KnowledgeStore, KnowledgeUnit
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import World, fill

TRADED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def fill_every_table(store: KnowledgeStore) -> World:
    """What :func:`fill` stores, and a record of every other kind."""
    world = fill(store)
    with store.unit() as unit:
        _results(unit, world)
        _ledger(unit, world)
        _events(unit, world)
        unit.commit()
    return world


def _results(unit: KnowledgeUnit, world: World) -> None:
    first, test = world.strategies[0].strategy_id, world.backtests[0].backtest_id
    unit.save_snapshots([r.Snapshot(build.DATA, "sample", 2, 100, build.START, build.END)])
    unit.save_data_findings(
        [ledger.DataFinding(build.DATA, "AAPL", build.START, "gap", Severity.WARN, "one session")]
    )
    unit.save_comparisons([r.EngineComparison(test, world.verified[0].backtest_id, True, 0.0, 0.0, "equal")])
    unit.save_fingerprints([ledger.Fingerprint(first, "simhash_v1", build.DATA, b"\x00\x01")])
    case = ledger.RobustnessCase(test, "cost", {"factor": 2}, True, build.POLICY, {"sharpe_net": 0.4})
    unit.save_robustness_cases([case])


def _ledger(unit: KnowledgeUnit, world: World) -> None:
    first, test = world.strategies[0].strategy_id, world.backtests[0].backtest_id
    unit.save_reports([ledger.Report(backtest_id=test, tearsheet_html_path="reports/x.html")])
    unit.save_promotions(
        [ledger.Promotion(first, "PROMOTE", Tier.T0, Tier.T1, build.POLICY, ("backtest",), test)]
    )
    unit.save_live_trades([ledger.LiveTrade("t1", first, "paper", "AAPL", -3.0, 9.5, 0.1, TRADED_AT)])
    unit.save_replays([ledger.Replay("r1", first, test, build.START, build.END, True)])
    unit.save_holdout_read(ledger.HoldoutRead(first, "final look", build.START, build.END))
    found = world.backtests[0].result_hash
    unit.save_reproductions([ledger.Reproduction(test, True, None, found, found, "abc")])
    unit.save_recall(ledger.Recall("data", "AAPL", "a wrong split"))


def _events(unit: KnowledgeUnit, world: World) -> None:
    unit.save_stage_events([r.StageEvent(build.run_id(), "S01", "STAGE_STARTED", StageStatus.RUNNING, 1)])
    unit.set_failure_state(
        ledger.FailureEvent(world.failures[0].failure_id, FailureState.CONFIRMED, "looked at")
    )
    member = world.constraint_set.members[0].constraint_id
    unit.set_constraint_status(ledger.ConstraintEvent(member, ConstraintStatus.INACTIVE, "no use"))


__all__ = ["TRADED_AT", "fill_every_table"]
