"""A project's home as one object: thin calls into the services, tables as frames, results as objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from quantrail.bootstrap import market_store, open_services
from quantrail.config import load_settings
from quantrail.domain.answers import FailureKey, IdKind, LeaderboardFilter
from quantrail.domain.enums import TrialDoor
from quantrail.domain.ids import BacktestId
from quantrail.errors import InvalidInput
from quantrail.lab.frames import HasVersion, as_rows, checked_kind, kind_of, version_of
from quantrail.lab.result import Result, Results
from quantrail.lab.run import Run
from quantrail.services.backtest import BacktestRequest, backtest
from quantrail.services.detail import detail
from quantrail.services.leaderboard import filter_of, leaderboard, order_of
from quantrail.services.loop.runner import run_loop
from quantrail.services.progress import Listener, silent
from quantrail.services.reproduce import Reproduced, reproduce, sample_ids
from quantrail.services.run_config import RunConfig, load_run_config, parse_run_config
from quantrail.services.signals import SignalsRequest, backtest_signals, read_weights, weights_of_entries
from quantrail.strategy import load_document

ModelSetting = float | int | str | bool

if TYPE_CHECKING:
    from quantrail.marketdata import MarketStore


def open_lab(
    home: str | Path | None = None, *, database_url: str | None = None, frames: str = "pandas"
) -> Lab:
    """Open a project, making its home if it is new. Close it, or use it as a context manager.

    ``home`` defaults to ``$QUANTRAIL_HOME`` or ``./.quantrail``. ``frames``: pandas or polars, the kind of
    tables that come back where none went in. Raises BackendError when the home cannot be written.
    """
    return Lab(Path(home) if home is not None else None, database_url, frames)


class Lab:
    """A project: its data, its store, and what can be done with them."""

    def __init__(self, home: Path | None, database_url: str | None, frames: str = "pandas") -> None:
        self._kind = checked_kind(frames)
        settings = load_settings(home, database_url)
        self._stack = ExitStack()
        self._services = self._stack.enter_context(open_services(settings, create=True))
        self.home = settings.home
        self.data: MarketStore = market_store(settings)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def backtest(
        self,
        spec: Mapping[str, Any] | str | Path,
        *,
        engine: str = "both",
        period: tuple[date, date] | None = None,
        data: HasVersion | str | None = None,
        benchmark: str | None = None,
        initial_capital: float = 100_000.0,
        execution: str | None = None,
        portfolio: str = "whole_shares_v1",
        settings: Mapping[str, ModelSetting] | None = None,
        raw: bool = False,
    ) -> Results:
        """One strategy through engine a, b or both, recorded as a trial; see the CLI's ``backtest``.

        ``spec``: a document, YAML or JSON text, or a path. ``data``: a snapshot, what an import gave back,
        or a version; None for the home's current one. ``execution``, ``portfolio``, ``settings`` and
        ``raw`` choose engine B's models. Raises SpecInvalid, NotFound, DataInvalid, ConfigInvalid.
        """
        request = BacktestRequest(
            load_document(spec), engine, period, version_of(data), benchmark, initial_capital,
            execution, portfolio, settings or {}, raw,
        )  # fmt: skip
        found = backtest(self._services, request, TrialDoor.API)
        return Results(Result(self._services, one, self._kind) for one in found)

    def backtest_weights(
        self,
        frame: Any,
        *,
        missing: str = "error",
        name: str | None = None,
        period: tuple[date, date] | None = None,
        data: HasVersion | str | None = None,
        benchmark: str | None = None,
        initial_capital: float = 100_000.0,
        settings: Mapping[str, ModelSetting] | None = None,
    ) -> Result:
        """Trade target weights computed elsewhere, judged and recorded like any strategy.

        ``frame``: pandas or Polars, wide (dates by symbols) or long (date, symbol, weight), or a file.
        Weights are fractions of equity, negative short, known at the close of their date; they trade at
        the next open, and what is held stays until the next weight of its symbol. ``missing``: what an
        empty cell means, "error", "hold" or "flat". ``settings``: fees_bps, spread_bps, slippage_bps per
        side (1, 2, 3) and max_gross (1). ``period`` None: from the first weight to the end of the data.
        ``data``: see backtest.
        What comes back holds frames of the kind that came in. Raises NotFound, DataInvalid, ConfigInvalid.
        """
        signals = read_weights(frame, missing)
        request = SignalsRequest(
            signals, name, period, version_of(data), benchmark, initial_capital, settings or {}
        )  # fmt: skip
        return self._trade(request, frame)

    def backtest_signals(
        self,
        entry: Any = None,
        exit: Any = None,
        short_entry: Any = None,
        short_exit: Any = None,
        *,
        weight: float | None = None,
        name: str | None = None,
        period: tuple[date, date] | None = None,
        data: HasVersion | str | None = None,
        benchmark: str | None = None,
        initial_capital: float = 100_000.0,
        settings: Mapping[str, ModelSetting] | None = None,
    ) -> Result:
        """Trade entries and exits computed elsewhere: boolean frames of equal axes; see backtest_weights.

        A position opens at ``weight`` of equity (None: 1 / number of symbols) and stays until its exit.
        """
        given = {"entry": entry, "exit": exit, "short_entry": short_entry, "short_exit": short_exit}
        frames = {key: frame for key, frame in given.items() if frame is not None}
        signals = weights_of_entries(frames, weight)
        request = SignalsRequest(
            signals, name, period, version_of(data), benchmark, initial_capital, settings or {}
        )  # fmt: skip
        return self._trade(request, next(iter(frames.values())))

    def _trade(self, request: SignalsRequest, like: Any) -> Result:
        found = backtest_signals(self._services, request, TrialDoor.API)
        return Result(self._services, found, kind_of(like, self._kind))

    def search(self, config: RunConfig | Mapping[str, Any] | str | Path, listener: Listener = silent) -> Run:
        """Run the loop; ``config`` as a record, a document, or the path of a YAML file."""
        if isinstance(config, (str, Path)):
            config = load_run_config(Path(config))
        elif not isinstance(config, RunConfig):
            config = parse_run_config(dict(config))
        return Run(self._services, run_loop(self._services, config, listener), self._kind)

    def leaderboard(
        self,
        limit: int = 20,
        where: LeaderboardFilter | None = None,
        *,
        order: str = "score",
        engine: str | None = None,
        run: str | None = None,
        template: str | None = None,
    ) -> Any:
        """The best strategies with luck bar, deflated Sharpe ratio and verdict, best first.

        ``order``: score, sharpe, drawdown, return or cagr. ``engine`` (a or b), ``run`` (id or prefix) and
        ``template`` narrow it; ``where`` says the same and more as a filter, in their place. A DataFrame with
        every column; a notebook shows the ones that people compare. InvalidInput for an unknown order or
        engine, NotFound for an unknown run.
        """
        from quantrail.lab.board import as_board

        if where is None:
            where = filter_of(self._services.store, engine=engine, run=run, template=template)
        elif engine or run or template:
            raise InvalidInput("say engine, run and template inside where, or leave where out")
        rows = leaderboard(self._services.store, where, order_of(order), limit)
        return as_board(as_rows(rows, self._kind))

    def failures(self, limit: int = 10, by: str = "tag") -> Any:
        """The failures that repeat most, by tag, category, template or atom."""
        return as_rows(self._services.store.repeated_failures(limit, FailureKey(by)), self._kind)

    def constraints(self, active_only: bool = True) -> Any:
        """Constraints in force, one row each."""
        held = self._services.store.list_constraints(active_only)
        return as_rows([h.constraint for h in held], self._kind)

    def show(self, record_id: str) -> Any:
        """A record by id or unique prefix, with what people ask about it next."""
        return detail(self._services.store, record_id, self._services.artifacts)

    def reproduce(self, ids: str | Sequence[str] = (), *, sample: int | None = None) -> list[Reproduced]:
        """Run stored backtests again, by one or more ids or prefixes, or a sample of them."""
        store = self._services.store
        ids = [ids] if isinstance(ids, str) else ids
        chosen = [cast(BacktestId, store.resolve(i, IdKind.BACKTEST)[1]) for i in ids]
        if sample is not None:
            chosen += sample_ids(self._services, sample)
        return reproduce(self._services, chosen)
