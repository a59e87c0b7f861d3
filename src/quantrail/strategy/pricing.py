"""A spec at other costs than its own: what settings of a backtest put in their place."""

from __future__ import annotations

from quantrail.domain.contract import ModelVersions
from quantrail.strategy.normal import NormalSpec

COST_SETTINGS = frozenset({"fees_bps", "spread_bps", "slippage_bps"})


def priced(spec: NormalSpec, versions: ModelVersions) -> NormalSpec:
    """``spec`` with the costs (basis points per side) that ``versions`` sets instead of its own.

    The same object where nothing is set. Its strategy stays that of ``spec``: settings belong to a result.
    """
    chosen = {name: value for name, value in versions.settings if name in COST_SETTINGS}
    if not chosen:
        return spec
    costs = {
        name: part | ({"value_bps": float(chosen[f"{name}_bps"])} if f"{name}_bps" in chosen else {})
        for name, part in spec["cost_model"].items()
    }
    return {**spec, "cost_model": costs}
