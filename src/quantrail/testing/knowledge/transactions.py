"""The unit of work: all or nothing, visible only after the commit."""

from __future__ import annotations

import threading

import pytest

from quantrail.errors import InvalidInput
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
