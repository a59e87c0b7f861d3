"""The account of engine B: cash, positions, fills and round trips, one event at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from quantrail.domain.results import ExitReason
from quantrail.engine.event_driven.logs import ColumnLog


@dataclass(frozen=True, slots=True)
class Charge:
    """Costs of one fill in currency, >= 0."""

    fees: float
    spread: float
    slippage: float

    @property
    def total(self) -> float:
        return self.fees + self.spread + self.slippage


@dataclass(slots=True)
class Position:
    """What is held in one symbol. ``side`` +1 long, -1 short; ``quantity`` positive."""

    symbol: int
    side: int
    quantity: float
    entry_bar: int
    entry_price: float
    first_quantity: float
    in_value: float = 0.0
    in_quantity: float = 0.0
    out_value: float = 0.0
    out_quantity: float = 0.0
    costs: float = 0.0
    dividends: float = 0.0
    hard_stop: float | None = None
    trail_gap: tuple[str, float] | None = None
    watermark: float = 0.0
    targets: list[tuple[float, float]] = field(default_factory=list)
    exit_reason: ExitReason | None = None
    exit_from: int = 0  # first bar on which the exit order may fill
    targets_from: int = 0  # first bar whose extremes may count for the targets
    best: float = 0.0
    worst: float = 0.0

    def stop(self) -> tuple[float, ExitReason] | None:
        """The nearer of hard and trailing stop."""
        levels: list[tuple[float, ExitReason]] = []
        if self.hard_stop is not None:
            levels.append((self.hard_stop, ExitReason.HARD_STOP))
        if self.trail_gap is not None:
            kind, size = self.trail_gap
            gap = size * self.watermark if kind == "pct" else size
            levels.append((self.watermark - self.side * gap, ExitReason.TRAILING_STOP))
        # max keeps the first of equals: the hard stop
        return max(levels, key=lambda level: self.side * level[0]) if levels else None

    def split(self, ratio: float) -> None:
        """New shares for old ones: quantities grow, levels fall, values stay."""
        self.quantity *= ratio
        self.first_quantity *= ratio
        self.in_quantity *= ratio
        self.out_quantity *= ratio
        self.entry_price /= ratio
        self.watermark /= ratio
        self.best /= ratio
        self.worst /= ratio
        if self.hard_stop is not None:
            self.hard_stop /= ratio
        if self.trail_gap is not None and self.trail_gap[0] == "atr":
            self.trail_gap = ("atr", self.trail_gap[1] / ratio)
        self.targets = [(level / ratio, fraction) for level, fraction in self.targets]

    def saw(self, low: float, high: float) -> None:
        """Widen the excursions by prices of the bar."""
        up, down = (high, low) if self.side > 0 else (low, high)
        if self.side * (up - self.best) > 0:
            self.best = up
        if self.side * (down - self.worst) < 0:
            self.worst = down


FILL_FIELDS = (
    "bar", "order_id", "symbol", "side", "quantity", "price", "value", "fees", "spread", "slippage",
    "cash_after", "reason",
)  # fmt: skip
TRADE_FIELDS = (
    "symbol", "side", "entry_bar", "exit_bar", "entry_price", "exit_price", "quantity", "entry_value",
    "costs", "pnl_net", "return_net", "exit_reason", "mfe", "mae", "bars_held",
)  # fmt: skip


@dataclass(slots=True)
class Ledger:
    """Cash and positions; every change of either passes through here and is logged."""

    cash: float
    positions: dict[int, Position] = field(default_factory=dict)
    longs: int = 0  # symbols held long and short, one bit each
    shorts: int = 0
    fills: ColumnLog = field(default_factory=lambda: ColumnLog(FILL_FIELDS))
    trades: ColumnLog = field(default_factory=lambda: ColumnLog(TRADE_FIELDS))
    traded: float = 0.0
    fees: float = 0.0
    spread: float = 0.0
    slippage: float = 0.0
    borrow: float = 0.0
    dividends: float = 0.0

    def sums(self) -> tuple[float, ...]:
        """Traded value, fees, spread, slippage, borrow, dividends since the start."""
        return (self.traded, self.fees, self.spread, self.slippage, self.borrow, self.dividends)

    def by_symbol(self) -> list[Position]:
        """Positions in symbol order, safe to close while walking through."""
        if not self.positions:
            return []
        return [self.positions[symbol] for symbol in sorted(self.positions)]

    def hold(self, position: Position) -> None:
        """Take up a position in a symbol that was flat."""
        self.positions[position.symbol] = position
        self._flip(position)

    def _flip(self, position: Position) -> None:
        if position.side > 0:
            self.longs ^= 1 << position.symbol
        else:
            self.shorts ^= 1 << position.symbol

    def buy_in(
        self,
        position: Position,
        quantity: float,
        price: float,
        charge: Charge,
        bar: int,
        order: int,
        why: str,
    ) -> None:
        """Open or enlarge ``position``."""
        position.quantity += quantity
        position.in_value += quantity * price
        position.in_quantity += quantity
        self._move(position, position.side, quantity, price, charge, bar, order, why)

    def let_out(
        self,
        position: Position,
        quantity: float,
        price: float,
        charge: Charge,
        bar: int,
        order: int,
        why: str,
    ) -> None:
        """Reduce ``position``; what is left may be nothing."""
        position.quantity -= quantity
        position.out_value += quantity * price
        position.out_quantity += quantity
        self._move(position, -position.side, quantity, price, charge, bar, order, why)

    def pay_dividend(self, position: Position, cash: float) -> None:
        """Receive ``cash`` (negative: a short pays)."""
        self.cash += cash
        self.dividends += cash
        position.dividends += cash

    def close(self, position: Position, bar: int, reason: ExitReason, mark: float = 0.0) -> None:
        """Log the round trip; an open one is valued at ``mark``."""
        left = position.quantity
        out_value, out_quantity = position.out_value + left * mark, position.out_quantity + left
        entry, leave = position.in_value / position.in_quantity, out_value / out_quantity
        pnl = position.side * (out_value - position.in_value) - position.costs + position.dividends
        # Excursions count from the mean entry price, which a position built in several fills never met.
        position.saw(entry, entry)
        position.saw(leave, leave)
        best, worst = position.best / entry - 1.0, position.worst / entry - 1.0
        self.trades.add(
            position.symbol, position.side, position.entry_bar, bar, entry, leave, position.in_quantity,
            position.in_value, position.costs, pnl, pnl / position.in_value, int(reason),
            position.side * best, position.side * worst, bar - position.entry_bar,
        )  # fmt: skip
        if reason is not ExitReason.OPEN:
            del self.positions[position.symbol]
            self._flip(position)

    def _move(
        self,
        position: Position,
        sign: int,
        quantity: float,
        price: float,
        charge: Charge,
        bar: int,
        order: int,
        why: str,
    ) -> None:
        value = quantity * price
        self.cash -= sign * value + charge.total
        position.costs += charge.total
        self.traded += value
        self.fees += charge.fees
        self.spread += charge.spread
        self.slippage += charge.slippage
        self.fills.add(
            bar, order, position.symbol, sign, quantity, price, value, charge.fees, charge.spread,
            charge.slippage, self.cash, why,
        )  # fmt: skip
