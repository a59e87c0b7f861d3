"""Builders of valid knowledge records: small, deterministic, every id worked out as the loop does it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from quantrail.domain import identity as ids
from quantrail.domain import ledger
from quantrail.domain import records as r
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import (
    ConstraintScope,
    ConstraintType,
    EngineMode,
    FailureCategory,
    Severity,
    Tier,
    TrialArm,
    TrialDoor,
    TrialOutcome,
)
from quantrail.domain.ids import (
    BacktestId,
    ConstraintId,
    ContentHash,
    DataVersion,
    LogicHash,
    ResultHash,
    RunId,
    StrategyId,
    UniverseVersion,
)

POLICY = "score_v1"
RULES = "rules_v1"
MAPPING = "mapping_v1"
CONTRACT = CalcContract()
# Spelt out, not today's defaults: databases of released revisions hold these ids.
MODELS = ModelVersions("bps_per_side_v1", "next_open_v1", "fractional_v1")
CONTRACT_HASH, MODELS_HASH = CONTRACT.hash, MODELS.hash
UNIVERSE = UniverseVersion(ids.content_hash("universe"))
DATA = DataVersion(ids.content_hash("data"))
START, END = date(2013, 1, 2), date(2016, 12, 30)
TEMPLATES = ("SMA_CROSSOVER", "RSI_MEAN_REVERSION", "MOMENTUM", "DONCHIAN_BREAKOUT")
ATOMS = ("entry.cross", "exit.cross", "risk.hard_stop", "sizing.equal_weight")
TAGS = ("TOO_FEW_TRADES", "NEGATIVE_EXPECTANCY", "COST_DRAG", "DRAWDOWN_DEEP", "OOS_DECAY")


@dataclass(slots=True)
class SteadyClock:
    """Aware times one second apart, from a fixed start."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@lru_cache
def run_id(number: int = 0) -> RunId:
    def entropy(size: int) -> bytes:
        return number.to_bytes(size, "big")

    return ids.new_run_id(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number), entropy)


def run(number: int = 0, **changes: Any) -> r.Run:
    fields: dict[str, Any] = {
        "run_id": run_id(number), "project_version": "0.1.0", "config": {"name": "test", "seed": number},
        "door": TrialDoor.LOOP, "code_version": "abc1234",
    }  # fmt: skip
    return r.Run(**{**fields, **changes})


def policies() -> list[r.Policy]:
    return [
        r.Policy(POLICY, "score", {"weights": {"edge": 0.6, "cost": 0.4}}),
        r.Policy(RULES, "failure_rules", {"min_trades": 20}),
        r.Policy(MAPPING, "constraint_rules", {"exploration_share": 0.1}),
    ]


def universe() -> r.Universe:
    return r.Universe(UNIVERSE, "sample", "XNYS", ("AAPL", "MSFT"))


def templates() -> list[ledger.TemplateEntry]:
    return [
        ledger.TemplateEntry(one, one.title(), Tier.T0, "active", 0.5, {"type": "object"})
        for one in TEMPLATES
    ]


def atoms() -> list[ledger.AtomEntry]:
    return [ledger.AtomEntry(one, one.split(".")[0], Tier.T0, "active", 0.5, {}) for one in ATOMS]


def strategy(number: int, **changes: Any) -> r.Strategy:
    spec = {
        "schema_version": "1.0",
        "features": {f"sma(close;period={number + 2})": {"type": "sma", "params": {"period": number + 2}}},
        "universe": {"symbols": ["AAPL", "MSFT"]},
    }
    text = ids.canonical_json(changes.pop("spec", spec))
    fields: dict[str, Any] = {
        "strategy_id": StrategyId(hashlib.sha256(text).hexdigest()), "normalized_spec_json": text,
        "logic_hash": LogicHash(ids.content_hash(["logic", number])), "created_from": "template",
        "template_id": TEMPLATES[number % len(TEMPLATES)], "params": {"period": number + 2},
        "atoms": (ATOMS[number % len(ATOMS)], ATOMS[(number + 1) % len(ATOMS)]),
    }  # fmt: skip
    return r.Strategy(**{**fields, **changes})


def reproduction_key(
    strategy_id: StrategyId, engine: EngineMode = EngineMode.A, start: date = START, end: date = END
) -> ids.ReproductionKey:
    return ids.ReproductionKey(
        strategy_id, engine, f"{engine.value.lower()}1", DATA, UNIVERSE, start, end, "1d", CONTRACT_HASH,
        MODELS_HASH, ids.backtest_seed(strategy_id, DATA),
    )  # fmt: skip


def result_hash(number: int) -> ResultHash:
    return ResultHash(ids.content_hash(["result", number]))


