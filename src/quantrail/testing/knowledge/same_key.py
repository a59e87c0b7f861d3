"""The same key with other content: a Conflict that names both values, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import LeaderboardFilter
from quantrail.domain.enums import BacktestStatus, Severity, TrialArm, TrialDoor, TrialOutcome
from quantrail.domain.ids import FailureId
from quantrail.domain.ports import KnowledgeUnit
from quantrail.errors import Conflict, InvalidInput
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, World, fill, register

_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_CASE: dict[str, Any] = {
    "type": "cost",
    "params": {"factor": 2},
    "passed": True,
    "policy_version": build.POLICY,
}
_Make = Callable[[World], Any]
_Save = Callable[[KnowledgeUnit, Any], object]


def _trade(world: World) -> ledger.LiveTrade:
    test = world.backtests[0]
    return ledger.LiveTrade(
        "t1", test.key.strategy_id, "paper", "AAPL", 3.0, 9.5, 0.1, _DAY, test.backtest_id
    )


def _replay(world: World) -> ledger.Replay:
    test = world.backtests[0]
    return ledger.Replay(
        "r1", test.key.strategy_id, test.backtest_id, build.START, build.END, True, {"pnl": 1.0}
    )


def _comparison(world: World) -> r.EngineComparison:
    a, b = world.backtests[0].backtest_id, world.verified[0].backtest_id
    return r.EngineComparison(a, b, False, 0.01, -12.5, "rounding", {"trade": 3})


def _finding(world: World) -> ledger.DataFinding:
    return ledger.DataFinding(build.DATA, "AAPL", build.START, "gap", Severity.WARN, "one session")


def _case(world: World) -> ledger.RobustnessCase:
    return ledger.RobustnessCase(world.backtests[0].backtest_id, **_CASE, metrics={"x": 0.4})


def _metrics(world: World) -> r.Metrics:
    return build.metrics(world.backtests[0].backtest_id)


def _score(world: World) -> r.Score:
    return build.score(world.backtests[0].backtest_id)


# kind -> the stored record, how it is saved, and what each field may not become.
KINDS: dict[str, tuple[_Make, _Save, dict[str, Any]]] = {
    "failure": (lambda w: w.failures[3], lambda u, x: u.save_failures([x]), {
        "confidence": 0.99, "tags": ("OTHER",), "evidence": {"trades": -999}, "rule_id": "zzz",
        "rule_version": "2", "policy_version": build.POLICY, "summary": "x", "severity": Severity.INFO,
    }),
    "score": (_score, lambda u, x: u.save_scores([x]), {
        "score_total": 0.123, "passed": True, "breakdown": {"edge": 0.0}, "fail_reasons": ("other",),
    }),
    "metrics": (_metrics, lambda u, x: u.save_metrics([x]), {
        "undefined": {"calmar_net": "another reason"}, "warnings": ("short",),
        "values": {"calmar_net": None, "bars": 3},
    }),
    "live trade": (_trade, lambda u, x: u.save_live_trades([x]), {
        "account": "REAL", "symbol": "TSLA", "quantity": -3.0, "price": 9.6, "costs_total": 0.2,
        "executed_at": datetime(2020, 1, 1, tzinfo=UTC), "backtest_id": None,
    }),
    "replay": (_replay, lambda u, x: u.save_replays([x]), {
        "difference": {"pnl": 2.0}, "period_start": date(2014, 1, 1), "period_end": date(2015, 1, 1),
        "agree": False,
    }),
    "comparison": (_comparison, lambda u, x: u.save_comparisons([x]), {
        "agree": True, "max_abs_equity_diff": 0.9, "pnl_effect": 1e6, "reason": "other",
        "first_difference": {"trade": 4},
    }),
    "snapshot": (lambda w: r.Snapshot(build.DATA, "sample", 2, 100, build.START, build.END),
                 lambda u, x: u.save_snapshots([x]), {
        "symbols": 3, "rows": 99, "period_start": date(2013, 1, 3), "period_end": date(2016, 12, 29),
    }),
    "run": (lambda w: build.run(0), lambda u, x: u.insert_run(x), {
        "config": {}, "code_version": "ffffff", "project_version": "9", "door": TrialDoor.WEB,
        "requested_by": "ann",
    }),
    "trial": (lambda w: w.trials[0], lambda u, x: u.save_trials([x]), {
        "ordinal": 77, "iteration_id": 2, "arm": TrialArm.EXPLORATION, "door": TrialDoor.WEB,
        "period_end": date(2016, 12, 29), "requested_by": "ann", "outcome": TrialOutcome.DUPLICATE,
    }),
    "finding": (_finding, lambda u, x: u.save_data_findings([x]), {
        "severity": Severity.ERROR, "quarantined": True,
    }),
    "robustness case": (_case, lambda u, x: u.save_robustness_cases([x]), {
        "passed": False, "metrics": {"x": 0.5},
    }),
    "policy": (lambda w: build.policies()[0], lambda u, x: u.save_policies([x]), {
        "kind": "other", "body": {},
    }),
    "universe": (lambda w: build.universe(), lambda u, x: u.save_universes([x]), {
        "market": "XKRX", "symbols": ("AAPL",), "synthetic": True,
    }),
    "fingerprint": (lambda w: ledger.Fingerprint(w.strategies[0].strategy_id, "simhash_v1", build.DATA, b"a"),
                    lambda u, x: u.save_fingerprints([x]), {"value": b"b"}),
}  # fmt: skip
OTHERS = [(kind, field) for kind, (_, _, fields) in KINDS.items() for field in fields]


class SameKey:
    @pytest.mark.parametrize(("kind", "field"), OTHERS)
    def test_other_content_under_a_known_key_is_a_conflict(
        self, harness: StoreHarness, kind: str, field: str
    ) -> None:
        make, save, fields = KINDS[kind]
        world = fill(harness.store)
        stored = make(world)
        with harness.store.unit() as unit:
            if kind == "finding":
                unit.save_snapshots([r.Snapshot(build.DATA, "sample", 2, 100, build.START, build.END)])
            save(unit, stored)
            unit.commit()
        before = harness.store.counts()
        with pytest.raises(Conflict) as caught, harness.store.unit() as unit:
            save(unit, replace(stored, **{field: fields[field]}))
        assert caught.value.context["stored"] != caught.value.context["offered"]
        assert "nothing was changed" in caught.value.message
        assert harness.store.counts() == before
        with harness.store.unit() as unit:
            again: Any = save(unit, stored)
            assert again.new == 0

    @pytest.mark.parametrize("outcome", [TrialOutcome.CACHED, TrialOutcome.ERROR])
    def test_an_evaluation_done_again_may_end_otherwise(
        self, harness: StoreHarness, outcome: TrialOutcome
    ) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            assert unit.save_trials([replace(world.trials[0], outcome=outcome)]).new == 0
            unit.commit()
        assert harness.store.list_trials(build.run_id(), 1)[0].outcome is TrialOutcome.EVALUATED

    def test_another_backtest_under_a_known_trial_is_a_conflict(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        other = replace(world.trials[0], backtest_id=world.verified[0].backtest_id)
        with pytest.raises(Conflict, match=str(other.backtest_id)), harness.store.unit() as unit:
            unit.save_trials([other])

    @pytest.mark.parametrize(
        "changes", [{"priority": 99}, {"severity": Severity.CRITICAL}, {"statistics": {"n": 1}},
                    {"applies_to": {"x": 1}}],
        ids=["priority", "severity", "statistics", "applies_to"],
    )  # fmt: skip
    def test_the_iteration_that_wrote_a_set_must_say_the_same_again(
        self, harness: StoreHarness, changes: dict[str, Any]
    ) -> None:
        held = fill(harness.store).constraint_set
        other = replace(held, members=tuple(replace(one, **changes) for one in held.members))
        with pytest.raises(Conflict, match=next(iter(changes))), harness.store.unit() as unit:
            unit.save_constraint_set(build.run_id(), 1, other, [])
        with pytest.raises(Conflict, match="policy"), harness.store.unit() as unit:
            unit.save_constraint_set(build.run_id(), 1, replace(held, policy_version=build.POLICY), [])
        assert harness.store.get_constraint_set(held.constraint_set_id).set == held

    def test_another_run_that_learns_the_same_rules_meets_their_set(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        held = world.constraint_set
        seen = tuple(replace(one, statistics={"n": 77}, severity=Severity.ERROR) for one in held.members)
        shown = r.Provenance(seen[0].constraint_id, world.failures[5].failure_id, "direct")
        with harness.store.unit() as unit:
            register(unit, 1)
            written = unit.save_constraint_set(build.run_id(1), 1, replace(held, members=seen), [shown])
            unit.commit()
        assert written.new == 0
        assert harness.store.get_constraint_set(held.constraint_set_id).set == held
        led = {one.failure_id: one.run_id for one in harness.store.provenance_of(seen[0].constraint_id)}
        assert led == {
            world.failures[0].failure_id: build.run_id(), world.failures[5].failure_id: build.run_id(1)
        }  # fmt: skip

    @pytest.mark.parametrize("iteration", [1, 2])
    def test_fewer_or_more_members_under_a_known_set_are_a_conflict(
        self, harness: StoreHarness, iteration: int
    ) -> None:
        world = fill(harness.store)
        held, failure = world.constraint_set, world.failures[0].failure_id
        more = (*held.members, build.constraint(9))
        for members in (held.members[:1], more):
            proof = [r.Provenance(one.constraint_id, failure, "direct") for one in members]
            with pytest.raises(Conflict, match="members"), harness.store.unit() as unit:
                unit.save_constraint_set(build.run_id(), iteration, replace(held, members=members), proof)
        assert harness.store.get_constraint_set(held.constraint_set_id).set == held

    def test_another_failure_id_for_the_same_rule_and_backtest_is_a_conflict(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store)
        other = replace(world.failures[0], failure_id=FailureId(build.hash_of("another")))
        with pytest.raises(Conflict, match="there already"), harness.store.unit() as unit:
            unit.save_failures([other])

    def test_a_report_gains_its_text_document_once(self, harness: StoreHarness) -> None:
        test = fill(harness.store).backtests[0].backtest_id
        bare = ledger.Report(backtest_id=test, tearsheet_html_path="reports/x.html")
        named = replace(bare, doc_store_id="doc-1")
        with harness.store.unit() as unit:
            assert [unit.save_reports([one]).new for one in (bare, named, bare, named)] == [1, 0, 0, 0]
            unit.commit()
        assert harness.store.list_reports(backtest_id=test) == [named]
        with pytest.raises(Conflict, match="doc-2"), harness.store.unit() as unit:
            unit.save_reports([replace(bare, doc_store_id="doc-2")])

    def test_a_success_brings_all_that_it_says_and_counts_for_its_run(self, harness: StoreHarness) -> None:
        fill(harness.store)
        of = build.strategy(500)
        done = build.backtest(of, 500, run_number=1, snapshot_version=build.DATA)
        failed = replace(
            build.backtest(of, 500), status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT",
            error_message="too slow", artifacts_dir=None,
        )  # fmt: skip
        with harness.store.unit() as unit:
            unit.upsert_strategy(of)
            unit.insert_backtests([failed])
            unit.commit()
        first = harness.store.get_backtest(failed.backtest_id)
        with harness.store.unit() as unit:
            unit.save_snapshots([r.Snapshot(build.DATA, "sample", 2, 100, build.START, build.END)])
            register(unit, 1)
            unit.insert_backtests([done])
            unit.save_metrics(build.metrics(done.backtest_id, 500))
            unit.save_score(build.score(done.backtest_id, 500))
            unit.commit()
        stored = harness.store.get_backtest(done.backtest_id)
        for field in ("status", "result_hash", "error_code", "error_message", "artifacts_dir",
                      "snapshot_version", "run_id", "iteration_id"):  # fmt: skip
            assert getattr(stored, field) == getattr(done, field), field
        assert stored.created_at > first.created_at
        shown = harness.store.leaderboard(LeaderboardFilter(run_id=build.run_id(1)))
        assert [row.backtest_id for row in shown] == [done.backtest_id]

    @pytest.mark.parametrize("committed", [True, False], ids=["stored before", "same unit"])
    def test_a_failed_backtest_has_neither_metrics_nor_score(
        self, harness: StoreHarness, committed: bool
    ) -> None:
        fill(harness.store)
        of = build.strategy(500)
        failed = replace(
            build.backtest(of), status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT"
        )
        with harness.store.unit() as unit:
            unit.upsert_strategy(of)
            unit.insert_backtests([failed])
            if committed:
                unit.commit()
            else:
                with pytest.raises(InvalidInput, match="is FAILED"):
                    unit.save_metrics(build.metrics(failed.backtest_id))
        if committed:
            with pytest.raises(InvalidInput, match="is FAILED"), harness.store.unit() as unit:
                unit.save_metrics(build.metrics(failed.backtest_id))
            with pytest.raises(InvalidInput, match="is FAILED"), harness.store.unit() as unit:
                unit.save_score(build.score(failed.backtest_id))
        shown = [row.backtest_id for row in harness.store.leaderboard(limit=100)]
        assert failed.backtest_id not in shown


__all__ = ["SameKey"]
