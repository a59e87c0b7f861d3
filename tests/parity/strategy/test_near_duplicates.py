"""Planted rewrites are found, unrelated strategies are not, on signals of the engine."""

from __future__ import annotations

import copy
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars
from quantrail.engine import SignalBatch, prepare
from quantrail.strategy import (
    TEMPLATES,
    Fingerprint,
    FingerprintIndex,
    canonicalise,
    fingerprint,
    held_bars,
    similarity,
    to_document,
)

SYMBOLS = tuple(f"S{index}" for index in range(8))
SHAPE = (len(SYMBOLS), 1000)
# Strategies that differ only in rank or size hold the same by their signals alone.
SKIPPED = ("BUY_AND_HOLD",)


def bars() -> Bars:
    rng = np.random.default_rng(21)
    close = 100 * np.exp(np.cumsum(rng.normal(0.0004, 0.015, SHAPE), axis=1))
    open_ = close * np.exp(rng.normal(0, 0.004, SHAPE))
    high, low = np.maximum(open_, close) * 1.004, np.minimum(open_, close) * 0.996
    sessions = np.datetime64("2015-01-01") + np.arange(SHAPE[1])
    return Bars(SYMBOLS, sessions, open_, high, low, close, rng.random(SHAPE) * 1e6, DataVersion("3" * 64))


def drawn(count: int, seed: int) -> list[dict[str, Any]]:
    rng = Random(seed)
    names = [name for name in TEMPLATES if name not in SKIPPED]
    found: dict[str, dict[str, Any]] = {}
    while len(found) < count:
        template = TEMPLATES[rng.choice(names)]
        params = {parameter.name: rng.choice(parameter.grid()) for parameter in template.parameters}
        if not template.problems(params).items:
            document = template.build(params, SYMBOLS)
            found[canonicalise(document).logic_hash] = document
    return list(found.values())


def unpacked(words: NDArray[np.uint64] | None) -> NDArray[np.bool_]:
    if words is None:
        return np.zeros(SHAPE, bool)
    bits = (words[0] >> np.arange(len(SYMBOLS), dtype=np.uint64)[:, None]) & np.uint64(1)
    return bits.astype(bool)


def marks(documents: list[dict[str, Any]]) -> list[Fingerprint]:
    batch: SignalBatch = prepare(bars(), [canonicalise(document).spec for document in documents])
    found = []
    for signal, error in zip(batch.signals, batch.errors, strict=True):
        assert error is None
        assert signal is not None
        found.append(
            fingerprint(held_bars(unpacked(signal.entry_long), unpacked(signal.exit_long)), None, "g")
        )
    return found


def negated(document: dict[str, Any]) -> dict[str, Any]:
    """Every comparison as the negation of its opposite: another hash, the same behaviour."""
    opposite = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}

    def turned(node: dict[str, Any]) -> dict[str, Any]:
        if node["node"] == "CMP" and "regime_state" not in (node["left"], node["right"]):
            return {"node": "NOT", "child": {**node, "op": opposite[node["op"]]}}
        return (
            {**node, "children": [turned(child) for child in node["children"]]}
            if "children" in node
            else node
        )

    out = copy.deepcopy(document)
    out["conditions"] = {name: turned(tree) for name, tree in document["conditions"].items()}
    return out


def nudged(document: dict[str, Any]) -> dict[str, Any]:
    """Thresholds moved by less than any value of the data lies apart."""
    out = copy.deepcopy(document)
    for tree in out["conditions"].values():
        for node in [tree, *tree.get("children", [])]:
            for side in ("left", "right"):
                if isinstance(node.get(side), int | float):
                    node[side] += 1e-9
                elif isinstance(node.get(side), str) and node[side] in document["features"]:
                    node[side] = {"ref": node[side], "scale": 1 + 1e-12}
    return out


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    return to_document(canonicalise(document).spec)


def test_planted_rewrites_are_found_and_unrelated_strategies_are_not() -> None:
    documents = drawn(150, seed=4)
    originals = marks(documents)
    index = FingerprintIndex()
    for key, mark in enumerate(originals):
        index.add(key, mark)
    planted, found = 0, 0
    for change in (renamed, negated, nudged):
        changed = [change(document) for document in documents]
        for key, (mark, document) in enumerate(zip(marks(changed), changed, strict=True)):
            if not originals[key].held:
                continue
            same = canonicalise(document).strategy_id == canonicalise(documents[key]).strategy_id
            planted += 1
            found += same or key in dict(index.near(mark, limit=200))
    assert planted > 400
    assert found / planted > 0.99
    families = [document["family"] for document in documents]
    unrelated = [
        similarity(originals[i], originals[j]) >= 0.9
        for i, j in combinations(range(len(documents)), 2)
        if families[i] != families[j]
    ]
    assert len(unrelated) > 5000
    assert np.mean(unrelated) < 0.01


def test_negation_changes_the_hash_and_not_the_fingerprint() -> None:
    document = TEMPLATES["SMA_CROSSOVER"].build(None, SYMBOLS)
    assert canonicalise(negated(document)).strategy_id != canonicalise(document).strategy_id
    first, second = marks([document, negated(document)])
    assert first.data == second.data
