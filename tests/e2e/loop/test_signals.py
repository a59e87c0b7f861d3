"""Signals brought from elsewhere, on the bundled bars: same contract, record and judgement as a spec."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

import quantrail as qt
from quantrail.errors import ConfigInvalid, DataInvalid, NotFound

SYMBOLS = ["AAPL", "MSFT", "XOM"]
PERIOD = (date(2014, 1, 2), date(2016, 12, 30))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[qt.Lab]:
    with qt.open(tmp_path_factory.mktemp("signals") / "home") as opened:
        opened.data.import_sample()
        yield opened


@pytest.fixture(scope="module")
def sessions(lab: qt.Lab) -> pd.DatetimeIndex:
    bars = lab.data.bars(SYMBOLS)
    inside = bars.sessions[
        (bars.sessions >= np.datetime64(PERIOD[0])) & (bars.sessions <= np.datetime64(PERIOD[1]))
    ]
    return pd.DatetimeIndex(inside)


def monthly(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Month-end weights that wander, seeded."""
    days = pd.Series(sessions, sessions).groupby([sessions.year, sessions.month]).last().to_numpy()
    weights = np.random.default_rng(7).dirichlet(np.ones(3), len(days))
    return pd.DataFrame(weights, index=pd.DatetimeIndex(days), columns=SYMBOLS)


