"""Each index serves the query it was made for, and the planner's statistics are there to see it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.knowledge import Backend, open_store, upgrade
from quantrail.knowledge.leaderboard_conditions import Place
from quantrail.knowledge.leaderboard_search import few_by_index, first_walks
from quantrail.knowledge.leaderboard_walks import Search, sources, walk
from quantrail.knowledge.schema import FIRST_METRICS, LATER_METRICS
from quantrail.knowledge.score_blocks import Wanted, scores_within
from quantrail.knowledge.session import Session
from quantrail.knowledge.statistics import Statistics
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill

SIZES = [10_000, pytest.param(200_000, marks=pytest.mark.slow)]
KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def raw(kind: str, number: int) -> bytes:
    return hashlib.sha256(f"{kind}{number}".encode()).digest()


def grow(session: Session, size: int) -> None:
    """Copies of the filled store's first rows under new keys: a large store within seconds."""
    share = [raw("share", i)[0] / 255 for i in range(251)]
    first = session.reserve("strategies", size)
    session.insert("strategies", [
        (first + i, raw("s", i), raw("l", i), "{}", "template", "h1", "1.0", "spec", None, 1 + i % 4, None,
         None, 0, None, None) for i in range(size)
    ])  # fmt: skip
    tests = session.reserve("backtests", size)
    session.insert("backtests", [
        (tests + i, raw("b", i)[:16], first + i, 1, 1, 0, 1, None, "DONE", raw("r", i), None, None, None,
        None, 0)
        for i in range(size)
    ])  # fmt: skip
    session.insert("metrics", [
        (tests + i, 1, *(-share[(i * 7 + k) % 251] for k in range(len(FIRST_METRICS))), None, None,
         None, None, "1", *(share[(i * 11 + k) % 251] for k in range(len(LATER_METRICS))), None)
        for i in range(size)
    ])  # fmt: skip
    scores = session.reserve("scores", size)
    session.insert("scores", [
        (scores + i, 1, tests + i, share[i * 13 % 251], False, "A", first + i, 1, 1 + i % 4, "{}", "[]", 0)
        for i in range(size)
    ])  # fmt: skip
    session.insert("strategy_tiers", [(first + i, "T1") for i in range(0, size, 5)])
    failures = session.reserve("failures", size)
    session.insert("failures", [
        (failures + i, raw("f", i), tests + i, 1, "RISK" if i % 997 == 0 else "EDGE",
         '["RARE"]' if i % 997 == 0 else '["OFTEN"]', "CRITICAL" if i % 997 == 0 else "WARN", 0.5, "x",
         None, None,
         "{}", "OPEN", 0) for i in range(size)
    ])  # fmt: skip
    session.insert("failure_tags", [(2 if i % 997 == 0 else 1, failures + i) for i in range(size)])


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=SIZES)
def large(
    request: pytest.FixtureRequest, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    server = request.getfixturevalue("postgres_server") if kind == "postgres" else None
    name = server.create_database() if server else ""
    url = server.url(name) if server else str(tmp_path_factory.mktemp("large") / "store.db")
    upgrade(url)
    store = open_store(url, build.SteadyClock())
    fill(store, 4)
    with store.backend.writing() as session:
        grow(session, request.param)
        session.run("COMMIT")
    Statistics(store.backend).refresh()
    yield store.backend
    store.close()
    if server:
        server.drop_database(name)


def plan(backend: Backend, sql: str, params: tuple[object, ...] = ()) -> str:
    word = "EXPLAIN QUERY PLAN" if backend.dialect == "sqlite" else "EXPLAIN"
    with backend.reading() as session:
        rows = session.rows(f"{word} {sql}", params)
    return "\n".join(" ".join(map(str, row)) for row in rows)


def nulls(backend: Backend) -> str:
    return "" if backend.dialect == "sqlite" else " NULLS LAST"


SIMPLE = {
    "ix_scores_score_total": "SELECT backtest_pk FROM scores ORDER BY score_total DESC LIMIT 20",
    "ix_failures_category": "SELECT pk FROM failures WHERE category = 'RISK'",
    "ix_failures_severity": "SELECT pk FROM failures WHERE severity = 'CRITICAL'",
}


@pytest.mark.parametrize("index", SIMPLE)
def test_an_index_of_the_specification_serves_its_query(large: Backend, index: str) -> None:
    assert index in plan(large, SIMPLE[index])


@pytest.mark.parametrize("column", ["sharpe_net", "max_drawdown_net"])
def test_the_best_metrics_are_read_from_their_index(large: Backend, column: str) -> None:
    sql = f"SELECT backtest_pk FROM metrics ORDER BY {column} DESC{nulls(large)} LIMIT 20"
    assert f"ix_metrics_{column}" in plan(large, sql)


def test_the_reproduction_key_finds_a_backtest_through_indexes(large: Backend) -> None:
    sql = (
        "SELECT b.pk FROM strategies s JOIN backtests b ON b.strategy_pk = s.pk "
        "JOIN contexts c ON c.pk = b.context_pk WHERE s.strategy_id = ? AND c.data_version = ? "
        "AND c.engine_mode = 'A' AND c.period_start = ? AND c.period_end = ?"
    )
    params = (raw("s", 5), bytes.fromhex(build.DATA), build.START.isoformat(), build.END.isoformat())
    found = plan(large, sql, params)
    names = {
        "sqlite": ["sqlite_autoindex_strategies", "sqlite_autoindex_backtests"],
        "postgresql": ["uq_strategies_strategy_id", "uq_backtests_key"],
    }[large.dialect]
    assert all(name in found for name in names), found
    with large.reading() as session:
        assert len(session.rows(sql, params)) == 1


def test_a_tag_leads_to_its_failures_through_an_index(large: Backend) -> None:
    found = plan(large, "SELECT failure_pk FROM failure_tags WHERE tag_pk = 2")
    assert ("PRIMARY KEY" if large.dialect == "sqlite" else "pk_failure_tags") in found


def test_tags_inside_json_have_a_gin_index_on_postgres(large: Backend) -> None:
    if large.dialect == "sqlite":
        with large.reading() as session:
            assert session.rows("SELECT 1 FROM sqlite_master WHERE name = 'ix_failures_tags_json'") == []
        return
    assert "ix_failures_tags_json" in plan(
        large, "SELECT pk FROM failures WHERE tags_json @> '[\"RARE\"]'::jsonb"
    )


BOARDS = {
    "engine": (LeaderboardFilter(engine_mode=EngineMode.A), "ix_scores_engine"),
    "run": (LeaderboardFilter(run_id=build.run_id()), "ix_scores_run"),
    "template": (LeaderboardFilter(template_id=build.TEMPLATES[1]), "ix_scores_template"),
    "engine B and template": (
        LeaderboardFilter(engine_mode=EngineMode.B, template_id=build.TEMPLATES[1]),
        "ix_scores_engine",
    ),
    "everything": (LeaderboardFilter(), "ix_scores_engine"),
    "tier": (LeaderboardFilter(tier=Tier.T1), "ix_tier_scores_best"),
    "many by a metric": (LeaderboardFilter(metrics={"sharpe_net": (None, 50.0)}), "ix_scores_engine"),
}

# What PostgreSQL may walk as well, by what its sample of the rows happens to hold: one run has everything,
# and the index of verified scores holds the few of engine B and no others.
AS_GOOD = {"run": "ix_scores_engine", "engine B and template": "ix_scores_verified"}


@pytest.mark.parametrize("name", BOARDS)
def test_no_leaderboard_sorts_or_scans_the_whole_store(large: Backend, name: str) -> None:
    where, index = BOARDS[name]
    with large.reading() as session:
        search = Search(session, where, LeaderboardOrder.SCORE, 1, None, 20)
        found = [walk(search, source) for source in sources(search)]
    plans = [plan(large, f"{walk.sql} LIMIT 20", walk.params) for walk in found]
    assert index in plans[0] or (large.dialect != "sqlite" and AS_GOOD.get(name, index) in plans[0]), plans[0]
    for one in plans:
        assert "SCAN scores" not in one.replace("SCAN scores USING INDEX", "")
        assert "Seq Scan on scores sc" not in one
        assert "SCAN sc\n" not in one


def test_few_that_meet_a_bound_on_an_indexed_metric_are_read_from_it(large: Backend) -> None:
    with large.reading() as session:
        (few,) = few_by_index(session, LeaderboardFilter(metrics={"sharpe_net": (50.0, None)}))
    assert "ix_metrics_sharpe_net" in plan(large, f"{few.sql} LIMIT 20", few.params)


@pytest.mark.parametrize("after", [None, (-0.5, 20)])
@pytest.mark.parametrize("order", [LeaderboardOrder.SHARPE, LeaderboardOrder.DRAWDOWN])
def test_the_first_looks_in_the_order_of_a_metric_follow_its_index(
    large: Backend, order: LeaderboardOrder, after: Place | None
) -> None:
    with large.reading() as session:
        (walk,) = first_walks(Search(session, LeaderboardFilter(), order, 1, after, 21))
        found = session.rows(f"{walk.sql} LIMIT 20", walk.params)
    assert len(found) == 20
    assert f"ix_metrics_{order.value}" in plan(large, f"{walk.sql} LIMIT 20", walk.params)


def test_scores_beyond_the_sealed_blocks_are_read_by_their_keys(large: Backend) -> None:
    with large.reading() as session:
        (last,) = session.rows("SELECT max(pk) FROM scores")[0]
    wanted = Wanted(1, EngineMode.A, passed=False, run=1, template=1)
    sql, params = scores_within(wanted, last - 500, None)
    found = plan(large, sql, tuple(params))
    assert ("INTEGER PRIMARY KEY" if large.dialect == "sqlite" else "pk_scores") in found
    with large.reading() as session:
        assert 100 < len(session.rows(sql, params)) < 150  # one template in four


def test_writing_keeps_the_statistics_fresh_by_itself(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else str(tmp_path / "store.db")
    upgrade(url)
    store = open_store(url, build.SteadyClock())
    fill(store, 300)  # about 3 000 rows
    with store.backend.reading() as session:
        if kind == "sqlite":
            rows = session.rows("SELECT stat FROM sqlite_stat1 WHERE tbl = 'scores'")
            seen = max(int(text.split()[0]) for (text,) in rows)
        else:
            (seen,) = session.rows("SELECT reltuples FROM pg_class WHERE relname = 'scores'")[0]
    store.close()
    assert 300 <= seen <= 310
