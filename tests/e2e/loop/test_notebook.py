"""Results as a notebook holds them: figures, frames in the user's library, HTML without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import quantrail as qt
from quantrail.errors import InvalidInput, Unsupported

PERIOD = (date(2014, 1, 2), date(2015, 12, 31))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("notebook") / "home"
    with qt.open(home) as lab:
        lab.data.import_sample()
    return home


@pytest.fixture
def lab(home: Path) -> Iterator[qt.Lab]:
    with qt.open(home) as opened:
        yield opened


def spec() -> dict[str, object]:
    crossing = qt.templates.sma_crossover(short_window=10, long_window=40)
    return dict(crossing) | {"universe": {"symbols": ["AAPL", "XOM"]}}


def test_one_backtest_answers_as_one_result(lab: qt.Lab) -> None:
    result = lab.backtest(spec(), period=PERIOD)
    assert result.id == result[1].id
    assert result.equity.index[0] == pd.Timestamp("2014-01-02")
    assert result.equity.iloc[-1] / 100_000 - 1 == pytest.approx(result.metrics["return_total_net"])
    closed = result.trades[~result.trades["is_open"]]
    assert len(closed) == result.metrics["closed_trades"]
    # Engine A keeps no file; its figures come from running it again.
    a = result[0]
    assert a.equity.iloc[-1] / 100_000 - 1 == pytest.approx(a.metrics["return_total_net"])
    assert len(a.trades[~a.trades["is_open"]]) == a.metrics["closed_trades"]


def test_html_shows_figures_and_a_curve_and_runs_nothing(lab: qt.Lab) -> None:
    result = lab.backtest(spec(), period=PERIOD)
    html = result._repr_html_()
    assert f"{result.metrics['sharpe_net']:.2f}" in html
    assert "engine A" in html
    assert "<svg" in html
    assert "<script" not in html
    assert "engine B" in result[1]._repr_html_()
    assert "977001550a67" in lab.data.snapshots()[0]._repr_html_()


def test_the_plot_is_one_page_with_everything_on_it(lab: qt.Lab, tmp_path: Path) -> None:
    result = lab.backtest(spec(), period=PERIOD)
    page = result.plot(tmp_path / "page.html").read_text(encoding="utf-8")
    for part in (
        "Equity and drawdown",
        "Net return by month",
        "Trades on candles",
        '"candlestick"',
        '"heatmap"',
    ):
        assert part in page
    assert 'src="http' not in page
    with pytest.raises(Unsupported, match="needs engine B's result"):
        result[0].plot(tmp_path / "other.html")


def test_a_lab_of_polars_hands_out_polars(home: Path) -> None:
    with qt.open(home, frames="polars") as lab:
        result = lab.backtest(spec(), period=PERIOD)
        assert isinstance(result.equity, pl.DataFrame)
        assert isinstance(result.trades, pl.DataFrame)
        assert isinstance(lab.leaderboard(), pl.DataFrame)
        assert lab.leaderboard()["strategy_id"].to_list() == [result[1].strategy_id]
    with pytest.raises(InvalidInput, match="neither pandas nor polars"):
        qt.open(home, frames="spark")


def test_the_logs_are_reached_as_files_with_names_and_dates(lab: qt.Lab) -> None:
    files = lab.backtest(spec(), period=PERIOD).files
    names = {path.stem for path in files.glob("*.parquet")}
    assert names == {"curves", "slices", "trades", "decisions", "orders", "fills", "clauses"}
    decisions = pl.read_parquet(files / "decisions.parquet")
    assert set(decisions["symbol"].unique()) <= {"AAPL", "XOM"}
    assert decisions["session"].dtype.is_temporal()
    clauses = pl.read_parquet(files / "clauses.parquet")
    assert clauses["clause"].str.starts_with("long entry").any()
