"""Reads, each against what plain Python says of the same records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import FailureKey, IdKind, LeaderboardFilter, LeaderboardOrder, LeaderboardRow
from quantrail.domain.enums import EngineMode, Tier, TrialArm, TrialDoor, TrialOutcome
from quantrail.domain.ids import BacktestId
from quantrail.errors import InvalidInput, NotFound
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill, register, save_results


class Queries:
    def test_the_leaderboard_shows_b_where_there_is_b_and_else_a(self, harness: StoreHarness) -> None:
        world = fill(harness.store, 40)
        verified = {one.key.strategy_id for one in world.verified}
        rows = harness.store.leaderboard(limit=100).rows
        assert len(rows) == 40
        assert {one.strategy_id for one in rows if one.engine_mode is EngineMode.B} == verified
        assert [one.score_total for one in rows] == sorted((one.score_total for one in rows), reverse=True)

    def test_pages_of_the_leaderboard_join_up_whatever_their_size(self, harness: StoreHarness) -> None:
        fill(harness.store, 40)
        whole = [one.backtest_id for one in harness.store.leaderboard(limit=100)]
        for order in LeaderboardOrder:
            whole = [one.backtest_id for one in harness.store.leaderboard(order=order, limit=100)]
            for size in (1, 7, 40):
                found, cursor = [], None
                while True:
                    page = harness.store.leaderboard(order=order, limit=size, cursor=cursor)
                    found += [one.backtest_id for one in page]
                    cursor = page.cursor
                    if cursor is None:
                        break
                assert found == whole, (order, size)

    def test_every_filter_of_the_leaderboard_agrees_with_filtering_by_hand(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store, 40)
        with harness.store.unit() as unit:
            unit.save_promotions([_promotion(world.strategies[1], Tier.T1)])
            unit.commit()
        every = {one.backtest_id: one for one in harness.store.leaderboard(limit=1000).rows}
        cases: list[tuple[LeaderboardFilter, Callable[[LeaderboardRow], bool]]] = [
            (LeaderboardFilter(template_id=build.TEMPLATES[1]),
            lambda one: one.template_id == build.TEMPLATES[1]),
            (LeaderboardFilter(tier=Tier.T1), lambda one: one.tier is Tier.T1),
            (LeaderboardFilter(tier=Tier.T0), lambda one: one.tier is Tier.T0),
            (LeaderboardFilter(passed=True), lambda one: one.passed),
            (LeaderboardFilter(run_id=build.run_id()), lambda one: True),
            (LeaderboardFilter(market="XNYS"), lambda one: True),
            (LeaderboardFilter(market="XKRX"), lambda one: False),
            (LeaderboardFilter(strategy_id=world.strategies[5].strategy_id),
             lambda one: one.strategy_id == world.strategies[5].strategy_id),
            (LeaderboardFilter(metrics={"sharpe_net": (0.0, 1.0)}),
             lambda one: 0.0 <= (one.metrics["sharpe_net"] or 0.0) <= 1.0),
            (LeaderboardFilter(metrics={"trades": (40, None)}),
            lambda one: (one.metrics["trades"] or 0) >= 40),
        ]  # fmt: skip
        for where, holds in cases:
            found = {one.backtest_id for one in harness.store.leaderboard(where, limit=1000)}
            assert found == {key for key, one in every.items() if holds(one)}, where
        screened = harness.store.leaderboard(LeaderboardFilter(engine_mode=EngineMode.A), limit=1000)
        assert {one.backtest_id for one in screened} == {one.backtest_id for one in world.backtests}

    def test_a_tier_lists_its_strategies_scores_whenever_they_came(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        one, two = world.strategies[5], world.strategies[7]
        with harness.store.unit() as unit:
            register(unit, 1)
            unit.save_promotions([_promotion(one, Tier.T1), _promotion(two, Tier.T1)])
            unit.commit()
        with harness.store.unit() as unit:
            unit.save_promotions([replace(_promotion(two, Tier.T2), tier_from=Tier.T1)])
            later = unit.insert_backtest(build.backtest(one, 90, EngineMode.B))
            unit.save_metrics(build.metrics(later, 90))
            unit.save_score(build.score(later, 90))
            unit.commit()

        def listed(where: LeaderboardFilter) -> list[BacktestId]:
            return [row.backtest_id for row in harness.store.leaderboard(where)]

        first, second = world.backtests[5].backtest_id, world.backtests[7].backtest_id
        assert listed(LeaderboardFilter(tier=Tier.T1)) == [later]
        assert listed(LeaderboardFilter(tier=Tier.T1, engine_mode=EngineMode.A)) == [first]
        assert listed(LeaderboardFilter(tier=Tier.T2)) == [second]
        assert listed(LeaderboardFilter(tier=Tier.T2, run_id=build.run_id())) == [second]
        assert listed(LeaderboardFilter(tier=Tier.T2, run_id=build.run_id(1))) == []
        assert listed(LeaderboardFilter(tier=Tier.T2, metrics={"trades": (1e9, None)})) == []
        assert not {first, second, later} & set(listed(LeaderboardFilter(tier=Tier.T0)))
        harness.sql("DELETE FROM strategy_tiers")
        assert listed(LeaderboardFilter(tier=Tier.T1)) == listed(LeaderboardFilter(tier=Tier.T2)) == []
        assert {second, later} <= set(listed(LeaderboardFilter(tier=Tier.T0)))

    def test_undefined_values_come_last(self, harness: StoreHarness) -> None:
        fill(harness.store)
        fresh = build.strategy(400)
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            backtest_id = unit.insert_backtest(build.backtest(fresh, 400))
            made = build.metrics(backtest_id)
            undefined = {**made.undefined, "sharpe_net": "constant returns"}
            unit.save_metrics(
                [replace(made, values={**made.values, "sharpe_net": None}, undefined=undefined)]
            )
            unit.save_scores([build.score(backtest_id)])
            unit.commit()
        rows = harness.store.leaderboard(order=LeaderboardOrder.SHARPE, limit=100).rows
        assert rows[-1].backtest_id == backtest_id
        assert rows[-1].metrics["sharpe_net"] is None

    def test_a_later_run_that_met_cached_backtests_lists_them_as_its_own(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            register(unit, 1)
            met = build.trial(
                world.strategies[0], 0, world.backtests[0].backtest_id, TrialOutcome.CACHED, run_number=1
            )
            unit.save_trials([met])
            unit.commit()
        where = LeaderboardFilter(run_id=build.run_id(1), engine_mode=EngineMode.A)
        assert [one.backtest_id for one in harness.store.leaderboard(where)] == [
            world.backtests[0].backtest_id
        ]
        assert harness.store.list_backtests(run_id=build.run_id(1)) == [world.backtests[0].backtest_id]

    def test_a_cursor_of_another_order_is_refused(self, harness: StoreHarness) -> None:
        fill(harness.store)
        cursor = harness.store.leaderboard(limit=2).cursor
        with pytest.raises(InvalidInput, match="cursor"):
            harness.store.leaderboard(order=LeaderboardOrder.SHARPE, cursor=cursor)
        with pytest.raises(InvalidInput, match="cursor"):
            harness.store.leaderboard(cursor="nonsense")

    @pytest.mark.parametrize("by", list(FailureKey))
    def test_repeated_failures_agree_with_counting_by_hand(
        self, harness: StoreHarness, by: FailureKey
    ) -> None:
        world = fill(harness.store, 25)
        names = {one.strategy_id: one for one in world.strategies}
        of = {one.backtest_id: names[one.key.strategy_id] for one in world.backtests}
        counted: dict[str, int] = {}
        for one in world.failures:
            keys = {
                FailureKey.TAG: one.tags, FailureKey.CATEGORY: (one.category.value,),
                FailureKey.TEMPLATE: (str(of[one.backtest_id].template_id),),
                FailureKey.ATOM: of[one.backtest_id].atoms,
            }[by]  # fmt: skip
            for key in keys:
                counted[key] = counted.get(key, 0) + 1
        expected = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:3]
        for run_id in (None, build.run_id()):
            found = harness.store.repeated_failures(3, by, run_id)
            assert [(one.key, one.count) for one in found] == expected

    def test_lineage_leads_from_a_failure_to_the_candidates_it_blocked(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        found = harness.store.lineage(IdKind.FAILURE, world.failures[0].failure_id)
        ids = {(one.kind, one.id) for one in found.nodes}
        assert {("trial", one.trial_id) for one in world.blocked} <= ids
        assert ("constraint", world.constraint_set.members[0].constraint_id) in ids
        assert ("strategy", world.strategies[0].strategy_id) in ids
        assert ("run", build.run_id()) in ids

    def test_lineage_leads_from_a_strategy_to_scores_and_promotion(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            unit.save_promotions([_promotion(world.strategies[0], Tier.T1)])
            unit.commit()
        found = harness.store.lineage(IdKind.STRATEGY, world.strategies[0].strategy_id)
        assert {"backtest", "score", "failure", "promotion"} <= {one.kind for one in found.nodes}
        keys = {f"{one.kind}:{one.id}" for one in found.nodes}
        assert all({cause, effect} <= keys for cause, effect, _ in found.edges)

    def test_a_promotion_moves_the_tier_and_holding_does_not(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            unit.save_promotions(
                [_promotion(world.strategies[0], Tier.T1), _promotion(world.strategies[1], Tier.T0)]
            )
            unit.commit()
        assert harness.store.get_strategy(world.strategies[0].strategy_id).tier is Tier.T1
        assert harness.store.get_strategy(world.strategies[1].strategy_id).tier is Tier.T0

    def test_history_and_compare_return_whole_records_in_order(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        history = harness.store.strategy_history(world.strategies[0].strategy_id)
        assert [one.backtest_id for one in history] == [
            world.backtests[0].backtest_id, world.verified[0].backtest_id
        ]  # fmt: skip
        assert history[0].failures == (world.failures[0],)
        wanted = [world.backtests[3].backtest_id, world.backtests[1].backtest_id]
        assert [one.backtest_id for one in harness.store.compare(wanted)] == wanted
        with pytest.raises(NotFound):
            harness.store.compare([build.backtest(build.strategy(950)).backtest_id])

    def test_trials_count_distinct_strategies_of_one_market_and_time(self, harness: StoreHarness) -> None:
        world = fill(harness.store, 10)
        count = harness.store.trial_count(build.UNIVERSE, build.START, build.END)
        assert (count.market_overlap, count.exact_window, count.looks) == (10, 10, 10)
        moved = harness.store.trial_count(build.UNIVERSE, build.START, build.START)
        assert (moved.market_overlap, moved.exact_window) == (10, 0)
        with harness.store.unit() as unit:
            stress = replace(
                build.trial(world.strategies[0], 50, world.backtests[0].backtest_id), door=TrialDoor.STRESS
            )
            again = build.trial(world.strategies[0], 51, world.backtests[0].backtest_id, TrialOutcome.CACHED)
            unit.save_trials([stress, again])
            unit.commit()
        count = harness.store.trial_count(build.UNIVERSE, build.START, build.END)
        assert (count.market_overlap, count.looks) == (10, 11)
        earlier = harness.store.trial_count(build.UNIVERSE, build.START, build.END, before_run=build.run_id())
        assert earlier.market_overlap == 0

    def test_trials_are_counted_up_to_a_run_and_besides_a_strategy(self, harness: StoreHarness) -> None:
        world = fill(harness.store, 10)
        later = build.run_id(7)
        with harness.store.unit() as unit:
            unit.insert_run(build.run(7))
            unit.insert_iteration(r.Iteration(later, 1))
            fresh = build.strategy(970)
            unit.upsert_strategies([fresh])
            result = build.backtest(fresh, 970)
            unit.insert_backtests([result])
            unit.save_trials([build.trial(fresh, 70, result.backtest_id, run_number=7)])
            unit.commit()

        def count(**limits: Any) -> int:
            return harness.store.trial_count(build.UNIVERSE, build.START, build.END, **limits).market_overlap

        assert (count(), count(up_to_run=later)) == (11, 11)
        assert (count(up_to_run=build.run_id()), count(before_run=later)) == (10, 10)
        assert count(besides=world.strategies[0].strategy_id) == 10
        assert count(up_to_run=build.run_id(), besides=fresh.strategy_id) == 10

    def test_has_this_been_tried_tells_results_failures_and_what_forbids_it(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store)
        found = harness.store.tried(world.strategies[0].strategy_id)
        assert found.known
        assert found.backtests == (world.backtests[0].backtest_id, world.verified[0].backtest_id)
        assert found.blocked_by == (world.constraint_set.members[0].constraint_id,)
        assert found.failure_tags == dict.fromkeys(world.failures[0].tags, 1)
        unknown = harness.store.tried(build.strategy(960).strategy_id, world.strategies[2].logic_hash)
        assert not unknown.known
        assert unknown.same_logic == (world.strategies[2].strategy_id,)

    def test_what_each_constraint_blocked_is_counted_per_arm(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        first = world.constraint_set.members[0].constraint_id
        (count,) = harness.store.block_counts(build.run_id())
        assert (count.constraint_id, count.arm, count.trials) == (first, TrialArm.MAIN, 3)
        blocked = harness.store.blocked_trials(first)
        assert [one.trial_id for one in blocked] == [one.trial_id for one in world.blocked]
        assert all(one.sole_blocker for one in blocked)

    def test_a_unique_prefix_finds_the_record_and_a_shared_one_names_the_matches(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store, 30)
        backtest_id = world.backtests[0].backtest_id
        assert harness.store.resolve(backtest_id[:20]) == (IdKind.BACKTEST, backtest_id)
        strategy_id = world.strategies[0].strategy_id
        assert harness.store.resolve(strategy_id[:16].upper(), IdKind.STRATEGY) == (
            IdKind.STRATEGY,
            strategy_id,
        )
        with harness.store.unit() as unit:
            register(unit, 1)
            register(unit, 2)
            unit.commit()
        with pytest.raises(InvalidInput, match=build.run_id(1)):
            harness.store.resolve(build.run_id()[:5])
        with pytest.raises(NotFound):
            harness.store.resolve("00000000")
        with pytest.raises(InvalidInput):
            harness.store.resolve("zz")

    def test_constraint_sets_come_back_equal_and_the_newest_active_one_is_latest(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store)
        stored = harness.store.get_constraint_set(world.constraint_set.constraint_set_id)
        assert stored.set == world.constraint_set
        latest = harness.store.latest_constraint_set()
        assert latest is not None
        assert latest.set == world.constraint_set
        ids = [one.constraint.constraint_id for one in harness.store.list_constraints()]
        assert sorted(ids) == sorted(one.constraint_id for one in world.constraint_set.members)

    def test_usage_counts_of_the_library_follow_the_strategies(self, harness: StoreHarness) -> None:
        world = fill(harness.store, 13)
        used = {one.template_id: n for one, n in harness.store.list_templates()}
        assert used == {
            name: sum(s.template_id == name for s in world.strategies) for name in build.TEMPLATES
        }
        atoms = {one.atom_id: n for one, n in harness.store.list_atoms()}
        assert atoms == {name: sum(name in s.atoms for s in world.strategies) for name in build.ATOMS}

    def test_the_views_speak_the_specification_s_names(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        first = world.backtests[0]
        (row,) = harness.sql(
            "SELECT strategy_id, engine_mode, data_version, model_versions_json, calc_contract_json, run_id, "
            f"iteration_id, artifacts_dir FROM v_backtests WHERE backtest_id = '{first.backtest_id}'"
        )
        assert row[0] == first.key.strategy_id
        assert row[1:3] == ("A", build.DATA)
        assert '"bps_per_side_v1"' in row[3]
        assert '"initial_capital":100000.0' in row[4]
        assert row[5:] == (build.run_id(), 1, "artifacts/batch.parquet#0")
        (provenance,) = harness.sql(
            "SELECT failure_id FROM v_constraint_provenance WHERE constraint_id = "
            f"'{world.constraint_set.members[0].constraint_id}'"
        )
        assert provenance[0] == world.failures[0].failure_id

    def test_comparisons_reproductions_and_events_come_back(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        pair = r.EngineComparison(
            world.backtests[0].backtest_id, world.verified[0].backtest_id, False, 0.01, -12.5, "rounding",
            {"trade": 3},
        )  # fmt: skip
        again = ledger.Reproduction(
            world.backtests[0].backtest_id, True, None, build.result_hash(0), build.result_hash(0), "abc1234"
        )
        with harness.store.unit() as unit:
            unit.save_comparisons([pair])
            unit.save_reproductions([again])
            unit.commit()
        assert harness.store.comparisons_of(pair.backtest_b) == [pair]
        assert harness.store.list_reproductions(again.backtest_id) == [again]

    def test_results_saved_in_many_small_batches_equal_one_large_batch(self, harness: StoreHarness) -> None:
        strategies = [build.strategy(i) for i in range(30)]
        with harness.store.unit() as unit:
            register(unit)
            unit.commit()
        for start in range(0, 30, 7):
            with harness.store.unit() as unit:
                save_results(unit, strategies[start : start + 7], start)
                unit.commit()
        rows = harness.store.leaderboard(limit=100).rows
        expected = sorted((build.score(BacktestId("x"), i).score_total for i in range(30)), reverse=True)
        assert [one.score_total for one in rows] == expected


def _promotion(of: r.Strategy, tier: Tier) -> ledger.Promotion:
    decision = "PROMOTE" if tier is not Tier.T0 else "HOLD"
    return ledger.Promotion(of.strategy_id, decision, Tier.T0, tier, build.POLICY, ("backtest",))
