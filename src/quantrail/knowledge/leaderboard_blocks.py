"""Whole leaderboards out of sealed blocks: every backtest that can be meant, in the order asked for.

Bounds are met a little too widely by rounded metrics, and some conditions are not tested here at all, so
who asks tests the few that are shown. The order is exact: scores, and metrics that order, are not rounded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quantrail.domain.answers import LeaderboardOrder
from quantrail.knowledge.blocks import Pks
from quantrail.knowledge.leaderboard_conditions import Clause, Place, template_of
from quantrail.knowledge.leaderboard_masks import Mask, Values, keys_of, unsealed_rows
from quantrail.knowledge.leaderboard_walks import Search
from quantrail.knowledge.metric_blocks import METRICS, sealed_values
from quantrail.knowledge.schema import BLOCK
from quantrail.knowledge.score_blocks import Wanted, scored
from quantrail.knowledge.session import Session

HEAD = 4_096  # so many are sorted at first


def first_size(search: Search) -> int:
    return max(HEAD, 2 * search.count)


def in_order(search: Search, among: Mask | None) -> Iterator[Pks]:
    """Stretches of ascending length that together hold each backtest that can be meant, best first;
    ``among`` says by key which may be, None for all."""
    wanted, keys = _wanted(search), keys_of(search.session)
    by = None if search.order is LeaderboardOrder.SCORE else _ordering(search.session, search.order.value)
    size, step, after = first_size(search), max(64, search.count), search.after
    while True:
        best = _Best(size, after)
        for pks, scores in scored(search.session, wanted):
            kept = pks < keys  # a block may name what plain SQL has deleted
            if among is not None:
                kept[kept] = among[pks[kept]]
            best.add(pks[kept], scores[kept] if by is None else by[pks[kept]])
        pks, values = best.sorted()
        at = 0
        while at < len(pks):
            yield pks[at : at + step]
            at, step = at + step, min(2 * step, max(HEAD, search.count))
        if len(pks) < size:
            return
        # Found anew from there on: to test so many has taken longer than this will.
        after, size = (float(values[-1]), int(pks[-1])), 4 * size


class _Best:
    """Of many places, the ``size`` best after one; never holds many more."""

    def __init__(self, size: int, after: Place | None) -> None:
        value, self._pk = (np.inf, -1) if after is None else after
        self._value = -np.inf if value is None else value
        self._size = size
        self._edge = -np.inf  # none below is among the best
        self._held: list[tuple[Pks, Values]] = []
        self._count = 0

    def add(self, pks: Pks, values: Values) -> None:
        kept = (values < self._value) | ((values == self._value) & (pks > self._pk))
        kept &= values >= self._edge
        self._held.append((pks[kept], values[kept]))
        self._count += int(np.count_nonzero(kept))
        if self._count > 4 * self._size:
            self._trim()

    def sorted(self) -> tuple[Pks, Values]:
        pks, values = self._trim()
        order = np.lexsort((pks, -values))
        return pks[order], values[order]

    def _trim(self) -> tuple[Pks, Values]:
        pks = np.concatenate([np.empty(0, np.int64), *(pks for pks, _ in self._held)])
        values = np.concatenate([np.empty(0), *(values for _, values in self._held)])
        if len(pks) > self._size:
            at = len(values) - self._size
            self._edge = float(np.partition(values, at)[at])
            better, tied = np.flatnonzero(values > self._edge), np.flatnonzero(values == self._edge)
            missing = self._size - len(better)  # of those that tie, the first stored come first
            head = np.concatenate([better, tied[np.argpartition(pks[tied], missing - 1)[:missing]]])
            pks, values = pks[head], values[head]
        self._held, self._count = [(pks, values)], len(pks)
        return pks, values


def _wanted(search: Search) -> Wanted:
    session, where = search.session, search.where
    return Wanted(
        search.policy,
        where.engine_mode,
        where.passed,
        search.run,
        None if where.template_id is None else template_of(session, where.template_id),
    )


def _ordering(session: Session, name: str) -> Values:
    """By backtest key: the metric, -inf where it is undefined."""
    found = np.full(keys_of(session), -np.inf)
    for first, values in sealed_values(session, name).items():
        np.copyto(found[first : first + BLOCK], values, where=~np.isnan(values))
    defined = Clause(f"m.{name} IS NOT NULL")
    select = f"SELECT m.backtest_pk, m.{name} FROM metrics m"
    for table in unsealed_rows(session, METRICS, select, [defined], 2):
        found[table[:, 0].astype(np.int64)] = table[:, 1]
    return found
