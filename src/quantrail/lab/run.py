"""A finished run as one holds it in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.domain.ids import RunId
from quantrail.lab.frames import as_rows
from quantrail.lab.html import html_card, html_table
from quantrail.services.loop.runner import RunOutcome
from quantrail.services.loop.state import Services
from quantrail.services.run_view import verified_or_screened

_STEPS = ("generated", "blocked", "screened", "passed", "shortlisted", "verified")
_TOP = 5


class Run:
    """How a run ended; ``summaries`` one per finished iteration, ``advice`` what flatters its results."""

    def __init__(self, services: Services, outcome: RunOutcome, kind: str) -> None:
        self._services, self._kind = services, kind
        self.outcome = outcome
        self.id: RunId = outcome.run_id
        self.run_id: RunId = outcome.run_id
        self.status = outcome.status
        self.summaries: tuple[Mapping[str, Any], ...] = outcome.summaries
        self.seconds = outcome.seconds
        self.advice = outcome.advice

    def leaderboard(self, limit: int = 20) -> Any:
        """The run's best strategies as a frame, verified ones where there are any."""
        from quantrail.lab.board import as_board

        return as_board(as_rows(verified_or_screened(self._services.store, self.id, limit), self._kind))

    def __repr__(self) -> str:
        told = "".join(f"; {text}" for text in self.advice)
        return f"<Run {self.id[:8]}: {self.status}, {len(self.summaries)} iteration(s){told}>"

    def _repr_html_(self) -> str:
        counts = [[s["iteration"], *(s["funnel"].get(step, 0) for step in _STEPS)] for s in self.summaries]
        best = [
            [s.name, _text(s.sharpe_net), _text(s.luck_bar), s.verdict.value]
            for s in verified_or_screened(self._services.store, self.id, _TOP)
        ]
        funnel = html_table(["iteration", *_STEPS], counts)
        board = html_table(["best strategies", "Sharpe", "luck alone", "verdict"], best) if best else ""
        advice = html_table(["bear in mind"], [[text] for text in self.advice]) if self.advice else ""
        return html_card(f"run {self.id[:8]}, {self.status}, {self.seconds:.0f} s", advice, funnel, board)


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
