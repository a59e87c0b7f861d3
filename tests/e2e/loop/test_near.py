"""Fingerprints in a search: stored, the same for any number of workers, read by those who ask."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from quantrail.domain.answers import LeaderboardFilter
from quantrail.domain.enums import EngineMode
from quantrail.domain.ids import BacktestId, StrategyId
from quantrail.domain.ports import KnowledgeStore
from quantrail.lab import open_lab
from quantrail.services.near import near_ones, twins_among
from quantrail.strategy import ATOMS, TEMPLATES, canonical_from_json, canonicalise, ind, spec

SYMBOLS = ["AAPL", "BAC", "JPM", "KO", "MSFT", "XOM"]
FIRST = spec(entry=ind.rsi(14) > 55, exit=ind.rsi(14) < 45)
# Another text, another logic, another stop, and the same bars held.
TWIN = spec(entry=ind.rsi(14) > 55.001, exit=ind.rsi(14) < 45, hard_stop={"type": "pct", "value": 0.9})
# Reads a record besides, which never decides.
TOLD = spec(entry=(ind.rsi(14) > 55) & (ind.econ("RATE") > -100.0), exit=ind.rsi(14) < 45)
OTHER = spec(entry=ind.rsi(14) < 45, exit=ind.rsi(14) > 55)


def on_run(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "universe": {"symbols": SYMBOLS}}


def config_of(
    small_config: Any, folder: Path, workers: int, seeds: Sequence[Any] = (FIRST, TWIN, OTHER)
) -> Path:
    document = yaml.safe_load(small_config(folder).read_text())
    document["data"]["symbols"] = SYMBOLS
    document["search"] |= {
        "seeds": list(seeds),
        "budget": {"candidates": 70, "iterations": 1},
        "shortlist": 2,
    }
    document["workers"] = workers
    path = folder / f"near-{workers}.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def check_usage(store: KnowledgeStore, tried: set[StrategyId]) -> None:
    """Templates and atoms count each strategy of the run that used them once."""
    stored = [store.get_strategy(strategy_id).strategy for strategy_id in tried]
    templates = Counter(one.template_id for one in stored if one.template_id)
    assert templates.total() > 40
    assert {t.template_id: n for t, n in store.list_templates()} == {
        name: templates[name] for name in TEMPLATES
    }
    atoms = Counter(atom for one in stored for atom in one.atoms)
    assert atoms.total() > 40
    assert {a.atom_id: n for a, n in store.list_atoms()} == {name: atoms[name] for name in ATOMS}


def test_shortlists_of_one_run_hold_no_twins(bars_home: Path, small_config: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(bars_home, home)
    document = yaml.safe_load(small_config(tmp_path).read_text())
    document["search"] |= {"budget": {"candidates": 60, "iterations": 3}, "shortlist": 6}
    path = tmp_path / "twins.yaml"
    path.write_text(yaml.safe_dump(document))
    with open_lab(home) as lab:
        lab.search(path)
        store = lab._services.store
        shown = sorted(
            {
                store.get_backtest(b).key.strategy_id
                for b in store.list_backtests(limit=10**6)
                if is_b(store, b)
            }
        )
        risks = {
            s: canonical_from_json(store.get_strategy(s).strategy.normalized_spec_json).spec["risk"]
            for s in shown
        }
        pairs = [(one, two) for one in shown for two, _ in near_ones(store, one) if two in risks]
    assert len(shown) > 6
    assert all(risks[one] != risks[two] for one, two in pairs)


def is_b(store: KnowledgeStore, backtest_id: BacktestId) -> bool:
    return store.get_backtest(backtest_id).key.engine_mode is EngineMode.B


def test_twins_are_found_shown_and_still_trials(
    bars_home: Path, small_config: Any, command: Any, tmp_path: Path
) -> None:
    marks = []
    first, twin, other = (canonicalise(on_run(d)).strategy_id for d in (FIRST, TWIN, OTHER))
    for workers in (1, 2):
        home = tmp_path / f"home{workers}"
        shutil.copytree(bars_home, home)
        with open_lab(home) as lab:
            run = lab.search(config_of(small_config, tmp_path, workers))
            store = lab._services.store
            trials = store.list_trials(run.run_id)
            marks.append({t.strategy_id: store.fingerprints_of(t.strategy_id) for t in trials})
            assert sum(t.strategy_id in (first, twin, other) for t in trials) >= 3
            near = dict(near_ones(store, first))
            assert near[twin] >= 0.9
            assert other not in near
            rows = lab.leaderboard(200, LeaderboardFilter(run_id=run.run_id))
            ranked = rows.drop_duplicates("strategy_id").set_index("strategy_id")["twin_of"]
            twins = ranked.dropna().to_dict()
            # The better of the two leads, unless a third one leads both.
            assert twins.get(first) == twin or twins.get(twin) == first or twins[first] == twins[twin]
            assert all(leader not in twins for leader in twins.values())
            check_usage(store, {t.strategy_id for t in trials})
    assert marks[0] == marks[1]
    assert sum(map(bool, marks[0].values())) > 40

    written = tmp_path / "twin.yaml"
    written.write_text(yaml.safe_dump(on_run(TWIN)))
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text(yaml.safe_dump({**FIRST, "universe": {"symbols": ["SPY"]}}))
    asked = command("spec", "tried", written, "--json", "--home", home)
    assert asked.code == 0, asked.stderr
    found = json.loads(asked.stdout)
    assert found["known"] is True
    hows = {a["strategy_id"]: a for a in found["attempts"]}
    assert hows[twin]["how"] == "exact"
    assert hows[twin]["score_total"] is not None
    assert hows[twin]["tried_at"] is not None
    assert hows[first]["how"] == "behaviour"
    assert hows[first]["likeness"] >= 0.9
    found = command("spec", "tried", elsewhere, "--json", "--home", home).json
    assert (found["known"], found["trials"]) == (False, 0)
    assert [(a["how"], a["strategy_id"]) for a in found["attempts"]] == [("logic", first)]
    assert "exact" in command("spec", "tried", written, "--home", home).stdout
    rewritten = tmp_path / "rewritten.yaml"  # never screened, and without symbols: those of the search
    rewritten.write_text(yaml.safe_dump(spec(entry=ind.rsi(14) > 55.002, exit=ind.rsi(14) < 45)))
    found = command("spec", "tried", rewritten, "--json", "--home", home).json
    assert (found["known"], found["trials"]) == (False, 0)
    alike = {a["strategy_id"]: a for a in found["attempts"]}
    assert {first, twin} <= alike.keys()
    assert other not in alike
    assert alike[first]["how"] == "behaviour"
    assert alike[first]["likeness"] >= 0.9
    with open_lab(home) as lab:
        assert not lab._services.store.fingerprints_of(found["strategy_id"])
        assert not lab._services.store.known_strategies([found["strategy_id"]])
    unknown = tmp_path / "unknown.yaml"
    unknown.write_text(yaml.safe_dump(spec(entry=ind.rsi(3) < 12, exit=ind.rsi(3) > 30)))
    assert "was not tried here" in command("spec", "tried", unknown, "--home", home).stdout


def test_a_clause_on_a_record_that_changes_nothing_leaves_a_twin(
    bars_home: Path, small_config: Any, tmp_path: Path
) -> None:
    shutil.copytree(bars_home, tmp_path / "home")
    first, told, other = (canonicalise(on_run(d)).strategy_id for d in (FIRST, TOLD, OTHER))
    rate = {"series": ["RATE"], "date": ["1999-01-01"], "value": [1.0]}
    released = {"available_at": ["1999-02-01T00:00:00Z"]}
    with open_lab(tmp_path / "home") as lab:
        lab.data.records.add_economic(pl.DataFrame(rate | released), source="test")
        lab.search(config_of(small_config, tmp_path, 1, [FIRST, TOLD, OTHER]))
        store = lab._services.store
        data = [store.strategy_history(one)[0].key.data_version for one in (first, told)]
        assert data[0] != data[1]  # as results they rest on different data
        assert dict(near_ones(store, first))[told] == dict(near_ones(store, told))[first] == 1.0
        twins = twins_among(store, [first, told, other])
        assert twins == {told: first}
