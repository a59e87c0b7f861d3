"""One strategy on demand, through both engines, recorded and reproducible."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

SPEC = {
    "universe": {"symbols": ["AAPL", "MSFT", "XOM"]},
    "features": {
        "fast": {"type": "sma", "inputs": ["close"], "params": {"period": 10}},
        "slow": {"type": "sma", "inputs": ["close"], "params": {"period": 30}},
    },
    "conditions": {
        "up": {"node": "CMP", "left": "fast", "op": ">", "right": "slow"},
        "down": {"node": "CROSS_BELOW", "left": "fast", "right": "slow"},
    },
    "modules": {"entry": {"condition": {"ref": "up"}}, "exit": {"condition": {"ref": "down"}}},
}
PERIOD = ("--period", "2014-01-01:2016-12-31")


@pytest.fixture
def home(bars_home: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(bars_home, copy)
    return copy


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "sma.yaml"
    path.write_text(yaml.safe_dump(SPEC))
    return path


def test_both_engines_are_recorded_known_the_second_time_and_reproduce(
    command: Any, home: Path, spec: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "curve.html"
    first = command("backtest", spec, *PERIOD, "--plot", plot, "--json", "--home", home)
    assert first.code == 0, first.stderr
    a, b = first.json["results"]
    assert (a["engine_mode"], b["engine_mode"]) == ("A", "B")
    assert (a["cached"], b["cached"]) == (False, False)
    assert a["metrics"]["sharpe_net"] == pytest.approx(b["metrics"]["sharpe_net"], abs=0.05)
    assert "Plotly.newPlot" in plot.read_text(encoding="utf-8")
    stored = command("show", b["backtest_id"], "--json", "--home", home).json
    assert stored["comparisons"][0]["backtest_a"] == a["backtest_id"]

    second = command("backtest", spec, *PERIOD, "--json", "--home", home).json["results"]
    assert [r["cached"] for r in second] == [True, True]
    assert [r["metrics"] for r in second] == [a["metrics"], b["metrics"]]
    runs = command("run", "list", "--json", "--home", home).json["rows"]
    assert len(runs) == 2
    done = command("reproduce", a["backtest_id"], b["backtest_id"], "--json", "--home", home)
    assert (done.code, done.json["equal"]) == (0, 2)


def test_a_run_of_one_backtest_is_shown_and_has_no_report_of_a_search(
    command: Any, home: Path, spec: Path
) -> None:
    done = command("backtest", spec, *PERIOD, "--json", "--home", home)
    assert done.code == 0, done.stderr
    failed = {row["key"] for row in command("failures", "top", "--json", "--home", home).json["rows"]}
    assert failed
    (run,) = command("run", "list", "--json", "--home", home).json["rows"]
    shown = command("run", "show", run["run_id"], "--home", home)
    assert shown.code == 0, shown.stderr
    assert all(tag in shown.stdout for tag in failed)
    assert "Funnel" not in shown.stdout
    refused = command("report", run["run_id"], "--home", home)
    assert refused.code == 2
    assert "is a single backtest, not a search" in refused.stderr
    nothing = command("report", "--home", home)
    assert nothing.code == 2
    assert "this home holds no search yet" in nothing.stderr


def test_fractional_and_whole_shares_part_by_rounding_only(command: Any, home: Path, spec: Path) -> None:
    a, b = command("backtest", spec, *PERIOD, "--json", "--home", home).json["results"]
    assert a["metrics"]["closed_trades"] == b["metrics"]["closed_trades"]
    assert a["metrics"]["costs_total"] == pytest.approx(b["metrics"]["costs_total"], rel=0.05)


def test_mistakes_are_told_with_their_place(command: Any, home: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump(SPEC | {"features": {"fast": {"type": "smaa"}}}))
    done = command("backtest", wrong, "--home", home)
    assert done.code == 2
    assert "did you mean 'sma'" in done.stderr
    assert command("run", "list", "--json", "--home", home).json["rows"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--period", "yesterday"), "is not two dates like"),
        (("--period", "1990-01-01:1991-01-01"), "no bars between"),
        (("--engine", "c"), "engine 'c' is not one of a, b, both"),
        (("--data", "0" * 64), "0000"),
    ],
)
def test_bad_options_exit_2(
    command: Any, home: Path, spec: Path, options: tuple[str, str], message: str
) -> None:
    done = command("backtest", spec, *options, "--home", home)
    assert done.code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backtest_speaks_of_the_costs_it_was_charged_and_engine_a_is_charged_the_same(
    command: Any, home: Path, spec: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "curve.html"
    options = (*PERIOD, "--set", "fees_bps=20", "--plot", plot)
    a, b = command("backtest", spec, *options, "--json", "--home", home).json["results"]
    assert "each fill costs 25 bps" in plot.read_text(encoding="utf-8")
    for result in (a, b):
        stored = command("show", result["backtest_id"], "--json", "--home", home).json
        assert "each fill costs 25 bps" in stored["explained"]
        assert "AB_DISAGREE" not in result["failures"]
    assert a["metrics"]["fees_total"] == pytest.approx(b["metrics"]["fees_total"], rel=0.05)
    shown = " ".join(command("show", b["backtest_id"], "--home", home).stdout.split())
    assert "fees_bps=20" in shown
    assert "different models: fractional_v1 against whole_shares_v1" in shown
    again = command("reproduce", a["backtest_id"], b["backtest_id"], "--json", "--home", home)
    assert (again.code, again.json["equal"]) == (0, 2)
    why = command("explain-trade", a["backtest_id"], "0", "--home", home)
    assert why.code == 0, why.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "fees_bps=20", "--engine", "b"),
        ("--capital", "100"),
        ("--execution", "market_v1", "--set", "latency_bars=1"),
    ],
)
def test_settings_that_were_chosen_are_no_failure_of_the_engines(
    command: Any, home: Path, spec: Path, options: tuple[str, ...]
) -> None:
    done = command("backtest", spec, *PERIOD, *options, "--json", "--home", home)
    assert done.code == 0, done.stderr
    assert all("AB_DISAGREE" not in result["failures"] for result in done.json["results"])


def test_other_execution_rules_are_named_as_what_sets_the_engines_apart(
    command: Any, home: Path, spec: Path
) -> None:
    options = (*PERIOD, "--execution", "market_v1", "--set", "latency_bars=1")
    done = command("backtest", spec, *options, "--home", home)
    text = " ".join(done.stdout.split())
    assert "note: different models: engine B trades under latency_bars 1, market_v1" in text


def test_what_engine_a_failed_by_does_not_depend_on_which_command_came_first(
    command: Any, bars_home: Path, spec: Path, tmp_path: Path
) -> None:
    found, weak = [], ("--period", "2015-01-02:2015-12-31")
    # Something else that was tried before: with a single trial there is no luck to deflate by.
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(SPEC | {"universe": {"symbols": ["KO", "JPM"]}}))
    for name, first in (("one", ("--engine", "a")), ("two", ())):
        home = tmp_path / name
        shutil.copytree(bars_home, home)
        command("backtest", other, *weak, "--engine", "a", "--home", home)
        command("backtest", spec, *weak, *first, "--home", home)
        results = command("backtest", spec, *weak, "--json", "--home", home).json["results"]
        found.append([result["failures"] for result in results])
        stored = command("show", results[1]["backtest_id"], "--json", "--home", home).json
        assert len(stored["comparisons"]) == 1
    assert found[0] == found[1]
    assert "DSR_LOW" not in found[0][0]
    assert "DSR_LOW" in found[0][1]
