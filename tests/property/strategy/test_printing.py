"""The faster printers equal RFC 8785 as the rfc8785 package prints it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from quantrail.errors import InvalidInput
from quantrail.strategy import TEMPLATES, canonicalise
from quantrail.strategy.number import number_text
from quantrail.strategy.printing import canonical_text, is_surely_canonical

LIMIT = 2**53 - 1
NUMBERS = st.integers(-LIMIT, LIMIT) | st.floats(-LIMIT, LIMIT)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc_;=.()0é", max_size=6), inner)
)


@given(VALUES)
def test_canonical_text_is_rfc_8785(value: Any) -> None:
    assert canonical_text(value) == rfc8785.dumps(value).decode()


@given(NUMBERS)
def test_numbers_are_printed_as_rfc_8785_prints_them(value: float) -> None:
    assert number_text(value) == rfc8785.dumps(value).decode()


@pytest.mark.parametrize(
    "value",
    [
        20.0,
        -0.0,
        1e-5,
        1.5e-7,
        5e-324,
        0.1 + 0.2,
        123456789.123,
        "a.0",
        "한국",
        "\x00",
        "1e5",
        [1.0, {"a": 2.0}],
    ],
)
def test_values_that_the_standard_library_spells_otherwise(value: Any) -> None:
    assert canonical_text(value) == rfc8785.dumps(value).decode()
    assert json.loads(canonical_text(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**60)])
def test_what_has_no_canonical_form_is_refused(value: float) -> None:
    with pytest.raises(InvalidInput):
        canonical_text({"a": [value]})


@pytest.mark.parametrize("template_id", sorted(TEMPLATES))
def test_specs_need_no_second_printing(template_id: str) -> None:
    assert is_surely_canonical(canonicalise(TEMPLATES[template_id].build()).json.decode())
