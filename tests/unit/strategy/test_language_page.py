"""The examples of the language page run, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quantrail.strategy import CODES, StrategySpec, canonicalise, parse_spec
from quantrail.strategy.templates.page import templates_page

PAGE = (Path(__file__).parents[3] / "docs" / "strategy-language.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_example_in_python_is_the_example_in_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(block("python"), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("On SPY, it buys when")
    assert printed[1] == canonicalise(parse_spec(block("yaml"))).strategy_id


def test_every_problem_code_and_section_is_on_the_page() -> None:
    assert [code for code in CODES if code not in PAGE] == []
    assert [name for name in StrategySpec.model_fields if name not in PAGE and name != "schema_version"] == []


def test_the_page_of_templates_is_what_the_registry_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "templates.md"
    assert page.read_text(encoding="utf-8") == templates_page()
