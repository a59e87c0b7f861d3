"""Which symbols a universe lets in on a bar: liquidity limits and ranking by relative strength.

Only entries ask; what is held stays until its own exit. Everything is known at the close of the bar.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics import load_kernels
from quantrail.engine.signals.features import FeatureStore
from quantrail.engine.signals.indicators import indicator
from quantrail.strategy import NormalSpec

Flags = NDArray[np.bool_]
VOLUME_BARS = 60
WEEK_BARS = 5


def tradable(
    spec: NormalSpec, features: FeatureStore, members: NDArray[np.int64]
) -> tuple[Flags, Flags] | None:
    """Where the universe lets a symbol in, and where that is known, (S, T) each; None without limits.

    ``min_avg_vol_60``: mean volume of the last 60 bars, at least. ``min_dollar_vol_week``: close times
    volume summed over the last 5 bars, at least, in currency. ``ranking``: among the ``top_n`` members
    by close / close[``period``] - 1, ties by symbol. A missing input lets nobody in.
    """
    asked = _limits(spec, features)
    ranking = spec["universe"].get("ranking")
    known = [~np.isnan(values) for values, _ in asked]
    passed = [values >= limit for values, limit in asked]
    if ranking is not None:
        strength = indicator("momentum", [features.column("close")], {"period": ranking["period"]}, members)
        order = load_kernels("quantrail.engine.kernels.rolling").orders_of(strength, members, True)
        known.append(~np.isnan(strength))
        passed.append((order < ranking["top_n"]).T)
    if not passed:
        return None
    sure = np.logical_and.reduce(known)
    return np.logical_and.reduce(passed) & sure, sure


def _limits(spec: NormalSpec, features: FeatureStore) -> list[tuple[NDArray[np.float64], float]]:
    limits: dict[str, Any] = spec["universe"].get("tradable_filter") or {}
    asked = []
    if limits.get("min_avg_vol_60") is not None:
        asked.append((features.mean_volume(VOLUME_BARS), float(limits["min_avg_vol_60"])))
    if limits.get("min_dollar_vol_week") is not None:
        asked.append((features.dollar_volume(WEEK_BARS), float(limits["min_dollar_vol_week"])))
    return asked
