"""The leaderboard as printed: the ordered figure, periods, and what is left out."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

from rich.console import Console

from quantrail.apps.cli.tables import leaderboard_table
from quantrail.domain.answers import LeaderboardOrder
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.services.leaderboard import Standing, Verdict

ROW = Standing(
    rank=1,
    strategy_id=StrategyId("ab" * 32),
    backtest_id=BacktestId("0193e0d0-0000-8000-8000-000000000000"),
    name="monthly top-N momentum",
    template_id=None,
    engine_mode=EngineMode.B,
    sharpe_net=1.23,
    sharpe_low=0.5,
    sharpe_high=2.0,
    return_total_net=0.571,
    cagr_net=0.163,
    max_drawdown_net=-0.081,
    closed_trades=41.0,
    oos_is_performance_ratio=0.8,
    score_total=0.907,
    n_trials=1600,
    luck_bar=1.96,
    deflated_sharpe=0.2,
    verdict=Verdict.LUCK,
    fail_reasons=(),
    period_start=date(2013, 2, 8),
    period_end=date(2016, 12, 30),
)
LATER = replace(ROW, rank=2, period_start=date(2014, 1, 2))


def _printed(rows: list[Standing], order: LeaderboardOrder = LeaderboardOrder.SCORE, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(leaderboard_table(rows, None, order, width))
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def test_the_figure_it_is_ordered_by_is_shown() -> None:
    assert "57.1%" in _printed([ROW], LeaderboardOrder.RETURN)
    assert "16.3%" in _printed([ROW], LeaderboardOrder.CAGR)
    assert "0.907" in _printed([ROW], LeaderboardOrder.SHARPE)


def test_periods_are_shown_where_they_differ() -> None:
    assert "2013-02..2016-12" in _printed([ROW, LATER], width=120)
    assert "2014-01..2016-12" in _printed([ROW, LATER], width=120)
    assert "Periods differ, from 2013-02-08 to 2016-12-30" in _printed([ROW, LATER])
    assert "period" not in _printed([ROW, replace(ROW, rank=2)], width=120).lower()


def test_ordered_by_drawdown_it_says_what_is_left_out() -> None:
    assert "never held anything are left out" in _printed([ROW], LeaderboardOrder.DRAWDOWN)
    assert "left out" not in _printed([ROW])
