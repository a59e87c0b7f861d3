"""Column values: what goes in comes out, and what no column can hold is named."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrail.errors import InvalidInput
from quantrail.knowledge import values as v

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.from_regex(r"[a-z가-힣]{1,5}", fullmatch=True), inner,
    max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.datetimes(timezones=ZONES))
def test_an_aware_time_comes_back_as_the_same_instant(moment: datetime) -> None:
    assert v.from_stamp(v.stamp(moment, "time")) == moment
    assert v.from_stamp(v.stamp(moment, "time")).tzinfo is UTC


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), JSON, max_size=5))
def test_json_comes_back_equal_and_is_spelt_the_same_way_each_time(document: dict[str, Any]) -> None:
    text = v.json_text(document, "document")
    assert json.loads(text) == document
    shuffled = dict(reversed(list(document.items())))
    assert v.json_text(shuffled, "document") == text
    assert text == json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize("bad", [math.nan, math.inf, {1, 2}, b"bytes", object(), "\x00", "\ud800"])
def test_json_that_cannot_be_kept_is_refused_by_name(bad: Any) -> None:
    with pytest.raises(InvalidInput, match="document"):
        v.json_text({"deep": [bad]}, "document")


@pytest.mark.parametrize("text", ["\\u0000", "a\\\\u0000", "\\"])
def test_a_backslash_that_only_looks_like_nul_is_kept(text: str) -> None:
    assert json.loads(v.json_text([text], "document")) == [text]


@given(st.lists(st.none() | st.floats(), min_size=1, max_size=8))
def test_a_row_of_numbers_is_taken_exactly_when_each_number_is(row: list[float | None]) -> None:
    names = [f"m{i}" for i in range(len(row))]
    bad = [
        name for name, value in zip(names, row, strict=True) if value is not None and not math.isfinite(value)
    ]
    if bad:
        with pytest.raises(InvalidInput, match=bad[0]):
            v.reals(row, names)
    else:
        assert v.reals(row, names) == row


def test_a_row_whose_sum_overflows_is_taken_all_the_same() -> None:
    huge = [1.7e308, 1.7e308, -1.0]
    assert v.reals(huge, ["a", "b", "c"]) == huge


@given(st.binary(min_size=16, max_size=16))
def test_uuids_come_back_as_text(raw: bytes) -> None:
    assert v.uuid16(v.uuid_text(raw), "id") == raw
