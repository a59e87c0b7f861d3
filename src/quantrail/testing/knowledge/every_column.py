"""Records with a value of their own in every field, twice, and what each column must show of them.

What a store leaves out, makes up, or writes for every row alike shows up here: no two records agree in a
field, and no field has its default.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from quantrail.domain import identity as ids
from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import (
    BacktestStatus,
    ConstraintOrigin,
    ConstraintScope,
    ConstraintSetState,
    ConstraintStatus,
    ConstraintType,
    DriftCause,
    EngineMode,
    FailureCategory,
    FailureState,
    RunStatus,
    Severity,
    StageStatus,
    Tier,
    TrialArm,
    TrialDoor,
    TrialOutcome,
)
from quantrail.domain.ids import ContentHash, DataVersion, ResultHash, UniverseVersion
from quantrail.domain.ports import KnowledgeUnit
from quantrail.knowledge.schema import METRIC_COLUMNS
from quantrail.testing import records as build

# Every metric that has a column, and one that has none.
MEASURED = (*METRIC_COLUMNS, "another_metric")


@dataclass(frozen=True, slots=True)
class Told:
    """One of the two worlds; every record names things of the same world."""

    n: int

    def pick(self, *values: Any) -> Any:
        return values[self.n]

    @property
    def day(self) -> date:
        return date(2014, 3, 3) + timedelta(days=self.n)

    @property
    def later(self) -> date:
        return date(2015, 6, 1) + timedelta(days=self.n)

    def hash(self, what: str) -> ContentHash:
        return build.hash_of(f"{what} {self.n}")

    def ref(self, what: str) -> r.ArtifactRef:
        return r.ArtifactRef(f"{what}/{self.n}.parquet", 10 + self.n)

    @property
    def run(self) -> r.Run:
        return build.run(
            self.n, project_version=f"0.{self.n}.1", config={"size": self.n}, code_version=f"code{self.n}",
            door=self.pick(TrialDoor.GRID, TrialDoor.WEB), requested_by=self.pick("ann", "ben"),
            status=self.pick(RunStatus.PARTIAL, RunStatus.RUNNING),
        )  # fmt: skip

    @property
    def policy(self) -> r.Policy:
        return r.Policy(f"score_e{self.n}", f"kind{self.n}", {"weight": self.n + 1})

    @property
    def universe(self) -> r.Universe:
        return r.Universe(
            UniverseVersion(self.hash("universe")), f"name{self.n}", self.pick("XNYS", "XKRX"),
            (f"A{self.n}", "B"), self.pick(False, True),
        )  # fmt: skip

    @property
    def snapshot(self) -> r.Snapshot:
        return r.Snapshot(
            DataVersion(self.hash("snapshot")), f"source{self.n}", 2 + self.n, 100 + self.n, self.day,
            self.later, f"manifests/{self.n}.json",
        )  # fmt: skip

    @property
    def atom(self) -> ledger.AtomEntry:
        return ledger.AtomEntry(
            f"entry.x{self.n}", self.pick("entry", "risk"), self.pick(Tier.T1, Tier.T2), f"status{self.n}",
            0.25 + self.n / 8, {"n": self.n}, f"why {self.n}", f"paper {self.n}",
        )  # fmt: skip

    @property
    def template(self) -> ledger.TemplateEntry:
        return ledger.TemplateEntry(
            f"TEMPLATE_{self.n}", f"Template {self.n}", self.pick(Tier.T2, Tier.T1), f"state{self.n}",
            0.5 + self.n / 8, {"p": self.n}, f"because {self.n}", f"book {self.n}", (self.atom.atom_id,),
        )  # fmt: skip

    @property
    def parent(self) -> r.Strategy:
        return build.strategy(50 + self.n, template_id=None, atoms=(), params=None)

    @property
    def strategy(self) -> r.Strategy:
        return build.strategy(
            60 + self.n, created_from=self.pick("mutation", "llm"), spec_hash_version=f"h{self.n + 2}",
            schema_version=f"2.{self.n}", kind=self.pick("spec", "signals"), name=f"named {self.n}",
            template_id=self.template.template_id, params={"p": self.n}, atoms=(self.atom.atom_id,),
            derived_from=self.parent.strategy_id,
        )  # fmt: skip

    @property
    def contract(self) -> CalcContract:
        return CalcContract(initial_capital=1000.0 + self.n, currency=self.pick("KRW", "EUR"))

    @property
    def models(self) -> ModelVersions:
        return ModelVersions(f"cost{self.n}", f"fill{self.n}", f"book{self.n}", (("bps", 5 + self.n),))

    @property
    def key(self) -> ids.ReproductionKey:
        return ids.ReproductionKey(
            self.strategy.strategy_id, self.pick(EngineMode.A, EngineMode.B), f"e{self.n}",
            DataVersion(self.hash("slice")), self.universe.universe_version, self.day, self.later,
            self.pick("1d", "1h"), self.contract.hash, self.models.hash, 4000 + self.n,
        )  # fmt: skip

    @property
    def backtest(self) -> r.Backtest:
        return r.Backtest(
            ids.backtest_id(self.key), self.key, self.run.run_id, 3 + self.n, self.contract, self.models,
            BacktestStatus.DONE, ResultHash(self.hash("result")), None, None, self.ref("curves"),
            self.snapshot.data_version,
        )  # fmt: skip

    @property
    def failed(self) -> r.Backtest:
        key = replace(self.key, seed=5000 + self.n)
        return replace(
            self.backtest, backtest_id=ids.backtest_id(key), key=key, status=BacktestStatus.FAILED,
            result_hash=None, error_code=f"CODE_{self.n}", error_message=f"message {self.n}",
            artifacts_dir=None, snapshot_version=None,
        )  # fmt: skip

    @property
    def metrics(self) -> r.Metrics:
        values: dict[str, float | int | None] = {
            name: (-1.0 if name == "max_drawdown_net" else 1.0) * (i + 1 + self.n / 2)
            for i, name in enumerate(MEASURED)
        }
        values["calmar_net"] = None
        return r.Metrics(
            self.backtest.backtest_id, self.contract.hash, values, {"calmar_net": f"reason {self.n}"},
            (f"warning {self.n}",), self.ref("metrics"), f"s{self.n}",
        )  # fmt: skip

    @property
    def score(self) -> r.Score:
        return r.Score(
            self.backtest.backtest_id, self.policy.policy_version, 0.5 + self.n / 4, {"edge": self.n},
            self.pick(False, True), (f"gate{self.n}",),
        )  # fmt: skip

    @property
    def failure(self) -> r.Failure:
        rule, version = f"rule{self.n}", f"{self.n + 1}"
        test = self.backtest.backtest_id
        return r.Failure(
            ids.failure_id(test, rule, version), test, rule, version, self.policy.policy_version,
            self.pick(FailureCategory.COST, FailureCategory.REGIME), (f"TAG_{self.n}", "OTHER"[self.n :]),
            self.pick(Severity.ERROR, Severity.WARN), 0.25 + self.n / 2, f"summary {self.n}",
            self.ref("evidence"), {"figure": self.n + 1},
            self.pick(FailureState.CONFIRMED, FailureState.DEPRECATED),
        )  # fmt: skip

    @property
    def quiet(self) -> r.Failure:
        """One whose state changes later."""
        test = self.failed.backtest_id
        known = ids.failure_id(test, self.failure.rule_id, self.failure.rule_version)
        return replace(self.failure, failure_id=known, backtest_id=test)

    @property
    def constraint(self) -> r.Constraint:
        scope = self.pick(ConstraintScope.GENERATOR, ConstraintScope.RISK)
        kind = self.pick(ConstraintType.BAN_TEMPLATE, ConstraintType.MAX_DRAWDOWN_PCT)
        params, where = {"limit": self.n}, {"market": f"M{self.n}"}
        return r.Constraint(
            ids.constraint_id(scope, kind, params, where), scope, kind, params, where, 60 + self.n,
            self.pick(Severity.ERROR, Severity.CRITICAL),
            self.pick(ConstraintOrigin.FAILURE, ConstraintOrigin.USER), {"seen": self.n + 7},
            self.pick(ConstraintStatus.ACTIVE, ConstraintStatus.INACTIVE),
        )  # fmt: skip

    @property
    def base_set(self) -> r.ConstraintSet:
        member = build.constraint(20 + self.n, derived_from_type=ConstraintOrigin.USER)
        return replace(build.constraint_set(member), policy_version=self.policy.policy_version)

    @property
    def constraint_set(self) -> r.ConstraintSet:
        return replace(
            build.constraint_set(self.constraint, base=self.base_set),
            policy_version=self.policy.policy_version,
            state=self.pick(ConstraintSetState.ACTIVE, ConstraintSetState.ARCHIVED),
        )

    @property
    def provenance(self) -> r.Provenance:
        return r.Provenance(self.constraint.constraint_id, self.failure.failure_id, f"mapping{self.n}")

    @property
    def iteration(self) -> r.Iteration:
        return r.Iteration(self.run.run_id, 5 + self.n, self.base_set.constraint_set_id)

    @property
    def trial(self) -> r.Trial:
        run_id, iteration, ordinal = self.run.run_id, 3 + self.n, 30 + self.n
        return r.Trial(
            ids.trial_id(run_id, iteration, ordinal), run_id, iteration, ordinal,
            self.pick(TrialDoor.OPTUNA, TrialDoor.LLM), self.strategy.strategy_id,
            self.pick(TrialOutcome.CACHED, TrialOutcome.ERROR), self.universe.universe_version, self.day,
            self.later, self.pick(TrialArm.EXPLORATION, TrialArm.MAIN), self.backtest.backtest_id,
            self.pick("carl", "dora"),
        )  # fmt: skip

    @property
    def blocked(self) -> r.TrialConstraint:
        return r.TrialConstraint(
            self.trial.trial_id, self.constraint_set.constraint_set_id, self.constraint.constraint_id,
            self.trial.arm,
        )  # fmt: skip

    @property
    def stage_event(self) -> r.StageEvent:
        return r.StageEvent(
            self.run.run_id, f"S{20 + self.n}", f"STAGE_{self.n}",
            self.pick(StageStatus.FAILED, StageStatus.RETRYING), 3 + self.n, 2 + self.n, f"CODE_{self.n}",
            f"reason {self.n}", {"done": self.n},
        )  # fmt: skip

    @property
    def comparison(self) -> r.EngineComparison:
        pair = self.pick((self.backtest, self.failed), (self.failed, self.backtest))
        return r.EngineComparison(
            pair[0].backtest_id, pair[1].backtest_id, self.pick(False, True), 0.25 + self.n, -2.5 - self.n,
            f"reason {self.n}", {"trade": self.n},
        )  # fmt: skip

    @property
    def case(self) -> ledger.RobustnessCase:
        return ledger.RobustnessCase(
            self.backtest.backtest_id, f"case{self.n}", {"factor": self.n}, self.pick(True, False),
            self.policy.policy_version, {"kept": 0.5 + self.n}, self.ref("cases"),
        )  # fmt: skip

    @property
    def report(self) -> ledger.Report:
        return ledger.Report(
            self.pick(self.run.run_id, None), self.pick(None, self.backtest.backtest_id),
            f"reports/{self.n}.html", f"reports/{self.n}.pdf", f"reports/{self.n}.json", f"doc-{self.n}",
        )  # fmt: skip

    @property
    def fingerprint(self) -> ledger.Fingerprint:
        return ledger.Fingerprint(
            self.strategy.strategy_id, f"simhash_v{self.n}", DataVersion(self.hash("marked")),
            bytes([self.n, 7]),
        )  # fmt: skip

    @property
    def holdout_read(self) -> ledger.HoldoutRead:
        return ledger.HoldoutRead(
            self.strategy.strategy_id, f"purpose {self.n}", self.day, self.later, self.pick("eve", "finn")
        )

    @property
    def reproduction(self) -> ledger.Reproduction:
        return ledger.Reproduction(
            self.backtest.backtest_id, self.pick(False, True), self.pick(DriftCause.CODE, None),
            ResultHash(self.hash("stored")), ResultHash(self.hash("found")), f"code{self.n + 5}",
            f"detail {self.n}",
        )  # fmt: skip

    @property
    def recall(self) -> ledger.Recall:
        return ledger.Recall(
            self.pick("data", "engine"), f"target {self.n}", f"reason {self.n}", {"n": self.n}
        )

    @property
    def finding(self) -> ledger.DataFinding:
        return ledger.DataFinding(
            self.snapshot.data_version, f"SYM{self.n}", self.day, f"kind{self.n}",
            self.pick(Severity.ERROR, Severity.INFO), f"detail {self.n}", self.pick(True, False),
        )  # fmt: skip

    @property
    def trade(self) -> ledger.LiveTrade:
        return ledger.LiveTrade(
            f"fill-{self.n}", self.strategy.strategy_id, f"account{self.n}", f"SYM{self.n}", -3.5 + self.n,
            90.5 + self.n, 0.25 + self.n, datetime(2026, 5, 1 + self.n, 9, 30, 0, 123456, tzinfo=UTC),
            self.backtest.backtest_id,
        )  # fmt: skip

    @property
    def replay(self) -> ledger.Replay:
        return ledger.Replay(
            f"replay-{self.n}", self.strategy.strategy_id, self.backtest.backtest_id, self.day, self.later,
            self.pick(True, False), {"pnl": self.n + 1},
        )  # fmt: skip

    @property
    def failure_event(self) -> ledger.FailureEvent:
        state = self.pick(FailureState.RESOLVED, FailureState.OPEN)
        return ledger.FailureEvent(self.quiet.failure_id, state, f"seen {self.n}", f"who{self.n}")

    @property
    def constraint_event(self) -> ledger.ConstraintEvent:
        member = self.base_set.members[0].constraint_id
        status = self.pick(ConstraintStatus.DEPRECATED, ConstraintStatus.INACTIVE)
        return ledger.ConstraintEvent(member, status, f"no use {self.n}", f"by{self.n}")

    @property
    def promotion(self) -> ledger.Promotion:
        return ledger.Promotion(
            self.strategy.strategy_id, "PROMOTE", Tier.T0, self.pick(Tier.T1, Tier.T2),
            self.policy.policy_version, (f"evidence{self.n}",), self.backtest.backtest_id,
            self.pick("gil", "hana"), f"reason {self.n}",
        )  # fmt: skip

    @property
    def held(self) -> ledger.Promotion:
        return replace(self.promotion, decision="HOLD", tier_from=self.promotion.tier_to)

    def save(self, unit: KnowledgeUnit) -> None:
        """All of them, parents first."""
        unit.save_policies([self.policy])
        unit.save_universes([self.universe])
        unit.save_snapshots([self.snapshot])
        unit.save_atoms([self.atom])
        unit.save_templates([self.template])
        unit.insert_run(self.run)
        unit.insert_iteration(r.Iteration(self.run.run_id, 3 + self.n))
        unit.upsert_strategies([self.parent, self.strategy])
        unit.insert_backtests([self.backtest, self.failed])
        unit.save_metrics([self.metrics])
        unit.save_scores([self.score])
        unit.save_failures([self.failure, self.quiet])
        unit.save_trials([self.trial])
        unit.save_constraint_set(self.run.run_id, 3 + self.n, self.base_set, [])
        unit.save_constraint_set(self.run.run_id, 3 + self.n, self.constraint_set, [self.provenance])
        unit.save_trial_constraints([self.blocked])
        unit.insert_iteration(self.iteration)
        unit.finish_iteration(self.run.run_id, 5 + self.n, {"evaluated": self.n})
        unit.save_stage_events([self.stage_event])
        unit.save_comparisons([self.comparison])
        unit.save_robustness_cases([self.case])
        unit.save_reports([self.report])
        unit.save_fingerprints([self.fingerprint])
        unit.save_holdout_read(self.holdout_read)
        unit.save_reproductions([self.reproduction])
        unit.save_recall(self.recall)
        unit.save_data_findings([self.finding])
        unit.save_live_trades([self.trade])
        unit.save_replays([self.replay])
        unit.set_failure_state(self.failure_event)
        unit.set_constraint_status(self.constraint_event)
        unit.save_promotions([self.promotion, self.held])
        if self.n:
            unit.set_run_status(self.run.run_id, RunStatus.STOPPED)


__all__ = ["MEASURED", "Told"]
