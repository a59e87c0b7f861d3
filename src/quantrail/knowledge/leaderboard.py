"""The leaderboard: walks along an index in the order asked, then the details of the few rows kept."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from quantrail.domain.answers import LeaderboardFilter, LeaderboardOrder, LeaderboardRow, Page
from quantrail.domain.enums import EngineMode, Tier
from quantrail.domain.ids import BacktestId, DataVersion, StrategyId
from quantrail.errors import InvalidInput, NotFound
from quantrail.knowledge import values as v
from quantrail.knowledge.leaderboard_conditions import Place
from quantrail.knowledge.leaderboard_search import applies, led_by_its_run, places_found
from quantrail.knowledge.leaderboard_walks import Search, best_first, sources, walk
from quantrail.knowledge.read_results import metric_values
from quantrail.knowledge.session import Row, Session

MAX_LIMIT = 10_000


def leaderboard(
    session: Session, where: LeaderboardFilter, order: LeaderboardOrder, limit: int, cursor: str | None
) -> Page[LeaderboardRow]:
    if not 0 < limit <= MAX_LIMIT:
        raise InvalidInput(f"limit is {limit}, which is not within 1..{MAX_LIMIT}")
    policy = _policy(session, where.policy_version)
    if policy is None:
        return Page((), None)
    after = None if cursor is None else _parse(cursor, order)
    search = led_by_its_run(Search(session, where, order, policy, after, limit + 1))
    places = sorted(_places(search), key=best_first)
    kept = places[:limit]
    more = _spell(kept[-1], order) if len(places) > limit else None
    return Page(tuple(_details(session, policy, [pk for _, pk in kept])), more)


def _places(search: Search) -> list[Place]:
    if applies(search):
        return places_found(search)
    found: list[Place] = []
    for source in reversed(list(sources(search))):
        one = walk(search, source, _least(search, found))
        rows = search.session.rows(f"{one.sql} LIMIT ?", (*one.params, search.count))
        found = sorted([*found, *((row[0], row[1]) for row in rows)], key=best_first)
    return found


def _least(search: Search, found: Sequence[Place]) -> float | None:
    """Whatever scores less cannot be shown, so that no walk goes on through all that better ones replace."""
    full = search.order is LeaderboardOrder.SCORE and len(found) >= search.count
    return found[search.count - 1][0] if full else None


def _policy(session: Session, version: str | None) -> int | None:
    if version is None:
        row = session.one("SELECT policy_pk FROM scores ORDER BY pk DESC LIMIT 1")
        return None if row is None else int(row[0])
    row = session.one("SELECT pk FROM policies WHERE policy_version = ?", [version])
    if row is None:
        raise NotFound(f"no policy {version!r} is registered")
    return int(row[0])


def _spell(place: Place, order: LeaderboardOrder) -> str:
    return base64.urlsafe_b64encode(json.dumps([order.value, *place]).encode()).decode()


def _parse(cursor: str, order: LeaderboardOrder) -> Place:
    try:
        name, value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(f"not a cursor of this list: {cursor!r}") from error
    if name != order.value or not isinstance(pk, int) or not isinstance(value, float | int | None):
        raise InvalidInput(f"the cursor belongs to an order by {name}, not by {order.value}")
    return value, pk


_DETAILS = """SELECT b.pk, b.backtest_id, s.strategy_id, c.engine_mode, c.engine_version, c.data_version,
u.universe_version, c.period_start, c.period_end, t.template_id, s.name, coalesce(st.tier, 'T0'),
sc.score_total, sc.passed, sc.fail_reasons_json, p.policy_version
FROM scores sc JOIN backtests b ON b.pk = sc.backtest_pk JOIN strategies s ON s.pk = b.strategy_pk
JOIN contexts c ON c.pk = b.context_pk JOIN universes u ON u.pk = c.universe_pk
JOIN policies p ON p.pk = sc.policy_pk LEFT JOIN templates t ON t.pk = s.template_pk
LEFT JOIN strategy_tiers st ON st.strategy_pk = s.pk"""


def _details(session: Session, policy: int, pks: list[int]) -> Iterator[LeaderboardRow]:
    found = {
        row[0]: row
        for row in session.among(_DETAILS, "sc.backtest_pk", pks, also="sc.policy_pk = ?", params=(policy,))
    }
    metrics = metric_values(session, pks)
    for pk in pks:
        yield _row(found[pk], metrics[pk])


def _row(row: Row, metrics: Any) -> LeaderboardRow:
    return LeaderboardRow(
        BacktestId(v.uuid_text(row[1])), StrategyId(row[2].hex()), EngineMode(row[3]), row[4],
        DataVersion(row[5].hex()), row[6].hex(), date.fromisoformat(row[7]), date.fromisoformat(row[8]),
        row[9],
        row[10], Tier(row[11]), row[12], bool(row[13]), v.names_from_json(row[14]), row[15], metrics,
    )  # fmt: skip
