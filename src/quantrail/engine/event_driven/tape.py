"""Everything engine B reads bar by bar, as plain lists: prices, decisions, sizing inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.engine.event_driven.bitrows import bit_rows
from quantrail.engine.plan import REBALANCES, atr_periods, needs_volatility, universe_rows
from quantrail.engine.signals.calendar import rebalance_bars
from quantrail.engine.signals.clauses import Clause, Flags, judge, universe_mask
from quantrail.engine.signals.conditions import Scope
from quantrail.engine.signals.features import FeatureStore
from quantrail.engine.signals.tradable import tradable
from quantrail.errors import SpecInvalid
from quantrail.strategy import NormalSpec

Floats = NDArray[np.float64]
Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class SideTape:
    """Entries and exits of one side per bar, one bit per symbol."""

    entries: list[int]
    exits: list[int]
    cooldown: int
    max_holding: int | None


@dataclass(frozen=True)
class Tape:
    """Lists over the period; index [t][s], t = 0 the first bar. NaN marks a missing bar.

    Flags are one integer per bar, one bit per symbol. Arrays are (S, T) over the period.
    """

    opens: Rows
    high: Floats
    low: Floats
    marks: Floats  # closes, the last known one where the bar is missing
    present: list[int]
    members: list[int] | None
    places: Rows | None
    volatility: Rows | None
    atrs: dict[int, Rows]
    rebalance: list[bool]
    sides: dict[int, SideTape]
    blocked: list[int]
    blocked_total: int
    entry_signals: int
    clauses: tuple[Clause, ...]
    n_members: int

    @cached_property
    def highs(self) -> Rows:
        rows: Rows = self.high.T.tolist()
        return rows

    @cached_property
    def lows(self) -> Rows:
        rows: Rows = self.low.T.tolist()
        return rows

    @cached_property
    def closes(self) -> Rows:
        """The last known close where the bar is missing."""
        rows: Rows = self.marks.T.tolist()
        return rows

    @cached_property
    def nothing(self) -> list[bool]:
        """False for every bar."""
        return [False] * len(self.opens)


def read_tape(bars: Bars, spec: NormalSpec, span: slice) -> Tape:
    """Evaluate ``spec`` over ``bars`` and cut out the period.

    SpecInvalid when nan_policy is ERROR and a condition touches missing data in the period.
    """
    features = FeatureStore(bars)
    members = universe_rows(bars, spec)
    modules = spec["modules"]
    scope = Scope(spec["features"], members, modules["regime"], spec["nan_policy"])
    places, member = _selection(spec, scope, features)
    allowed = universe_mask(bars, members)
    can_enter = allowed if member is None else allowed & member
    blocked = np.zeros_like(allowed)
    raw: dict[int, tuple[Flags, Flags]] = {}
    clauses: list[Clause] = []
    for sign, name in ((1, "long"), (-1, "short")):
        side: Any = modules.get(name)
        if side is None:
            continue
        entry, leave = judge(side["entry"], scope, features), judge(side["exit"], scope, features)
        blocked |= entry.blocked if spec["nan_policy"] != "ERROR" else entry.blocked | leave.blocked
        exit_now = leave.true & ~leave.blocked
        raw[sign] = (entry.true & ~entry.blocked & ~exit_now, exit_now)
        clauses += [*_titled(entry.clauses, f"{name} entry"), *_titled(leave.clauses, f"{name} exit")]
    wanted = np.logical_or.reduce([entry for entry, _ in raw.values()])
    limits = tradable(spec, features, members)
    if limits is not None:
        blocked |= wanted & ~limits[1]
        can_enter = can_enter & limits[0]
    ready = _sizing_inputs(spec, features)
    if ready is not None:
        blocked |= wanted & ~ready
        can_enter = can_enter & ready
    entries = {sign: entry & can_enter for sign, (entry, _) in raw.items()}
    if len(entries) == 2:
        both = entries[1] & entries[-1]
        entries = {sign: entry & ~both for sign, entry in entries.items()}
    blocked &= allowed
    _refuse_blocked(spec, blocked[:, span], bars.sessions[span])
    sides = {
        sign: SideTape(
            bit_rows(entries[sign][:, span]),
            bit_rows(raw[sign][1][:, span]),
            int(modules["long" if sign > 0 else "short"]["cooldown_bars"]),  # type: ignore[index]
            modules["long" if sign > 0 else "short"]["max_holding_bars"],  # type: ignore[index]
        )
        for sign in entries
    }
    sized = needs_volatility(spec)
    return Tape(
        opens=_rows(bars.open, span),
        high=bars.high[:, span],
        low=bars.low[:, span],
        marks=carried(bars.close)[:, span],
        present=bit_rows(allowed[:, span]),
        members=None if member is None else bit_rows(member[:, span]),
        places=None if places is None else _rows(places, span),
        volatility=_rows(features.sizing_volatility(), span) if sized else None,
        atrs={period: _rows(features.atr(period), span) for period in atr_periods(spec)},
        rebalance=rebalance_bars(bars.sessions)[REBALANCES.index(spec["execution"]["rebalance"])][
            span
        ].tolist(),
        sides=sides,
        blocked=bit_rows(blocked[:, span]),
        blocked_total=int(blocked[:, span].sum()),
        entry_signals=int(sum(entry[:, span].sum() for entry in entries.values())),
        clauses=tuple(clause.within(span) for clause in clauses),
        n_members=len(members),
    )


def _selection(spec: NormalSpec, scope: Scope, features: FeatureStore) -> tuple[Any, Flags | None]:
    selection = spec["modules"]["selection"]
    if selection is None:
        return None, None
    values = features.value(selection["feature"], scope.features, scope.members)
    n_symbols, n_bars = values.shape
    places = np.full((n_symbols, n_bars), n_symbols)
    sign = -1.0 if selection["order"] == "desc" else 1.0
    rows = scope.members.tolist()
    for t, column in enumerate(values[rows].T.tolist()):
        known = [(sign * value, s) for s, value in zip(rows, column, strict=True) if not isnan(value)]
        for place, (_, s) in enumerate(sorted(known)):
            places[s, t] = place
    member = places < int(selection["top_n"])
    # Symbols without a value come last, however few the others are.
    known_mask = np.zeros_like(member)
    known_mask[scope.members] = ~np.isnan(values[scope.members])
    member &= known_mask
    schedule = REBALANCES.index(spec["execution"]["rebalance"])
    if schedule:
        flags = rebalance_bars(features.bars.sessions)[schedule]
        for t in range(1, n_bars):
            if not flags[t]:
                member[:, t] = member[:, t - 1]
    return places, member


def _sizing_inputs(spec: NormalSpec, features: FeatureStore) -> Flags | None:
    inputs = [features.atr(period) for period in atr_periods(spec)]
    if needs_volatility(spec):
        inputs.append(features.sizing_volatility())
    return np.logical_and.reduce([values > 0.0 for values in inputs]) if inputs else None


def _refuse_blocked(spec: NormalSpec, blocked: Flags, sessions: NDArray[np.datetime64]) -> None:
    if spec["nan_policy"] == "ERROR" and blocked.any():
        day = sessions[int(np.argmax(blocked.any(axis=0)))]
        raise SpecInvalid(
            f"a condition touches missing data on {day} and nan_policy is ERROR", session=str(day)
        )


def _titled(clauses: tuple[Clause, ...], title: str) -> list[Clause]:
    return [clause.titled(title) for clause in clauses]


def _rows(values: NDArray[Any], span: slice) -> Rows:
    rows: Rows = values[:, span].T.tolist()
    return rows


def carried(close: NDArray[np.float64]) -> NDArray[np.float64]:
    """Closes (S, T) with the last known one in place of a missing bar."""
    columns = np.where(np.isnan(close), 0, np.arange(close.shape[1]))
    return np.take_along_axis(close, np.maximum.accumulate(columns, axis=1), axis=1)
