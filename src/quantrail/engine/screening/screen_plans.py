"""Plans of a batch as records the kernels read: strategies that differ only in their signals share one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.domain.contract import CalcContract
from quantrail.engine.order_rules import OrderRules, order_rules
from quantrail.engine.plan import (
    PLAN,
    SIGNAL_FIELDS,
    atr_periods,
    cost_fractions,
    needs_volatility,
    plan_row,
    same_plan,
)
from quantrail.engine.signals.batch import SignalBatch, Signals


class ScreenPlans:
    """What the strategies ``rows`` of ``batch`` ask of the simulation; none of them is in error.

    The strategies of a grid mostly agree in all but their signals, so a row looks to the one before it:
    where their plans are the same, that one's model is its own.
    """

    def __init__(self, batch: SignalBatch, contract: CalcContract, rows: Sequence[int]) -> None:
        self._batch = batch
        self._contract = contract
        self._address_of = load_kernels("quantrail.engine.kernels.addresses").address_of
        self._model = _models(batch, rows)
        models = sorted(set(self._model.values()))
        specs = [batch.specs[i] for i in models]
        self._rules = {i: self._rules_of(i) for i in models}
        self.atr_periods = sorted({period for spec in specs for period in atr_periods(spec)})
        self.needs_volatility = any(needs_volatility(spec) for spec in specs)
        self._atr_index = {period: k for k, period in enumerate(self.atr_periods)}

    def rules(self, row: int) -> OrderRules | None:
        """Order rules of strategy ``row``; None where plain market orders come to the same."""
        return self._rules[self._model[row]]

    def records(self, rows: Sequence[int]) -> tuple[NDArray[Any], NDArray[np.int16]]:
        """One record of dtype PLAN per row, and the rankings (R, T, S) these refer to."""
        ranks: dict[Any, int] = {None: -1}
        models: dict[int, int] = {}
        known = {id(None): -1}
        which, places = [], []
        for i in rows:
            signals = _signals(self._batch, i)
            which.append(models.setdefault(self._model[i], len(models)))
            places.append(ranks.setdefault(signals.rank, len(ranks) - 1))
            for words in signals.words():
                # The batch keeps its words, so that an id names one array as long as this takes.
                key = id(words)
                if key not in known:
                    known[key] = self._address_of(words)
                places.append(known[key])
        plans: NDArray[Any] = np.array([self._plan_row(model) for model in models], PLAN)[which]
        for name, column in zip(SIGNAL_FIELDS, np.array(places).reshape(len(rows), -1).T, strict=True):
            plans[name] = column
        return plans, self._rankings([key for key in ranks if key is not None])

    def _rankings(self, keys: Sequence[Any]) -> NDArray[np.int16]:
        if not keys:
            return np.zeros((1, 1, len(self._batch.bars.symbols)), np.int16)
        return np.stack([self._batch.ranks[key] for key in keys])

    def _plan_row(self, row: int) -> tuple[Any, ...]:
        n_members = _signals(self._batch, row).n_members
        return plan_row(self._batch.specs[row], self._contract, n_members, self._atr_index)

    def _rules_of(self, row: int) -> OrderRules | None:
        spec = self._batch.specs[row]
        _, spread, _ = cost_fractions(spec["cost_model"], self._contract)
        return order_rules(spec, spread)


def _models(batch: SignalBatch, rows: Sequence[int]) -> dict[int, int]:
    model: dict[int, int] = {}
    last, members = -1, -1
    for i in rows:
        n_members = _signals(batch, i).n_members
        if n_members != members or not same_plan(batch.specs[last], batch.specs[i]):
            last, members = i, n_members
        model[i] = last
    return model


def _signals(batch: SignalBatch, row: int) -> Signals:
    signals = batch.signals[row]
    assert signals is not None
    return signals
