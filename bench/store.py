"""The knowledge store against plain sqlite3 doing the same work in the same run.

Every batch is written twice: through the public API, and by plain ``sqlite3`` that inserts the very same
rows into the same tables of a second file without triggers, checks of ids, or transactions of its own
making. Seconds are CPU seconds, so that a busy machine does not blur them; building the records is not
counted. One backtest is 12 to 13 rows: strategy, atoms, backtest, metrics, score, failures, tags, trial.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from quantrail.domain import records as r
from quantrail.domain.answers import IdKind, LeaderboardFilter
from quantrail.domain.enums import EngineMode, FailureCategory, Severity
from quantrail.domain.ids import FailureId, LogicHash, ResultHash, StrategyId, TrialId
from quantrail.knowledge import SqlKnowledgeStore, open_store, upgrade
from quantrail.knowledge.put import COLUMNS
from quantrail.knowledge.session import Session
from quantrail.strategy import canonicalise, template_spec
from quantrail.testing import records as build
from quantrail.testing.knowledge.world import register

BATCH = 400
SINGLES = 300
LOOKUPS = 200
Figures = dict[str, dict[str, Any]]

_SPEC = canonicalise(
    template_spec(
        "SMA_CROSSOVER", {"short_window": 20, "long_window": 50}, [f"SYM{i:02d}" for i in range(30)]
    )
).json.decode()


@dataclass
class Records:
    """What one batch hands to the store."""

    strategies: list[r.Strategy] = field(default_factory=list)
    backtests: list[r.Backtest] = field(default_factory=list)
    metrics: list[r.Metrics] = field(default_factory=list)
    scores: list[r.Score] = field(default_factory=list)
    failures: list[r.Failure] = field(default_factory=list)
    trials: list[r.Trial] = field(default_factory=list)


def _digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def _strategy(number: int) -> r.Strategy:
    text = (
        _SPEC.replace("period=20", f"period=2{number}").replace('"period":20', f'"period":2{number}').encode()
    )
    params = {f"p{i}": number * i % 251 for i in range(8)}
    return r.Strategy(
        StrategyId(hashlib.sha256(text).hexdigest()), text, LogicHash(_digest("logic", number)), "template",
        template_id=build.TEMPLATES[number % 4], params=params,
        atoms=(build.ATOMS[number % 4], build.ATOMS[(number + 1) % 4]),
    )  # fmt: skip


def _failure(backtest_id: str, number: int) -> r.Failure:
    n = number % 5
    return r.Failure(
        FailureId(_digest(backtest_id, n)), backtest_id, f"rule_{n}", "1", build.RULES,  # type: ignore[arg-type]
        tuple(FailureCategory)[n], (build.TAGS[n],), tuple(Severity)[number % 4], number % 97 / 97,
        f"{number % 37} trades, at least 50 are asked for", evidence={"trades": number % 37, "limit": 50},
    )  # fmt: skip


def records(first: int, count: int) -> Records:
    """``count`` finished backtests, the 40th part of them verified by engine B."""
    made = Records()
    for number in range(first, first + count):
        strategy = _strategy(number)
        engine = EngineMode.B if number % 40 == 0 else EngineMode.A
        backtest = build.backtest(strategy, engine=engine, result_hash=ResultHash(_digest("result", number)))
        backtest = replace(
            backtest, artifacts_dir=r.ArtifactRef(f"artifacts/{first}.parquet", number - first)
        )
        spread = int(_digest(number)[:8], 16)
        made.strategies.append(strategy)
        made.backtests.append(backtest)
        made.metrics.append(build.metrics(backtest.backtest_id, spread))
        share = spread / 2**32
        made.scores.append(
            replace(build.score(backtest.backtest_id), score_total=share, passed=share > 0.9,
                    breakdown={f"term_{i}": share / (i + 2) for i in range(6)})
        )  # fmt: skip
        made.failures += [_failure(backtest.backtest_id, number), _failure(backtest.backtest_id, number + 1)]
        made.trials.append(
            replace(
                build.trial(strategy, number, backtest.backtest_id), trial_id=TrialId(_digest("t", number))
            )
        )
    return made


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

    def __init__(self, path: Path) -> None:
        upgrade(path)
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "journal_mode = WAL",
            "foreign_keys = ON",
            "cache_size = -65536",
            "mmap_size = 1073741824",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        names = self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            self.connection.execute(f"DROP TRIGGER {name}")

    def write(self, rows: list[tuple[str, list[Any]]], durable: bool = False) -> None:
        self.connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.connection.execute("BEGIN IMMEDIATE")
        for table, values in rows:
            marks = ",".join("?" * len(COLUMNS[table]))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        self.connection.execute("COMMIT")


class Recorder:
    """Remembers every row the store inserts, for the yardstick to repeat."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, list[Any]]] = []
        self._insert = Session.insert

    def __enter__(self) -> Recorder:
        recorder = self

        def insert(session: Session, table: str, rows: Any) -> None:
            recorder._insert(session, table, rows)
            if rows:
                recorder.rows.append((table, list(rows)))

        Session.insert = insert  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Session.insert = self._insert  # type: ignore[method-assign]

    def take(self) -> list[tuple[str, list[Any]]]:
        taken, self.rows = self.rows, []
        return taken


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def milliseconds(work: Callable[[], object], rounds: int = 60) -> list[float]:
    found = []
    for _ in range(rounds):
        found.append(seconds(work) * 1000)
    return sorted(found)


