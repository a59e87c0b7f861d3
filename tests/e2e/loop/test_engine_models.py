"""A run verifies under the models of engine B that its configuration names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import quantrail as qt
from quantrail.domain.contract import ModelVersions
from quantrail.domain.enums import EngineMode


def test_a_run_verifies_under_the_models_it_names(
    command: Any, bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    settings = {"latency_bars": 1, "max_adv_participation": 0.01}
    search = {"budget": {"candidates": 60, "iterations": 1}, "shortlist": 2}
    config = small_config(
        tmp_path, search=search, engines={"b": {"execution": "market_v1", "settings": settings}}
    )
    done = command("run", "start", config, "--home", home, "--json")
    assert done.code == 0, done.stderr
    wanted = ModelVersions(
        execution="market_v1", portfolio="whole_shares_v1", settings=tuple(sorted(settings.items()))
    )
    with qt.open(home) as lab:
        board = lab.leaderboard(200)
        verified = board[board["engine_mode"] == "B"]["backtest_id"].tolist()
        assert verified
        for backtest_id in verified:
            row = lab.show(backtest_id).backtest
            assert row.key.engine_mode is EngineMode.B
            assert row.model_versions == wanted
            assert row.key.model_versions_hash == wanted.hash
        screened = lab.show(board[board["engine_mode"] == "A"]["backtest_id"].iloc[0]).backtest
        assert screened.model_versions == ModelVersions()
        assert [r.equal for r in lab.reproduce(verified[:1])] == [True]
