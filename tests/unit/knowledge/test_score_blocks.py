"""Whole numbers of a block of scores, and the best of many without sorting all."""

from __future__ import annotations

import numpy as np
import pytest

from quantrail.knowledge.blocks import packed, packed_once, unpacked
from quantrail.knowledge.leaderboard_blocks import _Best
from quantrail.knowledge.leaderboard_conditions import Place
from quantrail.knowledge.schema import BLOCK


@pytest.mark.parametrize(
    ("edge", "width"),
    [(127, 1), (128, 2), (-129, 2), (2**15 - 1, 2), (2**15, 4), (-(2**31), 4), (2**31, 8), (2**40, 8)],
)
def test_whole_numbers_come_back_from_the_narrowest_width_that_holds_them(edge: int, width: int) -> None:
    places = np.arange(0, BLOCK, 3)
    values = np.where(np.arange(len(places)) % 5 == 0, edge, -1)
    raw = packed(places, values)
    assert len(raw) == width * BLOCK
    found = unpacked(raw)
    np.testing.assert_array_equal(found[places], values)
    assert not np.delete(found, places).any()


def test_one_number_for_all_is_eight_bytes() -> None:
    raw = packed_once(-5)
    np.testing.assert_array_equal(unpacked(raw), [-5])


@pytest.mark.parametrize("size", [1, 7, 60, 399, 400, 1000])
@pytest.mark.parametrize("after", [None, (1.0, 77), (0.5, 200), (0.3, 0), (None, 333)])
def test_the_best_are_told_apart_as_sorting_all_would(size: int, after: Place | None) -> None:
    rng = np.random.default_rng(3)
    pks = rng.permutation(400)
    values = rng.choice([-np.inf, 0.0, 0.25, 0.5, 0.5 + 1e-15, 1.0], 400)
    by_hand = sorted(zip(-values, pks, strict=True))
    if after is not None:
        value = np.inf if after[0] is None else -after[0]
        by_hand = [one for one in by_hand if one > (value, after[1])]
        assert 0 < len(by_hand) < 400
    best = _Best(size, after)
    for start in range(0, 400, 90):
        best.add(pks[start : start + 90], values[start : start + 90])
    found, ordered = best.sorted()
    assert list(zip(-ordered, found, strict=True)) == by_hand[:size]
