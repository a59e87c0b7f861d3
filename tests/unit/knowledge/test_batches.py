"""Columns of a batch must come out as their values would one by one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quantrail.errors import InvalidInput
from quantrail.knowledge import batches as many
from quantrail.knowledge import values as v

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e-3, 1e-3), st.integers(-(2**70), 2**70)
)
ANYTHING = st.one_of(NUMBERS, st.booleans(), st.none(), st.text(max_size=5), st.lists(NUMBERS, max_size=3))
NAMES = st.one_of(st.sampled_from(["a", "b", "p%s", '"', "é", "\n", "100%"]), st.text(max_size=3))
OBJECTS = st.one_of(
    st.none(), st.dictionaries(NAMES, NUMBERS, max_size=4), st.dictionaries(NAMES, ANYTHING, max_size=3)
)


@given(st.lists(OBJECTS, max_size=6))
@example([{"a": 1e-05}, {"a": 1.234e-05}, {"a": 1e16}, {"a": 123456789012345680.0}])
@example([{"a": [1, 2]}, {"a": 3}])
@example([{"a": []}, {"a": 3}])
@example([{"a": -0.0, "b": 10.00001}])
@example([{"a": True}, {}, None, {"b": None}])
def test_json_of_a_column_is_that_of_its_values(objects: list[dict[str, Any] | None]) -> None:
    objects = objects * (1 + 12 // max(len(objects), 1))  # enough for forms to be worth it
    try:
        expected = [v.maybe_json(one, "params") for one in objects]
    except InvalidInput:  # a NUL or a lone surrogate
        with pytest.raises(InvalidInput):
            many.jsons(objects, "params")
    else:
        assert many.jsons(objects, "params") == expected


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, object(), b"raw", {1, 2}])
def test_what_is_not_json_is_refused_wherever_it_stands(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="params"):
        many.jsons([{"a": 1}, {"a": wrong}, {"a": 2}] * 5, "params")
    with pytest.raises(InvalidInput, match="params"):
        many.jsons([{"a": wrong}], "params")


def test_the_error_names_the_wrong_value_of_a_column() -> None:
    good = "ab" * 32
    with pytest.raises(InvalidInput, match="'zz'"):
        many.hashes([good, "zz", good], "logic_hash")
    with pytest.raises(InvalidInput, match="has 31 bytes"):
        many.hashes([good, "ab" * 31], "logic_hash")
    with pytest.raises(InvalidInput, match="NUL"):
        many.labels(["fine", "no\x00t"], "summary")
    with pytest.raises(InvalidInput, match="at most 4"):
        many.labels(["four", "fifth"], "summary", 4)
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        many.labels(["four", "\ud800"], "summary")
    with pytest.raises(InvalidInput, match="is nan"):
        many.reals([0.5, math.nan], "confidence")
    with pytest.raises(InvalidInput, match="confidence of second is"):
        many.shares([0.5, 1.5], "confidence", ["first", "second"])
    with pytest.raises(InvalidInput, match="not a 64-bit integer"):
        many.wholes([1, 2**63], "seed")


@pytest.mark.parametrize(("name", "wrong"), [("a\x00b", "NUL"), ("\ud800", "not valid Unicode")])
def test_the_error_names_the_column_when_a_name_in_an_object_is_wrong(name: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=f"params .*{wrong}"):
        many.jsons([{"fine": 1}, {name: 1}] * 10, "params")


def test_an_object_of_numbers_may_not_be_longer_than_another() -> None:
    long = {f"{i:0100000}": i for i in range(v.MAX_JSON // 100_000)}
    with pytest.raises(InvalidInput, match="params has 160"):
        many.jsons([{"fine": 1}] * 10 + [long], "params")


def test_good_columns_pass_as_they_are() -> None:
    assert many.hashes(["ab" * 32], "x") == [b"\xab" * 32]
    assert list(many.labels(["plain", "Größe"], "x")) == ["plain", "Größe"]
    assert [*many.labels([], "x"), *many.wholes([], "x"), *many.jsons([], "x"), *many.hashes([], "x")] == []
    assert many.reals([1, -0.0], "x") == [1.0, 0.0]
    assert math.copysign(1, many.reals([-0.0], "x")[0]) == 1
    assert many.shares([0, 1], "x", ["a", "b"]) == [0.0, 1.0]
    assert list(many.wholes([True, -(2**63)], "x")) == [True, -(2**63)]
