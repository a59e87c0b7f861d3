"""Leaderboards bounded by any metric, sealed or not, against plain SQL without any of our tables' help."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder
from quantrail.domain.enums import EngineMode, Tier
from quantrail.knowledge import Backend, SqlKnowledgeStore, copy_store, open_store, upgrade
from quantrail.knowledge.beside_blocks import ALSO
from quantrail.knowledge.blocks import open_blocks, seal_all, sealed_blocks
from quantrail.knowledge.check_derived import drifted
from quantrail.knowledge.leaderboard import leaderboard
from quantrail.knowledge.metric_blocks import METRICS
from quantrail.knowledge.schema import BLOCK, FIRST_METRICS, LATER_METRICS
from quantrail.knowledge.score_blocks import SCORES
from quantrail.knowledge.session import Row, Session
from quantrail.knowledge.statistics import Statistics
from quantrail.testing import records as build
from quantrail.testing.knowledge import fill
from quantrail.testing.knowledge.world import register

SIZE = 4 * BLOCK + 3_000
METRICS_SEALED = [0, BLOCK, 2 * BLOCK, 3 * BLOCK]
SCORES_SEALED = [*METRICS_SEALED, 4 * BLOCK, 5 * BLOCK]
OTHER = "score_v2"
FEW, TENTH = "XKRX", "XLON"  # markets
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
    values["return_total_net"] = None if pk % 3 == 0 else 0.0 if pk % 10 else 1.0 - score
    values["max_drawdown_net"] = -0.25 - pk % 7919 * 1e-12  # alike as float32
    first, later = ([values[name] for name in names] for names in (FIRST_METRICS, LATER_METRICS))
    return (pk, 1, *first, more(pk), None, None, None, "1", *later, None)


def more(pk: int) -> str | None:
    """Metrics without a column: one that few have, one that a quarter has, one that is never defined."""
    values: dict[str, float | int | None] = {}
    if pk % 9_001 == 0:
        values["odd"] = 1
    if pk % 4 == 0:
        values |= {"even": 1e300 if pk % 7_000 == 0 else 0.1 * (pk % 500), "undefined": None}
    return json.dumps(values) if values else None


def markets(session: Session) -> dict[str, int]:
    """A context of engine A in each of two more markets."""
    (held,) = session.rows("SELECT * FROM contexts WHERE pk = 1")
    found = {}
    for market in (FEW, TENTH):
        universe, found[market] = session.reserve("universes", 1), session.reserve("contexts", 1)
        session.insert("universes", [(universe, raw("u", found[market]), market, market, False, "[]", 0)])
        session.insert("contexts", [(found[market], *held[1:6], universe, *held[7:])])
    return found


def grow(session: Session, size: int) -> None:
    """One in 50 is engine B's of the strategy before, up to the last block; the later ones take turns between
    two runs."""
    shares = np.random.default_rng(5).permutation(size) / size
    iterations = [row[0] for row in session.rows("SELECT min(pk) FROM iterations GROUP BY run_pk ORDER BY 1")]
    (engine_b,) = session.rows("SELECT min(pk) FROM contexts WHERE engine_mode = 'B'")[0]
    first = session.reserve("strategies", size)
    session.insert("strategies", [
        (first + i, raw("s", i), raw("l", i), "{}", "template", "h1", "1.0", "spec", None, 1 + i % 4, None,
         None, 0, None, None) for i in range(size)
    ])  # fmt: skip
    verified = [i % 50 == 49 and i < 3 * BLOCK for i in range(size)]
    at = markets(session)
    # Few in one market, the worst tenth in another; the last block has one context throughout.
    context = [
        engine_b if verified[i] else at[TENTH] if share < 0.1 and i < 3 * BLOCK - 60
        else at[FEW] if i % 601 == 7 and i < 2 * BLOCK else 1
        for i, share in enumerate(shares.tolist())
    ]  # fmt: skip
    of = [i - verified[i] for i in range(size)]
    run = [int(i > size // 2 and i % 2) for i in range(size)]
    tests = session.reserve("backtests", size)
    session.insert("backtests", [
        (tests + i, raw("b", i)[:16], first + of[i], context[i], 1, 0,
         iterations[run[i]], None, "DONE", raw("r", i), None, None, None, None, 0) for i in range(size)
    ])  # fmt: skip
    session.insert("metrics", [metrics_row(tests + i, float(shares[i])) for i in range(size)])

    def scored(policy: int, i: int, score: float) -> Row:
        return (session.reserve("scores", 1), policy, tests + i, score, score > 0.5, "AB"[verified[i]],
                first + of[i], 1 + run[i], 1 + of[i] % 4, "{}", "[]", 0)  # fmt: skip

    session.insert("scores", [scored(1, i, float(shares[i])) for i in range(size)])
    (other,) = session.rows("SELECT pk FROM policies WHERE policy_version = ?", [OTHER])[0]
    again = np.random.default_rng(6).permutation(size)[: size // 2].tolist()
    session.insert("scores", [scored(other, i, float(1 - shares[i])) for i in again])
    trials = session.reserve("trials", size)
    session.insert("trials", [  # of the first run, met again in the second
        (trials + i, raw("t", i), iterations[1], 100 + i, 1, first + of[i], tests + i, "main", "cached", 0)
        for i in range(0, size // 2, 40)
    ])  # fmt: skip
    session.insert("strategy_tiers", [(first + i, "T1") for i in range(5, size, 90)])


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
    with store.unit() as unit:
        register(unit, 1)
        unit.save_policies([replace(build.policies()[0], policy_version=OTHER)])
        unit.commit()
    with store.backend.writing() as session:
        grow(session, SIZE)
        session.commit()
    Statistics(store.backend).refresh()
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
    with backend.reading() as session:
        return scanned(session, where, condition, column)


def scanned(session: Session, where: LeaderboardFilter, condition: str, column: str) -> list[str]:
    """All that meet the condition, best first, by a scan."""
    mode = where.engine_mode
    shown = f"sc.engine_mode = '{mode.value}'" if mode else (
        "(sc.engine_mode = 'B' OR NOT EXISTS (SELECT 1 FROM scores o WHERE o.strategy_pk = sc.strategy_pk "
        "AND o.policy_pk = sc.policy_pk AND o.engine_mode = 'B'))"
    )  # fmt: skip
    policy = "(SELECT pk FROM policies WHERE policy_version = ?)"
    rows = session.rows(
        f"SELECT {column}, sc.backtest_pk, b.backtest_id FROM scores sc "
        "JOIN metrics m ON m.backtest_pk = sc.backtest_pk JOIN backtests b ON b.pk = sc.backtest_pk "
        f"WHERE sc.policy_pk = {policy} AND {shown} AND {condition}",
        [where.policy_version or build.POLICY],
    )
    return [one[2].hex() for one in sorted(rows, key=lambda r: (r[0] is None, -(r[0] or 0), r[1]))]


def left(divisor: int) -> str:
    """The remainder of the key; the percent sign means something else to PostgreSQL's driver."""
    return f"(m.backtest_pk - m.backtest_pk / {divisor} * {divisor})"


