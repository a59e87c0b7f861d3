"""Values that databases quietly bend: each is kept exactly or refused by name, nothing half-written."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.identity import backtest_id
from quantrail.domain.ids import StrategyId
from quantrail.errors import InvalidInput
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, fill

KEPT_TEXTS = [
    "한국어 전략",
    "🚀📈",
    "O'Brien\"; DROP TABLE runs; --",
    "tab\tnew\nline",
    "ｆｕｌｌ",
    "e\u0301",
]
REFUSED_TEXTS = {"NUL": "a\x00b", "lone surrogate": "\ud800", "10 kB name": "x" * 10_000}


class HostileValues:
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "-inf"])
    @pytest.mark.parametrize("name", ["sharpe_net", "another_metric"])
    def test_a_metric_that_is_not_finite_is_refused(
        self, harness: StoreHarness, name: str, value: float
    ) -> None:
        fresh = build.strategy(300)
        fill(harness.store)
        before = harness.store.counts()
        with pytest.raises(InvalidInput), harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            made = build.metrics(unit.insert_backtest(build.backtest(fresh, 300)))
            unit.save_metrics([replace(made, values={**made.values, name: value})])
            unit.commit()
        assert harness.store.counts() == before

    @pytest.mark.parametrize("value", [math.nan, math.inf, 1.5, -0.1])
    def test_a_score_outside_its_range_is_refused(self, harness: StoreHarness, value: float) -> None:
        world = fill(harness.store)
        wrong = build.score(world.backtests[0].backtest_id, score_total=value)
        with pytest.raises(InvalidInput), harness.store.unit() as unit:
            unit.save_scores([wrong])

    def test_nan_inside_json_is_refused(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        wrong = build.failure(world.backtests[0].backtest_id, 4, evidence={"deep": [{"x": math.nan}]})
        with pytest.raises(InvalidInput, match="no JSON form"), harness.store.unit() as unit:
            unit.save_failures([wrong])

    @pytest.mark.parametrize("text", KEPT_TEXTS)
    def test_text_comes_back_as_it_went_in(self, harness: StoreHarness, text: str) -> None:
        world = fill(harness.store)
        fresh = replace(build.strategy(301), name=text, params={"note": text})
        told = replace(build.failure(world.backtests[0].backtest_id, 2), summary=text, tags=(text,))
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            unit.save_failures([told])
            unit.commit()
        assert harness.store.get_strategy(fresh.strategy_id).strategy.name == text
        assert harness.store.get_failure(told.failure_id).tags == (text,)
        assert [one.key for one in harness.store.repeated_failures(100) if one.key == text] == [text]

    @pytest.mark.parametrize("text", REFUSED_TEXTS.values(), ids=REFUSED_TEXTS.keys())
    def test_text_that_cannot_be_kept_is_refused(self, harness: StoreHarness, text: str) -> None:
        fill(harness.store)
        with pytest.raises(InvalidInput, match="strategy name"), harness.store.unit() as unit:
            unit.upsert_strategy(replace(build.strategy(302), name=text))

    def test_a_nul_inside_json_is_refused(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with pytest.raises(InvalidInput, match="NUL"), harness.store.unit() as unit:
            unit.upsert_strategy(replace(build.strategy(303), params={"a": "\x00"}))

    @pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**53 - 1])
    def test_large_seeds_come_back_exactly(self, harness: StoreHarness, seed: int) -> None:
        fill(harness.store)
        fresh = build.strategy(304)
        made = _with_seed(build.backtest(fresh, 304), seed)
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            unit.insert_backtest(made)
            unit.commit()
        assert harness.store.get_backtest(made.backtest_id).key.seed == seed

    def test_integers_that_do_not_fit_are_refused(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with pytest.raises(InvalidInput), harness.store.unit() as unit:
            unit.insert_iteration(r.Iteration(build.run_id(), 2**63))

    def test_2_to_the_53_plus_1_is_kept_exactly(self, harness: StoreHarness) -> None:
        fill(harness.store)
        odd = 2**53 + 1
        snapshot = r.Snapshot(build.DATA, "test", 2, odd, build.START, build.END)
        with harness.store.unit() as unit:
            unit.save_snapshots([snapshot])
            unit.commit()
        assert harness.store.find_snapshot(build.DATA) == snapshot

    @pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, 0.1 + 0.2, -1e-300])
    def test_finite_floats_come_back_bit_by_bit(self, harness: StoreHarness, value: float) -> None:
        fill(harness.store)
        fresh = build.strategy(305)
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            made = build.metrics(unit.insert_backtest(build.backtest(fresh, 305)))
            unit.save_metrics([replace(made, values={**made.values, "sharpe_net": value, "other": value})])
            unit.commit()
        stored = harness.store.get_backtest(made.backtest_id).metrics
        assert stored is not None
        assert (stored.values["sharpe_net"], stored.values["other"]) == (value, value)

    def test_zero_has_no_sign_on_any_backend(self, harness: StoreHarness) -> None:
        fill(harness.store)
        fresh = build.strategy(306)
        with harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            made = build.metrics(unit.insert_backtest(build.backtest(fresh, 306)))
            unit.save_metrics([replace(made, values={"max_drawdown_net": -0.0})])
            unit.commit()
        stored = harness.store.get_backtest(made.backtest_id).metrics
        assert stored is not None
        assert math.copysign(1, stored.values["max_drawdown_net"] or 0.0) == 1

    def test_an_undefined_metric_needs_a_reason_and_keeps_it(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        stored = harness.store.get_backtest(world.backtests[0].backtest_id).metrics
        assert stored is not None
        assert stored.values["calmar_net"] is None
        assert stored.undefined == {"calmar_net": "no drawdown"}
        with pytest.raises(InvalidInput, match="without a reason"), harness.store.unit() as unit:
            unit.save_metrics([replace(build.metrics(world.verified[0].backtest_id), undefined={})])

    def test_a_naive_time_is_refused(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        trade = _live_trade(world.strategies[0], datetime(2026, 1, 1))  # noqa: DTZ001
        with pytest.raises(InvalidInput, match="naive"), harness.store.unit() as unit:
            unit.save_live_trades([trade])

    def test_a_time_in_another_zone_is_the_same_instant(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        seoul = datetime(2026, 1, 1, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
        with harness.store.unit() as unit:
            unit.save_live_trades([_live_trade(world.strategies[0], seoul)])
            unit.commit()
        (row,) = harness.sql("SELECT executed_at FROM live_trades")
        assert row[0] == (seoul - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("status", "HAPPY"), ("door", "WINDOW")],
    )
    def test_an_unknown_word_of_a_closed_vocabulary_is_refused(
        self, harness: StoreHarness, field: str, value: Any
    ) -> None:
        fill(harness.store)
        with pytest.raises(InvalidInput), harness.store.unit() as unit:
            unit.insert_run(build.run(5, **{field: _Word(value)}))

    @pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../b", "~/x", "", "C:\\x"])
    def test_artifact_paths_stay_inside_the_home(self, harness: StoreHarness, path: str) -> None:
        fill(harness.store)
        fresh = build.strategy(307)
        with pytest.raises(InvalidInput), harness.store.unit() as unit:
            unit.upsert_strategy(fresh)
            unit.insert_backtest(build.backtest(fresh, artifacts_dir=r.ArtifactRef(path)))

    def test_ids_that_are_no_hex_are_refused(self, harness: StoreHarness) -> None:
        for bad in ("", "xyz", "ab" * 31, "ab" * 33):
            with pytest.raises(InvalidInput):
                harness.store.get_strategy(StrategyId(bad))


class _Word:
    """Stands in for an enum member that this program does not know."""

    def __init__(self, value: str) -> None:
        self.value = value


def _with_seed(made: r.Backtest, seed: int) -> r.Backtest:
    key = replace(made.key, seed=seed)
    return replace(made, key=key, backtest_id=backtest_id(key))


def _live_trade(of: r.Strategy, at: datetime) -> ledger.LiveTrade:
    return ledger.LiveTrade("t1", of.strategy_id, "paper", "AAPL", 10.0, 99.5, 0.1, at)


__all__ = ["HostileValues"]
