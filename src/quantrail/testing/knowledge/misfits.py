"""Values of a wrong type or from outside a vocabulary: InvalidInput on every backend, nothing written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.answers import IdKind, LeaderboardFilter
from quantrail.domain.enums import Severity, Tier, TrialOutcome
from quantrail.domain.identity import trial_id
from quantrail.errors import InvalidInput, NotFound
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import StoreHarness, World, fill

_Write = Callable[[Any, World], object]  # the unit of work is Any: what is handed in is wrong on purpose
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _itself() -> dict[str, Any]:
    document: dict[str, Any] = {}
    document["again"] = document
    return document


def _new(**changes: Any) -> r.Strategy:
    return build.strategy(900, **changes)


def _text_spec(text: bytes) -> r.Strategy:
    return _new(normalized_spec_json=text, strategy_id=hashlib.sha256(text).hexdigest())


def _measured(u: Any, w: World, values: dict[Any, Any], **changes: Any) -> object:
    u.upsert_strategy(_new())
    u.insert_backtest(build.backtest(_new()))
    made = build.metrics(build.backtest(_new()).backtest_id, values=values, **{"undefined": {}, **changes})
    return u.save_metrics(made)


def _failed(u: Any, w: World, **changes: Any) -> object:
    return u.save_failures([build.failure(w.backtests[0].backtest_id, 3, **changes)])


def _member(u: Any, **changes: Any) -> object:
    made = build.constraint_set(replace(build.constraint(12), **changes))
    return u.save_constraint_set(build.run_id(), 1, made, [])


def _trade(u: Any, w: World, **changes: Any) -> object:
    of = w.strategies[0].strategy_id
    made = ledger.LiveTrade("t1", of, "paper", "AAPL", 10.0, 99.5, 0.1, _DAY)
    return u.save_live_trades([replace(made, **changes)])


def _trial(u: Any, w: World, **changes: Any) -> object:
    test = w.backtests[0]
    made = build.trial(w.strategies[0], 777, test.backtest_id)
    return u.save_trials([replace(made, **changes)])


def _replayed(u: Any, w: World, **changes: Any) -> object:
    test = w.backtests[0]
    made = ledger.Replay("r", test.key.strategy_id, test.backtest_id, build.START, build.END, True)
    return u.save_replays([replace(made, **changes)])


def _snapshot(u: Any, **changes: Any) -> object:
    made = r.Snapshot(build.DATA, "sample", 2, 100, build.START, build.END)
    return u.save_snapshots([replace(made, **changes)])


WRITES: dict[str, _Write] = {
    "no strategy": lambda u, w: u.upsert_strategy(None),
    "a mapping for a strategy": lambda u, w: u.upsert_strategy({"a": 1}),
    "spec as text": lambda u, w: u.upsert_strategy(replace(_new(), normalized_spec_json="{}")),  # type: ignore[arg-type]
    "spec no JSON": lambda u, w: u.upsert_strategy(_text_spec(b"not json")),
    "spec a list": lambda u, w: u.upsert_strategy(_text_spec(b"[1]")),
    "empty spec": lambda u, w: u.upsert_strategy(_text_spec(b"")),
    "name 5": lambda u, w: u.upsert_strategy(_new(name=5)),
    "name bytes": lambda u, w: u.upsert_strategy(_new(name=b"x")),
    "no created_from": lambda u, w: u.upsert_strategy(_new(created_from=None)),
    "unknown kind": lambda u, w: u.upsert_strategy(_new(kind="zzz")),
    "no atoms": lambda u, w: u.upsert_strategy(_new(atoms=None)),
    "params a list": lambda u, w: u.upsert_strategy(_new(params=[1, 2])),
    "params that hold themselves": lambda u, w: u.upsert_strategy(_new(params=_itself())),
    "id in capitals": lambda u, w: u.upsert_strategy(_new(strategy_id=_new().strategy_id.upper())),
    "no backtest": lambda u, w: u.insert_backtest(None),
    "unknown status": lambda u, w: u.insert_backtest(replace(w.backtests[0], status="HAPPY")),  # type: ignore[arg-type]
    "unknown engine": lambda u, w: u.insert_backtest(
        replace(w.backtests[0], key=replace(w.backtests[0].key, engine_mode="Z"))),  # type: ignore[arg-type]
    "no metrics": lambda u, w: u.save_metrics(None),
    "no values": lambda u, w: _measured(u, w, None),  # type: ignore[arg-type]
    "metric as text": lambda u, w: _measured(u, w, {"sharpe_net": "1.5"}),
    "metric true": lambda u, w: _measured(u, w, {"sharpe_net": True}),
    "metric without a column as text": lambda u, w: _measured(u, w, {"another": "text"}),
    "metric a mapping": lambda u, w: _measured(u, w, {"another": {"x": 1}}),
    "metric of 10 kB": lambda u, w: _measured(u, w, {"n" * 10_000: 1.0}),
    "metric without a name": lambda u, w: _measured(u, w, {5: 1.0}),
    "metric no float holds": lambda u, w: _measured(u, w, {"bars": 2**53 + 1}),
    "other metric no float holds": lambda u, w: _measured(u, w, {"another": 2**53 + 1}),
    "empty reason": lambda u, w: _measured(u, w, {"sharpe_net": None}, undefined={"sharpe_net": ""}),
    "no score": lambda u, w: u.save_score(None),
    "score as text": lambda u, w: u.save_score(build.score(w.backtests[0].backtest_id, score_total="0.5")),
    "reasons a list": lambda u, w: u.save_score(
        build.score(w.backtests[0].backtest_id, fail_reasons=["min"])),
    "no failures": lambda u, w: u.save_failures(None),
    "one failure bare": lambda u, w: u.save_failures(w.failures[0]),
    "empty evidence": lambda u, w: _failed(u, w, evidence={}),
    "unknown category": lambda u, w: _failed(u, w, category="NOPE"),
    "unknown severity": lambda u, w: _failed(u, w, severity="BAD"),
    "unknown failure state": lambda u, w: _failed(u, w, state="BAD"),
    "tags a list": lambda u, w: _failed(u, w, tags=["a"]),
    "tag 1": lambda u, w: _failed(u, w, tags=(1,)),
    "no summary": lambda u, w: _failed(u, w, summary=None),
    "row below 0": lambda u, w: _failed(u, w, evidence_pack_path=r.ArtifactRef("x.jsonl", -5)),
    "row as text": lambda u, w: _failed(u, w, evidence_pack_path=r.ArtifactRef("x.jsonl", "abc")),  # type: ignore[arg-type]
    "path with a dot": lambda u, w: _failed(u, w, evidence_pack_path=r.ArtifactRef("a/./x.jsonl")),
    "path with two slashes": lambda u, w: _failed(u, w, evidence_pack_path=r.ArtifactRef("a//x.jsonl")),
    "no trial": lambda u, w: u.save_trial(None),
    "unknown outcome": lambda u, w: _trial(u, w, outcome="zz"),
    "unknown arm": lambda u, w: _trial(u, w, arm="zz"),
    "unknown door": lambda u, w: _trial(u, w, door="zz"),
    "backtest of another strategy": lambda u, w: _trial(u, w, backtest_id=w.backtests[3].backtest_id),
    "unknown run status": lambda u, w: u.set_run_status(build.run_id(), "HAPPY"),
    "run id without dashes": lambda u, w: u.insert_run(build.run(5, run_id="0" * 32)),
    "run id of dashes": lambda u, w: u.insert_run(build.run(5, run_id="-".join("f" * 32))),
    "no config": lambda u, w: u.insert_run(build.run(6, config=None)),
    "iteration true": lambda u, w: u.insert_iteration(r.Iteration(build.run_id(), True)),
    "iteration -1": lambda u, w: u.insert_iteration(r.Iteration(build.run_id(), -1)),
    "no set": lambda u, w: u.save_constraint_set(build.run_id(), 1, None, None),
    "unknown scope": lambda u, w: _member(u, scope="BAD"),
    "unknown type": lambda u, w: _member(u, type="BAD"),
    "unknown origin": lambda u, w: _member(u, derived_from_type="BAD"),
    "constraint params a list": lambda u, w: _member(u, params=[1]),
    "unknown stage status": lambda u, w: u.save_stage_events(
        [r.StageEvent(build.run_id(), "S1", "E", "BAD")]),  # type: ignore[arg-type]
    "unknown failure event": lambda u, w: u.set_failure_state(
        ledger.FailureEvent(w.failures[0].failure_id, "BAD", "x")),  # type: ignore[arg-type]
    "unknown constraint event": lambda u, w: u.set_constraint_status(
        ledger.ConstraintEvent(w.constraint_set.members[0].constraint_id, "BAD", "x")),  # type: ignore[arg-type]
    "unknown tier": lambda u, w: u.save_templates([replace(build.templates()[0], tier="T9")]),  # type: ignore[arg-type]
    "policy a list": lambda u, w: u.save_policies([r.Policy("p", "k", [1])]),  # type: ignore[arg-type]
    "report outside the home": lambda u, w: u.save_reports(
        [ledger.Report(run_id=build.run_id(), tearsheet_html_path="../../etc/passwd")]),
    "fill at no time": lambda u, w: _trade(u, w, executed_at="2026"),
    "price as text": lambda u, w: _trade(u, w, price="9.5"),
    "replay back in time": lambda u, w: _replayed(u, w, period_start=build.END, period_end=build.START),
    "snapshot back in time": lambda u, w: _snapshot(u, period_start=build.END, period_end=build.START),
    "snapshot of -1 symbols": lambda u, w: _snapshot(u, symbols=-1),
    "fingerprint as text": lambda u, w: u.save_fingerprints(
        [ledger.Fingerprint(w.strategies[0].strategy_id, "a", build.DATA, "zz")]),  # type: ignore[arg-type]
    "file of -1 bytes": lambda u, w: u.save_files([r.ArtifactFile("a", build.hash_of("x"), -1)]),
    "unknown finding severity": lambda u, w: (
        _snapshot(u),
        u.save_data_findings([ledger.DataFinding(build.DATA, "A", None, "gap", "BAD", "x")])),  # type: ignore[arg-type]
}  # fmt: skip

READS: dict[str, Callable[[Any, World], object]] = {
    "leaderboard without limit": lambda s, w: s.leaderboard(limit=None),
    "leaderboard in no order": lambda s, w: s.leaderboard(order="nope"),
    "leaderboard of broken text": lambda s, w: s.leaderboard(LeaderboardFilter(template_id="\ud800")),
    "runs up to -1": lambda s, w: s.list_runs(-1),
    "runs up to None": lambda s, w: s.list_runs(None),
    "runs up to 2**70": lambda s, w: s.list_runs(2**70),
    "runs up to true": lambda s, w: s.list_runs(True),
    "failures up to -1": lambda s, w: s.list_failures(limit=-1),
    "failures up to text": lambda s, w: s.list_failures(limit="3"),
    "failures by tag 5": lambda s, w: s.list_failures(tag=5),
    "failures by NUL": lambda s, w: s.list_failures(tag="a\0"),
    "failures by broken text": lambda s, w: s.list_failures(tag="\ud800"),
    "repeated up to -1": lambda s, w: s.repeated_failures(-1),
    "repeated up to None": lambda s, w: s.repeated_failures(None),
    "repeated by what": lambda s, w: s.repeated_failures(3, "what"),
    "blocked up to -1": lambda s, w: s.blocked_trials(w.constraint_set.members[0].constraint_id, -1),
    "backtests up to -1": lambda s, w: s.list_backtests(limit=-1),
    "lineage of what": lambda s, w: s.lineage("what", build.run_id()),
    "lineage up to -1": lambda s, w: s.lineage(IdKind.RUN, build.run_id(), -1),
    "no ids": lambda s, w: s.find_backtests(None),
    "no strategies": lambda s, w: s.fingerprints_among(None),
    "no prefix": lambda s, w: s.resolve(None),
    "prefix of what": lambda s, w: s.resolve("abcd", "what"),
    "run None": lambda s, w: s.get_run(None),
    "backtest 5": lambda s, w: s.get_backtest(5),
    "backtest without dashes": lambda s, w: s.get_backtest(w.backtests[0].backtest_id.replace("-", "")),
    "backtest in capitals": lambda s, w: s.compare([w.backtests[0].backtest_id.upper()]),
    "strategy with blanks": lambda s, w: s.get_strategy(" ".join(w.strategies[0].strategy_id)),
}


class Misfits:
    @pytest.mark.parametrize("case", WRITES)
    def test_what_cannot_be_stored_is_refused_by_name(self, harness: StoreHarness, case: str) -> None:
        world = fill(harness.store)
        before = harness.store.counts()
        with pytest.raises(InvalidInput) as caught, harness.store.unit() as unit:
            WRITES[case](unit, world)
            unit.commit()
        assert len(caught.value.message) < 500
        assert harness.store.counts() == before

    @pytest.mark.parametrize("case", READS)
    def test_what_cannot_be_asked_is_refused_by_name(self, harness: StoreHarness, case: str) -> None:
        world = fill(harness.store)
        with pytest.raises(InvalidInput):
            READS[case](harness.store, world)

    def test_an_error_inside_a_call_is_kept_as_the_cause(self, harness: StoreHarness) -> None:
        bad: Any = None
        with pytest.raises(InvalidInput, match="upsert_strategies") as caught, harness.store.unit() as unit:
            unit.upsert_strategy(bad)
        assert isinstance(caught.value.__cause__, AttributeError)

    def test_words_of_a_vocabulary_may_come_as_text(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        plain: dict[str, Any] = {"severity": "ERROR", "category": "COST", "state": "OPEN"}
        with harness.store.unit() as unit:
            unit.save_failures([build.failure(world.backtests[0].backtest_id, 3, **plain)])
            unit.commit()
        stored = harness.store.get_failure(build.failure(world.backtests[0].backtest_id, 3).failure_id)
        assert stored.severity is Severity.ERROR

    def test_trials_before_an_unknown_run_are_not_counted_as_none(self, harness: StoreHarness) -> None:
        fill(harness.store)
        with pytest.raises(NotFound, match=build.run_id(99)):
            harness.store.trial_count(build.UNIVERSE, build.START, build.END, before_run=build.run_id(99))

    def test_an_entry_of_the_library_is_replaced_by_a_later_one(self, harness: StoreHarness) -> None:
        fill(harness.store)
        template, atom = build.templates()[0], build.atoms()[0]
        new = replace(template, name="other", tier=Tier.T1, confidence=0.75, status="retired")
        other = replace(atom, kind="other", rationale="why", reference="paper", tier=Tier.T2)
        with harness.store.unit() as unit:
            assert (unit.save_templates([new]).new, unit.save_atoms([other]).new) == (0, 0)
            unit.commit()
        assert new in [one for one, _ in harness.store.list_templates()]
        assert other in [one for one, _ in harness.store.list_atoms()]

    def test_a_blocked_trial_needs_no_backtest(self, harness: StoreHarness) -> None:
        world = fill(harness.store)
        made = build.trial(world.strategies[0], 778, None, TrialOutcome.BLOCKED)
        assert made.trial_id == trial_id(build.run_id(), 1, 778)
        with harness.store.unit() as unit:
            assert unit.save_trials([made]).new == 1


__all__ = ["Misfits"]