MET_AGAIN = (
    "(sc.run_pk = (SELECT max(pk) FROM runs) "
    "OR sc.backtest_pk IN (SELECT backtest_pk FROM trials WHERE outcome = 'cached'))"
)
FIRST_RUN = "sc.run_pk = (SELECT min(pk) FROM runs)"
NOT_TIERED = "sc.strategy_pk NOT IN (SELECT strategy_pk FROM strategy_tiers)"
OF_MARKET = (
    "b.context_pk IN (SELECT c.pk FROM contexts c JOIN universes u ON u.pk = c.universe_pk "
    "WHERE u.market = '{}')"
)
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
                                 f"m.cagr_net <= -0.2 AND {FIRST_RUN}"),
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
    "many, without a column": ({"even": (None, 40.0)}, {},
                               f"{left(4)} = 0 AND {left(500)} <= 400 AND {left(7000)} <> 0"),
    "many, without a column, of one engine": (
        {"even": (0.1 * 488, 0.1 * 488)}, {"engine_mode": EngineMode.A}, f"{left(500)} = 488"
    ),
    "beyond float32, without a column": ({"even": (1e299, None)}, {}, f"{left(7000)} = 0"),
    "a metric nobody has": ({"nowhere": (None, 5.0)}, {}, "1 = 0"),
    "a metric without a column that is never defined": ({"undefined": (None, 5.0)}, {}, "1 = 0"),
}  # fmt: skip


