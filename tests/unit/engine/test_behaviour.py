"""Fingerprints from packed signals against those of plain arrays of held bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantrail.domain.market import Bars, Period
from quantrail.engine import fingerprints, prepare
from quantrail.strategy import NormalSpec, fingerprint, held_bars, similarity
from quantrail.testing.engines import compare_with, hard_market, random_spec, spec_of

BARS = hard_market(7, n_symbols=70, n_bars=150)
PERIOD = Period(BARS.sessions[20].item(), BARS.sessions[-5].item())


def bits(words: Any, bars: Bars) -> Any:
    rows = [(words[s >> 6] >> np.uint64(s & 63)) & np.uint64(1) for s in range(len(bars.symbols))]
    return np.array(rows, dtype=bool)[:, bars.span(PERIOD)]


def slowly_held(entry: Any, leave: Any, longest: int | None) -> Any:
    held = np.zeros_like(entry)
    for s in range(len(entry)):
        since = None
        for t in range(entry.shape[1]):
            if leave[s, t] or (since is not None and longest and t - since >= longest):
                since = None
            if since is None and entry[s, t] and not leave[s, t]:
                since = t
            held[s, t] = since is not None
    return held


@pytest.mark.parametrize("seed", range(20))
def test_marks_of_a_batch_are_those_of_the_bars_held(seed: int) -> None:
    rng = np.random.default_rng(seed)
    specs = [random_spec(rng, BARS.symbols, (1, 2, 3)) for _ in range(4)]
    batch = prepare(BARS, specs)
    made = fingerprints(batch, PERIOD, range(4), "g")
    for spec, signals, mark in zip(specs, batch.signals, made, strict=True):
        if signals is None:
            assert mark is None
            continue
        sides = []
        for name, entry, leave in (
            ("long", signals.entry_long, signals.exit_long),
            ("short", signals.entry_short, signals.exit_short),
        ):
            if entry is None:
                sides.append(None)
                continue
            ends = bits(leave, BARS)
            if signals.member is not None:
                ends = ends | ~bits(signals.member, BARS)
            longest = spec["modules"][name]["max_holding_bars"]
            sides.append(slowly_held(bits(entry, BARS), ends, longest))
            if longest is None:
                np.testing.assert_array_equal(sides[-1], held_bars(bits(entry, BARS), ends))
        assert mark == fingerprint(sides[0], sides[1], "g")


def test_strategies_that_differ_in_when_they_leave_are_not_near() -> None:
    up = compare_with("close", ">", "open")
    specs: list[NormalSpec] = [
        spec_of(entry=up, holding=2),
        spec_of(entry=up, holding=40),
        spec_of(entry=compare_with("close", ">", "open", scale=1.0000001), holding=2),
    ]
    short, long, other = fingerprints(prepare(BARS, specs), PERIOD, range(3), "g")
    assert short is not None
    assert long is not None
    assert other is not None
    assert similarity(short, other) > 0.9 > similarity(short, long)
