"""Signals of a batch of strategies: every distinct feature and comparison computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import Bars, Period
from quantrail.engine.plan import REBALANCES, atr_periods, needs_volatility, universe_rows
from quantrail.engine.signals.conditions import Conditions, Scope, Truth, Words, pack
from quantrail.engine.signals.features import FeatureStore
from quantrail.engine.signals.market import market_of
from quantrail.engine.signals.selection import membership, places
from quantrail.engine.signals.tradable import tradable
from quantrail.errors import InvalidInput, QuantrailError
from quantrail.strategy import NormalSpec


@dataclass(frozen=True, slots=True)
class Signals:
    """One strategy's decisions as words (W, T), None where there is no such side or rule.

    Entries already exclude bars on which the exit is true, both sides want in, the symbol is no
    member, or the sizing lacks its inputs. ``blocked``: an entry decision touched missing data.
    """

    entry_long: Words | None
    exit_long: Words | None
    entry_short: Words | None
    exit_short: Words | None
    member: Words | None
    blocked: Words
    rank: Any  # key of the batch's ranks, None for symbol order
    n_members: int

    def words(self) -> tuple[Words | None, ...]:
        """Entries, exits and members in the order of the simulation's plan."""
        return (self.entry_long, self.exit_long, self.entry_short, self.exit_short, self.member)


@dataclass(slots=True)
class SignalBatch:
    """What :func:`prepare` hands to :func:`~quantrail.engine.screen`.

    ``errors[i]`` is None or why strategy i cannot run; such a strategy has no signals.
    """

    bars: Bars
    specs: Sequence[NormalSpec]
    errors: list[QuantrailError | None]
    signals: list[Signals | None]
    maker: SignalMaker = field(repr=False)
    comparisons: int

    @property
    def features(self) -> FeatureStore:
        """Feature values by content name."""
        return self.maker.features

    @property
    def present(self) -> Words:
        """Which symbols have a bar."""
        return self.maker.present

    @property
    def ranks(self) -> dict[Any, NDArray[np.int16]]:
        """Places of the symbols by each ranking in use, (T, S)."""
        return self.maker.ranks

    @property
    def market(self) -> Any:
        """Time-major copies of the bars, made once."""
        return self.maker.market()

    def __len__(self) -> int:
        return len(self.specs)

    def entry_counts(self, period: Period) -> NDArray[np.int64]:
        """Entry signals per strategy in ``period``, both sides, shape (N,); 0 for a strategy in error."""
        span = self.bars.span(period)
        counts = np.zeros(len(self.specs), np.int64)
        for i, signal in enumerate(self.signals):
            if signal is not None:
                sides = (signal.entry_long, signal.entry_short)
                counts[i] = sum(_popcount(side[:, span]) for side in sides if side is not None)
        return counts

    def entry_onsets(self, period: Period) -> NDArray[np.int64]:
        """How often an entry signal begins in ``period``, all symbols, shape (N,); 0 in error.

        A signal that stays true counts once; one that is true on the first bar begins there.
        """
        span = self.bars.span(period)
        counts = np.zeros(len(self.specs), np.int64)
        for i, signal in enumerate(self.signals):
            if signal is not None:
                sides = (signal.entry_long, signal.entry_short)
                counts[i] = sum(_popcount(_onsets(side[:, span])) for side in sides if side is not None)
        return counts

    def blocked_counts(self, period: Period) -> NDArray[np.int64]:
        """Symbol-bars in ``period`` whose entry decision touched missing data, shape (N,)."""
        span = self.bars.span(period)
        blocked = [0 if s is None else _popcount(s.blocked[:, span]) for s in self.signals]
        return np.array(blocked, np.int64)


def prepare(
    bars: Bars,
    specs: Sequence[NormalSpec],
    *,
    feature_bytes: int = 512 * 1024 * 1024,
    maker: SignalMaker | None = None,
) -> SignalBatch:
    """Evaluate the conditions of ``specs`` over ``bars``; a strategy that cannot run becomes an error.

    Feature arrays beyond ``feature_bytes`` are dropped, least recently used first. With the same
    ``maker`` batches after one another share features and comparisons; the signals are the same without.
    """
    maker = SignalMaker(bars, feature_bytes) if maker is None else maker.over(bars)
    before = maker.conditions.comparisons
    errors: list[QuantrailError | None] = []
    signals: list[Signals | None] = []
    for spec in specs:
        try:
            signals.append(maker.make(spec))
            errors.append(None)
        except QuantrailError as error:
            signals.append(None)
            errors.append(error)
    comparisons = maker.conditions.comparisons - before
    return SignalBatch(bars, specs, errors, signals, maker, comparisons)