def columns(order: LeaderboardOrder) -> str:
    return "sc.score_total" if order is LeaderboardOrder.SCORE else f"m.{order.value}"


def paged(
    store: SqlKnowledgeStore, where: LeaderboardFilter, order: LeaderboardOrder, limit: int, pages: int
) -> list[str]:
    found: list[str] = []
    cursor = None
    for _ in range(pages):
        page = store.leaderboard(where, order, limit=limit, cursor=cursor)
        found += [one.backtest_id.replace("-", "") for one in page]
        cursor = page.cursor
        if cursor is None:
            break
    return found


@pytest.mark.parametrize("name", CASES)
def test_bounds_on_any_metric_show_what_a_scan_finds(large: Large, name: str) -> None:
    with large.backend.reading() as session:
        assert (sealed_blocks(session, METRICS), open_blocks(session, METRICS)) == (METRICS_SEALED, [])
        assert (sealed_blocks(session, SCORES), open_blocks(session, SCORES)) == (SCORES_SEALED, [])
    bounds, others, condition = CASES[name]
    where = LeaderboardFilter(metrics=bounds, **others)
    wanted = expected(large.backend, where, condition, "sc.score_total")
    assert paged(large.store, where, LeaderboardOrder.SCORE, 30, 2) == wanted[:60]
    empty = ("none", "all are undefined", "beyond any")
    assert (len(wanted) == 0) == (name in empty or "never" in name or "nobody" in name), len(wanted)
    if name.startswith("many"):
        assert len(wanted) > 5_000 or "of a" in name or "of one" in name


FILTERS = {
    "all": ({}, "1 = 1"),
    "engine A": ({"engine_mode": EngineMode.A}, "1 = 1"),
    "engine B": ({"engine_mode": EngineMode.B}, "1 = 1"),
    "a run": ({"run_id": build.run_id()}, FIRST_RUN),
    "a later run": ({"run_id": build.run_id(1)}, MET_AGAIN),
    "few of a later run": (
        {"run_id": build.run_id(1), "metrics": {"profit_factor": (40.0, 55.0)}},
        f"m.profit_factor BETWEEN 40 AND 55 AND {MET_AGAIN}",
    ),
    "many of a later run": (
        {"run_id": build.run_id(1), "metrics": {"cagr_net": (None, -0.1)}},
        f"m.cagr_net <= -0.1 AND {MET_AGAIN}",
    ),
    "a template": ({"template_id": "MOMENTUM"}, TEMPLATE),
    "not passed": ({"passed": False}, "NOT sc.passed"),
    "passed": ({"passed": True}, "sc.passed"),
    "not promoted": ({"tier": Tier.T0}, NOT_TIERED),
    "promoted": ({"tier": Tier.T1}, f"NOT {NOT_TIERED}"),
    "another policy": ({"policy_version": OTHER}, "1 = 1"),
    "another policy, not passed, a run": (
        {"policy_version": OTHER, "passed": False, "run_id": build.run_id()}, f"NOT sc.passed AND {FIRST_RUN}"
    ),
    "the worst, not promoted, of a template and engine": (
        {"metrics": {"cagr_net": (None, -0.2)}, "tier": Tier.T0, "template_id": "MOMENTUM",
         "engine_mode": EngineMode.B}, f"m.cagr_net <= -0.2 AND {NOT_TIERED} AND {TEMPLATE}"
    ),
    "few": ({"metrics": {"profit_factor": (77.0, 77.0)}}, "m.profit_factor = 77"),
    "none": ({"metrics": {"volatility_annual_net": (50.0, None)}}, "m.volatility_annual_net >= 50"),
    "a market": ({"market": "XNYS"}, OF_MARKET.format("XNYS")),
    "a market with few": ({"market": FEW}, OF_MARKET.format(FEW)),
    "a market with the worst tenth": ({"market": TENTH}, OF_MARKET.format(TENTH)),
    "a market with the worst tenth, engine B": (
        {"market": TENTH, "engine_mode": EngineMode.B}, OF_MARKET.format(TENTH)
    ),
    "a market and a bound": (
        {"market": TENTH, "metrics": {"even": (20.0, None)}},
        f"{OF_MARKET.format(TENTH)} AND {left(4)} = 0 AND ({left(500)} >= 200 OR {left(7000)} = 0)"
    ),
    "a market, a template and a run": (
        {"market": FEW, "template_id": "MOMENTUM", "run_id": build.run_id()},
        f"{OF_MARKET.format(FEW)} AND {TEMPLATE} AND {FIRST_RUN}"
    ),
    "a market of nobody": ({"market": "XTKS"}, "1 = 0"),
    "promoted in a market": (
        {"tier": Tier.T1, "market": TENTH}, f"{OF_MARKET.format(TENTH)} AND NOT {NOT_TIERED}"
    ),
    "promoted, of engine B": ({"tier": Tier.T1, "engine_mode": EngineMode.B}, f"NOT {NOT_TIERED}"),
    "promoted in a later run": (
        {"tier": Tier.T1, "run_id": build.run_id(1)}, f"{MET_AGAIN} AND NOT {NOT_TIERED}"
    ),
    "a template in a run": (
        {"template_id": "MOMENTUM", "run_id": build.run_id()}, f"{TEMPLATE} AND {FIRST_RUN}"
    ),
    "a template and engine B": ({"template_id": "MOMENTUM", "engine_mode": EngineMode.B}, TEMPLATE),
}  # fmt: skip
NOBODY = ("none", "a market of nobody", "a market with the worst tenth, engine B", "promoted, of engine B")


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("order", LeaderboardOrder)
def test_every_order_shows_what_a_scan_finds(large: Large, name: str, order: LeaderboardOrder) -> None:
    others, condition = FILTERS[name]
    where = LeaderboardFilter(**others)
    wanted = expected(large.backend, where, condition, columns(order))
    assert paged(large.store, where, order, 30, 2) == wanted[:60]
    assert (len(wanted) == 0) == (name in NOBODY)


