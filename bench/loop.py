"""How many strategies a second the whole loop handles: generate, screen, score, explain, record.

Ours is `run_loop` from an empty store to the last commit, one worker, on 30 bundled stocks; the
yardstick is engine A alone on as many template draws (signals and simulation, nothing judged or kept).
`loop` counts every strategy generated, `screened` those that engine A ran: no repeats, none that a
constraint kept out. Also the bytes that the store, and the files beside it, keep per strategy. Each of the
three iterations verifies eight strategies with engine B, whatever the size: small sizes show mostly that.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from quantrail.bootstrap import import_sample, open_services
from quantrail.config import load_settings
from quantrail.domain.market import Period
from quantrail.engine import prepare, screen
from quantrail.search import SourceWeights, propose
from quantrail.services.demo import Sample, demo_config
from quantrail.services.loop.runner import run_loop
from quantrail.services.loop.state import Services
from quantrail.services.run_config import RunConfig
from quantrail.strategy import TEMPLATES, canonicalise

ITERATIONS = 3
CHUNK = 64


def config_of(services: Services, sample: Sample, size: int) -> RunConfig:
    made = demo_config(services.store, sample.version, sample.stocks, seed=1, workers=1)
    document = made.model_dump(mode="json")
    document["search"]["budget"] = {"candidates": math.ceil(size / ITERATIONS), "iterations": ITERATIONS}
    return RunConfig.model_validate(document)


def engine_alone(services: Services, config: RunConfig, size: int) -> float:
    """Strategies per CPU second of engine A on train."""
    train = config.data.splits.train
    symbols = config.data.symbols or ()
    period = Period(train.start, train.end)
    wanted = [*symbols, config.universe.benchmark or symbols[0]]
    bars = services.market.bars(sorted(set(wanted)), period, warmup_start=train.start.replace(year=2013))
    rng = np.random.default_rng(1)
    templates = [TEMPLATES[key] for key in sorted(TEMPLATES)]
    specs = [
        canonicalise(propose(rng, templates, [], SourceWeights(1, 0), symbols).document).spec
        for _ in range(size)
    ]
    begun = time.process_time()
    for first in range(0, size, CHUNK):
        screen(prepare(bars, specs[first : first + CHUNK]), period, config.contract())
    return size / (time.process_time() - begun)


def measure(size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(Path(folder) / "home")
        with open_services(settings, create=True) as services:
            sample = import_sample(settings)
            config = config_of(services, sample, size)
            bare = engine_alone(services, config, size)
            begun = time.process_time()
            outcome = run_loop(services, config)
            spent = time.process_time() - begun
            strategies = services.store.counts()["strategies"]
        stored = bytes_of(settings.home.glob("quantrail.db*"))
        files = bytes_of((services.artifacts.root / "runs").rglob("*"))
    handled, screened = (sum(s["funnel"][k] for s in outcome.summaries) for k in ("generated", "screened"))
    return {
        "loop": handled / spent,
        "screened": screened / spent,
        "bare": bare,
        "stored": stored / strategies,
        "files": files / strategies,
        "handled": handled,
    }


def bytes_of(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def figure(ours: float, yardstick: float | None, unit: str, size: int) -> dict[str, Any]:
    ratio = None if yardstick is None else round(ours / yardstick, 3)
    return {
        "ours": round(ours, 1),
        "yardstick": yardstick and round(yardstick, 1),
        "ratio": ratio,
        "unit": unit,
        "size": size,
    }


def figures_of(size: int) -> dict[str, Any]:
    """The figures of one size by name."""
    found = measure(size)
    handled = found["handled"]
    return {
        f"loop_{size}": figure(found["loop"], found["bare"], "strategies/CPU s", handled),
        f"screened_{size}": figure(found["screened"], found["bare"], "strategies/CPU s", handled),
        f"stored_{size}": figure(found["stored"], 4096, "bytes/strategy", handled),
        f"files_{size}": figure(found["files"], None, "bytes/strategy", handled),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[600, 2400, 9600])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = [600, 2400] if options.quick else options.sizes
    measure(60)  # compiles, or loads, every kernel
    figures: dict[str, Any] = {}
    for size in sizes:
        figures |= figures_of(size)
    for name, f in figures.items():
        print(f"{name:14} {f['ours']:>10} {f['unit']}  (yardstick {f['yardstick']}, ratio {f['ratio']})")
    if len(sizes) > 1:
        first, last = (figures[f"loop_{size}"] for size in (sizes[0], sizes[-1]))
        work = math.log((last["size"] / last["ours"]) / (first["size"] / first["ours"]))
        exponent = work / math.log(last["size"] / first["size"])
        print(f"growth exponent of CPU time in strategies: {exponent:.2f}")
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
