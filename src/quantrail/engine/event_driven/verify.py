"""Engine B: one strategy, bar by bar, with orders, fills, decisions and their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import Metrics, compute_metrics
from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.ids import ResultHash
from quantrail.domain.market import Bars, Period
from quantrail.domain.results import ExitReason, SimulationResult, TradeTable, hash_result
from quantrail.engine.benchmark import benchmark_returns
from quantrail.engine.corporate_actions import CorporateActions
from quantrail.engine.event_driven.broker import Broker
from quantrail.engine.event_driven.calm import Calm
from quantrail.engine.event_driven.decisions import Decider, Guard
from quantrail.engine.event_driven.ledger import TRADE_FIELDS, Ledger
from quantrail.engine.event_driven.liquidity import mean_volume_before, read_liquidity
from quantrail.engine.event_driven.logs import Column, arrow_table
from quantrail.engine.event_driven.market_broker import MarketBroker
from quantrail.engine.event_driven.order_broker import OrderBroker
from quantrail.engine.event_driven.policy import Policy, build_policy
from quantrail.engine.event_driven.tape import Tape, read_tape
from quantrail.engine.models import ACTIONS, Models, build_models
from quantrail.engine.order_rules import ADV_BARS
from quantrail.engine.signals.clauses import Clause
from quantrail.errors import DataInvalid, Unsupported
from quantrail.strategy import NormalSpec

_SERIES = (
    "equity", "cash", "gross_exposure", "net_exposure", "traded_value", "fees", "spread", "slippage",
    "borrow", "dividends",
)  # fmt: skip
_WHOLE = ("symbol", "side", "entry_bar", "exit_bar", "exit_reason", "bars_held")


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What engine B found, with the logs behind it.

    Logs are columns by name. Bars count from the first of the period, symbols are rows of the bars.
    ``decisions``: one row per decision at a close; ``orders``: the fate of each order; ``fills``: one
    row per fill. ``clauses``: each comparison of the spec with its truth at every symbol and bar.
    """

    result: SimulationResult
    metrics: Metrics
    decisions: dict[str, Column]
    orders: dict[str, Column]
    fills: dict[str, Column]
    clauses: tuple[Clause, ...]

    @property
    def trades(self) -> dict[str, Column]:
        """The round trips as columns."""
        return dict(self.result.trades.columns())

    def tables(self) -> dict[str, Any]:
        """Every log as a pyarrow table, for Parquet: decisions, orders, fills, trades, clauses.

        ``clauses`` has one row per decision and comparison: bar, symbol, clause, held, missing.
        """
        logs = {
            "decisions": self.decisions,
            "orders": self.orders,
            "fills": self.fills,
            "trades": self.trades,
        }
        tables = {name: arrow_table(columns) for name, columns in logs.items()}
        tables["clauses"] = arrow_table(self._clause_columns())
        return tables

    def _clause_columns(self) -> dict[str, Column]:
        bars = self.decisions["bar"].astype(np.int64)
        symbols = self.decisions["symbol"].astype(np.int64)
        times = len(self.clauses)
        texts = np.array([clause.text for clause in self.clauses], dtype=str)
        held = [clause.true[symbols, bars] for clause in self.clauses]
        missing = [clause.missing[symbols, bars] for clause in self.clauses]
        nothing = np.empty((len(bars), 0), np.bool_)
        return {
            "bar": np.repeat(bars, times),
            "symbol": np.repeat(symbols, times),
            "clause": np.tile(texts, len(bars)),
            "held": (np.stack(held, axis=1) if times else nothing).ravel(),
            "missing": (np.stack(missing, axis=1) if times else nothing).ravel(),
        }


def verify(
    bars: Bars,
    spec: NormalSpec,
    period: Period,
    contract: CalcContract,
    models: ModelVersions,
    actions: CorporateActions | None = None,
) -> VerifyResult:
    """Simulate ``spec`` event by event over ``period``.

    Decisions use closes up to T, orders fill from T + 1. With ``portfolio="fractional_v1"`` and
    ``execution="next_open_v2"`` the outcome is engine A's to rounding. ``actions`` are splits and
    dividends of unadjusted bars, for ``execution="market_v1"``. Raises SpecInvalid, NotFound,
    Unsupported, ConfigInvalid or DataInvalid when the strategy cannot run.
    """
    _same_actions(models, actions)
    span = bars.span(period)
    tape = read_tape(bars, spec, span)
    ledger = Ledger(contract.initial_capital)
    parts = build_models(spec, contract, models)
    broker = _broker(bars, spec, span, tape, ledger, parts, actions)
    limits = spec["risk"]["portfolio_risk"]
    capital = contract.initial_capital
    guard = Guard(limits["max_daily_loss_pct"], limits["max_drawdown_pct"], capital, capital)
    if parts.rules is not None:
        guard.maintenance, guard.max_failures = (
            parts.rules.maintenance_margin,
            parts.rules.halt_after_failures,
        )
    elif parts.orders is not None:
        guard.max_failures = parts.orders.halt_after
    decider = Decider(tape, broker, guard)
    series = _run(tape, broker, decider, contract)
    result = _result(bars, span, contract, tape, ledger, series)
    metrics = compute_metrics(result, contract, benchmark_returns(bars, span, contract))
    trades = result.trades.columns()
    result = replace(result, result_hash=hash_result(result.equity, trades, metrics.values))
    return VerifyResult(
        result, metrics, decider.log.columns(), broker.log.columns(), ledger.fills.columns(), tape.clauses
    )