def shown(session: Session, where: LeaderboardFilter, order: LeaderboardOrder) -> list[str]:
    """Two pages."""
    first = leaderboard(session, where, order, 20, None)
    rest = leaderboard(session, where, order, 20, first.cursor) if first.cursor else ()
    return [one.backtest_id.replace("-", "") for one in (*first, *rest)]


SHARES = {
    "a ninth": "{0} / 9 * 9 = {0}",
    "the later stored": "{0} > 9000",
    "the worst half": "{0} IN (SELECT strategy_pk FROM scores WHERE policy_pk = 1 AND score_total < 0.5)",
    "no best": "{0} NOT IN (SELECT strategy_pk FROM scores WHERE policy_pk = 1 AND score_total > 0.8)",
    "almost all": "{0} > 100",
}
ON_TIER: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "1 = 1"),
    ({"passed": False}, "NOT sc.passed"),
    ({"engine_mode": EngineMode.B}, "1 = 1"),
    ({"market": TENTH}, OF_MARKET.format(TENTH)),
)


@pytest.mark.parametrize("order", [LeaderboardOrder.SCORE, LeaderboardOrder.CAGR, LeaderboardOrder.SHARPE])
@pytest.mark.parametrize("share", SHARES)
def test_a_tier_with_many_shows_what_a_scan_finds(large: Large, share: str, order: LeaderboardOrder) -> None:
    with large.backend.writing() as session:  # rolled back at the end: no commit
        session.run("DELETE FROM strategy_tiers")
        promoted = session.run(
            "INSERT INTO strategy_tiers (strategy_pk, tier) SELECT pk, 'T2' FROM strategies "
            f"WHERE {SHARES[share].format('pk')}"
        )
        assert promoted > 3_500
        on_tier = SHARES[share].format("sc.strategy_pk")
        for others, condition in ON_TIER:
            where = LeaderboardFilter(tier=Tier.T2, **others)
            wanted = scanned(session, where, f"{condition} AND {on_tier}", columns(order))
            assert shown(session, where, order) == wanted[:40]
            where = LeaderboardFilter(tier=Tier.T0, **others)
            wanted = scanned(session, where, f"{condition} AND NOT ({on_tier})", columns(order))
            assert shown(session, where, order) == wanted[:40]