def test_buying_once_is_the_buy_and_hold_spec(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    spec = qt.templates.buy_and_hold() | {"universe": {"symbols": ["AAPL"]}}
    theirs = lab.backtest(spec, period=PERIOD, portfolio="fractional_v1")
    ours = lab.backtest_weights(pd.DataFrame({"AAPL": [1.0]}, index=sessions[:1]), period=PERIOD)
    np.testing.assert_allclose(ours.equity, theirs.equity, rtol=1e-9)
    for name in ("sharpe_net", "max_drawdown_net", "costs_total", "return_total_net"):
        assert ours.metrics[name] == pytest.approx(theirs.metrics[name], rel=1e-9)


def test_entries_and_exits_are_the_spec_they_were_computed_from(
    lab: qt.Lab, sessions: pd.DatetimeIndex
) -> None:
    spec = {
        "universe": {"symbols": SYMBOLS},
        "features": {"mean": {"type": "sma", "inputs": ["close"], "params": {"period": 20}}},
        "conditions": {
            "above": {"node": "CMP", "left": "close", "op": ">", "right": "mean"},
            "below": {"node": "CMP", "left": "close", "op": "<", "right": "mean"},
        },
        "modules": {"entry": {"condition": {"ref": "above"}}, "exit": {"condition": {"ref": "below"}}},
    }
    theirs = lab.backtest(spec, period=PERIOD, portfolio="fractional_v1")
    bars = lab.data.bars(SYMBOLS)
    close = pd.DataFrame(bars.close.T, index=pd.DatetimeIndex(bars.sessions), columns=SYMBOLS)
    mean = close.rolling(20).mean()
    above, below = (close > mean).loc[sessions], (close < mean).loc[sessions]
    ours = lab.backtest_signals(above, below, period=PERIOD)
    keys = ["symbol", "entry_session", "exit_session", "entry_price", "exit_price"]
    pd.testing.assert_frame_equal(ours.trades[keys], theirs.trades[keys])
    np.testing.assert_allclose(ours.equity, theirs.equity, rtol=1e-9)


def test_what_was_decided_later_changes_nothing_before(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    frame = monthly(sessions)
    poisoned = frame.copy()
    poisoned.iloc[12:] = poisoned.iloc[12:].to_numpy()[:, ::-1]
    plain, other = (lab.backtest_weights(f, period=PERIOD).equity for f in (frame, poisoned))
    turn = frame.index[12]
    # Dated T, traded at the open after T: T itself is still the same.
    np.testing.assert_array_equal(plain[:turn], other[:turn])
    assert not np.array_equal(plain[turn:], other[turn:])


def test_a_weight_trades_at_the_open_after_its_date(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    result = lab.backtest_weights(monthly(sessions), period=PERIOD)
    fills = pq.read_table(result.files / "fills.parquet").to_pandas()
    bars = lab.data.bars(SYMBOLS)
    first = fills.iloc[0]
    day = np.flatnonzero(sessions == monthly(sessions).index[0])[0] + 1
    assert pd.Timestamp(first["session"]) == sessions[day]
    column = int(np.searchsorted(bars.sessions, np.datetime64(sessions[day])))
    assert first["price"] == bars.open[bars.symbols.index(first["symbol"]), column]


def test_any_shape_and_library_is_the_same_strategy_and_comes_back_as_it_came(
    lab: qt.Lab, sessions: pd.DatetimeIndex, tmp_path: Path
) -> None:
    wide = monthly(sessions)
    long = wide.rename_axis("date").reset_index().melt("date", var_name="symbol", value_name="weight")
    path = tmp_path / "weights.parquet"
    long.sample(frac=1.0, random_state=1).to_parquet(path)
    frames = [wide, long, pl.from_pandas(long), pl.from_pandas(wide.rename_axis("date").reset_index()), path]
    results = [lab.backtest_weights(frame, period=PERIOD) for frame in frames]
    assert len({r.id for r in results}) == 1
    assert [r.cached for r in results][1:] == [True] * 4
    assert [type(r.trades) for r in results] == [pd.DataFrame] * 2 + [pl.DataFrame] * 2 + [pd.DataFrame]
    assert results[2].equity["equity"].to_list() == results[0].equity.tolist()


def test_signals_are_recorded_judged_counted_and_reproduced(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    frame = monthly(sessions) * 0.9
    result = lab.backtest_weights(frame, period=PERIOD, name="wander", benchmark="SPY")
    stored = lab.show(result.strategy_id)
    assert stored.strategy.strategy.kind == "signals"
    assert set(json.loads(stored.strategy.strategy.normalized_spec_json)) == {"kind", "signals_hash"}
    assert result.metrics["beta"] is not None
    assert result.score_total is not None
    assert "wander" in lab.leaderboard()["name"].tolist()
    before = lab.leaderboard()["n_trials"].max()
    lab.backtest_weights(frame * 0.9, period=PERIOD)
    assert lab.leaderboard()["n_trials"].max() == before + 1
    assert [r.equal for r in lab.reproduce([result.id])] == [True]


def test_signals_with_a_silent_symbol_reproduce(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    entries = pd.DataFrame(False, index=sessions, columns=SYMBOLS)
    exits = entries.copy()
    entries.iloc[5, 0] = entries.iloc[9, 1] = exits.iloc[60, 0] = True
    never_in = lab.backtest_signals(entries, exits, period=PERIOD)
    assert never_in.trades["symbol"].unique().tolist() == ["AAPL", "MSFT"]
    weights = monthly(sessions).assign(XOM=np.nan)
    empty = lab.backtest_weights(weights, missing="hold", period=PERIOD)
    assert [(r.equal, r.detail) for r in lab.reproduce([never_in.id, empty.id])] == [(True, "")] * 2


def test_weights_outside_the_period_are_not_held_against_it(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    frame = pd.DataFrame({"AAPL": [3.0, 0.5, 3.0]}, index=sessions[[0, 300, 500]])
    inside = (sessions[200].date(), sessions[400].date())
    alone = lab.backtest_weights(frame.iloc[[1]], period=inside)
    among = lab.backtest_weights(frame, period=inside)
    assert among.equity.tolist() == alone.equity.tolist()


def test_changed_or_lost_signals_do_not_reproduce(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    result = lab.backtest_weights(monthly(sessions) * 0.8, period=PERIOD)
    spec = json.loads(lab.show(result.strategy_id).strategy.strategy.normalized_spec_json)
    kept = lab.home / "artifacts" / "signals" / f"{spec['signals_hash']}.parquet"
    table = pq.read_table(kept).to_pandas()
    table.loc[3, "weight"] += 0.01
    table.to_parquet(kept)
    (changed,) = lab.reproduce([result.id])
    assert (changed.equal, changed.cause) == (False, "data")
    kept.unlink()
    (lost,) = lab.reproduce([result.id])
    assert (lost.equal, lost.cause) == (False, "missing")


def test_costs_and_leverage_belong_to_the_identity(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    frame = monthly(sessions)
    plain = lab.backtest_weights(frame, period=PERIOD)
    dear = lab.backtest_weights(frame, period=PERIOD, settings={"fees_bps": 20.0})
    assert plain.strategy_id == dear.strategy_id
    assert plain.id != dear.id
    assert dear.metrics["return_total_net"] < plain.metrics["return_total_net"]
    twice = lab.backtest_weights(frame * 2, period=PERIOD, settings={"max_gross": 2.0})
    assert twice.metrics["leverage_max_gross"] > 1.5


def _bad(frame: pd.DataFrame, change: str) -> pd.DataFrame:
    if change == "symbol":
        return frame.rename(columns={"AAPL": "ZZZZ"})
    if change == "late":
        return pd.concat([frame, frame.iloc[-1:].set_axis([pd.Timestamp("2031-01-02")])])
    if change == "sunday":
        return frame.set_axis([pd.Timestamp("2014-02-02"), *frame.index[1:]])
    if change == "twice":
        return pd.concat([frame, frame.iloc[-1:]])
    cells: dict[str, Any] = {"nan": np.nan, "inf": np.inf, "gross": 3.0, "text": "much"}
    made = frame.astype(object) if change == "text" else frame.copy()
    made.iloc[2, 1] = cells[change]
    return made


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ("symbol", NotFound, "the signals name ZZZZ, of which there are no bars"),
        ("late", DataInvalid, "signals of 2031-01-02 lie outside the data"),
        ("sunday", DataInvalid, "2014-02-02 is not a session .* such as 2014-01-31"),
        ("twice", DataInvalid, "comes twice in the signals"),
        ("nan", DataInvalid, "there is no weight of MSFT on 2014-03-31; say missing=hold"),
        ("inf", DataInvalid, "the weight of MSFT on 2014-03-31 is infinite"),
        ("gross", DataInvalid, "2014-03-31 sum to .* gross, more than max_gross 1"),
        ("text", DataInvalid, "column 'MSFT' holds something that is not a number"),
    ],
)
def test_bad_frames_are_told_in_a_sentence(
    lab: qt.Lab, sessions: pd.DatetimeIndex, change: str, kind: type[Exception], message: str
) -> None:
    trials = len(lab.leaderboard())
    with pytest.raises(kind, match=message):
        lab.backtest_weights(_bad(monthly(sessions), change), period=PERIOD)
    assert len(lab.leaderboard()) == trials


def test_empty_cells_hold_or_sell_as_asked(lab: qt.Lab, sessions: pd.DatetimeIndex) -> None:
    frame = pd.DataFrame({"AAPL": [1.0, np.nan]}, index=sessions[[0, 50]])
    held = lab.backtest_weights(frame, missing="hold", period=PERIOD)
    sold = lab.backtest_weights(frame, missing="flat", period=PERIOD)
    assert (held.metrics["closed_trades"], sold.metrics["closed_trades"]) == (0, 1)
    with pytest.raises(ConfigInvalid, match="setting 'fee' is not known"):
        lab.backtest_weights(frame, missing="hold", settings={"fee": 1.0})


def test_the_command_line_takes_weights_and_signals(command: Any, bars_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    import shutil

    shutil.copytree(bars_home, home)
    weights = tmp_path / "weights.csv"
    weights.write_text("date,AAPL,MSFT\n2014-01-02,0.5,0.5\n2015-06-01,0.2,-0.3\n")
    page = tmp_path / "page.html"
    done = command("backtest", "--weights", weights, "--plot", page, "--json", "--home", home)
    assert done.code == 0, done.stderr
    (result,) = done.json["results"]
    assert "Trades on candles" in page.read_text(encoding="utf-8")
    again = command("reproduce", result["backtest_id"], "--json", "--home", home)
    assert (again.code, again.json["equal"]) == (0, 1)
    signals = tmp_path / "signals.csv"
    signals.write_text("date,symbol,entry,exit\n2014-01-02,AAPL,1,0\n2014-03-03,AAPL,0,1\n")
    done = command("backtest", "--signals", signals, "--json", "--home", home)
    assert done.code == 0, done.stderr
    assert done.json["results"][0]["metrics"]["closed_trades"] == 1
    both = command("backtest", "--weights", weights, "--signals", signals, "--home", home)
    assert (both.code, "name one of SPEC" in both.stderr) == (2, True)


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("--signals", ("--raw",)),
        ("--weights", ("--execution", "market_v1")),
        ("--weights", ("--engine", "a")),
        ("--weights", ("--engine", "c")),
        ("--weights", ("--portfolio", "fractional_v1")),
    ],
)
def test_options_that_signals_cannot_follow_exit_2(
    command: Any, tmp_path: Path, source: str, options: tuple[str, ...]
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("date,symbol,entry,weight\n2014-01-02,AAPL,1,0.5\n")
    done = command("backtest", source, file, *options, "--home", tmp_path / "home")
    assert done.code == 2
    assert f"{' '.join(options)} needs a SPEC" in " ".join(done.stderr.split())
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("source", [(), ("--signals",)])
def test_missing_is_about_weights_only(command: Any, tmp_path: Path, source: tuple[str, ...]) -> None:
    done = command("backtest", *source, tmp_path / "file", "--missing", "hold", "--home", tmp_path / "home")
    assert (done.code, "--missing hold is about" in done.stderr) == (2, True)


def test_the_examples_of_the_readme_run(command: Any, bars_home: Path, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    examples = Path(__file__).parents[3] / "examples"
    page = tmp_path / "sma.html"
    done = command("backtest", examples / "sma.yaml", "--plot", page, "--json", "--home", home)
    assert done.code == 0, done.stderr
    assert "Trades on candles" in page.read_text(encoding="utf-8")
    told = command("explain-trade", done.json["results"][1]["backtest_id"], "0", "--home", home)
    assert (told.code, "Why in:" in told.stdout) == (0, True)
    tried = command("spec", "tried", examples / "sma.yaml", "--home", home)
    assert (tried.code, "exact" in tried.stdout) == (0, True)
    weights = command("backtest", "--weights", examples / "weights.csv", "--json", "--home", home)
    assert weights.code == 0, weights.stderr
    assert weights.json["results"][0]["metrics"]["closed_trades"] > 0
