"""A stored backtest read back as an outcome: a known key is not worked out again."""

from __future__ import annotations

from quantrail.analysis.failures import FailureRule, FoundFailure, load_rules
from quantrail.analysis.score import Score
from quantrail.domain.answers import BacktestRow
from quantrail.domain.enums import BacktestStatus
from quantrail.domain.records import Failure
from quantrail.services.evaluation import Outcome


def is_scored(row: BacktestRow, policy_version: str) -> bool:
    """Whether a stored backtest ended well and was judged under this policy."""
    judged = any(s.policy_version == policy_version for s in row.scores)
    return row.status is BacktestStatus.DONE and row.metrics is not None and judged


def outcome_from_row(row: BacktestRow, policy_version: str) -> Outcome:
    """What an evaluation would have found, equity curve apart, of a row that ``is_scored``."""
    assert row.metrics is not None
    stored = next(s for s in row.scores if s.policy_version == policy_version)
    score = Score(
        stored.score_total,
        {name: float(value) for name, value in stored.breakdown.items()},
        stored.passed,
        tuple(stored.fail_reasons),
        policy_version,
    )
    metrics = {n: None if v is None else float(v) for n, v in row.metrics.values.items()}
    return Outcome(
        strategy_id=row.key.strategy_id,
        metrics=metrics,
        undefined=dict(row.metrics.undefined),
        score=score,
        failures=tuple(_found(failure) for failure in row.failures),
        result_hash=row.result_hash,
    )


def _found(failure: Failure) -> FoundFailure:
    return FoundFailure(
        rule=_rule(failure),
        severity=failure.severity,
        confidence=failure.confidence,
        summary=failure.summary,
        evidence=dict(failure.evidence or {}),
    )


def _rule(failure: Failure) -> FailureRule:
    return next(r for r in load_rules(failure.rule_version) if r.rule_id == failure.rule_id)