@pytest.mark.parametrize("order", [LeaderboardOrder.SCORE, LeaderboardOrder.CAGR])
@pytest.mark.parametrize("met", ["score_total < 0.3", "score_total >= 0"])
def test_a_run_that_met_many_again_shows_what_a_scan_finds(
    large: Large, met: str, order: LeaderboardOrder
) -> None:
    with large.backend.writing() as session:  # rolled back at the end: no commit
        run, iteration = session.reserve("runs", 1), session.reserve("iterations", 1)
        (held,) = session.rows("SELECT * FROM runs WHERE pk = 1")
        session.insert("runs", [(run, bytes.fromhex(build.run_id(2).replace("-", "")), *held[2:])])
        session.insert("iterations", [(iteration, run, 1, 0, None, None, None)])
        those = f"FROM scores WHERE policy_pk = 1 AND run_pk = 1 AND {met}"
        rows = session.rows(f"SELECT strategy_pk, backtest_pk {those}")
        first = session.reserve("trials", len(rows))
        session.insert("trials", [
            (first + i, raw("again", i), iteration, i, 1, *row, "main", "cached", 0)
            for i, row in enumerate(rows)
        ])  # fmt: skip
        for others, condition in ON_TIER[:2]:
            where = LeaderboardFilter(run_id=build.run_id(2), **others)
            again = f"{condition} AND sc.backtest_pk IN (SELECT backtest_pk {those})"
            wanted = scanned(session, where, again, columns(order))
            assert len(wanted) > 5_000
            assert shown(session, where, order) == wanted[:40]


@pytest.mark.parametrize("replaced", [0.9, 1.1])
def test_the_best_of_many_that_were_verified_are_shown_once(large: Large, replaced: float) -> None:
    """Engine B confirms, or does not, all that engine A thought best; only B's word counts then."""
    where = LeaderboardFilter()
    with large.backend.writing() as session:  # rolled back at the end: no commit
        (context,) = session.rows("SELECT min(pk) FROM contexts WHERE engine_mode = 'B'")[0]
        held = session.rows(
            "SELECT b.pk, sc.strategy_pk, sc.score_total, sc.run_pk, sc.template_pk, b.iteration_pk "
            "FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk WHERE sc.policy_pk = 1 "
            "AND sc.engine_mode = 'A' ORDER BY sc.score_total DESC LIMIT 900"
        )
        tests = session.reserve("backtests", len(held))
        session.insert("backtests", [
            (tests + i, raw("v", i)[:16], row[1], context, 1, 7, row[5], None, "DONE", raw("r", i), None,
             None, None, None, 0) for i, row in enumerate(held)
        ])  # fmt: skip
        session.insert("metrics", [metrics_row(tests + i, row[2]) for i, row in enumerate(held)])
        session.insert("scores", [
            (session.reserve("scores", 1), 1, tests + i, min(1.0, row[2] * replaced), True, "B", row[1],
             row[3], row[4], "{}", "[]", 0) for i, row in enumerate(held)
        ])  # fmt: skip
        for order in (LeaderboardOrder.SCORE, LeaderboardOrder.CAGR):
            assert shown(session, where, order) == scanned(session, where, "1 = 1", columns(order))[:40]


def test_what_blocks_an_earlier_program_left_out_is_read_as_rows(large: Large) -> None:
    wheres = [LeaderboardFilter(market=FEW), LeaderboardFilter(metrics={"even": (30.0, 31.0)})]
    with large.backend.writing() as session:  # rolled back at the end: no commit
        found = [shown(session, where, LeaderboardOrder.SCORE) for where in wheres]
        assert sealed_blocks(session, ALSO) == METRICS_SEALED
        session.run("DELETE FROM metric_blocks WHERE substr(metric, 1, 1) = '*' AND first_pk <> ?", [BLOCK])
        assert (sealed_blocks(session, ALSO), sealed_blocks(session, METRICS)) == ([BLOCK], METRICS_SEALED)
        assert [shown(session, where, LeaderboardOrder.SCORE) for where in wheres] == found
        seal_all(session, ALSO)
        assert [shown(session, where, LeaderboardOrder.SCORE) for where in wheres] == found
        assert list(drifted(session)) == []


