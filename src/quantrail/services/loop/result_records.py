"""Evaluations as records of the knowledge store."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail import engine
from quantrail.domain.enums import BacktestStatus
from quantrail.domain.identity import failure_id
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.domain.ledger import RobustnessCase
from quantrail.domain.records import (
    ArtifactRef,
    Backtest,
    EngineComparison,
    Failure,
    Metrics,
    Score,
    Strategy,
)
from quantrail.services.loop.state import Candidate, Evaluated, RunFrame, Verified
from quantrail.strategy import TEMPLATES, CanonicalSpec

NEIGHBOUR_STEP = 0.1  # of a parameter's value, at least 1 for whole numbers
KEEP_SHARE = 0.5  # of the Sharpe ratio, at the median neighbour, for a plateau


def strategy_records(candidates: Iterable[Candidate]) -> list[Strategy]:
    """Every candidate's strategy once, and the one that constraints rewrote it from, parents first."""
    found: dict[StrategyId, Strategy] = {}
    for candidate in candidates:
        source = candidate.source
        if source is not None and source.strategy_id not in found:
            found[source.strategy_id] = _strategy(candidate, source, candidate.proposed.parent)
        origin = candidate.proposed.parent if source is None else source.strategy_id
        if candidate.strategy_id not in found:
            found[candidate.strategy_id] = _strategy(candidate, candidate.canonical, origin)
    return list(found.values())


def _strategy(candidate: Candidate, spec: CanonicalSpec, origin: StrategyId | None) -> Strategy:
    made = candidate.proposed
    template = TEMPLATES.get(made.template_id) if made.template_id else None
    whole = made.created_from == "template" and template is not None
    return Strategy(
        strategy_id=spec.strategy_id,
        normalized_spec_json=spec.json,
        logic_hash=spec.logic_hash,
        created_from=made.created_from,
        spec_hash_version=spec.spec_hash_version,
        kind="signals" if made.created_from == "signals" else "spec",
        name=made.document.get("name"),
        template_id=made.template_id,
        params=dict(made.params) or None,
        atoms=template.atom_ids if whole and template is not None else (),
        derived_from=origin if origin != spec.strategy_id else None,
    )


def backtest_record(
    frame: RunFrame, iteration: int, entry: Evaluated, artifacts: ArtifactRef | None
) -> Backtest:
    """The execution of one evaluation, failed ones included."""
    outcome = entry.outcome
    return Backtest(
        backtest_id=entry.backtest_id,
        key=entry.key,
        run_id=frame.run_id,
        iteration_id=iteration,
        calc_contract=frame.contract,
        model_versions=frame.models[entry.key.engine_mode],
        status=BacktestStatus.FAILED if outcome.error_code else BacktestStatus.DONE,
        result_hash=outcome.result_hash,
        error_code=outcome.error_code,
        error_message=outcome.error_message,
        artifacts_dir=artifacts,
        snapshot_version=frame.snapshot_version,
    )


def comparison_record(
    first: BacktestId, second: BacktestId, difference: engine.EngineComparison
) -> EngineComparison:
    """What sets engine B's result apart from engine A's."""
    trade = difference.first_difference
    return EngineComparison(
        backtest_a=first,
        backtest_b=second,
        agree=difference.agree,
        max_abs_equity_diff=difference.max_equity_difference,
        pnl_effect=difference.pnl_effect,
        reason=difference.reason or "none",
        first_difference={"trade": trade} if trade else None,
    )


def metrics_record(entry: Evaluated) -> Metrics:
    return Metrics(
        backtest_id=entry.backtest_id,
        calc_contract_hash=entry.key.calc_contract_hash,
        values=entry.outcome.metrics,
        undefined=entry.outcome.undefined,
    )


def score_record(entry: Evaluated) -> Score:
    score = entry.outcome.score
    assert score is not None  # the caller chose scored entries
    return Score(
        entry.backtest_id,
        score.policy_version,
        score.total,
        score.breakdown,
        score.passed,
        score.fail_reasons,
    )


def failure_records(frame: RunFrame, entry: Evaluated) -> list[Failure]:
    return [
        Failure(
            failure_id=failure_id(entry.backtest_id, f.rule.rule_id, f.rule.version),
            backtest_id=entry.backtest_id,
            rule_id=f.rule.rule_id,
            rule_version=f.rule.version,
            policy_version=frame.failure_policy,
            category=f.rule.category,
            tags=(f.rule.tag,),
            severity=f.severity,
            confidence=f.confidence,
            summary=f.summary,
            evidence=f.evidence,
        )
        for f in entry.outcome.failures
    ]


def robustness_records(frame: RunFrame, verified: Verified) -> list[RobustnessCase]:
    sharpes = [n.outcome.metrics.get("sharpe_net") for n in verified.neighbours]
    own = verified.a.outcome.metrics.get("is_sharpe_net")
    if not sharpes or own is None or own <= 0:
        return []
    values = sorted(s or 0.0 for s in sharpes)
    median = values[len(values) // 2]
    return [
        RobustnessCase(
            backtest_id=verified.b.backtest_id,
            type="parameter_neighbours",
            params={"neighbours": len(values), "step": NEIGHBOUR_STEP},
            passed=median >= KEEP_SHARE * own,
            policy_version=frame.failure_policy,
            metrics={"median_sharpe_net": median, "own_sharpe_net": own},
        )
    ]