def backtest(
    of: r.Strategy, number: int = 0, engine: EngineMode = EngineMode.A, run_number: int = 0, **changes: Any
) -> r.Backtest:
    key = reproduction_key(of.strategy_id, engine)
    fields: dict[str, Any] = {
        "backtest_id": ids.backtest_id(key), "key": key, "run_id": run_id(run_number), "iteration_id": 1,
        "calc_contract": CONTRACT, "model_versions": MODELS, "result_hash": result_hash(number),
        "artifacts_dir": r.ArtifactRef("artifacts/batch.parquet", number),
    }  # fmt: skip
    return r.Backtest(**{**fields, **changes})


def metrics(backtest_id: BacktestId, number: int = 0, **changes: Any) -> r.Metrics:
    share = (number * 7919 % 1000) / 1000
    values: dict[str, float | int | None] = {
        "return_total_net": share - 0.3, "cagr_net": (share - 0.3) / 4,
        "volatility_annual_net": 0.1 + share / 10,
        "max_drawdown_net": -share / 2, "sharpe_net": 3 * share - 1, "sortino_net": 4 * share - 1,
        "calmar_net": None, "win_rate_period": 0.5, "profit_factor": 1.0 + share, "turnover_annual": 3.0,
        "avg_exposure": 0.4, "costs_total": 12.5, "fees_total": 2.5, "slippage_total": 5.0,
        "spread_total": 5.0,
        "oos_return_total_net": 0.1, "oos_sharpe_net": 0.2, "oos_is_performance_ratio": 0.5,
        "hit_rate_trades": 0.5, "avg_trade_return_net": 0.001, "trades": 30 + number % 50,
    }  # fmt: skip
    fields: dict[str, Any] = {
        "backtest_id": backtest_id, "calc_contract_hash": CONTRACT_HASH, "values": values,
        "undefined": {"calmar_net": "no drawdown"},
        "metrics_json_path": r.ArtifactRef("artifacts/metrics.parquet", number),
    }  # fmt: skip
    return r.Metrics(**{**fields, **changes})


def score(backtest_id: BacktestId, number: int = 0, **changes: Any) -> r.Score:
    total = (number * 7919 % 1000) / 1000
    fields: dict[str, Any] = {
        "backtest_id": backtest_id, "policy_version": POLICY, "score_total": total,
        "breakdown": {"edge": total * 0.6, "cost": total * 0.4}, "passed": total > 0.8,
        "fail_reasons": () if total > 0.8 else ("min_trades",),
    }  # fmt: skip
    return r.Score(**{**fields, **changes})


def failure(backtest_id: BacktestId, number: int = 0, **changes: Any) -> r.Failure:
    rule = f"rule_{number % len(TAGS)}"
    fields: dict[str, Any] = {
        "failure_id": ids.failure_id(backtest_id, rule, "1"), "backtest_id": backtest_id, "rule_id": rule,
        "rule_version": "1", "policy_version": RULES,
        "category": tuple(FailureCategory)[number % len(FailureCategory)],
        "tags": (TAGS[number % len(TAGS)],), "severity": tuple(Severity)[number % len(Severity)],
        "confidence": (number % 10) / 10, "summary": f"{12 + number % 30} trades, at least 50 are asked for",
        "evidence": {"trades": 12 + number % 30},
    }  # fmt: skip
    return r.Failure(**{**fields, **changes})


def constraint(number: int = 0, **changes: Any) -> r.Constraint:
    kind, params = (
        ConstraintType.BAN_TEMPLATE,
        {"template_id": TEMPLATES[number % len(TEMPLATES)], "n": number},
    )
    scope = ConstraintScope.GENERATOR
    fields: dict[str, Any] = {
        "constraint_id": ids.constraint_id(scope, kind, params, {}), "scope": scope, "type": kind,
        "params": params, "statistics": {"n": 20, "rate": 0.9},
    }  # fmt: skip
    return r.Constraint(**{**fields, **changes})


def constraint_set(*members: r.Constraint, base: r.ConstraintSet | None = None) -> r.ConstraintSet:
    base_id = None if base is None else base.constraint_set_id
    member_ids: list[ConstraintId] = [one.constraint_id for one in members]
    return r.ConstraintSet(ids.constraint_set_id(member_ids, base_id), members, MAPPING, base_id)


def trial(
    of: r.Strategy,
    ordinal: int,
    backtest_id: BacktestId | None,
    outcome: TrialOutcome = TrialOutcome.EVALUATED,
    run_number: int = 0,
    **changes: Any,
) -> r.Trial:
    fields: dict[str, Any] = {
        "trial_id": ids.trial_id(run_id(run_number), changes.get("iteration_id", 1), ordinal),
        "run_id": run_id(run_number), "iteration_id": 1, "ordinal": ordinal, "door": TrialDoor.LOOP,
        "strategy_id": of.strategy_id, "outcome": outcome, "universe_version": UNIVERSE,
        "period_start": START,
        "period_end": END, "backtest_id": backtest_id, "arm": TrialArm.MAIN,
    }  # fmt: skip
    return r.Trial(**{**fields, **changes})


def hash_of(text: str) -> ContentHash:
    return ids.content_hash(text)