def _same_actions(models: ModelVersions, actions: CorporateActions | None) -> None:
    wanted = dict(models.settings).get(ACTIONS)
    if wanted is not None and (actions is None or actions.hash != wanted):
        given = "none" if actions is None else actions.hash[:12]
        raise DataInvalid(
            f"splits and dividends are not those of the models: {given}, not {str(wanted)[:12]}"
        )


def _broker(
    bars: Bars,
    spec: NormalSpec,
    span: slice,
    tape: Tape,
    ledger: Ledger,
    parts: Models,
    actions: CorporateActions | None,
) -> Broker:
    policy, risk = build_policy(spec, tape.n_members), spec["risk"]["trade_risk"]
    if parts.rules is None:
        if actions is not None:
            raise Unsupported("splits and dividends need the execution model market_v1")
        if parts.orders is not None:
            return _order_broker(bars, span, tape, ledger, parts, policy, risk)
        return Broker(tape, ledger, parts, policy, risk)
    events = CorporateActions() if actions is None else actions
    liquidity = read_liquidity(bars, span, parts.rules, parts.costs.spread, events)
    return MarketBroker(
        tape, ledger, parts, policy, risk, share=parts.rules.max_adv_participation,
        mean_volume=liquidity.mean_volume, rules=parts.rules, liquidity=liquidity,
    )  # fmt: skip


def _order_broker(
    bars: Bars,
    span: slice,
    tape: Tape,
    ledger: Ledger,
    parts: Models,
    policy: Policy,
    risk: Mapping[str, Any],
) -> OrderBroker:
    rules = parts.orders
    assert rules is not None
    volume = mean_volume_before(bars, ADV_BARS)[:, span].T.tolist() if rules.share else None
    return OrderBroker(tape, ledger, parts, policy, risk, share=rules.share, mean_volume=volume, rules=rules)


def _run(tape: Tape, broker: Broker, decider: Decider, contract: CalcContract) -> NDArray[np.float64]:
    n, t = len(tape.opens), 0
    series, calm = np.empty((len(_SERIES), n)), Calm(tape, broker, decider, contract)
    rows, bars = [], []
    while t < n:
        stop = calm.until(t)
        if stop > t and (reached := calm.mark(t, stop, series)) > t:
            t = reached
            continue
        if broker.busy():
            broker.at_open(t)
            broker.inside_bar(t)
        rows.append(_mark(tape, broker.ledger, t, contract))
        bars.append(t)
        if t < n - 1:
            decider.at_close(t, rows[-1][0])
        t += 1
    if rows:
        series[:, bars] = np.array(rows).T
    broker.end(n - 1)
    for symbol, position in sorted(broker.ledger.positions.items()):
        broker.look_back(position, n)
        broker.ledger.close(position, n - 1, ExitReason.OPEN, tape.marks[symbol, n - 1].item())
    return series


def _mark(tape: Tape, ledger: Ledger, t: int, contract: CalcContract) -> tuple[float, ...]:
    longs = shorts = 0.0
    if not ledger.positions:
        return (ledger.cash, ledger.cash, 0.0, 0.0, *ledger.sums())
    closes = tape.closes[t]
    for symbol, position in sorted(ledger.positions.items()):
        value = position.quantity * closes[symbol]
        if position.side > 0:
            longs += value
        else:
            shorts += value
    fee = shorts * (contract.borrow_rate_annual / contract.annualization_factor)
    ledger.cash -= fee
    ledger.borrow += fee
    equity = ledger.cash + longs - shorts
    gross, net = ((longs + shorts) / equity, (longs - shorts) / equity) if equity > 0.0 else (0.0, 0.0)
    return (equity, ledger.cash, gross, net, *ledger.sums())


def _result(
    bars: Bars, span: slice, contract: CalcContract, tape: Tape, ledger: Ledger, series: NDArray[np.float64]
) -> SimulationResult:
    # Running sums become the amount of each bar.
    series[4:] = np.diff(series[4:], axis=1, prepend=0.0)
    columns: dict[str, Any] = {
        name: np.ascontiguousarray(row) for name, row in zip(_SERIES, series, strict=True)
    }
    return SimulationResult(
        symbols=bars.symbols,
        sessions=bars.sessions[span],
        initial_capital=contract.initial_capital,
        trades=trade_table(ledger),
        blocked_bars=tape.blocked_total,
        entry_signals=tape.entry_signals,
        result_hash=ResultHash(""),
        **columns,
    )


def trade_table(ledger: Ledger) -> TradeTable:
    """The ledger's round trips as columns."""
    columns = ledger.trades.columns()
    typed: dict[str, Any] = {
        name: columns[name].astype(np.int64 if name in _WHOLE else np.float64) for name in TRADE_FIELDS
    }
    return TradeTable(**typed)
