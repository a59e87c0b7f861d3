"""Ids whose content is written out by hand, against the general serialiser."""

from __future__ import annotations

import hashlib

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from quantrail.domain.identity import failure_id, trial_id
from quantrail.domain.ids import BacktestId, RunId
from quantrail.errors import InvalidInput

NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)


@given(NAMES, WHOLE, WHOLE)
def test_a_trial_id_is_the_hash_of_its_canonical_content(run: str, iteration: int, ordinal: int) -> None:
    content = rfc8785.dumps([run, iteration, ordinal])
    assert trial_id(RunId(run), iteration, ordinal) == hashlib.sha256(content).hexdigest()


@given(NAMES, NAMES, NAMES)
def test_a_failure_id_is_the_hash_of_its_canonical_content(backtest: str, rule: str, version: str) -> None:
    content = rfc8785.dumps([backtest, rule, version])
    assert failure_id(BacktestId(backtest), rule, version) == hashlib.sha256(content).hexdigest()


def test_what_json_cannot_carry_is_no_content() -> None:
    with pytest.raises(InvalidInput, match="53 bits"):
        trial_id(RunId("r"), 1, 2**53)
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        failure_id(BacktestId("\ud800"), "rule", "1")
