"""Finished backtests for the store's benchmark: distinct, deterministic, and quick to make.

One backtest is 12 to 13 rows: strategy, two atoms, backtest, metrics, score, two failures with a tag
each, trial. Constructors are called outright: at a million records the making must not outweigh the work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from quantrail.domain import records as r
from quantrail.domain.enums import EngineMode, FailureCategory, Severity, TrialDoor, TrialOutcome
from quantrail.domain.identity import ReproductionKey, backtest_id
from quantrail.domain.ids import BacktestId, FailureId, LogicHash, ResultHash, StrategyId, TrialId
from quantrail.strategy import canonicalise, template_spec
from quantrail.testing import records as build

SPEC = canonicalise(
    template_spec(
        "SMA_CROSSOVER", {"short_window": 20, "long_window": 50}, [f"SYM{i:02d}" for i in range(30)]
    )
).json
RUN = build.run_id()
_CATEGORIES, _SEVERITIES = tuple(FailureCategory), tuple(Severity)


@dataclass
class Records:
    """What one batch hands to the store."""

    strategies: list[r.Strategy] = field(default_factory=list)
    backtests: list[r.Backtest] = field(default_factory=list)
    metrics: list[r.Metrics] = field(default_factory=list)
    scores: list[r.Score] = field(default_factory=list)
    failures: list[r.Failure] = field(default_factory=list)
    trials: list[r.Trial] = field(default_factory=list)


def records(first: int, count: int) -> Records:
    """``count`` finished backtests from number ``first`` on, the 40th part of them verified by engine B."""
    made = Records()
    file = f"artifacts/{first}.parquet"
    for number in range(first, first + count):
        strategy = _strategy(number)
        backtest = _backtest(strategy, number, r.ArtifactRef(file, number - first))
        # A share of its own for each, so that no two scores or metrics tie.
        share = int.from_bytes(bytes.fromhex(strategy.logic_hash)[:4], "big") / 2**32
        made.strategies.append(strategy)
        made.backtests.append(backtest)
        made.metrics.append(_metrics(backtest.backtest_id, number, share))
        made.scores.append(_score(backtest.backtest_id, share))
        made.failures.append(_failure(backtest.backtest_id, number))
        made.failures.append(_failure(backtest.backtest_id, number + 1))
        made.trials.append(_trial(strategy, number, backtest.backtest_id))
    return made


def _digest(kind: str, number: object) -> str:
    return hashlib.sha256(f"{kind}|{number}".encode()).hexdigest()


def _strategy(number: int) -> r.Strategy:
    text = SPEC.replace(b"period=20", b"period=2%d" % number).replace(
        b'"period":20', b'"period":2%d' % number
    )
    return r.Strategy(
        StrategyId(hashlib.sha256(text).hexdigest()), text, LogicHash(_digest("logic", number)), "template",
        template_id=build.TEMPLATES[number % 4], params={f"p{i}": number * i % 251 for i in range(8)},
        atoms=(build.ATOMS[number % 4], build.ATOMS[(number + 1) % 4]),
    )  # fmt: skip


def _backtest(of: r.Strategy, number: int, file: r.ArtifactRef) -> r.Backtest:
    engine = EngineMode.B if number % 40 == 0 else EngineMode.A
    key = ReproductionKey(
        of.strategy_id, engine, f"{engine.value.lower()}1", build.DATA, build.UNIVERSE, build.START,
        build.END, "1d", build.CONTRACT_HASH, build.MODELS_HASH, number,
    )  # fmt: skip
    return r.Backtest(
        backtest_id(key), key, RUN, 1, build.CONTRACT, build.MODELS,
        result_hash=ResultHash(_digest("result", number)), artifacts_dir=file,
    )  # fmt: skip


def _metrics(of: BacktestId, number: int, share: float) -> r.Metrics:
    values: dict[str, float | int | None] = {
        "return_total_net": share - 0.3, "cagr_net": (share - 0.3) / 4,
        "volatility_annual_net": 0.1 + share / 10, "max_drawdown_net": -share / 2,
        "sharpe_net": 3 * share - 1, "sortino_net": 4 * share - 1, "calmar_net": None,
        "win_rate_period": 0.4 + share / 5, "profit_factor": 1.0 + share, "turnover_annual": 3.0 + share,
        "avg_exposure": 0.4 + share / 3, "costs_total": 12.5 + share, "fees_total": 2.5 + share,
        "slippage_total": 5.0 + share, "spread_total": 5.0 + share, "oos_return_total_net": 0.1 - share,
        "oos_sharpe_net": 0.2 - share, "oos_is_performance_ratio": 0.5 + share,
        "hit_rate_trades": number % 1000 / 1000, "avg_trade_return_net": share / 1000,
        "closed_trades": 30 + number % 50,
    }  # fmt: skip
    if number % 1000 == 7:
        values["own"] = share  # a metric of the user's, which has no column
    return r.Metrics(
        of, build.CONTRACT_HASH, values, {"calmar_net": "no drawdown"},
        metrics_json_path=r.ArtifactRef("artifacts/metrics.parquet", number),
    )  # fmt: skip


def _score(of: BacktestId, share: float) -> r.Score:
    return r.Score(
        of, build.POLICY, share, {f"term_{i}": share / (i + 2) for i in range(6)}, share > 0.9,
        () if share > 0.9 else ("min_trades",),
    )  # fmt: skip


def _failure(of: BacktestId, number: int) -> r.Failure:
    n = number % 5
    trades = number % 37
    return r.Failure(
        FailureId(_digest(of, n)), of, f"rule_{n}", "1", build.RULES, _CATEGORIES[n], (build.TAGS[n],),
        _SEVERITIES[number % 4], number % 97 / 97, f"{trades} trades, at least 50 are asked for",
        evidence={"trades": trades, "limit": 50},
    )  # fmt: skip


def _trial(of: r.Strategy, number: int, backtest: BacktestId) -> r.Trial:
    return r.Trial(
        TrialId(_digest("trial", number)), RUN, 1, number, TrialDoor.LOOP, of.strategy_id,
        TrialOutcome.EVALUATED, build.UNIVERSE, build.START, build.END, backtest_id=backtest,
    )  # fmt: skip
