"""One stored backtest on the terminal: what it is, its figures, its gates, its failures, how far it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from quantrail.apps.cli.figures import metric_table, metric_text
from quantrail.apps.cli.output import number, out, percent, table
from quantrail.domain.records import Score
from quantrail.services.description import models_text
from quantrail.services.detail import BacktestDetail

STITCHED = (
    "Slices by the market's trend and volatility join days that lie apart, so a drawdown there may run over "
    "gaps and be deeper than the whole period's."
)


def print_backtest(found: BacktestDetail) -> None:
    console, row = out(), found.backtest
    console.print(f"[bold]backtest[/bold] {row.backtest_id}  engine {row.key.engine_mode}  {row.status}")
    console.print(f"{row.key.period_start} .. {row.key.period_end}, strategy {row.key.strategy_id[:12]}")
    console.print(f"\n{found.explained}\n")
    if row.metrics is not None:
        console.print(metric_table(row.metrics.values, console.width))
    if found.slices:
        console.print(_slice_table(found.slices))
    for score in row.scores:
        console.print(_score_line(score, len(row.failures)))
    if row.failures:
        console.print(_failure_rows(row.failures))
    for line in _trust_lines(found):
        console.print(line)
    console.print(
        f"[dim]data {row.key.data_version[:12]} · engine {row.key.engine_version} · "
        f"models {models_text(row.model_versions)} · code {row.code_version[:12]}[/dim]"
    )


def gates_text(passed: bool | None, fail_reasons: Sequence[str]) -> str:
    """What a score's gates said; they decide what may be shortlisted, failures are judged apart."""
    if passed is None:
        return "–"
    return "all passed" if passed else f"failed: {'; '.join(fail_reasons)}"


def _score_line(score: Score, failures: int) -> str:
    gates = gates_text(score.passed, score.fail_reasons)
    broken = f"; {failures} failure rule(s) broken all the same" if failures and score.passed else ""
    return f"score {number(score.score_total, 3)} under {score.policy_version}; its gates: {gates}{broken}"


def _trust_lines(found: BacktestDetail) -> Iterator[str]:
    """How far the result holds up: against the other engine, its neighbours, and when run again."""
    for made, differ in zip(found.comparisons, found.models_differ, strict=True):
        gap = percent(made.max_abs_equity_diff, 3)
        models = f"; different models: {differ}" if differ else ""
        yield f"engine A against B: {'agree' if made.agree else made.reason}, equity within {gap}{models}"
    for case in found.robustness:
        kept = number(case.metrics.get("median_sharpe_net"))
        yield f"{case.type}: {'plateau' if case.passed else 'cliff'}, median Sharpe {kept}"
    if found.reproductions:
        newest = found.reproductions[0]
        outcome = "equal" if newest.equal else f"differs ({newest.cause})"
        yield f"run again {len(found.reproductions)} time(s), last: {outcome}"


def _slice_table(slices: Sequence[Any]) -> Table:
    names = ("return_total_net", "sharpe_net", "max_drawdown_net", "closed_trades")
    rows = [[s["slice"], str(s["bars"]), *(metric_text(name, s[name]) for name in names)] for s in slices]
    columns = ["slice", "bars", "return net", "Sharpe net", "max DD", "trades"]
    return table("Slices", columns, rows, caption=STITCHED)


def _failure_rows(failures: Sequence[Any]) -> Table:
    rows = [
        [f.failure_id[:8], ", ".join(f.tags), f.severity.value, f"{f.confidence:.2f}", f.summary]
        for f in failures
    ]
    title = "Failures, judged apart from the gates"
    return table(title, ["id", "tags", "severity", "confidence", "what"], rows, wrap=("what",))
