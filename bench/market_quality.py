"""Recall and false alarms of the quality gate: faults injected into the bundled real bars.

For each kind and size, faults are set into the clean interior of every symbol, spaced so that they do not
touch; a fault counts as found when a finding of its kind covers it. Findings on bars without an injection
are alarms, but for the defects that the vendors' own bars hold (KNOWN_DEFECTS, looked up one by one).

    python bench/market_quality.py [--quick] [--json] [--sizes N ...]   # N: faults per symbol and kind
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import numpy as np
import polars as pl

from quantrail.marketdata import Finding, sample_path
from quantrail.marketdata.intake import Reading, read
from quantrail.marketdata.quality import JumpRules, check_rows

PRICES = ["open", "high", "low", "close"]
# Whole bars repeated to the cent in the vendor's file, several symbols on the same three days and two more
# days, and one bar of MRK that stands 15 % low between two normal ones.
KNOWN_DEFECTS = {
    ("stale", symbol, day)
    for day, symbols in {
        "2014-07-18": "CAT HD MRK PFE PG",
        "2014-08-04": "DUK KO MRK UNH WMT",
        "2014-08-13": "DUK",
        "2014-12-01": "JPM",
        "2017-08-02": "HD KO MRK SLB",
    }.items()
    for symbol in symbols.split()
} | {("bad_bar", "MRK", "2017-09-14")}

Arrays = dict[str, np.ndarray]
Fault = Callable[[Arrays, int, np.random.Generator], None]


def bad_close(size: float, a: Arrays, i: int, rng: np.random.Generator) -> None:
    a["close"][i] *= 1 + size * rng.choice([-1, 1])
    a["high"][i] = max(a["high"][i], a["close"][i])
    a["low"][i] = min(a["low"][i], a["close"][i])


def bad_bar(size: float, a: Arrays, i: int, rng: np.random.Generator) -> None:
    factor = 1 + size * rng.choice([-1, 1])
    for name in PRICES:
        a[name][i] *= factor


def ten_bar(factor: float, a: Arrays, i: int, rng: np.random.Generator) -> None:
    for name in PRICES:
        a[name][i] *= factor


def split(ratio: float, a: Arrays, i: int, rng: np.random.Generator) -> None:
    """Everything before ``i`` as it was quoted before a split of ``ratio`` for one."""
    for name in PRICES:
        a[name][:i] *= ratio
    a["volume"][:i] /= ratio


def spin_off(size: float, a: Arrays, i: int, rng: np.random.Generator) -> None:
    for name in PRICES:
        a[name][:i] /= 1 - size


def stale(length: int, a: Arrays, i: int, rng: np.random.Generator) -> None:
    for name in [*PRICES, "volume"]:
        a[name][i : i + length] = a[name][i - 1]


def flat(length: int, a: Arrays, i: int, rng: np.random.Generator) -> None:
    for name in PRICES:
        a[name][i : i + length] = a["close"][i - 1]
    a["volume"][i : i + length] = 0


def no_volume(length: int, a: Arrays, i: int, rng: np.random.Generator) -> None:
    a["volume"][i : i + length] = 0


def gone(length: int, a: Arrays, i: int, rng: np.random.Generator) -> None:
    a["keep"][i : i + length] = 0


def crash(size: float, a: Arrays, i: int, rng: np.random.Generator) -> None:
    """A real one, which must stay unflagged: news, six times the shares, three times the range."""
    spin_off(size, a, i, rng)
    a["volume"][i] *= 6
    a["low"][i] *= 0.97
    a["high"][i] *= 1.03


@dataclass(frozen=True)
class Case:
    kind: str
    size: str
    fault: Fault
    length: int = 1
    counts: bool = True  # takes part in the bar of 95 %


def cases() -> Iterator[Case]:
    for size in (0.02, 0.03, 0.04, 0.05, 0.08, 0.12, 0.25):
        yield Case("bad_close", f"{size:.0%}", partial(bad_close, size), counts=size >= 0.05)
        yield Case("bad_bar", f"{size:.0%}", partial(bad_bar, size), counts=size >= 0.08)
    for factor in (10.0, 0.1):
        yield Case("factor_of_ten", f"x{factor:g}", partial(ten_bar, factor))
    for ratio in (1.5, 2.0, 3.0, 4.0, 7.0, 10.0, 0.1, 0.2):
        yield Case("split_like", f"{ratio:g}:1", partial(split, ratio))
    for size in (0.05, 0.08, 0.1, 0.15, 0.2, 0.3):
        yield Case("spin_off_like", f"{size:.0%}", partial(spin_off, size), counts=size >= 0.1)
    for length in (1, 3, 5):
        yield Case("stale", f"{length} bars", partial(stale, length), length)
        yield Case("stale", f"{length} flat", partial(flat, length), length)
        yield Case("zero_volume", f"{length} bars", partial(no_volume, length), length)
        yield Case("missing_session", f"{length} days", partial(gone, length), length)


def inject(
    bars: pl.DataFrame, case: Case, per_symbol: int, seed: int
) -> tuple[pl.DataFrame, set[tuple[str, date]]]:
    """Bars with faults, and the (symbol, day) of each fault's first bar."""
    rng = np.random.default_rng(seed)
    frames, where = [], set()
    for (symbol,), frame in bars.group_by("symbol", maintain_order=True):
        arrays = {name: frame[name].to_numpy().astype(float).copy() for name in [*PRICES, "volume"]}
        arrays["keep"] = np.ones(frame.height)
        room = (frame.height - 80) // per_symbol
        # Splits and spin-offs change all bars before them; one at a time from the right keeps them apart.
        for k in range(per_symbol):
            i = 40 + k * room + int(rng.integers(0, room - 12))
            case.fault(arrays, i, rng)
            where.add((str(symbol), frame["ts"][i]))
        keep = arrays.pop("keep") > 0
        frames.append(frame.with_columns(**{n: pl.Series(v) for n, v in arrays.items()}).filter(keep))
    return pl.concat(frames), where