def p95(values: list[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * 0.95))]


def row(ours: float, yardstick: float | None, unit: str, size: int) -> dict[str, Any]:
    ratio = None if not yardstick else ours / yardstick
    return {"ours": ours, "yardstick": yardstick, "ratio": ratio, "unit": unit, "size": size}


class Bench:
    def __init__(self, folder: Path) -> None:
        upgrade(folder / "ours.db")
        self.path = folder / "ours.db"
        self.store = open_store(self.path, build.SteadyClock())
        self.plain = Plain(folder / "plain.db")
        self.plain_path = folder / "plain.db"
        self.size = 0
        self.spent = [0.0, 0.0]
        self.figures: Figures = {}
        with Recorder() as recorder, self.store.unit() as unit:
            register(unit)
            unit.commit()
            self.plain.write(recorder.take())

    def grow(self, size: int) -> None:
        """Write up to ``size``; the rate is that of all backtests since the start."""
        while self.size < size:
            made = records(self.size, min(BATCH, size - self.size))
            with Recorder() as recorder:
                self.spent[0] += seconds(lambda made=made: save(self.store, made))  # type: ignore[misc]
                rows = recorder.take()
            self.spent[1] += seconds(lambda rows=rows: self.plain.write(rows))  # type: ignore[misc]
            self.size += len(made.strategies)
        ours, plain = (self.size / spent for spent in self.spent)
        self.figures[f"batch writes at {size:,}"] = row(ours, plain, "backtests/CPU s", size)

    def singles(self) -> None:
        """One durable transaction per backtest."""
        spent = [0.0, 0.0]
        for _ in range(SINGLES):
            made = records(self.size, 1)
            with Recorder() as recorder:
                spent[0] += seconds(lambda made=made: save(self.store, made, durable=True))  # type: ignore[misc]
                rows = recorder.take()
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
        wheres = {
            "engine": LeaderboardFilter(engine_mode=EngineMode.A),
            "run": LeaderboardFilter(run_id=build.run_id()),
            "policy": LeaderboardFilter(policy_version=build.POLICY),
            "template": LeaderboardFilter(template_id="MOMENTUM"),
        }  # fmt: skip
        yield "top 20", lambda: store.leaderboard(), lambda: plain.execute(top).fetchall()
        for name, where in wheres.items():
            yield f"top 20 by {name}", lambda where=where: store.leaderboard(where), None  # type: ignore[misc]
        metric = LeaderboardFilter(metrics={"win_rate_period": (0.4, 0.6), "trades": (40, None)})
        yield "top 20 by two metrics", lambda: store.leaderboard(metric), None
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
            None,
        )
        yield (
            "one record by id",
            lambda: store.get_backtest(next(turn).backtests[0].backtest_id),
            lambda: plain.execute(
                "SELECT * FROM backtests b JOIN metrics m ON m.backtest_pk = b.pk WHERE b.backtest_id = ?",
                [bytes.fromhex(next(turn).backtests[0].backtest_id.replace("-", ""))],
            ).fetchall(),
        )

    def bytes_per_backtest(self) -> None:
        for path in (self.path, self.plain_path):
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
        ours, plain = (path.stat().st_size / self.size for path in (self.path, self.plain_path))
        self.figures[f"bytes per backtest at {self.size:,}"] = row(ours, plain, "bytes", self.size)


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
        spent.append(bench.spent[0])
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
        print(f"{name:<44}{one['ours']:>12,.3f} {one['unit']:<16}{beside}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="20000,200000,1000000", help="backtests, ascending")
    parser.add_argument("--quick", action="store_true", help="2,000 and 20,000 only; under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    parser.add_argument("--folder", type=Path, help="where the databases grow; a temporary folder by default")
    given = parser.parse_args()
    sizes = [2_000, 20_000] if given.quick else [int(one) for one in given.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="quantrail-bench-", dir=given.folder) as folder:
        figures = run(sizes, Path(folder))
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
