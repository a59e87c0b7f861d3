"""`spec validate | hash | explain | diff | schema | templates`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from quantrail.apps.cli.spec import app
from quantrail.strategy import ATOMS, TEMPLATES, canonicalise, template_spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(template_spec("MACD_TREND", None, ["SPY"])))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_hash_prints_the_identity(file: Path) -> None:
    expected = canonicalise(template_spec("MACD_TREND", None, ["SPY"]))
    assert answer("hash", file) == {
        "strategy_id": expected.strategy_id,
        "logic_hash": expected.logic_hash,
        "spec_hash_version": "h1",
    }
    assert expected.strategy_id in run("hash", file).stdout


def test_validate_accepts_a_valid_file(file: Path) -> None:
    found = answer("validate", file)
    assert found["valid"]
    assert found["problems"] == []
    assert "valid" in run("validate", file).stdout


def test_validate_lists_every_problem_and_exits_with_two(file: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    document = template_spec("MACD_TREND", None, ["SPY"]) | {
        "nme": 1,
        "cost_model": {"fees": {"value_bps": -1}},
    }
    wrong.write_text(json.dumps(document))
    result = run("validate", wrong, "--json")
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert {item["path"] for item in problems} == {"$.nme", "$.cost_model.fees.value_bps"}
    both = run("validate", file, wrong)
    assert both.exit_code == 2
    assert "2 problems" in both.stdout


def test_explain_says_it_in_sentences(file: Path) -> None:
    found = answer("explain", file)
    assert found["text"].startswith("On SPY, it buys when")
    assert found["complexity"]["cmp_count"] == 3
    assert "it buys when" in run("explain", file).stdout


def test_diff_shows_changes_and_knows_equals(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(template_spec("MACD_TREND", {"trend_window": 150}, ["SPY"])))
    found = answer("diff", file, other)
    assert not found["same"]
    assert "modules.long_entry" in {row["path"] for row in found["rows"]}
    assert answer("diff", file, file)["rows"] == []
    assert "the same strategy" in run("diff", file, file).stdout


def test_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["title"] == "StrategySpec"


def test_templates_are_listed_and_printed() -> None:
    assert [row["template_id"] for row in answer("templates")["rows"]] == list(TEMPLATES)
    assert len(answer("templates", "--atoms")["rows"]) == len(ATOMS)
    assert answer("templates", "stoch_rsi")["document"] == template_spec("STOCH_RSI")
    printed = yaml.safe_load(run("templates", "STOCH_RSI").stdout)
    assert canonicalise(printed) == canonicalise(template_spec("STOCH_RSI"))


@pytest.mark.parametrize("command", ["validate", "hash", "explain", "diff", "schema", "templates"])
def test_every_command_shows_an_example(command: str) -> None:
    assert f"quantrail spec {command}" in run(command, "--help").stdout