def covers(finding: Finding, symbol: str, day: date) -> bool:
    return (
        finding.symbol == symbol
        and finding.date is not None
        and finding.date <= day <= (finding.until or finding.date)
    )


def recall(bars: pl.DataFrame, case: Case, per_symbol: int, rules: JumpRules, seed: int) -> float:
    faulty, where = inject(bars, case, per_symbol, seed)
    found = [f for f in check_rows(faulty, "1d", "XNYS", rules) if f.kind == case.kind]
    by_symbol: dict[str | None, list[Finding]] = {}
    for finding in found:
        by_symbol.setdefault(finding.symbol, []).append(finding)
    hits = sum(any(covers(f, symbol, day) for f in by_symbol.get(symbol, [])) for symbol, day in where)
    return hits / len(where)


def alarms(bars: pl.DataFrame, rules: JumpRules) -> dict[str, float]:
    """Findings per 10 000 bars on the bars as they are; ``known``: the defects that are really there."""
    counts: dict[str, float] = {"known": 0.0}
    for f in check_rows(bars, "1d", "XNYS", rules):
        if (f.kind, f.symbol, str(f.date)) in KNOWN_DEFECTS:
            counts["known"] += 1e4 / bars.height
        else:
            counts[f.kind] = counts.get(f.kind, 0) + 1e4 / bars.height
    return counts


def refused_at_import(bars: pl.DataFrame, seed: int) -> dict[str, float]:
    """Recall of the faults that an import refuses: one bar in two hundred, and none of the others."""
    rng = np.random.default_rng(seed)
    hit = pl.Series(rng.random(bars.height) < 0.005)
    faults = {
        "ohlc_order": bars.with_columns(high=pl.when(hit).then(pl.col("low") * 0.99).otherwise("high")),
        "non_positive_price": bars.with_columns(low=pl.when(hit).then(-pl.col("low")).otherwise("low")),
        "duplicate_disagrees": pl.concat([bars, bars.filter(hit).with_columns(pl.col("volume") + 1)]),
        "not_a_number": bars.with_columns(close=pl.when(hit).then(None).otherwise("close")),
    }
    out = {}
    wanted = set(bars.filter(hit).select("symbol", pl.col("ts").cast(pl.String)).iter_rows())
    for kind, faulty in faults.items():
        rows, _ = read(faulty, Reading(), datetime(2026, 11, 21, tzinfo=UTC))
        found = set(rows.refused.filter(pl.col("kind") == kind).select("symbol", "ts").iter_rows())
        out[kind] = len(found & wanted) / len(wanted) if found <= wanted else 0.0
    return out


