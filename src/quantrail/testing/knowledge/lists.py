"""Lists in the order they promise, under each filter, and the counts and trails beside them."""

from __future__ import annotations

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import IdKind, LineageNode
from quantrail.domain.enums import Severity, Tier, TrialOutcome
from quantrail.domain.ids import RunId
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill, register

_RANK = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARN: 2, Severity.INFO: 3}


def _as_promised(failures: list[r.Failure]) -> list[r.Failure]:
    return sorted(failures, key=lambda one: (_RANK[one.severity], -one.confidence, one.failure_id))


class Lists:
    def test_failures_come_most_severe_first_then_most_confident_then_by_id(
        self, harness: StoreHarness
    ) -> None:
        world = fill(harness.store, 60)
        expected = _as_promised(list(world.failures))
        # Alphabetically, and as they were stored, they stand otherwise.
        assert expected != sorted(expected, key=lambda one: (one.severity.value, -one.confidence))
        assert harness.store.list_failures(limit=1000) == expected
        assert harness.store.list_failures(limit=7) == expected[:7]

    def test_failures_of_a_tag_and_of_a_run_are_those_alone(self, harness: StoreHarness) -> None:
        world = fill(harness.store, 60)
        with harness.store.unit() as unit:
            register(unit, 1)
            met = build.trial(
                world.strategies[4], 0, world.backtests[4].backtest_id, TrialOutcome.CACHED, run_number=1
            )
            unit.save_trials([met])
            unit.commit()
        for tag in build.TAGS:
            own = [one for one in world.failures if tag in one.tags]
            assert 0 < len(own) < len(world.failures)
            assert harness.store.list_failures(tag) == _as_promised(own)
            later = [one for one in own if one is world.failures[4]]
            assert harness.store.list_failures(tag, build.run_id(1)) == later
        assert harness.store.list_failures(run_id=build.run_id(1)) == [world.failures[4]]
        assert harness.store.list_failures("NO_SUCH_TAG") == []

    def test_tried_counts_every_trial_of_the_strategy_and_of_no_other(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        # Evaluated once each; the first three met the constraints of iteration 2 as well.
        assert [harness.store.tried(one.strategy_id).trials for one in world.strategies[:4]] == [2, 2, 2, 1]
        fresh = build.strategy(970)
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            unit.commit()
        assert harness.store.tried(fresh.strategy_id).trials == 0
        assert harness.store.tried(build.strategy(971).strategy_id).trials == 0

    def test_lineage_leads_to_children_and_back_to_parents(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        parent = world.strategies[5]
        child = build.strategy(980, derived_from=parent.strategy_id)
        grandchild = build.strategy(981, derived_from=child.strategy_id)
        with harness.store.unit() as unit:
            unit.upsert_strategies([child, grandchild])
            unit.commit()
        keys = [f"strategy:{one.strategy_id}" for one in (parent, child, grandchild)]
        expected = [(keys[0], keys[1], "was changed into"), (keys[1], keys[2], "was changed into")]
        for one in (parent, child, grandchild):
            found = harness.store.lineage(IdKind.STRATEGY, one.strategy_id)
            assert [edge for edge in found.edges if edge[2] == "was changed into"] == expected
            named = {node.id: node for node in found.nodes if node.kind == "strategy"}
            assert set(named) == {parent.strategy_id, child.strategy_id, grandchild.strategy_id}
            assert all(isinstance(node, LineageNode) and node.label for node in named.values())

    def test_promotions_come_newest_first_and_of_one_strategy_alone(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        one, two = (strategy.strategy_id for strategy in world.strategies[:2])
        made = [
            ledger.Promotion(one, "PROMOTE", Tier.T0, Tier.T1, build.POLICY, ("backtest",)),
            ledger.Promotion(two, "HOLD", Tier.T0, Tier.T0, build.POLICY, ("backtest",)),
            ledger.Promotion(one, "PROMOTE", Tier.T1, Tier.T2, build.POLICY, ("paper",)),
        ]
        for part in (made[:2], made[2:]):
            with harness.store.unit() as unit:
                unit.save_promotions(part)
                unit.commit()
        assert harness.store.list_promotions() == made[::-1]
        assert harness.store.list_promotions(one) == [made[2], made[0]]
        assert harness.store.list_promotions(two) == [made[1]]
        assert harness.store.list_promotions(world.strategies[2].strategy_id) == []

    def test_runs_come_newest_first_and_no_more_than_asked(self, harness: StoreHarness) -> None:
        """Newest is stored last; neither the id nor the start of its clock says so."""
        stored: list[RunId] = []
        for number in (3, 9, 1, 5):
            with harness.store.unit() as unit:
                unit.insert_run(build.run(number))
                unit.commit()
            stored.append(build.run_id(number))
        assert [one.run_id for one in harness.store.list_runs()] == stored[::-1]
        assert [one.run_id for one in harness.store.list_runs(2)] == stored[:1:-1]

    def test_files_are_listed_by_path_and_by_folder(self, harness: StoreHarness) -> None:
        names = ["b/two.json", "b/sub/one.json", "b.json", "B/x.json", "b0/x.json", "a%/x.json", "a_/y.json"]
        files = [r.ArtifactFile(name, build.hash_of(name), 1) for name in names]
        with harness.store.unit() as unit:
            unit.save_files(files)
            unit.commit()
        assert {one.path for one in harness.store.list_files()} == set(names)
        cases: dict[str, set[str]] = {
            "b": {"b/two.json", "b/sub/one.json"},
            "b/sub": {"b/sub/one.json"},
            "a%": {"a%/x.json"},
            "c": set(),
        }
        for folder, below in cases.items():
            assert {one.path for one in harness.store.list_files(folder)} == below
