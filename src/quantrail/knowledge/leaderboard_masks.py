"""Which backtests can be meant, by key: masks out of sealed blocks, and out of the rows of one index.

A mask may name too many, never too few; who asks tests those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.enums import Tier
from quantrail.knowledge.beside_blocks import ALSO, sealed_beside, sealed_in
from quantrail.knowledge.blocks import Blocks, Pks, sealed_blocks, unsealed
from quantrail.knowledge.leaderboard_conditions import Clause, bounded, metric_bounds, row_of
from quantrail.knowledge.leaderboard_walks import Search, met_again, of_tier
from quantrail.knowledge.metric_blocks import METRICS, Bounds, sealed_meeting
from quantrail.knowledge.schema import BLOCK, METRIC_COLUMNS
from quantrail.knowledge.score_blocks import Wanted, scored
from quantrail.knowledge.session import Session

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
_SOON = 20_000  # so many keys are read from an index before anything is tested


def named(search: Search) -> Mask | None:
    """Who can meet bounds and market, and stands on a tier that has few; None if nothing tells."""
    found = [*_bounded(search), *_of_market(search), *_of_tier(search, _SOON)]
    return reduce(and_, found) if found else None


def standing(search: Search) -> Mask | None:
    """Who can stand on the tier or belong to the run: as many rows of an index as there are such."""
    found = [*_of_tier(search, None), *_of_run(search)]
    return reduce(and_, found) if found else None


def keys_of(session: Session) -> int:
    """More than any backtest key that has metrics."""
    (last,) = session.rows("SELECT max(backtest_pk) FROM metrics")[0]
    sealed = sealed_blocks(session, METRICS)
    return max(0 if last is None else last + 1, sealed[-1] + BLOCK if sealed else 0)


def unsealed_rows(
    session: Session, blocks: Blocks, sql: str, also: Sequence[Clause], width: int
) -> Iterator[Values]:
    """What no sealed block covers, as one table for each range of keys; ``sql`` ends before its WHERE."""
    for first, past in unsealed(session, blocks):
        limits = [Clause("m.backtest_pk >= ?", (first,))]
        limits += [] if past is None else [Clause("m.backtest_pk < ?", (past,))]
        clauses = [*limits, *also]
        yield session.floats(
            f"{sql} WHERE {' AND '.join(one.sql for one in clauses)}",
            [param for one in clauses for param in one.params],
            width,
        )


def _bounded(search: Search) -> Iterator[Mask]:
    asked = {name: both for name, both in search.where.metrics.items() if bounded(both)}
    columns = {name: both for name, both in asked.items() if name in METRIC_COLUMNS}
    others = {name: both for name, both in asked.items() if name not in METRIC_COLUMNS}
    if columns:
        yield _meeting(search, METRICS, sealed_meeting(search.session, columns), columns)
    if others:
        yield _meeting(search, ALSO, sealed_beside(search.session, others), others)


def _meeting(
    search: Search, blocks: Blocks, sealed: Iterator[tuple[int, Mask]], bounds: Mapping[str, Bounds]
) -> Mask:
    session = search.session
    limits = [one for name, both in bounds.items() for one in metric_bounds(session, name, both)]
    rows = unsealed_rows(session, blocks, "SELECT m.backtest_pk FROM metrics m", limits, 1)
    return _mask(session, sealed, (table[:, 0] for table in rows))


def _of_market(search: Search) -> Iterator[Mask]:
    session, market = search.session, search.where.market
    if market is None:
        return
    rows = session.rows(
        "SELECT c.pk, u.market = ? FROM contexts c JOIN universes u ON u.pk = c.universe_pk", [market]
    )
    if not any(meant for _, meant in rows):
        yield np.zeros(keys_of(session), dtype=bool)
        return
    if all(meant for _, meant in rows):
        return
    contexts = np.zeros(1 + max(pk for pk, _ in rows), dtype=bool)
    contexts[[pk for pk, meant in rows if meant]] = True
    tables = unsealed_rows(
        session,
        ALSO,
        "SELECT m.backtest_pk, b.context_pk FROM metrics m JOIN backtests b ON b.pk = m.backtest_pk",
        (),
        2,
    )
    meant = (table[contexts[table[:, 1].astype(np.int64)], 0] for table in tables)
    yield _mask(session, sealed_in(session, contexts), meant)


def _mask(session: Session, sealed: Iterator[tuple[int, Mask]], rows: Iterator[Values]) -> Mask:
    found = np.zeros(keys_of(session), dtype=bool)
    for first, mask in sealed:
        found[first : first + BLOCK] = mask[: len(found) - first]
    for pks in rows:
        found[pks.astype(np.int64)] = True
    return found


def _of_tier(search: Search, most: int | None) -> Iterator[Mask]:
    """Without one if there are more than ``most``."""
    tier = search.where.tier
    if tier is None or (tier is Tier.T0 and most is not None):
        return
    tiers = [one for one in Tier if one is not Tier.T0] if tier is Tier.T0 else [tier]
    found = np.zeros(keys_of(search.session), dtype=bool)
    for one in tiers:
        keys = _keys(search.session, of_tier(search, one), most)
        if most is not None and len(keys) > most:
            return
        found[keys[keys < len(found)]] = True
    yield ~found if tier is Tier.T0 else found


def _of_run(search: Search) -> Iterator[Mask]:
    session, run_id = search.session, search.where.run_id
    if run_id is None or search.run is not None:
        return
    found = np.zeros(keys_of(session), dtype=bool)
    own = (pks for pks, _ in scored(session, Wanted(search.policy, run=row_of(session, run_id))))
    for pks in (*own, _keys(session, met_again(session, run_id))):
        found[pks[pks < len(found)]] = True
    yield found


def _keys(session: Session, rows: Clause, most: int | None = None) -> Pks:
    """The keys that SQL gives as ``pk``, and one more than ``most`` if they are more. As one text, which
    takes half as long as row by row."""
    together = "group_concat(pk)" if session.dialect == "sqlite" else "string_agg(pk::text, ',')"
    limit = "" if most is None else f" LIMIT {most + 1}"
    ((text,),) = session.rows(f"SELECT {together} FROM ({rows.sql}{limit}) AS found", rows.params)
    return np.fromstring(text or "", dtype=np.int64, sep=",")
