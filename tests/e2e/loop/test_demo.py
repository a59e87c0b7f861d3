"""The demo as a stranger runs it, and what can be asked of its home afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def told(demo_home: tuple[Path, Any]) -> Any:
    """What the demo printed."""
    assert demo_home[1].code == 0, demo_home[1].stderr
    return demo_home[1].json


@pytest.fixture
def home(demo_home: tuple[Path, Any]) -> Path:
    return demo_home[0]


def test_the_demo_runs_three_iterations_and_a_thousand_strategies(told: Any) -> None:
    assert len(told["iterations"]) >= 3
    assert told["n_trials"] >= 1000
    assert sum(i["funnel"]["screened"] for i in told["iterations"]) >= 1000


def test_the_leaderboard_shows_each_figure_beside_luck(told: Any) -> None:
    assert len(told["leaderboard"]) == 10
    for row in told["leaderboard"]:
        assert row["engine_mode"] == "B"
        assert row["luck_bar"] > 0
        assert row["sharpe_low"] < row["sharpe_net"] < row["sharpe_high"]
        assert row["max_drawdown_net"] <= 0
        assert 0 <= row["score_total"] <= 1
        assert row["n_trials"] == told["n_trials"]
    scores = [row["score_total"] for row in told["leaderboard"]]
    assert scores == sorted(scores, reverse=True)


def test_constraints_learnt_block_candidates_of_the_next_iteration(told: Any) -> None:
    types = {c["type"] for c in told["constraints"]}
    assert len(types) >= 3
    hit = [c for c in told["constraints"] if (c["blocked_next"] or 0) + c["rewrote_next"] > 0]
    assert hit
    assert any((c["blocked_next"] or 0) > 0 for c in told["constraints"])


def test_the_report_is_one_page_that_needs_no_network(told: Any) -> None:
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert "Plotly.newPlot" in page
    for row in told["leaderboard"]:
        assert row["strategy_id"][:8] in page
    outside = [
        part for part in ('src="http', "src='http", "@import", '<link rel="stylesheet"') if part in page
    ]
    assert outside == []


def test_a_blocked_candidate_traces_back_to_a_stored_failure(home: Path, command: Any, told: Any) -> None:
    blocking = next(c for c in told["constraints"] if (c["blocked_next"] or 0) > 0)
    shown = command("constraints", "show", blocking["constraint_id"][:12], "--json", "--home", home).json
    blocked = [b for b in shown["blocked"] if b["arm"] == "main"]
    assert blocked
    assert all(b["backtest_id"] is None for b in blocked)
    cause = shown["provenance"][0]
    assert cause["created_at_iteration"] < blocked[0]["iteration_id"]
    failure = command("failures", "show", cause["failure_id"][:16], "--json", "--home", home).json
    assert failure["failure_id"] == cause["failure_id"]
    assert failure["evidence"]["worst_trades"] is not None
    trail = command("lineage", blocking["constraint_id"], "--json", "--home", home).json
    edges = {(cause.partition(":")[0], effect.partition(":")[0]) for cause, effect, _ in trail["edges"]}
    assert {("failure", "constraint"), ("constraint", "trial")} <= edges


def test_the_exploration_arm_ran_some_blocked_candidates(told: Any) -> None:
    blocked = sum(i["funnel"]["blocked"] for i in told["iterations"])
    explored = sum(i["funnel"]["explored"] for i in told["iterations"])
    assert blocked > 0
    assert 0.02 < explored / (blocked + explored) < 0.30


def test_twenty_stored_results_come_out_equal(home: Path, command: Any) -> None:
    done = command("reproduce", "--sample", "20", "--json", "--home", home)
    assert done.code == 0, done.stderr
    assert (done.json["equal"], done.json["total"]) == (20, 20)


def test_changed_prices_are_named_as_the_cause(home: Path, command: Any, tmp_path: Path) -> None:
    import polars as pl

    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    changed = 0
    for path in sorted((copy / "market").rglob("*.parquet")):
        frame = pl.read_parquet(path)
        # Prices lie as doubles, or as whole ten-thousandths under another name.
        for name in {"close", "close_e4"} & set(frame.columns):
            high = name.replace("close", "high")
            raised = frame.with_columns(
                (pl.col(name) * 1.01).cast(frame.schema[name]), (pl.col(high) * 1.02).cast(frame.schema[high])
            )
            assert (raised[name] > frame[name]).all()
            raised.write_parquet(path)
            changed += 1
    assert changed > 0
    done = command("reproduce", "--sample", "5", "--json", "--home", copy)
    assert done.code == 3
    assert done.json["equal"] == 0
    assert {r["cause"] for r in done.json["results"]} == {"data"}


def test_a_second_demo_starts_from_what_the_first_one_learnt(
    home: Path, command: Any, told: Any, tmp_path: Path
) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    done = command("demo", "--home", copy)
    assert done.code == 0, done.stderr
    learnt = {c["constraint_id"] for c in told["constraints"]}
    assert f"constraints that run {told['run_id'][:13]}" in " ".join(done.stdout.split())
    newest = command("run", "list", "--json", "--home", copy).json["rows"][0]["run_id"]
    second = command("run", "show", newest, "--json", "--home", copy).json
    applied = {c["constraint_id"] for c in second["iterations"][0]["applied"]}
    assert applied
    assert applied <= learnt
    assert second["iterations"][0]["funnel"]["blocked"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("leaderboard",),
        ("leaderboard", "--engine", "a", "--limit", "3"),
        ("failures", "top"),
        ("failures", "top", "--by", "template"),
        ("constraints", "list"),
        ("run", "list"),
        ("doctor",),
        ("report",),
    ],
)
def test_commands_speak_to_people_and_to_machines(
    home: Path, command: Any, arguments: tuple[str, ...]
) -> None:
    people = command(*arguments, "--home", home)
    machines = command(*arguments, "--json", "--home", home)
    assert (people.code, machines.code) == (0, 0), people.stderr + machines.stderr
    assert isinstance(machines.json, dict)
    # A path may be longer than the terminal; tables and prose may not.
    long = [line for line in people.stdout.splitlines() if len(line) > 80 and "/" not in line]
    assert long == []


def test_a_strategy_a_backtest_and_a_run_can_be_shown_by_prefix(home: Path, command: Any, told: Any) -> None:
    best = told["leaderboard"][0]
    strategy = command("show", best["strategy_id"][:10], "--home", home)
    assert strategy.code == 0
    assert "it buys when" in " ".join(strategy.stdout.split())
    backtest = command("show", best["backtest_id"], "--json", "--home", home).json
    assert backtest["backtest"]["metrics"]["values"]["sharpe_net"] == best["sharpe_net"]
    assert backtest["comparisons"]
    assert backtest["robustness"]
    assert command("run", "show", told["run_id"][:13], "--home", home).code == 0


def test_curves_and_trades_of_the_shortlist_are_linked_by_path(home: Path, command: Any, told: Any) -> None:
    import polars as pl

    best = told["leaderboard"][0]
    stored = command("show", best["backtest_id"], "--json", "--home", home).json["backtest"]
    folder = home / "artifacts" / stored["artifacts_dir"]["path"]
    curves = pl.read_parquet(folder / "curves.parquet")
    trades = pl.read_parquet(folder / "trades.parquet")
    slices = {row["slice"]: row for row in pl.read_parquet(folder / "slices.parquet").to_dicts()}
    whole = (1 + slices["is_train"]["return_total_net"]) * (1 + slices["is_validation"]["return_total_net"])
    assert whole - 1 == pytest.approx(best["return_total_net"], abs=1e-12)
    assert {"year_2014", "year_2015", "year_2016"} <= set(slices)
    assert curves["equity_b"][-1] / 100_000 - 1 == pytest.approx(best["return_total_net"], abs=1e-12)
    assert (~trades["is_open"]).sum() == best["closed_trades"]
