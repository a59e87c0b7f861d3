"""Anything at all goes in; a valid spec that runs or a list of problems comes out, soon."""

from __future__ import annotations

import copy
import importlib.util
import json
import resource
import time
from datetime import date
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import SimulationResult
from quantrail.engine import compare, prepare, screen, verify
from quantrail.errors import InvalidInput, NotFound, QuantrailError, SpecInvalid
from quantrail.strategy import CODES, TEMPLATES, NormalSpec, canonicalise, parse_spec

SYMBOLS = ("AAPL", "BRK.B", "MSFT", "QQQ", "SPY", "XOM")
EVERY = 10  # of the accepted specs that run, one in so many runs through engine B as well
JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**53,
    2**70,
    10**400,
    1e308,
    5e-324,
    float("inf"),
    float("nan"),
    "",
    "close",
    "сlose",
    "ｆ0",
    "f0\n",
    "f0\u200b",
    "\x00",
    "\ud800",
    "🦆" * 50,
    "x" * 30_000,
    [],
    {},
    [[]],
    {"ref": "f0"},
    {"ref": "f0", "lag": -1},
    {"node": "TRUE"},
    {"node": "NOT"},
    {"value": {"value": 1}},
    ["SPY"] * 300,
    list(range(2000)),
)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawn = _load("drawn")


def nested(levels: int, rng: Random) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = rng.choice([{"node": "NOT", "child": value}, {"children": [value]}, [value]])
    return value


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found, waiting = [], [value]
    while waiting:
        here = waiting.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        found += [(here, key) for key in keys]
        waiting += [here[key] for key in keys]
    return found


def mutate(document: Any, rng: Random) -> None:
    found = places(document)
    if not found:
        return
    container, key = rng.choice(found)
    action = rng.randrange(6)
    if action == 0:
        container[key] = copy.deepcopy(rng.choice(JUNK))
    elif action == 1:
        container.pop(key)
    elif action == 2 and isinstance(container, dict):
        container[rng.choice(["nme", key + "x", "ref", "node", "value", "", "близко"])] = container[key]
    elif action == 3:
        other, where = rng.choice(found)
        if not _inside(other[where], container):
            container[key] = copy.deepcopy(other[where])
    elif action == 4:
        container[key] = nested(rng.choice([3, 30, 100]), rng)
    elif isinstance(container[key], int | float) and not isinstance(container[key], bool):
        container[key] = container[key] * rng.choice([-1, 0, 0.5, 10, 1e9])


def _inside(outer: Any, container: Any) -> bool:
    return outer is container or any(inner is container for inner, _ in places(outer))


def some_text(document: Any, rng: Random) -> str:
    text = json.dumps(document)
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(text) + 1)
        piece = rng.choice(
            ["", "{", "}", '"', ",", ":", "[", "\x00", "NaN", "1e999", "&a", "*a", "\n- ", "{" * 500]
        )
        text = text[:at] + piece + text[at + rng.randint(0, 5) :]
    return text


def a_document(rng: Random) -> Any:
    if rng.random() < 0.3:
        template = rng.choice(list(TEMPLATES.values()))
        return template.build(None, SYMBOLS[: rng.randint(1, 6)])
    return drawn.document(rng)


def handled(data: Any) -> NormalSpec | None:
    """The canonical form, or None after checking that the list of problems is a clear one."""
    start = time.process_time()
    try:
        spec = parse_spec(data)
    except SpecInvalid as error:
        problems = error.context["problems"]
        assert problems
        assert all(item["code"] in CODES and item["path"].startswith("$") for item in problems)
        assert all(item["message"] for item in problems)
        json.dumps(problems, allow_nan=False)
        spec = None
    assert time.process_time() - start < 1.0
    return None if spec is None else canonicalise(spec).spec


def fuzz(count: int, seed: int) -> list[NormalSpec]:
    rng = Random(seed)
    valid = []
    for _ in range(count):
        document = a_document(rng)
        for _ in range(rng.choice([0, 1, 1, 2, 3, 6])):
            mutate(document, rng)
        as_text = rng.random() < 0.3 and not _holds_no_json(document)
        normal = handled(some_text(document, rng) if as_text else document)
        if normal is not None:
            valid.append(normal)
        if not as_text:
            _check_fast_path(document, normal)
    return valid


