"""The knowledge store against plain sqlite3 doing the same work in the same run.

The last backtests up to each size are written twice: through the public API, and by plain ``sqlite3``
that inserts the very same rows into the same tables of a second file without triggers, checks of ids, or
look-ups. Both files hold everything written before: the second one is grown by copying rows. Seconds are
CPU seconds, so that a busy machine does not blur them; making the records is not counted. A batch is what
one iteration of the loop hands over in one transaction.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from quantrail.domain.answers import IdKind, LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.domain.ledger import Promotion
from quantrail.knowledge import SqlKnowledgeStore, open_store, upgrade
from quantrail.knowledge.backend import prepare_sqlite
from quantrail.knowledge.put import COLUMNS
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import register
from store_records import Records, records

BATCH = 2000
COMPARED = 20_000  # backtests before each size that are written by both sides
SINGLES = 300
LOOKUPS = 200
HERE = Path(__file__).resolve().parent
Figures = dict[str, dict[str, Any]]
# Up to strategy and run, down to what the constraints that came of it blocked.
TRAIL = """
SELECT f.failure_id, f.summary, b.backtest_id, s.strategy_id, r.run_id, k.constraint_id, t.trial_id
FROM failures f JOIN backtests b ON b.pk = f.backtest_pk JOIN strategies s ON s.pk = b.strategy_pk
JOIN iterations i ON i.pk = b.iteration_pk JOIN runs r ON r.pk = i.run_pk
LEFT JOIN constraint_provenance p ON p.failure_pk = f.pk LEFT JOIN constraints k ON k.pk = p.constraint_pk
LEFT JOIN trial_constraints x ON x.constraint_pk = k.pk LEFT JOIN trials t ON t.pk = x.trial_pk
WHERE f.failure_id = ?
"""
MARKS = "<!-- store figures -->", "<!-- end of store figures -->"  # between them, the README's table


def save(store: SqlKnowledgeStore, made: Records, durable: bool = False) -> None:
    with store.unit(durable) as unit:
        unit.upsert_strategies(made.strategies)
        unit.insert_backtests(made.backtests)
        unit.save_metrics(made.metrics)
        unit.save_scores(made.scores)
        unit.save_failures(made.failures)
        unit.save_trials(made.trials)
        unit.commit()


class Plain:
    """The yardstick: the rows the store wrote, inserted by plain sqlite3 into the same tables."""

    # What grows with every backtest, and the column that says what is new; parents first.
    GROWING = (
        ("calc_contracts", "pk"), ("model_version_sets", "pk"), ("files", "pk"), ("contexts", "pk"),
        ("trial_contexts", "pk"), ("failure_rules", "pk"),
        ("tags", "pk"), ("texts", "pk"),
        ("strategies", "pk"), ("strategy_atoms", "strategy_pk"), ("backtests", "pk"),
        ("metrics", "backtest_pk"), ("scores", "pk"), ("failures", "pk"), ("failure_tags", "failure_pk"),
        ("trials", "pk"), ("promotion_records", "pk"),
    )  # fmt: skip

    def __init__(self, path: Path, ours: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        with sqlite3.connect(ours) as held:
            held.backup(self.connection)
        prepare_sqlite(self.connection)
        names = self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            self.connection.execute(f"DROP TRIGGER {name}")
        self.connection.execute("ATTACH ? AS ours", [str(ours)])

    def missing(self) -> list[tuple[str, list[Any]]]:
        """What the store holds and this file does not, by table."""
        return [
            (
                table,
                self.connection.execute(
                    f"SELECT * FROM ours.{table} WHERE {self._new(table, key)}"
                ).fetchall(),
            )
            for table, key in self.GROWING
        ]

    def _new(self, table: str, key: str) -> str:
        return f"{key} > (SELECT coalesce(max({key}), 0) FROM main.{table})"

    def write(self, rows: list[tuple[str, list[Any]]], durable: bool = False) -> None:
        self.connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.connection.execute("BEGIN IMMEDIATE")
        for table, values in rows:
            marks = ",".join("?" * len(COLUMNS[table]))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        self.connection.execute("COMMIT")

    def catch_up(self) -> None:
        """Copy it, uncounted."""
        self.connection.execute("BEGIN IMMEDIATE")
        for table, key in self.GROWING:
            self.connection.execute(
                f"INSERT INTO main.{table} SELECT * FROM ours.{table} WHERE {self._new(table, key)}"
            )
        self.connection.execute("COMMIT")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def milliseconds(work: Callable[[], object], rounds: int = 60, least: int = 7) -> list[float]:
    """Of ``rounds`` calls, or of fewer when they are slow: a scan of a million takes seconds."""
    found: list[float] = []
    while len(found) < least or (len(found) < rounds and sum(found) < 3000):
        found.append(seconds(work) * 1000)
    return sorted(found)


def p95(values: list[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * 0.95))]


def row(ours: float, yardstick: float | None, unit: str, size: int) -> dict[str, Any]:
    ratio = None if not yardstick else ours / yardstick
    return {"ours": ours, "yardstick": yardstick, "ratio": ratio, "unit": unit, "size": size}


class Bench:
    def __init__(self, folder: Path) -> None:
        self.path, self.plain_path = folder / "ours.db", folder / "plain.db"
        upgrade(self.path)
        self.store = open_store(self.path, build.SteadyClock())
        with self.store.unit() as unit:
            register(unit)
            unit.commit()
        self.plain = Plain(self.plain_path, self.path)
        self.size = 0
        self.promoted = 0
        self.spent = 0.0
        self.figures: Figures = {}

    def grow(self, size: int) -> None:
        """Write up to ``size``, the last part of it on both sides."""
        while self.size < size - COMPARED:
            made = records(self.size, min(BATCH, size - COMPARED - self.size))
            self._save(made)
            self._progress(size)
        self.plain.catch_up()
        before, plain, first = self.spent, 0.0, self.size
        while self.size < size:
            made = records(self.size, min(BATCH, size - self.size))
            self._save(made)
            rows = self.plain.missing()
            plain += seconds(lambda rows=rows: self.plain.write(rows))  # type: ignore[misc]
            self._progress(size)
        count = size - first
        ours = count / (self.spent - before)
        self.figures[f"batch writes at {size:,}"] = row(ours, count / plain, "backtests/CPU s", size)
        if first:
            self.figures[f"batch writes, mean up to {size:,}"] = row(
                size / self.spent, None, "backtests/CPU s", size
            )
        self._promote()

    def _save(self, made: Records) -> None:
        gc.collect()  # what making the records left behind is not the store's
        self.spent += seconds(lambda: save(self.store, made))
        self.size += len(made.strategies)

    def _progress(self, size: int) -> None:
        if self.size // 20_000 > (self.size - BATCH) // 20_000:
            print(f"{self.size:,} of {size:,} written", file=sys.stderr, flush=True)

    def _promote(self) -> None:
        """One strategy in 500 stands on T1, as if it had been judged."""
        verdicts = [
            Promotion(records(number, 1).strategies[0].strategy_id, "PROMOTE", Tier.T0, Tier.T1, build.POLICY,
                      (), reason="benchmark")
            for number in range(500 * self.promoted, self.size, 500)
        ]  # fmt: skip
        with self.store.unit() as unit:
            unit.save_promotions(verdicts)
            unit.commit()
        self.promoted += len(verdicts)
        self.plain.catch_up()

    def singles(self) -> None:
        """One durable transaction per backtest."""
        spent = [0.0, 0.0]
        for _ in range(SINGLES):
            made = records(self.size, 1)
            spent[0] += seconds(lambda made=made: save(self.store, made, durable=True))  # type: ignore[misc]
            rows = [(table, new) for table, new in self.plain.missing() if new]
            spent[1] += seconds(lambda rows=rows: self.plain.write(rows, durable=True))  # type: ignore[misc]
            self.size += 1
        self.figures[f"single durable writes at {self.size - SINGLES:,}"] = row(
            SINGLES / spent[0], SINGLES / spent[1], "backtests/CPU s", self.size
        )

    def reads(self) -> None:
        for name, ours, plain in self._reads():
            mine = p95(milliseconds(ours))
            theirs = p95(milliseconds(plain)) if plain else None
            self.figures[f"{name} at {self.size:,}"] = row(mine, theirs, "CPU ms, p95", self.size)

    def _reads(self) -> Iterator[tuple[str, Callable[[], object], Callable[[], object] | None]]:
        store, plain = self.store, self.plain.connection
        some = [records(self.size * i // LOOKUPS, 1) for i in range(LOOKUPS)]
        turn = iter(some * 20)
        top = "SELECT * FROM scores ORDER BY score_total DESC LIMIT 20"
        scans = {
            "the worst, which a tenth meets": "SELECT sc.* FROM scores sc JOIN metrics m USING (backtest_pk) "
            "WHERE m.cagr_net <= -0.05 ORDER BY sc.score_total DESC LIMIT 20",
        }
        wheres = {
            "engine": LeaderboardFilter(engine_mode=EngineMode.A),
            "run": LeaderboardFilter(run_id=build.run_id()),
            "policy": LeaderboardFilter(policy_version=build.POLICY),
            "template": LeaderboardFilter(template_id="MOMENTUM"),
            "tier T1": LeaderboardFilter(tier=Tier.T1),
            "tier T0": LeaderboardFilter(tier=Tier.T0),
            "template and engine B, which none has": LeaderboardFilter(
                template_id="MOMENTUM", engine_mode=EngineMode.B
            ),
            "a market that has none": LeaderboardFilter(market="XKRX"),
            "a metric without a column that 1 in 1,000 has": LeaderboardFilter(metrics={"own": (0.0, None)}),
            "two metrics": LeaderboardFilter(
                metrics={"hit_rate_trades": (0.4, 0.6), "closed_trades": (40, None)}
            ),
            "a metric that 1 in 1,000 meets": LeaderboardFilter(metrics={"hit_rate_trades": (0.5, 0.5)}),
            "the worst, which a tenth meets": LeaderboardFilter(metrics={"cagr_net": (None, -0.05)}),
            "tier T1 and a metric that none meets": LeaderboardFilter(
                tier=Tier.T1, metrics={"volatility_annual_net": (5, None)}
            ),
            "run and a metric that none meets": LeaderboardFilter(
                run_id=build.run_id(), metrics={"volatility_annual_net": (5, None)}
            ),
            "an indexed metric that none meets": LeaderboardFilter(metrics={"sharpe_net": (50, None)}),
            "a metric that none meets": LeaderboardFilter(metrics={"volatility_annual_net": (5, None)}),
        }
        yield "top 20", lambda: store.leaderboard(), lambda: plain.execute(top).fetchall()
        for name, where in wheres.items():
            beside = _asked(plain, scans.get(name))
            yield f"top 20 by {name}", lambda where=where: store.leaderboard(where), beside  # type: ignore[misc]
        yield from self._orders()
        yield (
            "repeated failures, top 10 tags",
            lambda: store.repeated_failures(10),
            lambda: plain.execute(
                "SELECT tag_pk, count(*) FROM failure_tags GROUP BY 1 ORDER BY 2 DESC LIMIT 10"
            ).fetchall(),
        )
        yield (
            "lineage of a failure",
            lambda: store.lineage(IdKind.FAILURE, next(turn).failures[0].failure_id),
            lambda: plain.execute(TRAIL, [bytes.fromhex(next(turn).failures[0].failure_id)]).fetchall(),
        )
        yield (
            "one record by id",
            lambda: store.get_backtest(next(turn).backtests[0].backtest_id),
            lambda: plain.execute(
                "SELECT * FROM backtests b JOIN metrics m ON m.backtest_pk = b.pk WHERE b.backtest_id = ?",
                [bytes.fromhex(next(turn).backtests[0].backtest_id.replace("-", ""))],
            ).fetchall(),
        )

    def _orders(self) -> Iterator[tuple[str, Callable[[], object], Callable[[], object] | None]]:
        """Orders that no index serves, or not together with the filter."""
        store, plain = self.store, self.plain.connection
        first = store.leaderboard(order=LeaderboardOrder.CAGR).cursor
        scan = "SELECT * FROM metrics ORDER BY {} DESC LIMIT 20"
        boards: dict[str, tuple[LeaderboardOrder, LeaderboardFilter | None, str | None, str | None]] = {
            "return": (LeaderboardOrder.RETURN, None, None, "return_total_net"),
            "CAGR": (LeaderboardOrder.CAGR, None, None, "cagr_net"),
            "CAGR, second page": (LeaderboardOrder.CAGR, None, first, None),
            "CAGR, of a template": (
                LeaderboardOrder.CAGR, LeaderboardFilter(template_id="MOMENTUM"), None, None
            ),
            "Sharpe, of a run": (
                LeaderboardOrder.SHARPE, LeaderboardFilter(run_id=build.run_id()), None, None
            ),
            "drawdown, not passed": (
                LeaderboardOrder.DRAWDOWN, LeaderboardFilter(passed=False), None, None
            ),
            "CAGR, of tier T1": (LeaderboardOrder.CAGR, LeaderboardFilter(tier=Tier.T1), None, None),
        }  # fmt: skip
        for name, (order, where, cursor, column) in boards.items():
            yield (
                f"top 20 in the order of {name}",
                lambda order=order, where=where, cursor=cursor: store.leaderboard(  # type: ignore[misc]
                    where, order, cursor=cursor
                ),
                _asked(plain, column and scan.format(column)),
            )

    def bytes_per_backtest(self) -> None:
        for path in (self.path, self.plain_path):
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        ours, plain = (path.stat().st_size / self.size for path in (self.path, self.plain_path))
        self.figures[f"bytes per backtest at {self.size:,}"] = row(ours, plain, "bytes", self.size)


def _asked(plain: sqlite3.Connection, sql: str | None) -> Callable[[], object] | None:
    return None if sql is None else lambda: plain.execute(sql).fetchall()


def exponents(figures: Figures, sizes: list[int], spent: list[float]) -> Figures:
    """How the cost grows with the size: 1 for writes and 0 for look-ups is as good as it gets."""
    if len(sizes) < 2:
        return {}
    span = math.log(sizes[-1] / sizes[0])
    grown = math.log(spent[-1] / spent[0]) / span
    found: Figures = {"growth exponent of batch writes": row(grown, 1.0, "exponent", sizes[-1])}
    for name in ("top 20", "one record by id"):
        values = [one["ours"] for key, one in figures.items() if key.startswith(f"{name} at ")]
        grown = math.log(values[-1] / values[0]) / span
        found[f"growth exponent of {name}"] = row(grown, 0.0, "exponent", sizes[-1])
    return found


def run(sizes: list[int], folder: Path) -> Figures:
    """Figures are told as each size is reached; the last one may take a quarter of an hour."""
    bench = Bench(folder)
    spent: list[float] = []
    told: set[str] = set()
    for size in sizes:
        bench.grow(size)
        spent.append(bench.spent)
        bench.singles()
        bench.reads()
        bench.bytes_per_backtest()
        tell({name: one for name, one in bench.figures.items() if name not in told})
        told.update(bench.figures)
    bench.store.close()
    bench.plain.connection.close()
    growth = exponents(bench.figures, sizes, spent)
    tell(growth)
    return {**bench.figures, **growth}


def tell(figures: Figures) -> None:
    for name, one in figures.items():
        beside = "" if one["yardstick"] is None else f"   plain sqlite3 {one['yardstick']:>12,.3f}"
        print(f"{name:<60}{one['ours']:>12,.3f} {one['unit']:<16}{beside}", flush=True)


def page(figures: Figures, sizes: list[int]) -> str:
    """The table that the README links to."""
    lines = [
        "# The knowledge store from twenty thousand to a million backtests",
        "",
        f"From `python bench/store.py --sizes {' '.join(map(str, sizes))} --write`; CPU seconds, each figure",
        "beside plain sqlite3 doing the same work in the same run.",
        "",
        "| figure | ours | plain sqlite3 | ratio | unit |",
        "|---|---:|---:|---:|---|",
    ]
    for name, one in figures.items():
        cells = (name, *(shown(one[key]) for key in ("ours", "yardstick", "ratio")), one["unit"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}" if value < 100 else f"{value:,.0f}"


def readme_table(figures: Figures, sizes: list[int]) -> str:
    """What both sides have done, at each size."""
    names = (
        "batch writes", "single durable writes", "top 20", "repeated failures, top 10 tags",
        "lineage of a failure", "one record by id", "bytes per backtest",
    )  # fmt: skip
    lines = [
        f"| knowledge store beside plain sqlite3, at | {' | '.join(f'{size:,}' for size in sizes)} | unit |",
        f"|---|{'---:|' * len(sizes)}---|",
    ]
    for name in names:
        found = [one for key, one in figures.items() if key.startswith(f"{name} at ")]
        cells = [f"{shown(one['ours'])} / {shown(one['yardstick'])}" for one in found]
        lines.append(f"| {name} | {' | '.join(cells)} | {found[0]['unit']} |")
    return "\n".join(lines)


def write_pages(figures: Figures, sizes: list[int]) -> None:
    """bench/STORE_1M.md, and the table of the README between its two marks."""
    (HERE / "STORE_1M.md").write_text(page(figures, sizes), encoding="utf-8")
    readme = HERE.parent / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(MARKS[0])
    table = f"{MARKS[0]}\n{readme_table(figures, sizes)}\n{MARKS[1]}"
    readme.write_text(before + table + rest.split(MARKS[1])[1], encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[20_000, 200_000, 1_000_000], help="backtests, ascending"
    )
    parser.add_argument("--quick", action="store_true", help="2,000 and 20,000 only; under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    parser.add_argument("--folder", type=Path, help="where the databases grow; a temporary folder by default")
    parser.add_argument("--write", action="store_true", help="write bench/STORE_1M.md and the README's table")
    given = parser.parse_args()
    sizes = [2_000, 20_000] if given.quick else given.sizes
    if any(later - earlier <= SINGLES for earlier, later in zip([0, *sizes], sizes, strict=False)):
        parser.error(f"sizes must ascend by more than {SINGLES}: {sizes}")
    with tempfile.TemporaryDirectory(prefix="quantrail-bench-", dir=given.folder) as folder:
        figures = run(sizes, Path(folder))
    if given.write:
        write_pages(figures, sizes)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
