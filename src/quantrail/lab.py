"""The Python door: a project's home as one object.

Everything here is a thin call into the services; records come back as pandas frames where people
want tables, and as the services' own records elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from quantrail.bootstrap import market_store, open_services
from quantrail.config import load_settings
from quantrail.domain.answers import FailureKey, IdKind, LeaderboardFilter
from quantrail.domain.enums import TrialDoor
from quantrail.domain.ids import BacktestId
from quantrail.services.backtest import BacktestRequest, BacktestResult, backtest
from quantrail.services.detail import detail
from quantrail.services.leaderboard import leaderboard
from quantrail.services.loop.runner import RunOutcome, run_loop
from quantrail.services.progress import Listener, silent
from quantrail.services.reproduce import Reproduced, reproduce, sample_ids
from quantrail.services.run_config import RunConfig, load_run_config, parse_run_config
from quantrail.strategy import load_document

if TYPE_CHECKING:
    import pandas as pd

    from quantrail.marketdata import MarketStore


def open_lab(home: str | Path | None = None, *, database_url: str | None = None) -> Lab:
    """Open a project, making its home if it is new. Close it, or use it as a context manager.

    ``home`` defaults to ``$QUANTRAIL_HOME`` or ``./.quantrail``. Raises BackendError when the home cannot
    be written.
    """
    return Lab(Path(home) if home is not None else None, database_url)


class Lab:
    """A project: its data, its store, and what can be done with them."""

    def __init__(self, home: Path | None, database_url: str | None) -> None:
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
        data_version: str | None = None,
        benchmark: str | None = None,
        initial_capital: float = 100_000.0,
    ) -> list[BacktestResult]:
        """One strategy through engine a, b or both, recorded as a trial; see the CLI's ``backtest``.

        ``spec``: a document, YAML or JSON text, or a path. Raises SpecInvalid, NotFound, DataInvalid.
        """
        document = load_document(spec)
        request = BacktestRequest(document, engine, period, data_version, benchmark, initial_capital)
        return backtest(self._services, request, TrialDoor.API)

    def search(
        self, config: RunConfig | Mapping[str, Any] | str | Path, listener: Listener = silent
    ) -> RunOutcome:
        """Run the loop; ``config`` as a record, a document, or the path of a YAML file."""
        if isinstance(config, (str, Path)):
            config = load_run_config(Path(config))
        elif not isinstance(config, RunConfig):
            config = parse_run_config(dict(config))
        return run_loop(self._services, config, listener)

    def leaderboard(self, limit: int = 20, where: LeaderboardFilter | None = None) -> pd.DataFrame:
        """The best strategies with luck bar, deflated Sharpe ratio and verdict, best first."""
        return _frame([asdict(s) for s in leaderboard(self._services.store, where, limit=limit)])

    def failures(self, limit: int = 10, by: str = "tag") -> pd.DataFrame:
        """The failures that repeat most, by tag, category, template or atom."""
        return _frame([asdict(c) for c in self._services.store.repeated_failures(limit, FailureKey(by))])

    def constraints(self, active_only: bool = True) -> pd.DataFrame:
        """Constraints in force, one row each."""
        held = self._services.store.list_constraints(active_only)
        return _frame([asdict(h.constraint) for h in held])

    def show(self, record_id: str) -> Any:
        """A record by id or unique prefix, with what people ask about it next."""
        return detail(self._services.store, record_id)

    def reproduce(self, ids: Sequence[str] = (), *, sample: int | None = None) -> list[Reproduced]:
        """Run stored backtests again, by id or prefix, or a sample of them."""
        store = self._services.store
        chosen = [cast(BacktestId, store.resolve(i, IdKind.BACKTEST)[1]) for i in ids]
        if sample is not None:
            chosen += sample_ids(self._services, sample)
        return reproduce(self._services, chosen)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
