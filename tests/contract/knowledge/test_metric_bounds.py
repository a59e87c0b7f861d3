"""Leaderboards bounded by any metric, sealed or not, against plain SQL without any of our tables' help."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode
from quantrail.knowledge import Backend, SqlKnowledgeStore, open_store, upgrade
from quantrail.knowledge.check_derived import drifted
from quantrail.knowledge.metric_blocks import open_blocks, sealed_blocks
from quantrail.knowledge.schema import FIRST_METRICS, LATER_METRICS, METRIC_BLOCK
from quantrail.knowledge.session import Row, Session
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill

SIZE = 2 * METRIC_BLOCK + 3_000
KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def raw(kind: str, number: int) -> bytes:
    return hashlib.sha256(f"{kind}{number}".encode()).digest()


def metrics_row(pk: int, score: float) -> Row:
    values: dict[str, float | None] = dict.fromkeys((*FIRST_METRICS, *LATER_METRICS))
    values["cagr_net"] = score - 0.5
    values["profit_factor"] = float(pk % 500)
    values["turnover_annual"] = 1e300 if pk % 7_000 == 0 else 0.1 * (pk % 3)
    values["alpha"] = None if pk % 2 else score * pk
    values["sharpe_net"] = float(pk % 977)
    more = '{"odd":1}' if pk % 9_001 == 0 else None
    first, later = ([values[name] for name in names] for names in (FIRST_METRICS, LATER_METRICS))
    return (pk, 1, *first, more, None, None, None, "1", *later, None)


def grow(session: Session, size: int) -> None:
    shares = np.random.default_rng(5).permutation(size) / size
    first = session.reserve("strategies", size)
    session.insert("strategies", [
        (first + i, raw("s", i), raw("l", i), "{}", "template", "h1", "1.0", "spec", None, 1 + i % 4, None,
         None, 0, None, None) for i in range(size)
    ])  # fmt: skip
    tests = session.reserve("backtests", size)
    session.insert("backtests", [
        (tests + i, raw("b", i)[:16], first + i, 1, 1, 0, 1, None, "DONE", raw("r", i), None, None, None,
        None, 0) for i in range(size)
    ])  # fmt: skip
    session.insert("metrics", [metrics_row(tests + i, float(shares[i])) for i in range(size)])
    scores = session.reserve("scores", size)
    session.insert("scores", [
        (scores + i, 1, tests + i, float(shares[i]), bool(shares[i] > 0.5), "A", first + i, 1, 1 + i % 4,
         "{}", "[]", 0) for i in range(size)
    ])  # fmt: skip


@dataclass
class Large:
    store: SqlKnowledgeStore

    @property
    def backend(self) -> Backend:
        return self.store.backend


@pytest.fixture(scope="module", params=KINDS)
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    name = server.create_database() if server else ""
    url = server.url(name) if server else str(tmp_path_factory.mktemp("large") / "store.db")
    upgrade(url)
    store = open_store(url, build.SteadyClock())
    fill(store, 40)
    with store.backend.writing() as session:
        grow(session, SIZE)
        session.commit()
    with store.unit() as unit:  # whose commit finds two blocks to seal
        fresh = build.strategy(900)
        unit.upsert_strategy(fresh)
        backtest_id = unit.insert_backtest(build.backtest(fresh, 900))
        unit.save_metrics(build.metrics(backtest_id, 900))
        unit.save_score(build.score(backtest_id, 900))
        unit.commit()
    yield Large(store)
    store.close()
    if server:
        server.drop_database(name)


def expected(backend: Backend, where: LeaderboardFilter, condition: str, column: str) -> list[str]:
    """All that meet the condition, best first, by a scan."""
    shown = {
        None: "(sc.engine_mode = 'B' OR NOT EXISTS (SELECT 1 FROM scores o WHERE o.strategy_pk = "
        "sc.strategy_pk AND o.engine_mode = 'B'))",
        EngineMode.A: "sc.engine_mode = 'A'",
    }[where.engine_mode]
    with backend.reading() as session:
        rows = session.rows(
            f"SELECT {column}, sc.backtest_pk, b.backtest_id FROM scores sc "
            "JOIN metrics m ON m.backtest_pk = sc.backtest_pk JOIN backtests b ON b.pk = sc.backtest_pk "
            f"WHERE {shown} AND {condition}"
        )
    return [one[2].hex() for one in sorted(rows, key=lambda r: (r[0] is None, -(r[0] or 0), r[1]))]


TEMPLATE = "sc.template_pk = (SELECT pk FROM templates WHERE template_id = 'MOMENTUM')"
CASES = {
    "none": ({"volatility_annual_net": (50.0, None)}, {}, "m.volatility_annual_net >= 50"),
    "all are undefined": ({"win_rate_period": (0.9, None)}, {}, "m.win_rate_period >= 0.9"),
    "few": ({"profit_factor": (77.0, 77.0)}, {}, "m.profit_factor = 77"),
    "few, of one engine": (
        {"profit_factor": (77.0, 77.0)}, {"engine_mode": EngineMode.A}, "m.profit_factor = 77"
    ),
    "few, among passed": ({"profit_factor": (77, 78)}, {"passed": True},
                          "m.profit_factor BETWEEN 77 AND 78 AND sc.passed"),
    "few, of one template": ({"profit_factor": (77, 78)}, {"template_id": "MOMENTUM"},
                             f"m.profit_factor BETWEEN 77 AND 78 AND {TEMPLATE}"),
    "many, the worst": ({"cagr_net": (None, -0.2)}, {}, "m.cagr_net <= -0.2"),
    "many, the worst of a run": ({"cagr_net": (None, -0.2)}, {"run_id": build.run_id()},
                                 "m.cagr_net <= -0.2"),
    "many, the worst of a template": ({"cagr_net": (None, -0.2)}, {"template_id": "MOMENTUM"},
                                      f"m.cagr_net <= -0.2 AND {TEMPLATE}"),
    "many, the best": ({"cagr_net": (0.2, None)}, {}, "m.cagr_net >= 0.2"),
    "beyond float32": ({"turnover_annual": (1e299, None)}, {}, "m.turnover_annual >= 1e299"),
    "beyond any": ({"turnover_annual": (1.1e300, None)}, {}, "m.turnover_annual >= 1.1e300"),
    "a bound that float32 rounds": ({"turnover_annual": (0.2, 0.2)}, {},
                                    "m.turnover_annual = 0.1 * 2.0"),
    "two metrics": ({"alpha": (0.0, 900.0), "profit_factor": (490, None)}, {},
                    "m.alpha BETWEEN 0 AND 900 AND m.profit_factor >= 490"),
    "an indexed metric": ({"sharpe_net": (976.0, None)}, {}, "m.sharpe_net >= 976"),
    "a metric without a column": ({"odd": (1.0, None)}, {}, "m.backtest_pk / 9001 * 9001 = m.backtest_pk"),
    "with and without a column": ({"odd": (1.0, None), "cagr_net": (0.0, None)}, {},
                                  "m.backtest_pk / 9001 * 9001 = m.backtest_pk AND m.cagr_net >= 0"),
}  # fmt: skip


def check(large: Large, name: str, order: LeaderboardOrder) -> int:
    bounds, others, condition = CASES[name]
    where = LeaderboardFilter(metrics=bounds, **others)
    column = "sc.score_total" if order is LeaderboardOrder.SCORE else f"m.{order.value}"
    wanted = expected(large.backend, where, condition, column)
    page = large.store.leaderboard(where, order, limit=30)
    found = [one.backtest_id.replace("-", "") for one in page]
    if page.cursor is not None:
        following = large.store.leaderboard(where, order, limit=30, cursor=page.cursor)
        found += [one.backtest_id.replace("-", "") for one in following]
    assert found == wanted[:60]
    return len(wanted)


@pytest.mark.parametrize("name", CASES)
def test_bounds_on_any_metric_show_what_a_scan_finds(large: Large, name: str) -> None:
    with large.backend.reading() as session:
        assert (sealed_blocks(session), open_blocks(session)) == ([0, METRIC_BLOCK], [])
    count = check(large, name, LeaderboardOrder.SCORE)
    empty = ("none", "all are undefined", "beyond any")
    assert (count == 0) == (name in empty), count
    if name.startswith("many"):
        assert count > 5_000 or "template" in name


@pytest.mark.parametrize("name", ["few", "many, the worst", "none"])
def test_bounds_hold_in_the_order_of_a_metric(large: Large, name: str) -> None:
    check(large, name, LeaderboardOrder.CAGR)


def test_a_row_that_comes_late_opens_its_block_and_is_found(large: Large) -> None:
    with large.backend.writing() as session:  # rolled back at the end: no commit
        tests = session.reserve("backtests", 1)
        session.insert("backtests", [
            (tests, raw("late", 0)[:16], 1, 1, 1, 999_999, 1, None, "DONE", raw("r", 0), None, None, None,
             None, 0)
        ])  # fmt: skip
        session.insert("metrics", [metrics_row(tests, 0.5)])
        assert sealed_blocks(session) == [0, METRIC_BLOCK]  # it fell behind the last block
        session.insert("backtests", [
            (0, raw("late", 1)[:16], 2, 1, 1, 999_998, 1, None, "DONE", raw("r", 1), None, None, None,
             None, 0)
        ])  # fmt: skip
        session.insert("metrics", [metrics_row(0, 0.5)])
        assert sealed_blocks(session) == [METRIC_BLOCK]
        assert open_blocks(session) == [0]
        assert session.rows("SELECT count(*) FROM metric_blocks WHERE first_pk = 0") == [(0,)]


def test_the_check_finds_tables_that_drifted(large: Large) -> None:
    with large.backend.writing() as session:  # rolled back at the end: no commit
        assert list(drifted(session)) == []
        session.run("UPDATE metric_blocks SET floats = ? WHERE metric = 'alpha' AND first_pk = 0", [b"x"])
        session.insert("strategy_tiers", [(60, "T1")])
        assert session.run("UPDATE tier_scores SET score_total = 0.123") == 1
        session.insert("fingerprints", [(1, 60, "minhash128/x", raw("d", 0), bytes(264), 0)])
        found = list(drifted(session))
    assert found == [
        ("tier_scores", "2 rows are missing, wrong or too many"),
        ("fingerprint_bands", "13 rows are missing or too many"),
        ("metric_blocks", "the block from backtest key 0 on differs from the metrics"),
    ]