def _holds_no_json(document: Any) -> bool:
    return any(isinstance(c[k], int) and abs(c[k]) > 10**300 for c, k in places(document))


def _check_fast_path(document: Any, normal: NormalSpec | None) -> None:
    if normal is not None:
        assert canonicalise(document).spec == normal
    elif isinstance(document, dict):
        with pytest.raises(SpecInvalid):
            canonicalise(document)


def bars() -> Bars:
    rng = np.random.default_rng(5)
    shape = (len(SYMBOLS), 160)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=1))
    low, high = close * 0.99, close * 1.01
    sessions = np.datetime64("2020-01-01") + np.arange(shape[1])
    volume = rng.integers(1000, 9000, shape).astype(float)
    open_ = np.clip(close * (1 + rng.normal(0, 0.005, shape)), low, high)
    return Bars(SYMBOLS, sessions, open_, high, low, close, volume, DataVersion("f" * 64))


def check_that_they_run(specs: list[NormalSpec]) -> None:
    market = bars()
    period = Period(date(2020, 2, 1), date(2020, 6, 8))
    batch = prepare(market, specs)
    done = screen(batch, period, CalcContract())
    errors = [error for error in done.errors if error is not None]
    # What remains are facts about these bars: symbols that are not there, data that NaN policy ERROR refuses.
    assert all(isinstance(error, InvalidInput | NotFound) for error in errors), errors[:3]
    assert all(isinstance(error, QuantrailError) for error in errors)
    ran = [i for i, error in enumerate(done.errors) if error is None]
    assert len(ran) > len(specs) / 2
    assert np.isfinite(done.equity[ran]).all()
    for i in ran[::EVERY]:
        check_that_engines_agree(done.result(i), market, specs[i], period)


def check_that_engines_agree(a: SimulationResult, market: Bars, spec: NormalSpec, period: Period) -> None:
    b = verify(market, spec, period, CalcContract(), ModelVersions()).result
    assert len(a.trades) == len(b.trades), spec
    difference = compare(a, b)
    assert difference.agree, (difference, spec)


def test_mutated_documents_are_valid_and_run_or_are_refused_with_problems() -> None:
    valid = fuzz(1500, seed=1)
    assert len(valid) > 150
    check_that_they_run(valid)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_thousand_mutated_documents() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    valid = fuzz(20_000, seed=2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB
    for start in range(0, len(valid), 1000):
        check_that_they_run(valid[start : start + 1000])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 20_000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "a: &x [1]\nb: &y [*x, *x]\nc: &z [*y, *y]\n" * 3,
        "a: &a [*a]",
        "\n".join(
            f"b{i}: &b{i} [" + ",".join([f"*b{i - 1}"] * 9) + "]" if i else "b0: &b0 [x]" for i in range(12)
        ),
        "a: " + "9" * 5000,
        "!!python/object/apply:os.system [true]",
        "\ufeff{}",
        "a: 1\n" * 30_000,
        "x" * 300_000,
        "? {a: 1}\n: 2",
        "<<: {a: 1}",
        "a: 2020-01-01",
        "{'a': 0x7fffffffffffffffffff}",
        "\ud800",
    ],
)
def test_hostile_text_is_refused_within_a_second(text: str) -> None:
    assert handled(text) is None


def test_a_mapping_that_holds_itself_is_refused() -> None:
    document: dict[str, Any] = {}
    document["features"] = document
    assert handled(document) is None


@pytest.mark.parametrize("symbol", [0, "AAA"])
def test_ten_thousand_wrong_symbols_are_all_listed_in_no_time(symbol: Any) -> None:
    document = {**TEMPLATES["SMA_CROSSOVER"].build(), "universe": {"symbols": [symbol] * 9_900}}
    start = time.process_time()
    with pytest.raises(SpecInvalid) as caught:
        parse_spec(document)
    assert time.process_time() - start < 2.0  # comparing each with all others took 25
    assert len(caught.value.context["problems"]) >= 9_899
