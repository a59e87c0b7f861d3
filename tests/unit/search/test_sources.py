"""Candidate sources: valid documents, only from the generator handed in, better parents more often."""

from __future__ import annotations

from collections import Counter

import numpy as np

from quantrail.domain.ids import StrategyId
from quantrail.errors import SpecInvalid
from quantrail.search.sources import Parent, Proposed, SourceWeights, propose
from quantrail.strategy import TEMPLATES, canonicalise

SYMBOLS = ("AAPL", "MSFT", "XOM")
ALL = tuple(TEMPLATES[key] for key in sorted(TEMPLATES))


def parents(count: int) -> list[Parent]:
    rng = np.random.default_rng(1)
    made = [propose(rng, ALL, [], SourceWeights(1, 0), SYMBOLS) for _ in range(count)]
    return [Parent(StrategyId(f"{k:064x}"), p.document, p.template_id, p.params) for k, p in enumerate(made)]


def draw(seed: int, count: int, weights: SourceWeights, pool: list[Parent]) -> list[Proposed]:
    rng = np.random.default_rng(seed)
    return [propose(rng, ALL, pool, weights, SYMBOLS) for _ in range(count)]


def test_every_template_draw_is_a_valid_strategy() -> None:
    drawn = draw(0, 400, SourceWeights(1, 0), [])
    ids = {canonicalise(p.document).strategy_id for p in drawn}
    assert len(ids) > 380
    assert {p.template_id for p in drawn} == set(TEMPLATES)


def test_children_are_valid_strategies_but_for_the_few_that_outgrow_the_limits() -> None:
    refused = 0
    for proposed in draw(3, 300, SourceWeights(0, 1), parents(20)):
        assert proposed.created_from == "mutation"
        assert proposed.parent is not None
        try:
            canonicalise(proposed.document)
        except SpecInvalid:
            refused += 1
    assert refused < 30


def test_the_same_randomness_draws_the_same_candidates() -> None:
    pool = parents(10)
    weights = SourceWeights(0.5, 0.5)
    assert draw(7, 50, weights, pool) == draw(7, 50, weights, pool)
    assert draw(7, 50, weights, pool) != draw(8, 50, weights, pool)


def test_parents_are_left_alone() -> None:
    pool, same = parents(10), parents(10)
    draw(5, 200, SourceWeights(0, 1), pool)
    assert pool == same


def test_better_parents_have_more_children() -> None:
    pool = parents(20)
    children = Counter(p.parent for p in draw(2, 3000, SourceWeights(0, 1), pool))
    first = sum(children[p.strategy_id] for p in pool[:5])
    last = sum(children[p.strategy_id] for p in pool[-5:])
    assert first > 2 * last > 0