@pytest.mark.parametrize("order", [LeaderboardOrder.RETURN, LeaderboardOrder.SHARPE])
def test_pages_join_up_through_ties_and_undefined_values(large: Large, order: LeaderboardOrder) -> None:
    where = LeaderboardFilter()
    wanted = expected(large.backend, where, "1 = 1", columns(order))
    assert len(wanted) > 35_000
    assert paged(large.store, where, order, 9_000, 5) == wanted


def test_a_row_that_comes_late_opens_its_block_and_is_found(large: Large) -> None:
    with large.backend.writing() as session:  # rolled back at the end: no commit
        tests = session.reserve("backtests", 1)
        session.insert("backtests", [
            (tests, raw("late", 0)[:16], 1, 1, 1, 999_999, 1, None, "DONE", raw("r", 0), None, None, None,
             None, 0)
        ])  # fmt: skip
        session.insert("metrics", [metrics_row(tests, 0.5)])
        assert sealed_blocks(session, METRICS) == METRICS_SEALED  # it fell behind the last block
        session.insert("backtests", [
            (0, raw("late", 1)[:16], 2, 1, 1, 999_998, 1, None, "DONE", raw("r", 1), None, None, None,
             None, 0)
        ])  # fmt: skip
        session.insert("metrics", [metrics_row(0, 0.5)])
        assert sealed_blocks(session, METRICS) == METRICS_SEALED[1:]
        assert open_blocks(session, METRICS) == [0]
        assert session.rows("SELECT count(*) FROM metric_blocks WHERE first_pk = 0") == [(0,)]


def unguard(session: Session, table: str) -> None:
    """Until the transaction is rolled back, rows of ``table`` may be deleted."""
    session.run(f"DROP TRIGGER tr_{table}_kept{'' if session.dialect == 'sqlite' else f' ON {table}'}")


def test_a_score_that_goes_and_comes_late_is_shown_while_it_is_there(large: Large) -> None:
    def best(session: Session, count: int) -> list[str]:
        page = leaderboard(session, LeaderboardFilter(), LeaderboardOrder.CAGR, count, None)
        return [one.backtest_id for one in page]

    with large.backend.writing() as session:  # rolled back at the end: no commit
        first, second = best(session, 2)
        of = "WHERE policy_pk = 1 AND backtest_pk = (SELECT pk FROM backtests WHERE backtest_id = ?)"
        (held,) = session.rows(f"SELECT * FROM scores {of}", [bytes.fromhex(first.replace("-", ""))])
        block = held[0] - held[0] % BLOCK
        unguard(session, "scores")
        session.run("DELETE FROM scores WHERE pk = ?", held[:1])
        assert best(session, 1) == [second]
        assert [table for table, _ in drifted(session)] == ["score_blocks"]
        session.insert("scores", [held])
        assert sorted([*sealed_blocks(session, SCORES), block]) == SCORES_SEALED
        assert open_blocks(session, SCORES) == [block]
        assert best(session, 2) == [first, second]
        seal_all(session, SCORES)
        assert best(session, 2) == [first, second]
        assert list(drifted(session)) == []


def test_what_plain_sql_deletes_is_not_shown(large: Large) -> None:
    where = LeaderboardFilter(policy_version=OTHER, metrics={"profit_factor": (1.0, None)})
    with large.backend.writing() as session:  # rolled back at the end: no commit
        unguard(session, "scores")
        unguard(session, "metrics")
        session.run("DELETE FROM scores WHERE backtest_pk > 33000")
        session.run("DELETE FROM metrics WHERE backtest_pk > 33000")
        left = session.rows(
            "SELECT b.backtest_id FROM scores sc JOIN metrics m ON m.backtest_pk = sc.backtest_pk "
            "JOIN backtests b ON b.pk = sc.backtest_pk WHERE sc.policy_pk <> 1 AND m.profit_factor >= 1 "
            "AND (sc.engine_mode = 'B' OR NOT EXISTS (SELECT 1 FROM scores o WHERE o.strategy_pk = "
            "sc.strategy_pk AND o.policy_pk = sc.policy_pk AND o.engine_mode = 'B')) "
            "ORDER BY m.cagr_net DESC LIMIT 30"
        )
        page = leaderboard(session, where, LeaderboardOrder.CAGR, 30, None)
    assert [one.backtest_id.replace("-", "") for one in page] == [one.hex() for (one,) in left]


