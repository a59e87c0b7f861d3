"""Results as a notebook holds them: figures, frames in the user's library, HTML without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import quantrail as qt
from quantrail.domain.results import ExitReason
from quantrail.errors import InvalidInput, NotFound, Unsupported

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
    stored = pd.read_parquet(result.files / "trades.parquet")["exit_reason"]
    assert list(result.trades["exit_reason"]) == [ExitReason(code).name for code in stored]
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
    # Plotly's own script, further up, names every kind of chart.
    at = [page.index(title) for title in ("Equity and drawdown", "Net return by month", "Trades on candles")]
    curve, months, candles = (page[i:j] for i, j in zip(at, [*at[1:], len(page)], strict=True))
    assert '"tozeroy"' in curve
    assert '"heatmap"' in months
    assert '"candlestick"' in candles
    assert 'src="http' not in page
    # The last months stand above the map, right where a tool bar would hide them.
    assert '"displayModeBar": false' in months
    assert "displayModeBar" not in candles
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


def test_a_leaderboard_fits_a_notebook_and_stays_a_frame(home: Path) -> None:
    for frames, library in (("pandas", pd), ("polars", pl)):
        with qt.open(home, frames=frames) as lab:
            result = lab.backtest(spec(), period=PERIOD)
            board = lab.leaderboard()
            html = board._repr_html_()
        assert isinstance(board, library.DataFrame)
        assert html.count("<th ") == 9
        assert f"{result.metrics['sharpe_net']:.2f}" in html
        assert "<script" not in html
        # What is taken from it is shown as any frame.
        part = board[["name", "score_total"]]
        assert "score_total" in part._repr_html_()
        assert "score_total" not in html
    with qt.open(home.parent / "empty") as lab:
        assert "no strategies" in lab.leaderboard()._repr_html_()


def test_data_are_named_by_snapshot_import_or_version(tmp_path: Path) -> None:
    with qt.open(tmp_path / "home") as lab:
        first = lab.data.import_sample()
        dates = pd.date_range("2014-01-02", periods=300, freq="B").strftime("%Y-%m-%d")
        prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
        second = lab.data.import_bars(pd.DataFrame({"date": dates, "volume": 1e6} | prices), symbol="NEW")
        assert first.version != second.version
        document = spec() | {"universe": {"symbols": ["NEW"]}}
        for data in (second, second.snapshot, second.version, None):
            assert lab.backtest(document, engine="a", data=data).best.error is None
        for data in (first, first.snapshot, first.version):
            with pytest.raises(NotFound, match="NEW"):
                lab.backtest(document, engine="a", data=data)
        weights = pd.DataFrame({"NEW": [1.0]}, index=pd.DatetimeIndex(["2014-01-02"]))
        lab.backtest_weights(weights, data=second)
        with pytest.raises(NotFound, match="NEW"):
            lab.backtest_weights(weights, data=first)
        with pytest.raises(InvalidInput, match="data must be a snapshot or a version, not a DataFrame"):
            lab.backtest(spec(), data=weights)


def test_the_logs_are_reached_as_files_with_names_and_dates(lab: qt.Lab) -> None:
    files = lab.backtest(spec(), period=PERIOD).files
    names = {path.stem for path in files.glob("*.parquet")}
    assert names == {"curves", "slices", "trades", "decisions", "orders", "fills", "clauses"}
    decisions = pl.read_parquet(files / "decisions.parquet")
    assert set(decisions["symbol"].unique()) <= {"AAPL", "XOM"}
    assert decisions["session"].dtype.is_temporal()
    clauses = pl.read_parquet(files / "clauses.parquet")
    assert clauses["clause"].str.starts_with("long entry").any()
