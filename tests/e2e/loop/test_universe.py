"""A run over a stored universe: its members of the first day of train, recorded with what flatters them."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import quantrail as qt
from quantrail.bootstrap import open_services
from quantrail.config import load_settings
from quantrail.domain.identity import universe_version
from quantrail.marketdata import Membership, Universe, UniverseStore
from quantrail.services.demo import demo_document

MEMBERS = ("AAPL", "JPM", "KO", "XOM")
STAYS = (
    Membership("AAPL"),
    Membership("JPM", None, dt.date(2014, 1, 2)),  # leaves on the first day, and is there on it
    Membership("KO"),
    Membership("XOM", dt.date(2014, 1, 2)),
    Membership("MSFT", dt.date(2014, 1, 3)),  # joins a day late
    Membership("T", None, dt.date(2014, 1, 1)),  # left the day before
)


def configured(folder: Path, **universe: Any) -> Path:
    document = demo_document()
    document["universe"] = {"market": "US", "benchmark": "SPY"} | universe
    document["search"] |= {"budget": {"candidates": 20, "iterations": 1}, "shortlist": 2}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document | {"workers": 1}))
    return path


def test_a_run_trades_the_members_of_its_first_day(bars_home: Path, command: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    stored = UniverseStore(load_settings(home).market / "universes").put(Universe("large", STAYS)).universe
    done = command("run", "start", configured(tmp_path, stored="large"), "--home", home, "--json")
    assert done.code == 0, done.stderr
    assert "1 symbols join universe 'large' after 2014-01-02 and are left out: MSFT" in done.stderr
    with open_services(load_settings(home)) as services:
        frozen = services.store.get_run(done.json["run_id"]).config["frozen"]
        rows = [services.store.get_backtest(key) for key in services.store.list_backtests()]
    assert frozen["symbols"] == list(MEMBERS)
    assert frozen["universe"]["version"] == stored.version
    assert {row.key.universe_version for row in rows} == {universe_version(MEMBERS)}
    shown = command("run", "show", done.json["run_id"], "--home", home)
    assert "left out: MSFT" in shown.stdout
    again = command("reproduce", "--sample", "3", "--json", "--home", home)
    assert (again.json["equal"], again.json["total"]) == (3, 3), again.stderr


def test_a_run_over_survivors_says_so_in_a_notebook(bars_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    with qt.open(home) as lab:
        lab.data.universes.put(Universe("large", tuple(Membership(symbol) for symbol in MEMBERS)))
        run = lab.search(configured(tmp_path, stored="large"))
        assert len(run.advice) == 1
        assert "no leavers" in run.advice[0]
        assert run.advice[0] in repr(run)
        assert "no leavers" in run._repr_html_()


@pytest.mark.parametrize(
    ("members", "universe", "message"),
    [
        (("AAPL", "LEHMQ"), {"stored": "large"}, "1 of the 2 members of universe 'large' on 2014-01-02"),
        (("AAPL",), {"stored": "lage"}, "no universe 'lage'; there is large"),
    ],
)
def test_a_universe_that_cannot_be_traded_is_told_before_anything_is_recorded(
    bars_home: Path,
    command: Any,
    tmp_path: Path,
    members: tuple[str, ...],
    universe: dict[str, str],
    message: str,
) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    listed = Universe("large", tuple(Membership(symbol) for symbol in members))
    UniverseStore(load_settings(home).market / "universes").put(listed)
    done = command("run", "start", configured(tmp_path, **universe), "--home", home)
    assert done.code != 0
    assert message in " ".join(done.stderr.split())
    assert "no runs yet" in command("run", "list", "--home", home).stdout
