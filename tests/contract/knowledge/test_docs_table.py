"""The table that maps the specification to tests names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_the_docs_name_is_there() -> None:
    page = (ROOT / "docs" / "knowledge-store.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    sources = [*ROOT.glob("tests/**/knowledge/*.py"), *ROOT.glob("src/quantrail/testing/knowledge/*.py")]
    there = {name for file in sources for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))}
    assert len(named) > 40
    assert named - there == set()


def test_every_section_of_the_specification_has_a_row() -> None:
    page = (ROOT / "docs" / "knowledge-store.md").read_text("utf-8")
    sections = {
        row.split()[1].split(".")[0].rstrip(",") for row in page.splitlines() if re.match(r"\| \d", row)
    }
    assert sections == {str(number) for number in range(1, 10)}
