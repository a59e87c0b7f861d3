"""Every column is what was handed in: two records that agree in nothing, field by field, in every table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from quantrail.domain import records as r
from quantrail.domain.enums import RunStatus
from quantrail.testing.knowledge.every_column import Told
from quantrail.testing.knowledge.shown_fields import fields_of, shown, told
from quantrail.testing.knowledge.world import StoreHarness

WORLDS = (Told(0), Told(1))
TIME = object()  # an instant that the store's clock gave; another one for each record


def _runs(w: Told) -> list[dict[str, Any]]:
    status = w.pick(RunStatus.PARTIAL, RunStatus.STOPPED)
    ended = w.pick(None, TIME)
    return [fields_of(w.run, config_json=dict(w.run.config), created_at=TIME, status=status, ended_at=ended)]


def _iterations(w: Told) -> list[dict[str, Any]]:
    common = {"run_id": w.run.run_id, "started_at": TIME}
    first = {
        "iteration_id": 3 + w.n,
        "ended_at": None,
        "constraint_set_id_applied": None,
        "summary_json": None,
    }
    later = fields_of(w.iteration, ended_at=TIME, summary_json={"evaluated": w.n})
    return [common | first, common | later]


def _strategies(w: Told) -> list[dict[str, Any]]:
    found = []
    for one, tier in ((w.parent, "T0"), (w.strategy, w.promotion.tier_to)):
        spec = one.normalized_spec_json.decode()
        row = fields_of(one, params_json=one.params, created_at=TIME, tier=tier, normalized_spec_json=spec)
        row.pop("atoms")
        found.append(row)
    return found


def _backtests(w: Told) -> list[dict[str, Any]]:
    found = []
    for one in (w.backtest, w.failed):
        row = fields_of(one.key) | fields_of(one, created_at=TIME, code_version=w.run.code_version)
        row["model_versions_json"] = one.model_versions.to_json()
        row["calc_contract_json"] = one.calc_contract.to_json()
        found.append({n: x for n, x in row.items() if n not in ("key", "calc_contract", "model_versions")})
    return found


def _metrics(w: Told) -> list[dict[str, Any]]:
    m = w.metrics
    row = fields_of(m, more_json={"another_metric": m.values["another_metric"]})
    row |= {name: value for name, value in m.values.items() if name != "another_metric"}
    row["quality_warnings_json"] = {"undefined": dict(m.undefined), "warnings": list(m.warnings)}
    return [{n: x for n, x in row.items() if n not in ("values", "undefined", "warnings")}]


def _scores(w: Told) -> list[dict[str, Any]]:
    s = w.score
    return [fields_of(s, breakdown_json=s.breakdown, fail_reasons_json=s.fail_reasons, created_at=TIME,
                      engine_mode=w.key.engine_mode)]  # fmt: skip


def _failures(w: Told) -> list[dict[str, Any]]:
    return [
        fields_of(f, tags_json=f.tags, evidence_json=f.evidence, created_at=TIME, state=state)
        for f, state in ((w.failure, w.failure.state), (w.quiet, w.failure_event.state))
    ]


def _constraint(c: r.Constraint, set_id: str, **others: Any) -> dict[str, Any]:
    return fields_of(c, params_json=c.params, applies_to_json=c.applies_to, statistics_json=c.statistics,
                     constraint_set_id=set_id, **others)  # fmt: skip


def _sets(w: Told) -> list[dict[str, Any]]:
    found = []
    for s in (w.base_set, w.constraint_set):
        document = [fields_of(c) for c in s.members]
        row = fields_of(s, created_at=TIME, constraints_json=document, run_id=w.run.run_id,
                        iteration_id=3 + w.n)  # fmt: skip
        row.pop("members")
        found.append(row)
    return found


def _constraints(w: Told) -> list[dict[str, Any]]:
    base = w.base_set.members[0]
    first = _constraint(base, w.base_set.constraint_set_id, status=w.constraint_event.status)
    return [first, _constraint(w.constraint, w.constraint_set.constraint_set_id)]


def _provenance(w: Told) -> list[dict[str, Any]]:
    return [fields_of(w.provenance, id=w.n + 1, constraint_set_id=w.constraint_set.constraint_set_id,
                      created_at_iteration=3 + w.n, run_id=w.run.run_id)]  # fmt: skip


def _library(entry: Any, **others: Any) -> list[dict[str, Any]]:
    return [fields_of(entry, parameter_schema_json=entry.parameter_schema, created_at=TIME, usage_count=1,
                      **others)]  # fmt: skip


def _promotions(w: Told) -> list[dict[str, Any]]:
    return [fields_of(p, evidence_refs_json=p.evidence_refs, created_at=TIME) for p in (w.promotion, w.held)]


def _plain(record: Any, **others: Any) -> list[dict[str, Any]]:
    return [fields_of(record, created_at=TIME, **others)]


def rows_of(w: Told) -> dict[str, list[dict[str, Any]]]:
    """By view, what its rows must show of one world."""
    case, comparison = w.case, w.comparison
    finding = w.finding
    return {
        "runs": _runs(w),
        "iterations": _iterations(w),
        "strategies": _strategies(w),
        "backtests": _backtests(w),
        "metrics": _metrics(w),
        "scores": _scores(w),
        "latest_scores": _scores(w),
        "failures": _failures(w),
        "failure_tags": [
            {"failure_id": f.failure_id, "tag": tag} for f in (w.failure, w.quiet) for tag in f.tags
        ],
        "constraint_sets": _sets(w),
        "constraints": _constraints(w),
        "constraint_provenance": _provenance(w),
        "trials": _plain(w.trial, market=w.universe.market),
        "trial_constraints": [fields_of(w.blocked)],
        "templates": _library(w.template, atoms_json=w.template.atoms),
        "atoms": _library(w.atom),
        "robustness_cases": _plain(case, params_json=case.params, metrics_json=case.metrics, case_id=TIME),
        "reports": _plain(w.report, report_id=TIME),
        "promotion_records": _promotions(w),
        "engine_comparisons": _plain(comparison, first_difference_json=comparison.first_difference),
        "policies": _plain(w.policy, body_json=w.policy.body),
        "universes": _plain(w.universe, symbols_json=w.universe.symbols),
        "snapshots": _plain(w.snapshot),
        "data_findings": _plain(finding),
        "stage_events": _plain(w.stage_event, payload_json=w.stage_event.payload),
        "failure_events": _plain(w.failure_event),
        "constraint_events": _plain(w.constraint_event),
        "fingerprints": _plain(w.fingerprint),
        "holdout_reads": _plain(w.holdout_read),
        "reproductions": _plain(w.reproduction),
        "recalls": _plain(w.recall, outcome_json=w.recall.outcome),
        "live_trades": _plain(w.trade),
        "replays": _plain(w.replay, difference_json=w.replay.difference),
    }


VIEWS = tuple(rows_of(WORLDS[0]))


def _save(harness: StoreHarness) -> None:
    for world in WORLDS:
        with harness.store.unit() as unit:
            world.save(unit)
            unit.commit()


class RoundTrips:
    @pytest.mark.parametrize("view", VIEWS)
    def test_every_column_of_a_view_shows_what_was_handed_in(self, harness: StoreHarness, view: str) -> None:
        _save(harness)
        expected = [row for world in WORLDS for row in rows_of(world)[view]]
        names = sorted(expected[0])
        found = harness.sql(f"SELECT {', '.join(names)} FROM v_{view}")
        ours = [[shown(row[name]) for name in names] for row in expected]
        keys = [i for i, name in enumerate(names) if all(isinstance(row[i], str) for row in ours)]

        def key(row: Any) -> list[str]:
            return [row[i] for i in keys]

        assert len(found) == len(ours)
        times: dict[str, set[Any]] = {}
        for row, wanted in zip(sorted(found, key=key), sorted(ours, key=key), strict=True):
            for name, value, want in zip(names, row, wanted, strict=True):
                if want is TIME:
                    times.setdefault(name, set()).add(value)
                else:
                    assert told(value, want) == want, name
        assert all(len(values) > 1 and None not in values for values in times.values() if len(found) > 1) or (
            view == "runs" and len(times["created_at"]) == 2 and len(times["ended_at"]) == 1
        )

    @pytest.mark.parametrize("view", VIEWS)
    def test_no_column_of_a_view_is_left_out_of_the_comparison(
        self, harness: StoreHarness, view: str
    ) -> None:
        _save(harness)
        assert len(harness.sql(f"SELECT * FROM v_{view}")[0]) == len(rows_of(WORLDS[0])[view][0])

    def test_no_two_records_agree_in_a_field(self) -> None:
        same = {"usage_count", "code_version"}
        for view, (first, *_) in rows_of(WORLDS[0]).items():
            other = rows_of(WORLDS[1])[view][0]
            alike = {n for n in first if shown(first[n]) == shown(other[n]) and first[n] is not TIME} - same
            assert alike <= _ALIKE.get(view, set()), view

    def test_reads_return_the_records_that_were_written(self, harness: StoreHarness) -> None:
        _save(harness)
        store = harness.store
        for w in WORLDS:
            run = store.get_run(w.run.run_id)
            assert (run.config, run.door, run.requested_by) == (w.run.config, w.run.door, w.run.requested_by)
            assert (run.project_version, run.code_version) == (w.run.project_version, w.run.code_version)
            assert store.find_universe(w.universe.universe_version) == w.universe
            assert store.find_snapshot(w.snapshot.data_version) == w.snapshot
            assert store.get_strategy(w.strategy.strategy_id).strategy == w.strategy
            self._one_backtest(harness, w)
            assert store.get_failure(w.failure.failure_id) == w.failure
            stored = store.get_constraint_set(w.constraint_set.constraint_set_id)
            assert (stored.set, stored.run_id, stored.iteration_id) == (
                w.constraint_set, w.run.run_id, 3 + w.n
            )  # fmt: skip
            assert store.list_trials(w.run.run_id) == [w.trial]
            assert store.list_iterations(w.run.run_id)[1].summary == {"evaluated": w.n}
            assert store.comparisons_of(w.backtest.backtest_id) == [w.comparison]
            assert store.list_robustness_cases(w.backtest.backtest_id) == [w.case]
            assert store.list_reports(w.report.run_id, w.report.backtest_id) == [w.report]
            assert store.fingerprints_of(w.strategy.strategy_id) == [w.fingerprint]
            assert store.list_reproductions(w.backtest.backtest_id) == [w.reproduction]
            assert store.list_promotions(w.strategy.strategy_id) == [w.held, w.promotion]
            event = store.list_stage_events(w.run.run_id)[0]
            assert fields_of(event) == fields_of(w.stage_event, created_at=event.created_at)
            assert event.created_at > datetime(2026, 1, 1, tzinfo=UTC)
        assert store.list_templates() == [(w.template, 1) for w in WORLDS]
        assert store.list_atoms() == [(w.atom, 1) for w in WORLDS]

    def _one_backtest(self, harness: StoreHarness, w: Told) -> None:
        row = harness.store.get_backtest(w.backtest.backtest_id)
        found = r.Backtest(
            row.backtest_id, row.key, row.run_id, row.iteration_id, row.calc_contract, row.model_versions,
            row.status, row.result_hash, row.error_code, row.error_message, row.artifacts_dir,
            row.snapshot_version,
        )  # fmt: skip
        assert found == w.backtest
        assert (row.metrics, row.scores, row.failures) == (w.metrics, (w.score,), (w.failure,))
        failed = harness.store.get_backtest(w.failed.backtest_id)
        assert (failed.error_code, failed.error_message) == (w.failed.error_code, w.failed.error_message)


# Fields whose first record has nothing to say, in both worlds; the second one says it.
_ALIKE = {
    "iterations": {"ended_at", "constraint_set_id_applied", "summary_json"},
    "strategies": {"created_from", "spec_hash_version", "schema_version", "kind", "name", "template_id",
                   "params_json", "derived_from", "tier"},
    "backtests": {"status", "error_code", "error_message"},
    "metrics": {"calmar_net"},
    "constraint_sets": {"base_constraint_set_id", "state"},
    "constraints": {"scope", "type", "applies_to_json", "priority", "severity", "derived_from_type",
                    "statistics_json"},
    "promotion_records": {"decision", "tier_from"},
}  # fmt: skip

__all__ = ["RoundTrips"]
