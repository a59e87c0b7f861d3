"""A Hypothesis state machine: any sequence of units, commits and restarts against plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from quantrail.domain.answers import LeaderboardFilter
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId
from quantrail.domain.ports import KnowledgeUnit
from quantrail.domain.records import Policy
from quantrail.errors import NotFound, QuantrailError
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, register

OPERATIONS = ("strategy", "backtest", "verify", "metrics", "score", "rescore", "failure")
LATER = "score_v2"
OFFSET = 100  # numbers of engine B's backtests, so that their scores differ from engine A's


@dataclass
class Model:
    """What a store should hold, as sets and dictionaries of small numbers."""

    strategies: set[int] = field(default_factory=set)
    backtests: set[int] = field(default_factory=set)  # OFFSET + n is strategy n in engine B
    metrics: set[int] = field(default_factory=set)
    scores: set[tuple[int, str]] = field(default_factory=set)
    failures: set[int] = field(default_factory=set)

    def copy(self) -> Model:
        return Model(*(set(getattr(self, name)) for name in self.__dataclass_fields__))

    def apply(self, operation: str, number: int) -> bool | type[QuantrailError]:
        """Whether the record is new, or the error that writing it must raise."""
        rules: dict[str, tuple[bool, set[Any], Any]] = {
            "strategy": (True, self.strategies, number),
            "backtest": (number % OFFSET in self.strategies, self.backtests, number % OFFSET),
            "verify": (number % OFFSET in self.strategies, self.backtests, number % OFFSET + OFFSET),
            "metrics": (number in self.backtests, self.metrics, number),
            "score": (number in self.metrics, self.scores, (number, build.POLICY)),
            "rescore": (number in self.metrics, self.scores, (number, LATER)),
            "failure": (number in self.backtests, self.failures, number),
        }
        needs, into, item = rules[operation]
        if not needs:
            return NotFound
        known = item in into
        into.add(item)
        return not known

    def leaderboard(self, policy: str) -> list[tuple[int, float]]:
        scored = {number for number, version in self.scores if version == policy}
        shown = [n for n in scored if n >= OFFSET or n + OFFSET not in scored]
        values = [(n, build.score(BacktestId(""), n).score_total) for n in shown]
        return sorted(values, key=lambda row: -row[1])

    def tags(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for number in self.failures:
            tag = build.TAGS[number % len(build.TAGS)]
            found[tag] = found.get(tag, 0) + 1
        return found


def _backtest(number: int) -> Any:
    engine = EngineMode.B if number >= OFFSET else EngineMode.A
    return build.backtest(build.strategy(number % OFFSET), number, engine)


def _write(unit: KnowledgeUnit, operation: str, number: int) -> bool:
    backtest_id = _backtest(number).backtest_id
    score = build.score(backtest_id, number)
    writes: dict[str, Callable[[], Any]] = {
        "strategy": lambda: unit.upsert_strategies([build.strategy(number)]),
        "backtest": lambda: unit.insert_backtests([_backtest(number % OFFSET)]),
        "verify": lambda: unit.insert_backtests([_backtest(number % OFFSET + OFFSET)]),
        "metrics": lambda: unit.save_metrics([build.metrics(backtest_id, number)]),
        "score": lambda: unit.save_scores([score]),
        "rescore": lambda: unit.save_scores([replace(score, policy_version=LATER)]),
        "failure": lambda: unit.save_failures([build.failure(backtest_id, number)]),
    }
    return bool(writes[operation]().new)


class _Abandoned(Exception):
    pass


class StoreMachine(RuleBasedStateMachine):
    """Subclass it with ``make_harness``, a function that opens an empty store."""

    make_harness: ClassVar[Callable[[], StoreHarness]]

    def __init__(self) -> None:
        super().__init__()
        self.harness = type(self).make_harness()
        self.store = self.harness.store
        self.model = Model()
        with self.store.unit() as unit:
            register(unit)
            unit.save_policies([Policy(LATER, "score", {})])
            unit.commit()

    @rule(
        steps=st.lists(
            st.tuples(
                st.sampled_from(OPERATIONS),
                st.integers(0, 5) | st.integers(OFFSET, OFFSET + 5),
            ),
            min_size=1,
            max_size=12,
        ),
        commit=st.booleans() | st.just(True),
    )
    def transact(self, steps: list[tuple[str, int]], commit: bool) -> None:
        model = self.model.copy()
        try:
            with self.store.unit() as unit:
                self._perform(unit, model, steps)
                if commit:
                    unit.commit()
        except _Abandoned:
            commit = False
        if commit:
            self.model = model

    def _perform(self, unit: KnowledgeUnit, model: Model, steps: list[tuple[str, int]]) -> None:
        for operation, given in steps:
            number = given % OFFSET if operation == "strategy" else given
            expected = model.apply(operation, number)
            if isinstance(expected, bool):
                assert _write(unit, operation, number) is expected, (operation, number)
                continue
            with pytest.raises(expected):
                _write(unit, operation, number)
                unit.commit()  # a database may find a missing reference no earlier than here
            raise _Abandoned

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.harness.reopen()

    @invariant()
    def the_store_says_what_the_dictionaries_say(self) -> None:
        counts = self.store.counts()
        for name in ("strategies", "backtests", "metrics", "scores", "failures"):
            assert counts[name] == len(getattr(self.model, name)), name
        found = {one.key: one.count for one in self.store.repeated_failures(100)}
        assert found == self.model.tags()
        for policy in (build.POLICY, LATER):
            rows = self.store.leaderboard(LeaderboardFilter(policy_version=policy), limit=100)
            expected = [(_backtest(n).backtest_id, value) for n, value in self.model.leaderboard(policy)]
            assert [(one.backtest_id, one.score_total) for one in rows] == expected

    def teardown(self) -> None:
        self.store.close()
