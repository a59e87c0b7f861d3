"""Whole numbers of a block of scores, and the best of many without sorting all."""

from __future__ import annotations

import numpy as np
import pytest

from quantrail.knowledge.leaderboard_blocks import _split
from quantrail.knowledge.schema import BLOCK
from quantrail.knowledge.score_blocks import _packed, _whole


@pytest.mark.parametrize(
    ("edge", "width"),
    [(127, 1), (128, 2), (-129, 2), (2**15 - 1, 2), (2**15, 4), (-(2**31), 4), (2**31, 8), (2**40, 8)],
)
def test_whole_numbers_come_back_from_the_narrowest_width_that_holds_them(edge: int, width: int) -> None:
    places = np.arange(0, BLOCK, 3)
    values = np.where(np.arange(len(places)) % 5 == 0, edge, -1)
    raw = _packed(places, values)
    assert len(raw) == width * BLOCK
    found = _whole(raw)
    np.testing.assert_array_equal(found[places], values)
    assert not np.delete(found, places).any()


def test_one_number_for_all_is_eight_bytes() -> None:
    raw = np.array([-5], dtype="<i8").tobytes()
    np.testing.assert_array_equal(_whole(raw), [-5])


@pytest.mark.parametrize("size", [1, 7, 100, 399, 400, 1000])
def test_the_best_are_told_apart_as_sorting_all_would(size: int) -> None:
    rng = np.random.default_rng(3)
    pks = rng.permutation(400)
    values = rng.choice([-np.inf, 0.0, 0.25, 0.5, 0.5 + 1e-16, 1.0], 400)
    by_hand = sorted(zip(-values, pks, strict=True))
    head, rest = _split(pks, values, size)
    assert sorted(zip(-values[head], pks[head], strict=True)) == by_hand[:size]
    assert sorted(zip(-values[rest], pks[rest], strict=True)) == by_hand[size:]
