"""Records beside the main path: each comes back as it went in, and is known when it comes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.enums import ConstraintStatus, FailureState, Severity, StageStatus, Tier
from quantrail.domain.ids import DataVersion
from quantrail.errors import Conflict, InvalidInput, NotFound
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, World, fill


def _case(world: World, passed: bool = True) -> ledger.RobustnessCase:
    return ledger.RobustnessCase(
        world.backtests[0].backtest_id, "cost", {"factor": 2}, passed, build.POLICY, {"sharpe_net": 0.4},
        r.ArtifactRef("cases.parquet", 3),
    )  # fmt: skip


class LedgerRecords:
    def test_every_ledger_record_comes_back_and_is_known_again(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        first = world.strategies[0].strategy_id
        test = world.backtests[0].backtest_id
        report = ledger.Report(backtest_id=test, tearsheet_html_path="reports/x.html", doc_store_id="d1")
        print_ = ledger.Fingerprint(first, "simhash_v1", build.DATA, b"\x00\x01")
        trade = ledger.LiveTrade(
            "t1", first, "paper", "AAPL", -3.0, 9.5, 0.1, datetime(2026, 1, 1, tzinfo=UTC)
        )
        replay = ledger.Replay("r1", first, test, build.START, build.END, True)
        with harness.store.unit() as unit:
            for expected in (1, 0):
                assert unit.save_robustness_cases([_case(world)]).new == expected
                assert unit.save_reports([report]).new == expected
                assert unit.save_fingerprints([print_]).new == expected
                assert unit.save_live_trades([trade]).new == expected
                assert unit.save_replays([replay]).new == expected
            unit.commit()
        assert harness.store.list_robustness_cases(test) == [_case(world)]
        assert harness.store.list_reports(backtest_id=test) == [report]
        assert harness.store.fingerprints_of(first) == [print_]
        assert harness.store.fingerprints_of(world.strategies[1].strategy_id) == []
        both = [world.strategies[1].strategy_id, first, first]
        assert harness.store.fingerprints_among(both) == {first: [print_]}
        assert harness.store.fingerprints_among([]) == {}
        assert harness.store.list_fingerprints("simhash_v1", build.DATA) == [print_]
        assert harness.store.list_fingerprints("simhash_v2", build.DATA) == []
        (row,) = harness.sql("SELECT strategy_id, quantity, executed_at FROM v_live_trades")
        assert tuple(row) == (first, -3.0, "2026-01-01T00:00:00.000000Z")
        assert harness.sql("SELECT replay_id FROM v_replays")[0][0] == "r1"

    def test_marks_that_share_a_band_meet_and_no_near_one_is_missed(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        bins = [i * 401 % 60_000 for i in range(128)]

        def mark(number: int, changed: range, data: DataVersion = build.DATA) -> ledger.Fingerprint:
            own = [65_000 if i in changed else value for i, value in enumerate(bins)]
            value = (5).to_bytes(8, "little") + b"".join(one.to_bytes(2, "little") for one in own)
            return ledger.Fingerprint(world.strategies[number].strategy_id, "minhash128/x", data, value)

        # Twelve changed bins, spread so that they hit as many bands as they can.
        near = [
            mark(0, range(0)),
            mark(1, range(0, 120, 10)),
            mark(2, range(3, 15)),
            mark(3, range(116, 128)),
        ]
        other_data = mark(4, range(0), DataVersion("ab" * 32))
        far = replace(mark(5, range(0)), value=bytes(range(8, 136)) * 2 + bytes(8))
        other_kind = replace(mark(6, range(0)), algorithm="simhash_v1")
        with harness.store.unit() as unit:
            unit.save_fingerprints(near[:2])
            unit.save_fingerprints([*near, other_data, far, other_kind])
            unit.commit()
        assert harness.store.fingerprints_meeting(near[0]) == near
        assert harness.store.fingerprints_meeting(replace(near[0], strategy_id=far.strategy_id)) == near
        assert harness.store.fingerprints_meeting(other_data) == [other_data]
        assert harness.store.fingerprints_meeting(far) == [far]
        assert harness.store.fingerprints_meeting(other_kind) == []
        assert harness.store.has_fingerprints("minhash128/x", build.DATA)
        assert not harness.store.has_fingerprints("minhash128/y", build.DATA)
        assert not harness.store.has_fingerprints("minhash128/x", DataVersion("cd" * 32))
        with pytest.raises(InvalidInput, match="264 bytes, got 263"), harness.store.unit() as unit:
            unit.save_fingerprints([replace(far, value=far.value[1:], algorithm="minhash128/z")])

    def test_a_robustness_case_with_another_verdict_is_a_conflict(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            unit.save_robustness_cases([_case(world)])
            unit.commit()
        with pytest.raises(Conflict, match="passed"), harness.store.unit() as unit:
            unit.save_robustness_cases([_case(world, passed=False)])

    def test_a_conflict_names_ids_that_callers_know(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        first, second = (one.strategy_id for one in world.strategies[:2])
        tests = [one.backtest_id for one in world.backtests[:2]]
        day = datetime(2026, 1, 1, tzinfo=UTC)
        trade = ledger.LiveTrade("t1", first, "paper", "AAPL", -3.0, 9.5, 0.1, day)
        replay = ledger.Replay("r1", first, tests[0], build.START, build.END, True)
        mark = ledger.Fingerprint(first, "simhash_v1", build.DATA, b"\x00\x01")
        compared = r.EngineComparison(tests[0], tests[1], True, 0.0, 0.0, "same fills")
        with harness.store.unit() as unit:
            unit.save_live_trades([trade])
            unit.save_replays([replay])
            unit.save_fingerprints([mark])
            unit.save_comparisons([compared])
            unit.commit()
        stolen = f"is stored with strategy_id {first}, now offered with {second};"
        with pytest.raises(Conflict, match=f"live_trades: t1 {stolen}"), harness.store.unit() as unit:
            unit.save_live_trades([replace(trade, strategy_id=second)])
        with pytest.raises(Conflict, match=f"replays: r1 {stolen}"), harness.store.unit() as unit:
            unit.save_replays([replace(replay, strategy_id=second)])
        said = f"fingerprints: {first} is stored with value 0001, now offered with 0002;"
        with pytest.raises(Conflict, match=said), harness.store.unit() as unit:
            unit.save_fingerprints([replace(mark, value=b"\x00\x02")])
        said = f"engine_comparisons: {tests[0]} is stored with agree"
        with pytest.raises(Conflict, match=said), harness.store.unit() as unit:
            unit.save_comparisons([replace(compared, agree=False)])

    def test_a_report_names_one_subject(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with pytest.raises(InvalidInput, match="either"), harness.store.unit() as unit:
            unit.save_reports([ledger.Report()])

    def test_live_tiers_want_a_named_approver(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        first = world.strategies[0].strategy_id
        for tier in (Tier.T3, Tier.T4):
            made = ledger.Promotion(first, "PROMOTE", Tier.T2, tier, build.POLICY, ("x",))
            with pytest.raises(InvalidInput), harness.store.unit() as unit:
                unit.save_promotions([made])

    def test_state_changes_are_events_and_states(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        failure, member = world.failures[0], world.constraint_set.members[0]
        with harness.store.unit() as unit:
            unit.set_failure_state(ledger.FailureEvent(failure.failure_id, FailureState.RESOLVED, "fixed"))
            unit.set_constraint_status(
                ledger.ConstraintEvent(member.constraint_id, ConstraintStatus.INACTIVE, "no use")
            )
            unit.commit()
        assert harness.store.get_failure(failure.failure_id).state is FailureState.RESOLVED
        active = {one.constraint.constraint_id for one in harness.store.list_constraints()}
        every = {one.constraint.constraint_id for one in harness.store.list_constraints(active_only=False)}
        assert every - active == {member.constraint_id}
        assert harness.sql("SELECT state, reason FROM v_failure_events") == [("RESOLVED", "fixed")]
        assert harness.sql("SELECT status, reason FROM v_constraint_events") == [("INACTIVE", "no use")]

    def test_an_archived_set_is_no_longer_latest(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            unit.archive_constraint_set(world.constraint_set.constraint_set_id)
            unit.commit()
        assert harness.store.latest_constraint_set() is None

    def test_holdout_reads_are_counted_and_cannot_be_deleted(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        read = ledger.HoldoutRead(world.strategies[0].strategy_id, "final look", build.START, build.END)
        with harness.store.unit() as unit:
            unit.save_holdout_read(read)
            unit.save_holdout_read(read)
            unit.commit()
        assert harness.store.holdout_reads() == 2
        assert harness.store.holdout_reads(world.strategies[1].strategy_id) == 0
        with pytest.raises(harness.sql_error):
            harness.sql("DELETE FROM holdout_reads")

    def test_what_results_rest_on_is_named_by_snapshot_or_by_slice(self, harness: StoreHarness) -> None:
        assert harness.store.data_versions() == set()
        world = fill(harness.store)
        slices = {row.key.data_version for row in world.backtests if row.snapshot_version is None}
        named = {row.snapshot_version for row in world.backtests} - {None}
        assert harness.store.data_versions() == slices | named
        other = r.Snapshot(DataVersion("ab" * 32), "sample", 2, 100, build.START, build.END)
        with harness.store.unit() as unit:
            unit.save_snapshots([other])
            unit.commit()
        assert harness.store.data_versions() == slices | named | {other.data_version}

    def test_data_findings_belong_to_a_snapshot(self, harness: StoreHarness) -> None:
        fill(harness.store)
        finding = ledger.DataFinding(build.DATA, "AAPL", build.START, "gap", Severity.WARN, "one session")
        with pytest.raises(NotFound), harness.store.unit() as unit:
            unit.save_data_findings([finding])
        with harness.store.unit() as unit:
            unit.save_snapshots([r.Snapshot(build.DATA, "sample", 2, 100, build.START, build.END)])
            assert [unit.save_data_findings([finding]).new for _ in range(2)] == [1, 0]
            unit.commit()

    def test_stage_events_and_run_states_come_back_in_order(self, harness: StoreHarness) -> None:
        fill(harness.store)
        events = [
            r.StageEvent(build.run_id(), stage, "STAGE_COMPLETED", StageStatus.SUCCESS, 1, payload={"n": i})
            for i, stage in enumerate(("S20", "S30", "S50"))
        ]
        with harness.store.unit() as unit:
            unit.save_stage_events(events)
            unit.save_recall(ledger.Recall("data", build.DATA, "bad close", {"results": 3}))
            unit.commit()
        found = harness.store.list_stage_events(build.run_id())
        assert [(one.stage, one.payload) for one in found] == [
            ("S20", {"n": 0}),
            ("S30", {"n": 1}),
            ("S50", {"n": 2}),
        ]
        iterations = harness.store.list_iterations(build.run_id())
        assert [one.iteration_id for one in iterations] == [1, 2]
        assert iterations[0].summary == {"evaluated": 12}
        assert iterations[0].ended_at is not None
        assert iterations[0].ended_at > iterations[0].started_at
