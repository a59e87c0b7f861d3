"""Stretches of bars on which engine B has nothing to do but mark what it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.contract import CalcContract
from quantrail.engine.event_driven.broker import Broker
from quantrail.engine.event_driven.decisions import Decider
from quantrail.engine.event_driven.tape import SideTape, Tape

Floats = NDArray[np.float64]
# Below this length whole-array work costs more than going bar by bar.
_WORTH_IT = 6


@dataclass(slots=True)
class Calm:
    """Finds such stretches and marks them with whole arrays, in the order of the bar loop: to the bit."""

    tape: Tape
    broker: Broker
    decider: Decider
    contract: CalcContract
    wants: list[int] = field(init=False)  # symbols that would do something while flat
    leaves: dict[int, list[int]] = field(init=False)  # and while held, by side

    def __post_init__(self) -> None:
        tape, sides = self.tape, self.tape.sides.values()
        self.wants = list(tape.blocked)
        for side in sides:
            self.wants = [a | b for a, b in zip(self.wants, side.entries, strict=True)]
        self.leaves = {sign: self._leaves(side) for sign, side in tape.sides.items()}

    def _leaves(self, side: SideTape) -> list[int]:
        tape = self.tape
        if tape.members is None:
            return [leave & here for leave, here in zip(side.exits, tape.present, strict=True)]
        rows = zip(side.exits, tape.members, tape.present, strict=True)
        return [(leave | ~member) & here for leave, member, here in rows]

    def until(self, t: int) -> int:
        """First bar from ``t`` on that may need the bar loop; ``t`` when the stretch is not worth it."""
        stop = self._quiet_until(t)
        return stop if stop - t >= _WORTH_IT else t

    def _quiet_until(self, t: int) -> int:
        book, guard, n = self.broker.ledger, self.decider.guard, len(self.tape.opens)
        if not self.broker.is_calm() or (book.positions and guard.watches()):
            return t
        if guard.tripped:
            return t if book.positions else n
        stop, last = t, self._last_before_a_time_stop(n)
        free, longs, shorts = ~(book.longs | book.shorts), book.longs, book.shorts
        wants, rebalance = self.wants, self.tape.rebalance if book.positions else self.tape.nothing
        leave_long, leave_short = self.leaves.get(1, wants), self.leaves.get(-1, wants)
        while stop < last and not (
            wants[stop] & free or leave_long[stop] & longs or leave_short[stop] & shorts or rebalance[stop]
        ):
            stop += 1
        # Nothing is decided at the last close.
        return n if stop == n - 1 else stop

    def _last_before_a_time_stop(self, n: int) -> int:
        limits = {sign: side.max_holding for sign, side in self.tape.sides.items()}
        due = [
            p.entry_bar + limit - 1
            for p in self.broker.ledger.positions.values()
            if (limit := limits[p.side])
        ]
        return min([n - 1, *due])

    def mark(self, t: int, stop: int, series: Floats) -> int:
        """Write the marks from ``t`` up to ``stop``; returns how far it came, as ruin ends a stretch."""
        book, closes = self.broker.ledger, self.tape.marks
        longs, shorts = np.zeros(stop - t), np.zeros(stop - t)
        for symbol, position in sorted(book.positions.items()):
            side = longs if position.side > 0 else shorts
            side += position.quantity * closes[symbol, t:stop]
        fees = shorts * (self.contract.borrow_rate_annual / self.contract.annualization_factor)
        cash = np.subtract.accumulate(np.concatenate(([book.cash], fees)))[1:]
        borrow = np.add.accumulate(np.concatenate(([book.borrow], fees)))[1:]
        equity = cash + longs - shorts
        ruined = equity <= 0.0
        length = int(np.argmax(ruined)) if book.positions and ruined.any() else stop - t
        if length == 0:
            return t
        part = slice(t, t + length)
        series[0, part], series[1, part] = equity[:length], cash[:length]
        series[2, part] = ((longs + shorts) / equity)[:length]
        series[3, part] = ((longs - shorts) / equity)[:length]
        series[4:, part] = np.array(book.sums())[:, None]
        series[8, part] = borrow[:length]
        book.cash, book.borrow = float(cash[length - 1]), float(borrow[length - 1])
        return t + length
