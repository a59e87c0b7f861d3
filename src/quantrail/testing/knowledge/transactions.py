"""The unit of work: all or nothing, visible only after the commit."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest

from quantrail.errors import Conflict, InvalidInput
from quantrail.strategy import canonicalise, template_spec
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill, register, save_results


class _Stop(Exception):
    pass


class Transactions:
    def test_leaving_without_commit_undoes_everything(self, harness: StoreHarness) -> None:
        fill(harness.store)
        before = harness.store.counts()
        with harness.store.unit() as unit:
            register(unit, 1)
            save_results(unit, [build.strategy(100)], 100)
        assert harness.store.counts() == before

    def test_an_error_inside_undoes_everything(self, harness: StoreHarness) -> None:
        fill(harness.store)
        before = harness.store.counts()
        with pytest.raises(_Stop), harness.store.unit() as unit:
            save_results(unit, [build.strategy(100)], 100)
            raise _Stop
        assert harness.store.counts() == before

    def test_what_a_rolled_back_unit_interned_is_not_trusted_later(self, harness: StoreHarness) -> None:
        fill(harness.store)
        told = build.failure(build.backtest(build.strategy(0)).backtest_id, 2, tags=("BRAND_NEW",))
        with harness.store.unit() as unit:
            unit.save_failures([told])
        with harness.store.unit() as unit:
            assert unit.save_failures([told]).new == 1
            unit.commit()
        assert "BRAND_NEW" in {one.key for one in harness.store.repeated_failures(100)}

    def test_readers_see_committed_work_only(self, harness: StoreHarness) -> None:
        fill(harness.store)
        fresh = build.strategy(100)
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            assert harness.store.known_strategies([fresh.strategy_id]) == set()
            unit.commit()
        assert harness.store.known_strategies([fresh.strategy_id]) == {fresh.strategy_id}

    def test_a_spent_or_committed_unit_refuses_further_writes(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with harness.store.unit() as unit:
            unit.commit()
            with pytest.raises(InvalidInput, match="committed"):
                unit.upsert_strategy(build.strategy(100))
        with harness.store.unit() as unit:
            with pytest.raises(InvalidInput):
                unit.save_scores(
                    [build.score(build.backtest(build.strategy(0)).backtest_id, score_total=2.0)]
                )
            with pytest.raises(InvalidInput, match="spent"):
                unit.commit()

    def test_a_unit_whose_block_has_ended_touches_no_later_one(self, harness: StoreHarness) -> None:
        fill(harness.store)
        before = harness.store.counts()
        with harness.store.unit() as old:
            pass
        with pytest.raises(_Stop), harness.store.unit() as failed:
            raise _Stop
        for ended in (old, failed):
            with pytest.raises(InvalidInput, match="block has ended"):
                ended.upsert_strategy(build.strategy(100))
            with pytest.raises(_Stop), harness.store.unit() as unit:
                unit.upsert_strategy(build.strategy(100))
                with pytest.raises(InvalidInput, match="block has ended"):
                    ended.commit()
                raise _Stop
        assert harness.store.counts() == before

    def test_work_is_there_after_reopening(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        other = harness.reopen()
        assert other.counts() == harness.store.counts()
        assert other.get_backtest(world.backtests[0].backtest_id) == harness.store.get_backtest(
            world.backtests[0].backtest_id
        )
        other.close()

    def test_writers_on_several_threads_take_turns(self, harness: StoreHarness) -> None:
        fill(harness.store, 3)
        errors: list[Exception] = []

        def write(number: int) -> None:
            try:
                for step in range(5):
                    with harness.store.unit() as unit:
                        save_results(unit, [build.strategy(1000 + number * 10 + step)], number * 10 + step)
                        unit.commit()
            except Exception as error:  # noqa: BLE001  # a thread's border
                errors.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert errors == []
        assert harness.store.counts()["strategies"] == 3 + 20

    def test_a_durable_unit_is_a_unit_like_any_other(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with harness.store.unit(durable=True) as unit:
            unit.upsert_strategy(build.strategy(100))
            unit.commit()
        assert harness.store.known_strategies([build.strategy(100).strategy_id]) != set()

    def test_single_forms_write_what_the_batch_forms_write(self, harness: StoreHarness) -> None:
        fill(harness.store)
        one, two = build.strategy(100), build.strategy(101)
        first, second = build.backtest(one, 100), build.backtest(two, 101)
        failure = build.failure(first.backtest_id, 3)
        with harness.store.unit() as unit:
            assert unit.upsert_strategy(one).is_new == (True,)
            assert unit.insert_backtest(first) == first.backtest_id
            assert unit.save_metrics(build.metrics(first.backtest_id, 100)).is_new == (True,)
            assert unit.save_score(build.score(first.backtest_id, 100)).is_new == (True,)
            assert unit.save_failures([failure]).is_new == (True,)
            assert unit.save_trial(build.trial(one, 100, first.backtest_id)).is_new == (True,)
            save_results(unit, [two], 101)
            unit.commit()
        single, batch = (harness.store.get_backtest(each.backtest_id) for each in (first, second))
        assert single.metrics == build.metrics(first.backtest_id, 100)
        assert single.scores == (build.score(first.backtest_id, 100),)
        assert single.failures == (failure,)
        assert (single.run_id, single.iteration_id) == (batch.run_id, batch.iteration_id)
        assert single.created_at <= batch.created_at
        with harness.store.unit() as unit:
            assert unit.save_metrics(build.metrics(first.backtest_id, 100)).is_new == (False,)
            assert unit.save_score(build.score(first.backtest_id, 100)).is_new == (False,)
            assert unit.save_trial(build.trial(one, 100, first.backtest_id)).is_new == (False,)

    def test_a_large_batch_stores_each_record_as_it_was_handed_in(self, harness: StoreHarness) -> None:
        fill(harness.store)
        strategies = [build.strategy(number) for number in range(100, 250)]
        with harness.store.unit() as unit:
            tests = save_results(unit, strategies, 100)
            failures = [build.failure(one.backtest_id, 3) for one in tests]
            assert unit.save_failures(failures).is_new == (True,) * 150
            unit.commit()
        for at in (0, 1, 63, 64, 127, 128, 149):
            stored = harness.store.get_backtest(tests[at].backtest_id)
            assert stored.key == tests[at].key
            assert stored.metrics == build.metrics(tests[at].backtest_id, 100 + at)
            assert stored.scores == (build.score(tests[at].backtest_id, 100 + at),)
            assert stored.failures == (failures[at],)

    def test_one_bad_record_amid_a_large_batch_undoes_all_of_it(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        before = harness.store.counts()
        strategies = [build.strategy(number) for number in range(100, 250)]
        with pytest.raises(Conflict), harness.store.unit() as unit:
            tests = save_results(unit, strategies, 100)
            trials = [build.trial(s, 100 + i, b.backtest_id) for i, (s, b) in
                      enumerate(zip(strategies, tests, strict=True))]  # fmt: skip
            trials[90] = replace(trials[90], ordinal=world.trials[0].ordinal)
            unit.save_trials(trials)
        assert harness.store.counts() == before

    def test_records_of_one_unit_meet_each_other(self, harness: StoreHarness) -> None:
        """What is new in a transaction is not looked up; what it wrote itself must still be known."""
        fill(harness.store)
        strategies = [build.strategy(number) for number in range(100, 104)]
        with harness.store.unit() as unit:
            tests = save_results(unit, strategies, 100)
            ids = [one.backtest_id for one in tests]
            failures = [build.failure(one, 3) for one in ids]
            assert unit.save_failures(failures).new == 4
            assert unit.insert_backtests(tests).new == 0
            assert unit.save_metrics([build.metrics(one, 100 + i) for i, one in enumerate(ids)]).new == 0
            assert unit.save_scores([build.score(one, 100 + i) for i, one in enumerate(ids)]).new == 0
            assert unit.save_failures(failures).new == 0
            unit.upsert_strategy(build.strategy(104))
            twice = build.backtest(build.strategy(104), 104)
            assert unit.insert_backtests([twice, twice]).is_new == (True, False)
            unit.commit()
        with pytest.raises(Conflict), harness.store.unit() as unit:
            fresh = build.strategy(300)
            unit.upsert_strategy(fresh)
            first = build.backtest(fresh, 300)
            unit.insert_backtest(first)
            unit.insert_backtest(replace(first, result_hash=build.result_hash(999)))

    def test_units_of_two_stores_taking_turns_never_hand_out_a_key_twice(self, harness: StoreHarness) -> None:
        fill(harness.store)
        others = harness.reopen()
        for number in range(100, 106):
            store = (harness.store, others)[number % 2]
            with store.unit() as unit:
                save_results(unit, [build.strategy(number)], number)
                unit.commit()
            with store.unit() as unit:  # keys handed out here are free again
                save_results(unit, [build.strategy(number + 100)], number + 100)
        assert harness.store.counts()["strategies"] == 12 + 6
        undone = [build.strategy(number).strategy_id for number in range(200, 206)]
        assert harness.store.known_strategies(undone) == set()
        others.close()

    def test_specs_come_back_byte_for_byte_whatever_they_share(self, harness: StoreHarness) -> None:
        fill(harness.store)
        symbols = [f"SYM{i:02d}" for i in range(30)]
        alike = [_template_spec(symbols, short) for short in range(5, 9)]
        odd = [
            b"{}",
            '{"features":{},"nan_policy":"\ud55c","schema_version":"1.0"}'.encode(),
            alike[0].replace(b'"nan_policy":', b'"x":{"a":1,"features":2,"nan_policy":3},"nan_policy":'),
            b'{"schema_version":"' + b"9" * 300 + b'","features":' + b"1" * 300 + b',"nan_policy":0}',
        ]
        specs = [
            build.strategy(500 + i, normalized_spec_json=text, strategy_id=hashlib.sha256(text).hexdigest())
            for i, text in enumerate([*alike, *odd])
        ]
        with harness.store.unit() as unit:
            unit.upsert_strategies(specs[:3])
            unit.upsert_strategy(specs[3])
            unit.upsert_strategies(specs[4:])
            unit.commit()
        for one in specs:
            found = harness.store.get_strategy(one.strategy_id).strategy
            assert found.normalized_spec_json == one.normalized_spec_json
        rows = harness.sql("SELECT strategy_id, normalized_spec_json FROM v_strategies")
        whole = {row[0]: row[1] for row in rows}
        assert {one.strategy_id: one.normalized_spec_json.decode() for one in specs}.items() <= whole.items()
        own = harness.sql("SELECT max(length(normalized_spec_json)) FROM strategies WHERE head_text_pk > 0")
        assert own[0][0] < len(alike[0]) - 300  # what they share is stored once

    def test_ends_of_specs_are_shared_where_only_the_shorter_one_is_there(
        self, harness: StoreHarness
    ) -> None:
        texts = [f'{{"features":{i},"schema_version":"{"9" * 300}"}}'.encode() for i in range(3)]
        specs = [
            build.strategy(i, normalized_spec_json=text, strategy_id=hashlib.sha256(text).hexdigest())
            for i, text in enumerate(texts)
        ]
        with harness.store.unit() as unit:
            register(unit)
            unit.upsert_strategies(specs)
            unit.commit()
        assert harness.sql("SELECT max(length(normalized_spec_json)) FROM strategies")[0][0] < 100
        for one, text in zip(specs, texts, strict=True):
            assert harness.store.get_strategy(one.strategy_id).strategy.normalized_spec_json == text


def _template_spec(symbols: list[str], short: int) -> bytes:
    params = {"short_window": short, "long_window": 50}
    return canonicalise(template_spec("SMA_CROSSOVER", params, symbols)).json
