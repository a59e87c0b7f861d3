"""The market store beside a DuckDB file with the data model's indexes, and plain Parquet with Polars.

Same synthetic bars, same machine, same run; CPU seconds unless said otherwise, an ingest being the median
of five into an empty place. Ours includes merging, hashing the rows for the data version and syncing to
disk; the yardsticks only store. Judging every row is part of our import too; its cost is measured apart and
taken off the first figure, and the second one holds it.

    python bench/market.py [--quick] [--json] [--sizes SYMBOLS ...]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import math
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from quantrail.domain.market import Period
from quantrail.marketdata import MarketStore
from quantrail.marketdata.canonical import starts_of_runs
from quantrail.marketdata.intake.glance import all_pass
from quantrail.marketdata.quality import sessions_between

YEARS = Period(date(2010, 1, 4), date(2020, 1, 8))
_INGESTS = 5
Figures = dict[str, dict[str, float | str]]


def made_up(symbols: int, sessions: int) -> pl.DataFrame:
    days = sessions_between("XNYS", YEARS.start, YEARS.end)[:sessions]
    rng = np.random.default_rng(1)
    shape = (symbols, days.size)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.015, shape), axis=1)), 4)
    opened = np.round(close * np.exp(rng.normal(0, 0.005, shape)), 4)
    return pl.DataFrame(
        {
            "symbol": np.repeat([f"S{i:04d}" for i in range(symbols)], days.size),
            "date": np.tile(days, symbols),
            "open": opened.ravel(),
            "high": np.round(np.maximum(opened, close) * 1.004, 4).ravel(),
            "low": np.round(np.minimum(opened, close) * 0.996, 4).ravel(),
            "close": close.ravel(),
            "volume": rng.integers(100_000, 10_000_000, close.size),
        }
    )


def cpu(work: Callable[[], object], times: int = 1) -> float:
    """Least CPU seconds of ``times`` runs."""
    best = math.inf
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def size_of(path: Path) -> int:
    return (
        sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
        if path.is_dir()
        else path.stat().st_size
    )


def last_year(bars: pl.DataFrame) -> Period:
    days = bars["date"].unique().sort()
    return Period(days[-252 if len(days) > 252 else 0], days[-1])


def revised(bars: pl.DataFrame, turn: int = 1) -> pl.DataFrame:
    """The last five sessions as a vendor sends them again: half of the closes differ, each ``turn`` anew."""
    last = bars.filter(pl.col("date") >= bars["date"].unique().sort()[-5])
    bump = pl.when(pl.col("volume") % 2 == 0).then(pl.col("close") * (1 + 1e-4 * turn)).otherwise("close")
    return last.with_columns(close=bump)


def turns(bars: pl.DataFrame) -> list[pl.DataFrame]:
    return [revised(bars, turn) for turn in range(1, 6)]


def middle(spent: list[float]) -> float:
    return sorted(spent)[len(spent) // 2]


def ours(bars: pl.DataFrame, root: Path, repeats: int) -> dict[str, float]:
    out = {"ingest": middle([cpu(partial(_imported, bars, root.with_name(f"{i}"))) for i in range(_INGESTS)])}
    store = _imported(bars, root)
    out["row checks"] = middle([cpu(partial(_judged, _typed(bars))) for _ in range(_INGESTS)])
    out["bytes"] = sum(size_of(root / folder) for folder in ("bars", "leaves", "snapshots", "imports"))
    out["check"] = cpu(store.check)
    out["upsert"] = middle([cpu(partial(store.import_bars, fresh, check=False)) for fresh in turns(bars)])
    names, year = sorted(bars["symbol"].unique()), last_year(bars)
    out["one"] = cpu(lambda: store.bars(names[:1], year), repeats)
    out["one cold"] = cpu(lambda: store.bars(names[:1], year, recompute=True), 3)
    out["wide cold"] = cpu(lambda: store.bars(names, year).close.sum())
    out["wide"] = cpu(lambda: store.bars(names, year).close, repeats)
    return out


def _imported(bars: pl.DataFrame, root: Path) -> MarketStore:
    store = MarketStore(root, lambda: datetime(2026, 11, 21, tzinfo=UTC))
    store.import_bars(bars, check=False)
    return store


def _typed(bars: pl.DataFrame) -> pl.DataFrame:
    """The rows as an import judges them."""
    unsaid = pl.lit(None, dtype=pl.Float64)
    return bars.rename({"date": "ts"}).with_columns(
        pl.col("volume").cast(pl.Float64), dividend=unsaid, split=unsaid
    )


def _judged(typed: pl.DataFrame) -> None:
    runs = starts_of_runs(typed["symbol"])
    if not all_pass(typed, runs, datetime(2026, 11, 21, tzinfo=UTC), intraday=False):
        raise AssertionError("the made-up bars hold a row that is refused")


def duck(bars: pl.DataFrame, path: Path, repeats: int) -> dict[str, float]:
    """The data model as written: one table, a unique index and two more."""
    out = {}
    names = (
        "symbol, date, open as open_price, high as high_price, low as low_price, close as close_price, volume"
    )

    def ingest(path: Path = path) -> None:
        with duckdb.connect(str(path)) as file:
            file.register("bars", bars.to_arrow())
            file.execute(
                f"create table market_data as select symbol||'|'||date as id, {names} from bars limit 0"
            )
            file.execute("create unique index pk on market_data (symbol, date)")
            file.execute("create index sd on market_data (symbol, date desc)")
            file.execute("create index d on market_data (date)")
            file.execute(f"insert into market_data select symbol||'|'||date, {names} from bars")

    out["ingest"] = middle([cpu(partial(ingest, path.with_name(f"{i}.db"))) for i in range(_INGESTS)])
    ingest()
    out["bytes"] = size_of(path)
    year = last_year(bars)
    span = f"date between '{year.start}' and '{year.end}'"
    with duckdb.connect(str(path)) as file:
        update = (
            f"insert into market_data select symbol||'|'||date, {names} from fresh "
            "on conflict (symbol, date) do update "
            "set close_price = excluded.close_price, volume = excluded.volume"
        )
        spent = []
        for fresh in turns(bars):
            file.register("fresh", fresh.to_arrow())
            spent.append(cpu(lambda: file.execute(update)))
        out["upsert"] = middle(spent)
        one = f"select * from market_data where symbol = 'S0000' and {span} order by date"
        out["one"] = cpu(lambda: file.sql(one).to_arrow_table(), repeats)
        wide = f"select symbol, date, close_price from market_data where {span}"
        out["wide"] = cpu(lambda: _pivoted(pl.from_arrow(file.sql(wide).to_arrow_table())), 3)
    return out


def _pivoted(long: pl.DataFrame | pl.Series) -> pl.DataFrame:
    return pl.DataFrame(long).pivot("symbol", index="date")


def plain(bars: pl.DataFrame, path: Path, repeats: int) -> dict[str, float]:
    """One zstd Parquet file, sorted; an upsert rewrites it."""
    path.mkdir()
    file = path / "bars.parquet"
    written = partial(bars.write_parquet, file, compression="zstd")
    out = {"ingest": middle([cpu(written) for _ in range(_INGESTS)])}
    out["bytes"] = size_of(file)
    fresh, year = revised(bars), last_year(bars)

    def upsert() -> None:
        old = pl.read_parquet(file).join(fresh, on=["symbol", "date"], how="anti")
        pl.concat([old, fresh]).sort("symbol", "date").write_parquet(file, compression="zstd")

    out["upsert"] = cpu(upsert)
    scan = pl.scan_parquet(file)
    one = scan.filter((pl.col("symbol") == "S0000") & pl.col("date").is_between(year.start, year.end))
    out["one"] = cpu(one.collect, repeats)
    wide = scan.filter(pl.col("date").is_between(year.start, year.end)).select("symbol", "date", "close")
    out["wide"] = cpu(lambda: wide.collect().pivot("symbol", index="date", values="close"), 3)
    return out


def measure(symbols: int, sessions: int, repeats: int) -> tuple[Figures, dict[str, float]]:
    bars = made_up(symbols, sessions)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        a = ours(bars, root / "ours", repeats)
        b = duck(bars, root / "duck.db", repeats)
        c = plain(bars, root / "plain", repeats)
    rows = bars.height
    print(f"\n{symbols} symbols, {rows:,} rows {'ours':>30}{'DuckDB+indexes':>18}{'Parquet+Polars':>18}")
    table = {
        "ingest, rows per CPU s": [rows / (x["ingest"] - x.get("row checks", 0)) for x in (a, b, c)],
        "ingest and row checks, rows per CPU s": [rows / x["ingest"] for x in (a, b, c)],
        "upsert last 5 days, CPU ms": [1e3 * x["upsert"] for x in (a, b, c)],
        "one symbol, one year, CPU ms": [1e3 * x["one"] for x in (a, b, c)],
        "wide closes, one year, CPU ms": [1e3 * x["wide"] for x in (a, b, c)],
        "bytes on disk per row": [x["bytes"] / rows for x in (a, b, c)],
    }
    for name, values in table.items():
        print(f"{name:38}" + "".join(f"{v:>18,.2f}" for v in values))
    print(
        f"ours besides: row checks {1e3 * a['row checks']:.0f} CPU ms, "
        f"quality gate {a['check']:.2f} CPU s, first wide read {1e3 * a['wide cold']:.0f} ms, "
        f"one symbol without cache {1e3 * a['one cold']:.0f} ms"
    )
    figures: Figures = {}
    for name, values in table.items():
        better = max(values[1:]) if name.startswith("ingest") else min(values[1:])
        ratio = values[0] / better if name.startswith("ingest") else better / values[0]
        unit = name.split(", ")[-1] if ", " in name else "bytes"
        figures[name] = {"ours": values[0], "yardstick": better, "ratio": ratio, "unit": unit, "size": rows}
    return figures, a


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[125, 250, 500])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    sizes = [20, 40] if args.quick else sorted(args.sizes)
    sessions, repeats = (600, 3) if args.quick else (2520, 20)
    with contextlib.redirect_stdout(None):
        measure(5, 300, 1)  # imports and caches, not counted
    found = [measure(size, sessions, repeats) for size in sizes]
    if len(found) > 1:
        steps = math.log(sizes[-1] / sizes[0])
        for name in ("ingest", "upsert", "check"):
            print(
                f"{name}: cost grows as size^{math.log(found[-1][1][name] / found[0][1][name]) / steps:.2f}"
            )
    if args.json:
        print(json.dumps(found[-1][0]))


if __name__ == "__main__":
    main()
