"""A backtest's result as one holds it in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.errors import InvalidInput
from quantrail.lab.frames import as_frame, as_series
from quantrail.lab.html import html_card, html_table, sparkline
from quantrail.services.backtest import BacktestResult
from quantrail.services.loop.state import Services
from quantrail.services.series import curve_of, trades_of

_SHOWN = (
    ("total return", "return_total_net", "{:.1%}"),
    ("CAGR", "cagr_net", "{:.1%}"),
    ("volatility", "volatility_annual_net", "{:.1%}"),
    ("Sharpe", "sharpe_net", "{:.2f}"),
    ("Sortino", "sortino_net", "{:.2f}"),
    ("max drawdown", "max_drawdown_net", "{:.1%}"),
    ("closed trades", "closed_trades", "{:.0f}"),
    ("hit rate", "hit_rate_trades", "{:.1%}"),
    ("turnover a year", "turnover_annual", "{:.2f}"),
    ("costs", "costs_total", "{:,.0f}"),
)


class Result:
    """One engine's result. ``metrics``: name to value, None where undefined (``undefined`` says why)."""

    def __init__(self, services: Services, found: BacktestResult, kind: str) -> None:
        self._services, self._kind = services, kind
        self.record = found
        self.id: BacktestId = found.backtest_id
        self.backtest_id: BacktestId = found.backtest_id
        self.strategy_id: StrategyId = found.strategy_id
        self.engine_mode: EngineMode = found.engine_mode
        self.cached = found.cached
        self.metrics: Mapping[str, float | None] = found.metrics
        self.undefined: Mapping[str, str] = found.undefined
        self.score_total = found.score_total
        self.passed = found.passed
        self.failures = found.failures
        self.error = found.error
        self.advisories = found.advisories

    @property
    def equity(self) -> Any:
        """Net equity at each close, in currency: a Series by session (Polars: a frame of two columns)."""
        columns = curve_of(self._services, self.id)
        return as_series(columns["session"], columns["equity"], "equity", self._kind)

    @property
    def trades(self) -> Any:
        """Round trips, one row each, by exit; those still open at the end are marked ``is_open``."""
        return as_frame(trades_of(self._services, self.id), self._kind)

    @property
    def files(self) -> Path | None:
        """The folder of curves, trades, decisions, orders, fills and clauses as Parquet; None if none."""
        kept = self.record.artifacts_dir
        return None if kept is None else self._services.artifacts.path(kept)

    def plot(self, path: str | Path | None = None) -> Path:
        """Write equity, drawdown, monthly returns and trades on candles as one HTML page; returns its path.

        ``path`` None: ``backtest-<id>.html`` in the working folder. Needs engine B's result.
        """
        from quantrail.services.backtest_page import backtest_page

        target = Path(path) if path is not None else Path(f"backtest-{self.id[:8]}.html")
        target.write_text(backtest_page(self._services, self.id), encoding="utf-8")
        return target

    def __repr__(self) -> str:
        if self.error:
            return f"<Result {self.id[:8]} engine {self.engine_mode}: could not run, {self.error}>"
        sharpe = _text(self.metrics.get("sharpe_net"), "{:.2f}")
        return f"<Result {self.id[:8]} engine {self.engine_mode}: Sharpe {sharpe} net>"

    def _repr_html_(self) -> str:
        return Results([self])._repr_html_()


class Results(tuple[Result, ...]):
    """The results of one backtest, engine A's before engine B's; asked as one, the last answers."""

    __slots__ = ()

    def __new__(cls, results: Iterable[Result]) -> Results:
        made = super().__new__(cls, results)
        if not made:
            raise InvalidInput("a backtest has at least one result")
        return made

    @property
    def best(self) -> Result:
        """Engine B's result where there is one, else engine A's."""
        return self[-1]

    @property
    def id(self) -> BacktestId:
        return self.best.id

    @property
    def metrics(self) -> Mapping[str, float | None]:
        return self.best.metrics

    @property
    def equity(self) -> Any:
        return self.best.equity

    @property
    def trades(self) -> Any:
        return self.best.trades

    @property
    def files(self) -> Path | None:
        return self.best.files

    def plot(self, path: str | Path | None = None) -> Path:
        """See :meth:`Result.plot`."""
        return self.best.plot(path)

    def _repr_html_(self) -> str:
        columns = ["net of costs", *(f"engine {r.engine_mode}" for r in self)]
        rows = [[label, *(_text(r.metrics.get(name), form) for r in self)] for label, name, form in _SHOWN]
        rows.append(["score", *(_text(r.score_total, "{:.3f}") for r in self)])
        told = self.best
        title = f"backtest {told.id[:8]}" + (" (known already)" if told.cached else "")
        if told.error:
            return html_card(f"{title}: could not run, {told.error}")
        curve = curve_of(told._services, told.id)
        days = curve["session"]
        line = sparkline(
            curve["equity"], f"equity, {days[0]} to {days[-1]}".replace("T00:00:00.000000000", "")
        )
        found = f"failures: {', '.join(told.failures)}" if told.failures else ""
        return html_card(title, html_table(columns, rows), line, found)


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
