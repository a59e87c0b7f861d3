"""The live display of a running loop: stage, candidates a second, funnel, best so far."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from quantrail.services.progress import Funnel
from quantrail.services.progress import Progress as Moment


class LoopDisplay:
    """Listener of a run. On a terminal it redraws in place; otherwise it prints a line per stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bars.add_task("prepare", total=None)
        self._live = Live(self._bars, console=console, refresh_per_second=8, transient=True)
        self._begun = time.monotonic()
        self._current: tuple[int, str] = (0, "")

    def __enter__(self) -> LoopDisplay:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    def __call__(self, moment: Moment) -> None:
        if (moment.iteration, moment.stage) != self._current:
            self._begun = time.monotonic()
        if self._console.is_terminal:
            self._redraw(moment)
        elif (moment.iteration, moment.stage) != self._current:
            self._console.print(_line(moment), highlight=False)
        self._current = (moment.iteration, moment.stage)

    def _redraw(self, moment: Moment) -> None:
        self._bars.update(
            self._task,
            description=f"iteration {moment.iteration}/{moment.iterations}  {moment.title}",
            completed=moment.done,
            total=moment.total or None,
        )
        grid = Table.grid(padding=(0, 2))
        grid.add_row(self._bars)
        grid.add_row(_funnel_text(moment.funnel))
        grid.add_row(f"{self._rate(moment)}   {_best(moment)}")
        self._live.update(grid)

    def _rate(self, moment: Moment) -> str:
        if moment.stage != "S50" or not moment.done:
            return ""
        seconds = max(time.monotonic() - self._begun, 1e-3)
        return f"{moment.done / seconds:,.0f} candidates/s"


def _line(moment: Moment) -> str:
    where = f"iteration {moment.iteration}/{moment.iterations}" if moment.iteration else "start"
    return f"{where}: {moment.title}  {_funnel_text(moment.funnel)}  {_best(moment)}".rstrip()


def _funnel_text(funnel: Funnel) -> str:
    shown = [f"{name} {count}" for name, count in funnel.to_json().items() if count]
    return " · ".join(shown)


def _best(moment: Moment) -> str:
    return "" if moment.best is None else f"best score {moment.best:.3f} ({moment.best_label})"
