"""Reading documents: JSON, YAML, files, and what is refused before anything is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantrail.errors import SpecInvalid
from quantrail.strategy import TEMPLATES, canonical_from_json, canonicalise, load_document, parse_spec


def codes(data: Any) -> set[str]:
    with pytest.raises(SpecInvalid) as caught:
        load_document(data)
    return {item["code"] for item in caught.value.context["problems"]}


@pytest.mark.parametrize("name", TEMPLATES)
def test_yaml_json_files_and_python_give_one_id(name: str, tmp_path: Path) -> None:
    document = TEMPLATES[name].build(None, ["SPY", "QQQ"])
    expected = canonicalise(document).strategy_id
    texts = {
        "a.json": json.dumps(document),
        "b.json": json.dumps(document, indent=2, ensure_ascii=False),
        "c.yaml": yaml.safe_dump(document, sort_keys=False),
        "d.yml": yaml.safe_dump(document, default_flow_style=True),
    }
    for file, text in texts.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
        assert canonicalise(parse_spec(text)).strategy_id == expected
        assert canonicalise(parse_spec(tmp_path / file)).strategy_id == expected
        assert canonicalise(parse_spec(str(tmp_path / file))).strategy_id == expected


def test_yaml_scalars_are_read_as_json_would() -> None:
    text = "{a: 1e-3, b: 010, c: 1:30, d: 2020-01-01, e: yes, f: TRUE, g: true, h: ~, i: -3, j: .5}"
    assert load_document(text) == {
        "a": 0.001,
        "b": "010",
        "c": "1:30",
        "d": "2020-01-01",
        "e": "yes",
        "f": "TRUE",
        "g": True,
        "h": None,
        "i": -3,
        "j": 0.5,
    }


def test_a_condition_node_true_needs_no_quotes_in_yaml() -> None:
    text = """
conditions: {always: {node: TRUE}, never: {node: FALSE}}
modules: {entry: {condition: {ref: always}}, exit: {condition: {ref: never}}}
"""
    expected = TEMPLATES["BUY_AND_HOLD"].build()
    assert canonicalise(parse_spec(text)).strategy_id == canonicalise(expected).strategy_id


@pytest.mark.parametrize("text", ["a: 1\na: 2", '{"a": 1, "a": 2}', "a: {b: 1, c: 2, b: 1}"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    assert codes(text) == {"DUPLICATE_KEY"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**53, -(10**400), 1e300])
def test_numbers_without_an_exact_spelling_are_refused(number: float) -> None:
    assert codes({"a": number}) == {"TOO_LARGE"}


def test_values_that_json_has_not_are_refused() -> None:
    assert codes({"a": object()}) == {"WRONG_TYPE"}
    assert codes({1: "a"}) == {"WRONG_TYPE"}
    assert codes({"a": {1, 2}}) == {"WRONG_TYPE"}


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert codes(tmp_path / "missing.yaml") == {"NOT_A_DOCUMENT"}
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert codes(tmp_path / "bytes.yaml") == {"NOT_A_DOCUMENT"}
    (tmp_path / "large.yaml").write_text("a" * 300_000)
    assert codes(tmp_path / "large.yaml") == {"TOO_LARGE"}


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"features": {}, "modules": {}} ', b"\xff", b'{"a": NaN}']
)
def test_what_is_not_a_stored_spec_is_refused(data: bytes) -> None:
    with pytest.raises(SpecInvalid, match="stored"):
        canonical_from_json(data)


def test_a_stored_spec_that_was_edited_is_refused() -> None:
    stored = canonicalise(TEMPLATES["SMA_CROSSOVER"].build()).json
    with pytest.raises(SpecInvalid, match="edited"):
        canonical_from_json(stored.replace(b'"period":20', b'"period":20.0'))


def test_tickers_that_look_like_other_things_are_texts_or_told_to_be_quoted() -> None:
    text = "universe: {symbols: [ON, NO, %s]}\n"
    rest = "conditions: {a: {node: TRUE}}\n"
    rest += "modules: {entry: {condition: {ref: a}}, exit: {condition: {ref: a}}}\n"
    assert parse_spec(text % "'TRUE'" + rest).universe.symbols == ["ON", "NO", "TRUE"]
    for written in ("true", "700", "1e5", "null"):
        with pytest.raises(SpecInvalid) as caught:
            parse_spec(text % written + rest)
        (problem,) = caught.value.context["problems"]
        assert (problem["path"], problem["code"]) == ("$.universe.symbols[2]", "WRONG_TYPE")
        assert problem["hint"] == "put it in quotes"
