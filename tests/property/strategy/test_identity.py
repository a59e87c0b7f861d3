"""Identity under rewriting: what means the same has one id, what does not has another."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from quantrail.errors import SpecInvalid
from quantrail.strategy import canonicalise, parse_spec, to_document
from quantrail.strategy.canonical import canonicalise_plainly
from quantrail.strategy.fast import fast_form

TESTS = Path(__file__).parents[2]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"identity_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawn = _load(Path(__file__).parent / "drawn.py")
rewrites = _load(Path(__file__).parent / "rewrites.py")
second = _load(TESTS / "golden" / "spec" / "second.py")
randoms = st.integers(0, 2**63).map(Random)
calm = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def _valid(rng: Random) -> dict[str, Any]:
    while True:
        document = drawn.document(rng)
        if not _only_limits(document):
            return document


def _only_limits(document: dict[str, Any]) -> bool:
    """True if the document is refused for its size; any other refusal is a failure of the test."""
    codes = set()
    try:
        canonicalise(document)
    except SpecInvalid as error:
        codes = {item["code"] for item in error.context["problems"]}
    assert codes <= {"LIMIT"}
    return bool(codes)


def check_a_rewrite(rng: Random) -> None:
    document = _valid(rng)
    before = canonicalise(document)
    rewritten = copy.deepcopy(document)
    for change in rng.choices(rewrites.REWRITES, k=rng.randint(1, 6)):
        event(change.__name__)
        rewritten = change(rewritten, rng)
    assume(not _only_limits(rewritten))
    after = canonicalise(rewritten)
    assert after == before
    assert canonicalise_plainly(rewritten) == before


def check_an_alteration(rng: Random) -> None:
    document = _valid(rng)
    change = rng.choice(rewrites.ALTERATIONS)
    altered = change(copy.deepcopy(document), rng)
    assume(altered is not None and not _only_limits(altered))
    event(change.__name__)
    assert canonicalise(altered).strategy_id != canonicalise(document).strategy_id


def check_the_paths(rng: Random) -> None:
    document = _valid(rng)
    plain = canonicalise_plainly(document)
    fast = fast_form(document)
    event(f"fast: {fast is not None}")
    if fast is not None:
        assert fast.text.encode() == plain.json
    text, strategy_id, logic_hash = second.canonical(document)
    assert (text, strategy_id, logic_hash) == (plain.json.decode(), plain.strategy_id, plain.logic_hash)
    assert canonicalise(to_document(plain.spec)) == plain
    assert canonicalise(parse_spec(rewrites.yaml_text(document))) == plain


@given(randoms)
@settings(max_examples=300, deadline=None, suppress_health_check=calm)
def test_no_rewrite_changes_the_hash(rng: Random) -> None:
    check_a_rewrite(rng)


@given(randoms)
@settings(max_examples=300, deadline=None, suppress_health_check=calm)
def test_no_alteration_keeps_the_hash(rng: Random) -> None:
    check_an_alteration(rng)


@given(randoms)
@settings(max_examples=200, deadline=None, suppress_health_check=calm)
def test_both_paths_the_second_implementation_and_all_round_trips_agree(rng: Random) -> None:
    check_the_paths(rng)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(randoms)
@settings(max_examples=25_000, deadline=None, suppress_health_check=calm)
def test_no_rewrite_of_many_changes_the_hash(rng: Random) -> None:
    check_a_rewrite(rng)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(randoms)
@settings(max_examples=25_000, deadline=None, suppress_health_check=calm)
def test_no_alteration_of_many_keeps_the_hash(rng: Random) -> None:
    check_an_alteration(rng)
