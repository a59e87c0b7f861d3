"""The leaderboard as a frame that a notebook shows in the width of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pandas as pd
import polars as pl

from quantrail.lab.html import html_card, html_table

_SHOWN = (
    ("#", "rank", "{:.0f}"),
    ("strategy", "name", "{}"),
    ("engine", "engine_mode", "{}"),
    ("Sharpe", "sharpe_net", "{:.2f}"),
    ("luck alone", "luck_bar", "{:.2f}"),
    ("total return", "return_total_net", "{:.1%}"),
    ("max drawdown", "max_drawdown_net", "{:.1%}"),
    ("trades", "closed_trades", "{:.0f}"),
    ("verdict", "verdict", "{}"),
)
_NEEDED = {column for _, column, _ in _SHOWN} | {"strategy_id", "n_trials"}


class PandasBoard(pd.DataFrame):
    """What is taken from it (rows, columns) is a plain DataFrame again."""

    def _repr_html_(self) -> str | None:
        if not _is_whole(self.columns):
            # Private in pandas-stubs, but how notebooks ask every frame.
            return cast("str | None", super()._repr_html_())  # type: ignore[misc]
        return _html(self.to_dict("records"))


class PolarsBoard(pl.DataFrame):
    """Polars may keep the class in what is taken from it; without a column that is shown it looks plain."""

    def _repr_html_(self, *, _from_series: bool = False) -> str:
        if _from_series or not _is_whole(self.columns):
            return super()._repr_html_(_from_series=_from_series)
        return _html(self.rows(named=True))


def as_board(frame: Any) -> Any:
    """``frame`` with rows of the leaderboard, of the same library, shown in the width of a page."""
    return PolarsBoard(frame) if isinstance(frame, pl.DataFrame) else PandasBoard(frame)


def _is_whole(columns: Iterable[str]) -> bool:
    """Whether every column that is shown is there; a leaderboard without rows has none at all."""
    names = set(columns)
    return not names or names >= _NEEDED


def _html(rows: Sequence[Mapping[Any, Any]]) -> str:
    if not rows:
        return html_card("leaderboard: no strategies")
    cells = [[_cell(row, column, form) for _, column, form in _SHOWN] for row in rows]
    title = (
        f"leaderboard, best of {max(row['n_trials'] for row in rows):,} tried, net of costs, Sharpe a year"
    )
    return html_card(title, html_table([label for label, _, _ in _SHOWN], cells))


def _cell(row: Mapping[Any, Any], column: str, form: str) -> str:
    value = row[column]
    if column == "name":
        value = value or row["strategy_id"][:12]
    return "–" if value is None or value != value else form.format(value)
