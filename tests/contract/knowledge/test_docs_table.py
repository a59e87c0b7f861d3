"""The table that maps the specification to tests names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from quantrail.testing.knowledge.integrity_rules import FORBIDDEN

ROOT = Path(__file__).parents[3]


def test_every_test_the_docs_name_is_there() -> None:
    page = (ROOT / "docs" / "knowledge-store.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    sources = [*ROOT.glob("tests/**/knowledge/*.py"), *ROOT.glob("src/quantrail/testing/knowledge/*.py")]
    there = {name for file in sources for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))}
    assert len(named) > 40
    assert named - there == set()


ITEMS = {
    "1": 5,
    "2": 3,
    "3": 7,
    "4.1": 9,
    "4.2": 4,
    "5": 5,
    "6": 5,
    "7": 6,
    "8": 2,
    "9": 4,
}  # of MOD-460: how many numbered or bulleted items each section has


def rows() -> dict[str, str]:
    """What stands beside each item, by the item's number."""
    page = (ROOT / "docs" / "knowledge-store.md").read_text("utf-8")
    found: dict[str, str] = {}
    for line in page.splitlines():
        told = re.match(r"\| (\d+(?:\.\d+)+(?:, \d+(?:\.\d+)+)*) [^|]+\|([^|]+)\|$", line)
        for number in told[1].split(", ") if told else ():
            assert number not in found, number
            found[number] = told[2] if told else ""
    return found


def test_every_item_of_the_specification_has_a_row_with_a_test() -> None:
    found = rows()
    assert set(found) == {f"{section}.{i + 1}" for section, count in ITEMS.items() for i in range(count)}
    whole = {"2.1", "2.2"}  # the choice of backends is what every contract test runs on
    assert [number for number, told in found.items() if "`test_" not in told and number not in whole] == []


def test_every_statement_the_docs_say_is_refused_is_one_that_is_tried() -> None:
    named = {
        one
        for told in rows().values()
        for words in re.findall(r"`test_the_database_refuses` \(([^)]+)\)", told)
        for one in words.split(", ")
    }
    assert len(named) > 7
    assert {one for one in named if not any(one in key for key in FORBIDDEN)} == set()