def test_scores_under_a_later_policy_are_sealed_without_new_backtests(tmp_path: Path) -> None:
    upgrade(tmp_path / "store.db")
    store = open_store(tmp_path / "store.db", build.SteadyClock())
    backtest_id = fill(store, 40).backtests[0].backtest_id
    with store.unit() as unit:
        register(unit, 1)
        unit.save_policies([replace(build.policies()[0], policy_version=OTHER)])
        unit.commit()
    with store.backend.writing() as session:
        grow(session, BLOCK - 1_000)  # as many scores again and a half
        session.commit()
        assert sealed_blocks(session, SCORES) == []
    store.close()
    again = open_store(tmp_path / "store.db", build.SteadyClock())
    with again.unit() as unit:
        unit.save_score(replace(build.score(backtest_id), policy_version=OTHER))
        unit.commit()
    with again.backend.reading() as session:
        assert sealed_blocks(session, METRICS) == []
        assert sealed_blocks(session, SCORES) == [0]
    again.close()


def test_a_commit_seals_what_blocks_an_earlier_program_left_out(tmp_path: Path) -> None:
    upgrade(tmp_path / "store.db")
    store = open_store(tmp_path / "store.db", build.SteadyClock())
    fill(store, 40)
    with store.unit() as unit:
        register(unit, 1)
        unit.save_policies([replace(build.policies()[0], policy_version=OTHER)])
        unit.commit()
    with store.backend.writing() as session:
        grow(session, BLOCK)
        seal_all(session, METRICS)
        session.commit()
        assert (sealed_blocks(session, METRICS), sealed_blocks(session, ALSO)) == ([0], [])
    with store.unit() as unit:
        fresh = build.strategy(900)
        unit.upsert_strategy(fresh)
        unit.insert_backtest(build.backtest(fresh, 900))
        unit.commit()
    with store.backend.reading() as session:
        assert sealed_blocks(session, ALSO) == [0]
        assert list(drifted(session)) == []
    store.close()


def test_a_copy_seals_its_own_blocks(large: Large, tmp_path: Path) -> None:
    copy_store(large.backend, tmp_path / "copy.db")
    copied = Backend(tmp_path / "copy.db")
    with copied.reading() as session:
        assert sealed_blocks(session, METRICS) == METRICS_SEALED
        assert sealed_blocks(session, ALSO) == METRICS_SEALED
        assert sealed_blocks(session, SCORES) == SCORES_SEALED
        assert list(drifted(session)) == []
    copied.close()


ONE_SCORE = "WHERE score_pk = (SELECT min(score_pk) FROM tier_scores)"


def test_the_check_finds_tables_that_drifted(large: Large) -> None:
    with large.backend.writing() as session:  # rolled back at the end: no commit
        assert list(drifted(session)) == []
        session.run("UPDATE metric_blocks SET floats = ? WHERE metric = 'alpha' AND first_pk = 0", [b"x"])
        session.run("UPDATE metric_blocks SET floats = ? WHERE metric = '*even' AND first_pk = 8192", [b"x"])
        session.run("UPDATE score_blocks SET packed = ? WHERE part = 'score' AND first_pk = 0", [b"x"])
        assert session.run("UPDATE tier_scores SET score_total = 0.123 " + ONE_SCORE) == 1
        session.insert("fingerprints", [(1, 69, "minhash128/x", raw("d", 0), bytes(264), 0)])
        found = list(drifted(session))
    assert found == [
        ("tier_scores", "2 rows are missing, wrong or too many"),
        ("fingerprint_bands", "13 rows are missing or too many"),
        ("metric_blocks", "the block from backtest key 0 on differs from the metrics"),
        ("metric_blocks", "the block from backtest key 8192 on differs from the metrics"),
        ("score_blocks", "the block from score key 0 on differs from the scores"),
    ]
