"""Tables that several commands share: the leaderboard, the funnel, failures, constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from quantrail.apps.cli.output import number, percent, table
from quantrail.domain.answers import LeaderboardOrder
from quantrail.services.constraint_view import ConstraintHistory, describe_params
from quantrail.services.leaderboard import Standing, Verdict

WIDE = 100  # columns that hold the period beside the rest

_SCORE: tuple[str, Callable[[Standing], str]] = ("score", lambda s: number(s.score_total, 3))
_FIGURES: dict[LeaderboardOrder, tuple[str, Callable[[Standing], str]]] = {
    LeaderboardOrder.RETURN: ("return", lambda s: percent(s.return_total_net)),
    LeaderboardOrder.CAGR: ("CAGR", lambda s: percent(s.cagr_net)),
}

_COLOUR = {
    Verdict.BELIEVABLE: "green",
    Verdict.LUCK: "yellow",
    Verdict.DECAYS: "red",
    Verdict.FAILS: "red",
    Verdict.SCREENED: "dim",
}


def leaderboard_table(
    standings: Sequence[Standing],
    title: str | None = "Leaderboard",
    order: LeaderboardOrder = LeaderboardOrder.SCORE,
    width: int = 80,
) -> Table:
    """Best first; the luck bar is the Sharpe ratio that the best of so many trials shows by chance.

    Ordered by return or CAGR, that figure stands where the score does otherwise. Where periods differ, each
    row names its own if ``width`` holds it; else the caption says from when to when they reach.
    """
    trials = max((s.n_trials for s in standings), default=0)
    figure = _FIGURES.get(order, _SCORE)
    periods = {(s.period_start, s.period_end) for s in standings}
    dated = len(periods) > 1 and width >= WIDE
    rows = [
        [
            str(s.rank),
            s.strategy_id[:8],
            f"{s.name}, trades as {s.twin_of[:8]}" if s.twin_of else s.name,
            s.engine_mode.value,
            number(s.sharpe_net),
            percent(s.max_drawdown_net),
            number(s.closed_trades, 0),
            figure[1](s),
            number(s.luck_bar),
            f"[{_COLOUR[s.verdict]}]{s.verdict}[/]",
            *([f"{s.period_start:%Y-%m}..{s.period_end:%Y-%m}"] if dated else []),
        ]
        for s in standings
    ]
    columns = ["#", "id", "strategy", "eng", "Sharpe", "max DD", "trades", figure[0], "bar", "verdict"]
    columns += ["period"] if dated else []
    caption = (
        f"Net of costs. bar: the luck bar, the best Sharpe ratio of {trials:,} strategies without any edge."
    )
    if len(periods) > 1 and not dated:
        first, last = min(start for start, _ in periods), max(end for _, end in periods)
        caption += f" Periods differ, from {first} to {last}; a wider terminal or --csv shows each."
    if order is LeaderboardOrder.DRAWDOWN:
        caption += " Strategies that never held anything are left out."
    return table(title, columns, rows, wrap=("strategy",), caption=caption)


def funnel_table(summaries: Sequence[Mapping[str, Any]]) -> Table:
    """One row per iteration: how many candidates reached each step."""
    steps = {
        "generated": "drawn",
        "duplicate": "repeat",
        "blocked": "blocked",
        "explored": "explored",
        "rewritten": "rewrote",
        "cached": "known",
        "screened": "screened",
        "passed": "passed",
        "shortlisted": "short",
        "verified": "verified",
    }
    rows = [[str(s["iteration"]), *(str(s["funnel"].get(k, 0)) for k in steps)] for s in summaries]
    return table("Funnel per iteration", ["it", *steps.values()], rows)


def failure_table(counts: Sequence[tuple[str, int]], total: int) -> Table:
    """Most frequent failures, as a share of all evaluations."""
    rows = [[tag, f"{count:,}", percent(count / total if total else None)] for tag, count in counts]
    return table("Most frequent failures", ["failure", "count", "of evaluated"], rows)


def constraint_table(history: Sequence[ConstraintHistory]) -> Table:
    """What was learnt, on what evidence, and what it did to the candidates that came after."""
    rows = [
        [
            h.constraint_id[:8],
            f"{h.type} {describe_params(h.params)}",
            h.origin,
            h.evidence.replace(" ", "\n"),
            "–" if h.blocked_next is None else f"{h.blocked_next + h.rewrote_next}",
            f"{h.blocked + h.rewrote}",
            str(h.measured) if h.measured or not h.explored else "–",
            _uplift(h),
        ]
        for h in history
    ]
    columns = ["id", "constraint", "from", "failed\nin, out", "next", "all", "expl", "uplift, 95 %"]
    return table(
        "Constraints learnt, and what they did",
        columns,
        rows,
        wrap=("constraint",),
        caption=(
            "failed in, out: failed/tried inside the forbidden region, and outside. next, all: candidates "
            "it blocked (risk limits: rewrote) in the next iteration, and since. expl: blocked by it alone "
            "but run anyway, to measure. uplift: pass rate of what was let through minus that of these, over "
            "all iterations that measured, with its interval; below 0 it blocks what is better."
        ),
    )


def _uplift(history: ConstraintHistory) -> str:
    if history.uplift is None:
        return "–"
    return f"{history.uplift:+.2f}\n{history.uplift_low:+.2f}..{history.uplift_high:+.2f}"
