"""The Python door, as its docstring shows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import quantrail as qt


@pytest.fixture
def lab(tmp_path: Path) -> qt.Lab:
    opened = qt.open(tmp_path / "research")
    opened.data.import_sample()
    return opened


def test_a_template_is_backtested_and_found_again(lab: qt.Lab) -> None:
    document = qt.templates.sma_crossover(short_window=20, long_window=50)
    results = lab.backtest(document, period=(date(2014, 1, 1), date(2015, 12, 31)), benchmark="SPY")
    assert [r.engine_mode for r in results] == ["A", "B"]
    board = lab.leaderboard()
    assert list(board["strategy_id"]) == [results[1].strategy_id]
    assert board["n_trials"].tolist() == [1]
    assert lab.show(results[1].backtest_id).backtest.key.engine_mode == "B"
    assert [r.equal for r in lab.reproduce([r.backtest_id for r in results])] == [True, True]
    assert [r.equal for r in lab.reproduce(results[1].backtest_id)] == [True]
    lab.close()


def test_the_leaderboard_takes_the_words_of_the_command_line(lab: qt.Lab) -> None:
    for short in (10, 20):
        lab.backtest(qt.templates.sma_crossover(short_window=short, long_window=50), benchmark="SPY")
    # No period was split off for validation, so nothing can have decayed in it.
    assert lab.leaderboard()["verdict"].tolist() == ["maybe luck", "maybe luck"]
    assert set(lab.leaderboard(engine="a")["engine_mode"]) == {"A"}
    sharpes = lab.leaderboard(engine="b", order="sharpe")["sharpe_net"].tolist()
    assert len(sharpes) == 2
    assert sharpes == sorted(sharpes, reverse=True)
    assert len(lab.leaderboard(template="ema_crossover")) == 0
    with pytest.raises(qt.QuantrailError, match="order 'luck' is not one of score, "):
        lab.leaderboard(order="luck")
    with pytest.raises(qt.QuantrailError, match="engine 'c' is neither a nor b"):
        lab.leaderboard(engine="c")
    lab.close()


def test_unknown_names_are_told() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        qt.nonsense  # noqa: B018
    assert set(qt.__all__) <= set(dir(qt)) | {"__version__"}