class SignalMaker:
    """Signals over one set of bars, with every feature and comparison kept for the next strategy."""

    def __init__(self, bars: Bars, feature_bytes: int = 512 * 1024 * 1024) -> None:
        self._bars = bars
        self.features = FeatureStore(bars, feature_bytes)
        self.conditions = Conditions(bars, self.features)
        self._market: Any = None
        self.present = pack(~np.isnan(bars.close))
        self.ranks: dict[Any, NDArray[np.int16]] = {}
        self._members: dict[Any, Words] = {}
        self._ready: dict[Any, Words] = {}
        self._allowed: dict[bytes, Words] = {}
        self._limits: dict[Any, tuple[Words, Words] | None] = {}

    def over(self, bars: Bars) -> SignalMaker:
        """This maker, with room for another batch. InvalidInput if it was made for other bars."""
        if bars is not self._bars:
            raise InvalidInput("a signal maker serves the bars it was made for; make another for other bars")
        self.conditions.trim()
        return self

    def market(self) -> Any:
        """Time-major copies of the bars, made once."""
        if self._market is None:
            self._market = market_of(self._bars)
        return self._market

    def make(self, spec: NormalSpec) -> Signals:
        members = universe_rows(self._bars, spec)
        modules = spec["modules"]
        scope = Scope(spec["features"], members, modules["regime"], spec["nan_policy"])
        allowed = self._allowed_bars(members)
        blocked = np.zeros_like(allowed)
        member, rank = self._selection(spec, scope)
        sides: list[tuple[Words, Words] | None] = []
        for name in ("long", "short"):
            side: Any = modules.get(name)
            if side is None:
                sides.append(None)
                continue
            entry = self.conditions.evaluate(side["entry"], scope)
            leave = self.conditions.evaluate(side["exit"], scope)
            if entry.blocked is not None:
                blocked |= entry.blocked
            if leave.blocked is not None and spec["nan_policy"] == "ERROR":
                blocked |= leave.blocked
            sides.append((_unblocked(entry), _unblocked(leave)))
        limits = self._universe_limits(spec, members)
        if limits is not None:
            blocked |= self._wanted(sides) & ~limits[1]
            allowed = allowed & limits[0]
        ready = self._inputs_ready(spec)
        if ready is not None:
            blocked |= self._wanted(sides) & ~ready
            allowed = allowed & ready
        if member is not None:
            allowed = allowed & member
        return _assemble(sides, allowed, member, blocked & self._allowed_bars(members), rank, len(members))

    def _universe_limits(self, spec: NormalSpec, members: NDArray[np.int64]) -> tuple[Words, Words] | None:
        universe = spec["universe"]
        key = (str(universe.get("tradable_filter")), str(universe.get("ranking")), members.tobytes())
        if key not in self._limits:
            found = tradable(spec, self.features, members)
            self._limits[key] = None if found is None else (pack(found[0]), pack(found[1]))
        return self._limits[key]

    @staticmethod
    def _wanted(sides: Sequence[tuple[Words, Words] | None]) -> Words:
        wanted: Words = np.bitwise_or.reduce([side[0] & ~side[1] for side in sides if side is not None])
        return wanted

    def _allowed_bars(self, members: NDArray[np.int64]) -> Words:
        key = members.tobytes()
        found = self._allowed.get(key)
        if found is None:
            row = np.zeros((len(self._bars.symbols), 1), np.bool_)
            row[members] = True
            found = self._allowed[key] = self.present & pack(row)
        return found

    def _selection(self, spec: NormalSpec, scope: Scope) -> tuple[Words | None, Any]:
        selection = spec["modules"]["selection"]
        if selection is None:
            return None, None
        rank = (selection["feature"], selection["order"], scope.members.tobytes())
        if rank not in self.ranks:
            self.ranks[rank] = places(self.features, selection, scope)
        schedule = REBALANCES.index(spec["execution"]["rebalance"])
        key = (*rank, selection["top_n"], schedule)
        if key not in self._members:
            sessions = self._bars.sessions
            self._members[key] = membership(self.ranks[rank], int(selection["top_n"]), schedule, sessions)
        return self._members[key], rank

    def _inputs_ready(self, spec: NormalSpec) -> Words | None:
        # A stop in ATRs or a size by volatility cannot be set while its input is missing.
        kinds: list[Any] = list(atr_periods(spec))
        if needs_volatility(spec):
            kinds.append("volatility")
        ready: Words | None = None
        for kind in kinds:
            if kind not in self._ready:
                by_name = kind == "volatility"
                values = self.features.sizing_volatility() if by_name else self.features.atr(kind)
                # NaN > 0 is False: missing and degenerate inputs alike.
                self._ready[kind] = pack(values > 0.0)
            ready = self._ready[kind] if ready is None else ready & self._ready[kind]
        return ready


def _unblocked(truth: Truth) -> Words:
    return truth.true if truth.blocked is None else truth.true & ~truth.blocked


def _assemble(
    sides: Sequence[tuple[Words, Words] | None],
    allowed: Words,
    member: Words | None,
    blocked: Words,
    rank: Any,
    n_members: int,
) -> Signals:
    entries = [None if side is None else side[0] & ~side[1] & allowed for side in sides]
    exits = [None if side is None else side[1] for side in sides]
    if entries[0] is not None and entries[1] is not None:
        both = entries[0] & entries[1]
        entries = [entries[0] & ~both, entries[1] & ~both]
    return Signals(entries[0], exits[0], entries[1], exits[1], member, blocked, rank, n_members)


def _onsets(words: Words) -> Words:
    before = np.zeros_like(words)
    before[:, 1:] = words[:, :-1]
    return words & ~before


def _popcount(words: Words) -> int:
    return int(np.bitwise_count(words).sum())
