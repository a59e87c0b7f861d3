"""Same content, same row; same key with other content, Conflict and nothing changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantrail.domain import records as r
from quantrail.domain.answers import FailureKey
from quantrail.domain.enums import BacktestStatus, TrialOutcome
from quantrail.errors import Conflict, InvalidInput, NotFound
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill


class IdentityRules:
    def test_same_strategy_same_contract_is_stored_once(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        before = harness.store.counts()
        with harness.store.unit() as unit:
            assert unit.upsert_strategies(world.strategies).new == 0
            assert unit.insert_backtests(world.backtests).known == len(world.backtests)
            unit.commit()
        assert harness.store.counts() == before

    def test_each_write_says_per_record_whether_it_was_new(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        mixed = [world.strategies[0], build.strategy(900), world.strategies[1], build.strategy(900)]
        with harness.store.unit() as unit:
            assert unit.upsert_strategies(mixed).is_new == (False, True, False, False)

    def test_another_result_under_a_known_key_names_both_and_changes_nothing(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store)
        other = replace(world.backtests[0], result_hash=build.result_hash(999))
        with pytest.raises(Conflict) as caught, harness.store.unit() as unit:
            unit.insert_backtests([other])
        assert str(world.backtests[0].result_hash) in caught.value.message
        assert str(other.result_hash) in caught.value.message
        assert harness.store.get_backtest(other.backtest_id).result_hash == world.backtests[0].result_hash

    def test_other_metrics_under_a_known_backtest_are_a_conflict(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        before = harness.store.get_backtest(world.backtests[0].backtest_id).metrics
        with pytest.raises(Conflict, match="sharpe_net"), harness.store.unit() as unit:
            changed = build.metrics(world.backtests[0].backtest_id, 0)
            unit.save_metrics([replace(changed, values={**changed.values, "sharpe_net": 9.0})])
        assert harness.store.get_backtest(world.backtests[0].backtest_id).metrics == before

    def test_the_same_metrics_scores_and_failures_again_are_known(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            ids = [one.backtest_id for one in world.backtests]
            assert unit.save_metrics([build.metrics(one, i) for i, one in enumerate(ids)]).new == 0
            assert unit.save_scores([build.score(one, i) for i, one in enumerate(ids)]).new == 0
            assert unit.save_failures(world.failures).new == 0
            assert unit.save_trials(world.trials).new == 0

    def test_a_cached_backtest_may_be_scored_under_a_later_policy(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        with harness.store.unit() as unit:
            unit.save_policies([r.Policy("score_v2", "score", {})])
            later = replace(build.score(world.backtests[0].backtest_id), policy_version="score_v2")
            assert unit.save_scores([later]).new == 1
            unit.commit()
        scores = harness.store.get_backtest(world.backtests[0].backtest_id).scores
        assert [one.policy_version for one in scores] == [build.POLICY, "score_v2"]

    def test_a_frozen_policy_with_another_body_is_a_conflict(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with pytest.raises(Conflict, match="body_json"), harness.store.unit() as unit:
            unit.save_policies([r.Policy(build.POLICY, "score", {"weights": {}})])

    def test_an_id_that_is_not_the_hash_of_the_spec_is_refused(self, harness: StoreHarness) -> None:
        lying = replace(build.strategy(1), strategy_id=build.strategy(2).strategy_id)
        with pytest.raises(InvalidInput, match="not the hash"), harness.store.unit() as unit:
            unit.upsert_strategy(lying)

    def test_a_backtest_id_that_is_not_that_of_its_key_is_refused(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        lying = replace(world.backtests[0], backtest_id=world.backtests[1].backtest_id)
        with pytest.raises(InvalidInput, match="not that of its key"), harness.store.unit() as unit:
            unit.insert_backtest(lying)

    def test_a_success_replaces_an_earlier_failure_and_not_the_reverse(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        fresh = build.strategy(500)
        done = build.backtest(fresh, 500)
        failed = replace(done, status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT")
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            assert unit.insert_backtests([failed]).new == 1
            assert unit.insert_backtests([done]).new == 1
            assert unit.insert_backtests([failed]).new == 0
            unit.commit()
        stored = harness.store.get_backtest(done.backtest_id)
        assert (stored.status, stored.error_code) == (BacktestStatus.DONE, None)
        assert harness.store.get_backtest(world.backtests[0].backtest_id).status is BacktestStatus.DONE

    def test_a_batch_that_names_a_backtest_twice_stores_what_one_after_the_other_would(
        self, harness: StoreHarness
    ) -> None:
        fill(harness.store)
        fresh, other = build.strategy(500), build.strategy(501)
        done, second = build.backtest(fresh, 500), build.backtest(other, 501)
        failed = replace(done, status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT")
        with harness.store.unit() as unit:
            unit.upsert_strategies([fresh, other, fresh])
            written = unit.insert_backtests([failed, second, done, failed, second])
            unit.commit()
        assert written.is_new == (True, True, True, False, False)
        stored = harness.store.get_backtest(done.backtest_id)
        assert (stored.status, stored.error_code) == (BacktestStatus.DONE, None)

    def test_a_batch_with_two_results_of_a_backtest_that_had_failed_is_a_conflict(
        self, harness: StoreHarness
    ) -> None:
        fill(harness.store)
        of = build.strategy(500)
        done, other = build.backtest(of, 500), build.backtest(of, 501)
        failed = replace(done, status=BacktestStatus.FAILED, result_hash=None, error_code="TIMEOUT")
        with harness.store.unit() as unit:
            unit.upsert_strategies([of])
            unit.insert_backtests([failed])
            unit.commit()
        for batch in ([done, other], [failed, done, other]):
            with pytest.raises(Conflict) as caught, harness.store.unit() as unit:
                unit.insert_backtests(batch)
            assert str(done.result_hash) in caught.value.message
            assert str(other.result_hash) in caught.value.message
        assert harness.store.get_backtest(done.backtest_id).status is BacktestStatus.FAILED

    def test_a_conflict_names_the_backtest_whose_numbers_differ(self, harness: StoreHarness) -> None:
        whose = fill(harness.store).backtests[3].backtest_id
        with pytest.raises(Conflict, match=f"metrics: {whose} is stored"), harness.store.unit() as unit:
            unit.save_metrics([build.metrics(whose, 4)])
        with pytest.raises(Conflict, match=f"scores: {whose} is stored"), harness.store.unit() as unit:
            unit.save_scores([build.score(whose, 4)])

    def test_of_a_strategy_that_a_batch_names_twice_the_first_is_stored(self, harness: StoreHarness) -> None:
        first = build.strategy(500)
        with harness.store.unit() as unit:
            unit.save_templates(build.templates())
            unit.save_atoms(build.atoms())
            unit.upsert_strategies([first, replace(first, params={"period": -1}, name="again")])
            unit.commit()
        assert harness.store.get_strategy(first.strategy_id).strategy == first

    def test_resuming_meets_its_own_trials_instead_of_recounting_them(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        again = replace(world.trials[0], outcome=TrialOutcome.CACHED)
        before = harness.store.trial_count(build.UNIVERSE, build.START, build.END)
        with harness.store.unit() as unit:
            assert unit.save_trials([again]).new == 0
            unit.commit()
        assert harness.store.trial_count(build.UNIVERSE, build.START, build.END) == before

    def test_another_strategy_under_a_known_trial_is_a_conflict(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        stolen = replace(world.trials[0], strategy_id=world.strategies[1].strategy_id)
        first, second = (one.strategy_id for one in world.strategies[:2])
        said = f"trials: {stolen.trial_id} is stored with strategy_id {first}, now offered with {second};"
        with pytest.raises(Conflict, match=said) as caught, harness.store.unit() as unit:
            unit.save_trials([stolen])
        assert caught.value.context == {
            "table": "trials", "key": stolen.trial_id, "column": "strategy_id", "stored": first,
            "offered": second,
        }  # fmt: skip

    def test_references_to_what_is_not_there_name_the_missing_thing(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        stranger = build.backtest(build.strategy(800), 800)
        with pytest.raises(NotFound, match=stranger.key.strategy_id), harness.store.unit() as unit:
            unit.insert_backtests([stranger])
        with pytest.raises(NotFound, match=stranger.backtest_id), harness.store.unit() as unit:
            unit.save_metrics([build.metrics(stranger.backtest_id)])
        with pytest.raises(NotFound, match="unknown_v9"), harness.store.unit() as unit:
            unit.save_scores([build.score(world.backtests[0].backtest_id, policy_version="unknown_v9")])

    def test_tags_are_counted_once_however_often_a_failure_is_saved(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        expected: dict[str, int] = {}
        for one in world.failures:
            for tag in one.tags:
                expected[tag] = expected.get(tag, 0) + 1
        with harness.store.unit() as unit:
            unit.save_failures(world.failures)
            unit.commit()
        found = harness.store.repeated_failures(100, FailureKey.TAG)
        assert {one.key: one.count for one in found} == expected
        assert [one.count for one in found] == sorted(expected.values(), reverse=True)

    def test_a_template_or_an_atom_that_the_library_lacks_is_refused(self, harness: StoreHarness) -> None:
        fill(harness.store)
        before = harness.store.counts()
        for name, change in (
            ("NO_SUCH", {"template_id": "NO_SUCH"}),
            ("entry.none", {"atoms": ("entry.none",)}),
        ):
            with pytest.raises(NotFound, match=name), harness.store.unit() as unit:
                unit.upsert_strategy(build.strategy(50, **change))
        assert harness.store.counts() == before
