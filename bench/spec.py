"""How many specs per second go from a generated document to their hash, on one core.

Beside the straight path (pydantic models, rfc8785, SHA-256) on the same documents, whose hashes must
be equal. Documents: parameters drawn from every template, a third of them recombined in pairs. Every
size is measured in fresh processes whose memos are empty; the median of them counts. Last, the time to
find the near-duplicates of a strategy among many.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import multiprocessing
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from statistics import median
from typing import Any

import numpy as np
import rfc8785

from quantrail.strategy import (
    TEMPLATES,
    Fingerprint,
    FingerprintIndex,
    canonicalise,
    fingerprint,
    held_bars,
    parse_spec,
    recombine,
)
from quantrail.strategy.models import StrategySpec
from quantrail.strategy.normalise import normal_spec
from spec_marks import stored_lookups

RUNS = 5
SYMBOLS = [f"S{index:02d}" for index in range(30)]


def candidates(count: int, seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    documents = [_drawn(rng) for _ in range(count)]
    third = count // 3
    documents[:third] = [
        recombine(first, second)
        for first, second in zip(documents[:third], documents[third : 2 * third], strict=True)
    ]
    return documents


def _drawn(rng: random.Random) -> dict[str, Any]:
    template = rng.choice(list(TEMPLATES.values()))
    while True:
        params = {parameter.name: rng.choice(parameter.grid()) for parameter in template.parameters}
        if not template.problems(params).items:
            return template.build(params, SYMBOLS)


def straight(document: dict[str, Any]) -> str:
    spec = StrategySpec.model_validate(document)
    normal: Any = normal_spec(spec)
    return hashlib.sha256(rfc8785.dumps(normal)).hexdigest()


def checked_plain(document: dict[str, Any]) -> str:
    return str(canonicalise(parse_spec(document)).strategy_id)


def fast(document: dict[str, Any]) -> str:
    return str(canonicalise(document).strategy_id)


def per_second(hashed: Callable[[dict[str, Any]], str], documents: list[dict[str, Any]]) -> float:
    start = time.process_time()
    for document in documents:
        hashed(document)
    return len(documents) / (time.process_time() - start)


def measure(size: int) -> tuple[float, float, float]:
    """Specs per CPU second: ours with memos that start empty, the straight path, the checked plain path."""
    documents = candidates(size, seed=size)
    sample = documents[: min(size, 1000)]
    # A generator holds one document at a time; that these lie in a list is no work of either path.
    gc.collect()
    gc.freeze()
    ours, plain, checked = (
        per_second(fast, documents),
        per_second(straight, sample),
        per_second(checked_plain, sample),
    )
    for document in sample[:300]:
        if fast(document) != straight(document):
            raise SystemExit("the two paths disagree")
    return ours, plain, checked


def typical(size: int) -> dict[str, dict[str, Any]]:
    """Medians of several processes."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh, max_tasks_per_child=1) as pool:
        ours, plain, checked = map(median, zip(*pool.map(measure, [size] * RUNS), strict=True))
    return {
        f"specs_hashed_{size}": _figure(ours, plain, size),
        f"specs_checked_plainly_{size}": _figure(checked, plain, size),
    }


def lookups(size: int) -> dict[str, dict[str, Any]]:
    """Milliseconds to find the near ones among ``size``, beside comparing with each of them in numpy."""
    rng = np.random.default_rng(size)
    seeds = [_some_mark(rng) for _ in range(200)]
    index, everything = FingerprintIndex(), np.empty((size, len(seeds[0].bins)), dtype="<u2")
    marks = [_disturbed(seeds[key % len(seeds)], rng) for key in range(size)]
    for key, mark in enumerate(marks):
        index.add(key, mark)
        everything[key] = mark.bins
    asked = [_disturbed(mark, rng) for mark in seeds]
    ours = _milliseconds(lambda: [index.near(mark) for mark in asked]) / len(asked)
    brute = (
        _milliseconds(lambda: [(everything == mark.bins).mean(axis=1).argmax() for mark in asked[:20]]) / 20
    )
    figure = {"ours": round(ours, 3), "yardstick": round(brute, 3), "ratio": round(ours / brute, 4)}
    found = {f"near_duplicate_lookup_{size}": {**figure, "unit": "ms", "size": size}}
    return found | stored_lookups(marks, asked)


def _some_mark(rng: np.random.Generator) -> Fingerprint:
    shape, rate = (10, 500), rng.uniform(0.005, 0.05)
    return fingerprint(held_bars(rng.random(shape) < rate, rng.random(shape) < rate), None, "bench")


def _disturbed(mark: Fingerprint, rng: np.random.Generator) -> Fingerprint:
    bins = mark.bins.copy()
    changed = rng.random(len(bins)) < rng.uniform(0, 0.4)
    bins[changed] = rng.integers(0, 60_000, changed.sum())
    return Fingerprint(bins.tobytes(), mark.grid, mark.held)


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def _figure(ours: float, yardstick: float, size: int) -> dict[str, Any]:
    return {
        "ours": round(ours),
        "yardstick": round(yardstick),
        "ratio": round(ours / yardstick, 2),
        "unit": "specs/CPU s",
        "size": size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    for size in [1000, 3000] if options.quick else options.sizes:
        figures |= typical(size)
    figures |= lookups(10_000 if options.quick else 100_000)
    for name, figure in figures.items():
        if figure["yardstick"] is None:
            print(f"{name:32} {figure['ours']:>8} {figure['unit']}")
            continue
        rates = f"{figure['ours']:>8} against {figure['yardstick']:>7} {figure['unit']}"
        print(f"{name:32} {rates}  x{figure['ratio']}")
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
