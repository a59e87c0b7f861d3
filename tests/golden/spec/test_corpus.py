"""The corpus: documents, their canonical form and hashes, and what is wrong with the invalid ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from quantrail.errors import SpecInvalid
from quantrail.strategy import (
    CODES,
    canonical_from_json,
    canonicalise,
    json_schema,
    parse_spec,
    to_document,
)
from quantrail.strategy.canonical import canonicalise_plainly


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"spec_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


corpus, second = _load("corpus"), _load("second")
second_shapes, second_checks = _load("second_shapes"), _load("second_checks")
VALID = {case["name"]: case for case in corpus.cases("valid.yaml")}
INVALID = {case["name"]: case for case in corpus.cases("invalid.yaml")}
HASHES = corpus.hashes()
SCHEMA = Draft202012Validator(json_schema())
# What a schema can see; the rest is about names and about parts that must fit together.
STRUCTURAL = {"MISSING", "UNKNOWN_KEY", "WRONG_TYPE", "OUT_OF_RANGE", "BAD_VALUE"}
BEYOND = {
    "scale of zero",
    "no such regime",
    "both without a second pair",
    "symbol with a line break",  # the end of a pattern is before a line break in Python, not in ECMAScript
}


@pytest.mark.parametrize("name", VALID)
def test_a_document_has_the_canonical_text_and_hashes_on_file(name: str) -> None:
    found = canonicalise(VALID[name]["document"])
    assert found.json.decode() == corpus.canonical_text(name)
    assert {"strategy_id": found.strategy_id, "logic_hash": found.logic_hash} == HASHES[name]
    assert found.spec_hash_version == "h1"


@pytest.mark.parametrize("name", VALID)
def test_the_fast_and_the_plain_path_are_equal(name: str) -> None:
    assert canonicalise(VALID[name]["document"]) == canonicalise_plainly(VALID[name]["document"])
    assert canonicalise(parse_spec(VALID[name]["document"])) == canonicalise(VALID[name]["document"])


@pytest.mark.parametrize("name", VALID)
def test_an_independent_implementation_agrees(name: str) -> None:
    text, strategy_id, logic_hash = second.canonical(VALID[name]["document"])
    found = canonicalise(VALID[name]["document"])
    assert (text, strategy_id, logic_hash) == (found.json.decode(), found.strategy_id, found.logic_hash)


@pytest.mark.parametrize("name", VALID)
def test_a_stored_spec_comes_back_as_it_was(name: str) -> None:
    stored = canonicalise(VALID[name]["document"])
    assert canonical_from_json(stored.json) == stored


@pytest.mark.parametrize("name", VALID)
def test_a_canonical_form_written_as_a_document_keeps_its_identity(name: str) -> None:
    stored = canonicalise(VALID[name]["document"])
    assert canonicalise(to_document(stored.spec)) == stored


@pytest.mark.parametrize("name", [name for name, case in VALID.items() if "same_as" in case])
def test_documents_that_mean_the_same_have_one_id(name: str) -> None:
    other = VALID[name]["same_as"]
    assert HASHES[name] == HASHES[other]


@pytest.mark.parametrize("name", [name for name, case in VALID.items() if "other_than" in case])
def test_documents_that_mean_something_else_have_another_id(name: str) -> None:
    other = VALID[name]["other_than"]
    assert HASHES[name]["strategy_id"] != HASHES[other]["strategy_id"]


@pytest.mark.parametrize("name", [name for name, case in VALID.items() if "same_logic_as" in case])
def test_one_idea_in_other_surroundings_shares_its_logic_hash(name: str) -> None:
    other = HASHES[VALID[name]["same_logic_as"]]
    assert HASHES[name]["logic_hash"] == other["logic_hash"]
    assert HASHES[name]["strategy_id"] != other["strategy_id"]


def _problems(case: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(SpecInvalid) as caught:
        parse_spec(case.get("document", case.get("text")))
    problems: list[dict[str, Any]] = caught.value.context["problems"]
    return problems


@pytest.mark.parametrize("name", INVALID)
def test_every_problem_is_listed_with_path_and_code_and_no_other(name: str) -> None:
    problems = _problems(INVALID[name])
    assert sorted([item["path"], item["code"]] for item in problems) == sorted(INVALID[name]["problems"])
    assert all(set(item) == {"path", "code", "message", "value", "hint"} for item in problems)


@pytest.mark.parametrize("name", INVALID)
def test_an_independent_validator_finds_the_same_problems(name: str) -> None:
    data = INVALID[name].get("document", INVALID[name].get("text"))
    found = second_checks.problems(data, second_shapes.structure)
    assert found == sorted((item["path"], item["code"]) for item in _problems(INVALID[name]))


@pytest.mark.parametrize("name", VALID)
def test_an_independent_validator_finds_nothing_wrong_with_the_valid_ones(name: str) -> None:
    assert second_checks.problems(VALID[name]["document"], second_shapes.structure) == []


@pytest.mark.parametrize("name", [name for name, case in INVALID.items() if "document" in case])
def test_the_fast_path_accepts_nothing_that_is_invalid(name: str) -> None:
    with pytest.raises(SpecInvalid):
        canonicalise(INVALID[name]["document"])


@pytest.mark.parametrize("name", VALID)
def test_the_published_schema_accepts_a_valid_document(name: str) -> None:
    assert list(SCHEMA.iter_errors(VALID[name]["document"])) == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, case in INVALID.items()
        if "document" in case and name not in BEYOND and {code for _, code in case["problems"]} <= STRUCTURAL
    ],
)
def test_the_published_schema_refuses_what_has_the_wrong_shape(name: str) -> None:
    assert not SCHEMA.is_valid(INVALID[name]["document"])


def test_the_corpus_is_large_and_shows_nearly_every_code() -> None:
    shown = {code for case in INVALID.values() for _, code in case["problems"]}
    assert len(VALID) + len(INVALID) >= 60
    assert shown == set(CODES)


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    hints = {item["path"]: item["hint"] for item in _problems(INVALID["six problems at once"])}
    assert hints["$.nme"] == "did you mean 'name'?"
    assert hints["$.features.slow.type"] == "did you mean 'sma'?"
    assert hints["$.conditions.up.left"] == "did you mean 'fast'?"
    assert hints["$.modules.entry.condition.ref"] == "did you mean 'up'?"
