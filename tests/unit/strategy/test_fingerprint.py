"""Fingerprints against exact Jaccard similarity, and how many near ones the index finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from quantrail.errors import InvalidInput
from quantrail.strategy import Fingerprint, FingerprintIndex, fingerprint, held_bars, similarity

Held = NDArray[np.bool_]


def some_held(rng: np.random.Generator, shape: tuple[int, int] = (10, 800), rate: float = 0.02) -> Held:
    return held_bars(rng.random(shape) < rate, rng.random(shape) < rate)


def flipped(held: Held, rng: np.random.Generator, share: float) -> Held:
    return held ^ (rng.random(held.shape) < share)


def test_a_position_is_held_from_its_entry_to_the_bar_before_its_exit() -> None:
    entry = np.array([[0, 1, 0, 1, 0, 0, 1, 0, 0, 1]], bool)
    leave = np.array([[1, 0, 0, 0, 1, 0, 1, 0, 0, 0]], bool)
    assert held_bars(entry, leave).astype(int).tolist() == [[0, 1, 1, 1, 0, 0, 0, 0, 0, 1]]


def test_held_bars_agree_with_a_loop_over_bars() -> None:
    rng = np.random.default_rng(3)
    entry, leave = rng.random((5, 200)) < 0.1, rng.random((5, 200)) < 0.1
    expected = np.zeros_like(entry)
    for s in range(5):
        state = False
        for t in range(200):
            state = False if leave[s, t] else state or bool(entry[s, t])
            expected[s, t] = state
    assert (held_bars(entry, leave) == expected).all()


@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.03, 0.1, 0.3])
def test_similarity_estimates_the_exact_jaccard_index(share: float) -> None:
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(30):
        a = some_held(rng)
        b = flipped(a, rng, share)
        exact = (a & b).sum() / (a | b).sum()
        errors.append(similarity(fingerprint(a, None, "g"), fingerprint(b, None, "g")) - exact)
    assert abs(np.mean(errors)) < 0.025
    assert np.std(errors) < 0.05


def test_a_fingerprint_is_a_pure_function_of_what_is_held() -> None:
    held = some_held(np.random.default_rng(1))
    first, again = fingerprint(held, None, "g"), fingerprint(held.copy(), None, "g")
    assert first == again
    assert len(first.data) == 256
    assert len(first.bands()) == 13


def test_long_and_short_are_not_the_same() -> None:
    held = some_held(np.random.default_rng(1))
    assert similarity(fingerprint(held, None, "g"), fingerprint(None, held, "g")) < 0.1


def test_sparse_positions_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    one, other = np.zeros((10, 800), bool), np.zeros((10, 800), bool)
    one[rng.integers(0, 10, 12), rng.integers(0, 800, 12)] = True
    other[rng.integers(0, 10, 12), rng.integers(0, 800, 12)] = True
    assert similarity(fingerprint(one, None, "g"), fingerprint(one, None, "g")) == 1
    assert similarity(fingerprint(one, None, "g"), fingerprint(other, None, "g")) < 0.2


def test_what_never_holds_is_near_nothing() -> None:
    nothing = fingerprint(np.zeros((3, 50), bool), None, "g")
    index = FingerprintIndex()
    index.add("nothing", nothing)
    assert len(index) == 0
    assert index.near(nothing) == []
    assert similarity(nothing, nothing) == 0


def test_other_bars_do_not_compare() -> None:
    held = some_held(np.random.default_rng(1))
    here, there = fingerprint(held, None, "2020"), fingerprint(held, None, "2021")
    with pytest.raises(InvalidInput):
        similarity(here, there)
    index = FingerprintIndex()
    index.add("there", there)
    assert index.near(here) == []


def test_no_side_and_unequal_shapes_are_refused() -> None:
    held = some_held(np.random.default_rng(1))
    with pytest.raises(InvalidInput):
        fingerprint(None, None, "g")
    with pytest.raises(InvalidInput):
        fingerprint(held, held[:, 1:], "g")


def test_nearly_all_near_ones_are_found_and_hardly_any_other() -> None:
    rng = np.random.default_rng(5)
    originals = [some_held(rng, rate=rng.uniform(0.005, 0.1)) for _ in range(300)]
    index = FingerprintIndex()
    for key, held in enumerate(originals):
        index.add(key, fingerprint(held, None, "g"))
    found, wrong = 0, 0
    for key, held in enumerate(originals):
        near = dict(index.near(fingerprint(flipped(held, rng, 0.002), None, "g")))
        found += key in near
        wrong += len(near.keys() - {key})
    assert found / len(originals) > 0.99
    assert wrong / len(originals) ** 2 < 0.01


def test_equal_fingerprints_come_back_in_the_order_they_were_added() -> None:
    mark = fingerprint(some_held(np.random.default_rng(1)), None, "g")
    index = FingerprintIndex()
    for key in ("b", "a", "c"):
        index.add(key, mark)
    assert index.near(mark) == [("b", 1.0), ("a", 1.0), ("c", 1.0)]
    assert index.near(mark, limit=1) == [("b", 1.0)]
    assert len(index) == 3


def test_a_stored_fingerprint_comes_back_as_it_was() -> None:
    mark = fingerprint(some_held(np.random.default_rng(1)), None, "g")
    assert similarity(mark, Fingerprint(bytes(mark.data), mark.grid, mark.held)) == 1
