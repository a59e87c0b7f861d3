"""Top-N selection: places by a feature, and who is a member."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.engine.signals.calendar import rebalance_bars
from quantrail.engine.signals.conditions import Scope, Words, pack
from quantrail.engine.signals.features import FeatureStore


def places(features: FeatureStore, selection: Any, scope: Scope) -> NDArray[np.int16]:
    """Place of each symbol by the selection feature, 0 best, shape (T, S); last without a value."""
    values = features.value(selection["feature"], scope.features, scope.members)
    kernels = load_kernels("quantrail.engine.kernels.rolling")
    order: NDArray[np.int16] = kernels.orders_of(values, scope.members, selection["order"] == "desc")
    return order


def membership(
    order: NDArray[np.int16], top_n: int, schedule: int, sessions: NDArray[np.datetime64]
) -> Words:
    """Members as words (W, T). With a rebalance schedule, ranked on its bars and kept between them."""
    member = (order < top_n).T
    if schedule:
        bars = rebalance_bars(sessions)[schedule]
        member = member[:, np.maximum.accumulate(np.where(bars, np.arange(len(bars)), 0))]
    return pack(member)