def _false(counts: dict[str, float]) -> float:
    return sum(value for kind, value in counts.items() if kind != "known")


def alarms_beside(bars: pl.DataFrame, case: Case, per_symbol: int, rules: JumpRules, seed: int) -> float:
    """Findings per 10 000 bars, of any kind, further than a week from a fault, less the known defects."""
    faulty, where = inject(bars, case, per_symbol, seed)
    near = {(symbol, day + timedelta(days=d)) for symbol, day in where for d in range(-1, case.length + 5)}
    beside = [
        f
        for f in check_rows(faulty, "1d", "XNYS", rules)
        if (f.symbol, f.date) not in near and (f.kind, f.symbol, str(f.date)) not in KNOWN_DEFECTS
    ]
    return len(beside) * 1e4 / faulty.height


def scaled(rules: JumpRules, factor: float) -> JumpRules:
    """All size thresholds times ``factor``: the knob the curve is drawn over."""
    names = (
        "bad_close_least",
        "bad_close_scales",
        "bad_bar_least",
        "bad_bar_scales",
        "step_least",
        "step_scales",
    )
    return replace(rules, **{name: getattr(rules, name) * factor for name in names})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[12])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    bars = pl.read_parquet(sample_path()).rename({"date": "ts"}).sort("symbol", "ts")
    bars = bars.with_columns(pl.col("volume").cast(pl.Float64), dividend=pl.lit(0.0), split=pl.lit(1.0))
    per_symbol = 4 if args.quick else max(args.sizes)
    factors = (1.0,) if args.quick else (0.5, 0.75, 1.0, 1.25, 1.5)
    curve = {factor: alarms(bars, scaled(JumpRules(), factor)) for factor in factors}
    print(f"{'threshold':32}" + "".join(f"{f:>9g}x" for f in factors))
    print(f"{'alarms per 10 000 bars':32}" + "".join(f"{_false(curve[f]):>10.2f}" for f in factors))
    print(f"{'and known real defects':32}" + "".join(f"{curve[f]['known']:>10.2f}" for f in factors))
    figures: dict[str, dict[str, object]] = {}
    worst: dict[str, float] = {}
    beside = 0.0
    for case in cases():
        row = [recall(bars, case, per_symbol, scaled(JumpRules(), f), seed=11) for f in factors]
        default = row[factors.index(1.0)]
        print(
            f"{case.kind:16}{case.size:>8}{'' if case.counts else ' (below)':8}"
            + "".join(f"{r:>10.1%}" for r in row)
        )
        if case.counts:
            beside = max(beside, alarms_beside(bars, case, per_symbol, JumpRules(), seed=11))
            worst[case.kind] = min(default, worst.get(case.kind, 1.0))
    quiet = recall(bars, Case("spin_off_like", "", partial(crash, 0.25)), per_symbol, JumpRules(), seed=12)
    print(f"real crashes of 25 % taken for spin-offs: {quiet:.1%}")
    for kind, value in refused_at_import(bars, seed=13).items():
        print(f"{kind:24} refused at import {value:>10.1%}")
        worst[kind] = value
    for kind, value in worst.items():
        figures[f"recall {kind}"] = {
            "ours": value,
            "yardstick": 0.95,
            "ratio": value / 0.95,
            "unit": "fraction",
            "size": per_symbol,
        }
    print(f"most alarms beside the faults, any kind and size: {beside:.2f} per 10 000 bars")
    total = max(_false(curve[1.0]), beside)
    print("alarms by kind at the default:", {k: round(v, 2) for k, v in curve[1.0].items()})
    figures["alarms"] = {
        "ours": total,
        "yardstick": 3.0,
        "ratio": total / 3.0,
        "unit": "per 10 000 bars",
        "size": bars.height,
    }
    if args.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
