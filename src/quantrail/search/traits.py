"""What a candidate is, read off its canonical spec."""

from __future__ import annotations

from quantrail.analysis.constraints import Traits
from quantrail.domain.ids import StrategyId
from quantrail.strategy import NormalSpec, complexity


def traits_of(
    strategy_id: StrategyId, spec: NormalSpec, template_id: str | None, signals_per_year: float
) -> Traits:
    """Traits of one candidate; ``signals_per_year`` is NaN where signals were never worked out."""
    size = complexity(spec)
    return Traits(
        strategy_id=strategy_id,
        template_id=template_id,
        feature_params=feature_params(spec),
        ast_depth=size.ast_depth,
        cmp_count=size.cmp_count,
        feature_count=size.feature_count,
        max_weight=target_weight(spec),
        stop_atr=closest_atr_stop(spec),
        signals_per_year=signals_per_year,
    )


def feature_params(spec: NormalSpec) -> dict[tuple[str, str], tuple[float, ...]]:
    """Numeric parameter values by (feature type, parameter), sorted."""
    found: dict[tuple[str, str], list[float]] = {}
    for feature in spec["features"].values():
        for name, value in feature["params"].items():
            if not isinstance(value, str):
                found.setdefault((feature["type"], name), []).append(float(value))
    return {key: tuple(sorted(values)) for key, values in sorted(found.items())}


def target_weight(spec: NormalSpec) -> float:
    """Largest share of equity one position may take at entry."""
    limits = spec["portfolio_constraints"]
    slots = limits["max_positions"] or len(spec["universe"].get("symbols") or ()) or 1
    return float(min(limits["max_position_weight"], limits["leverage"]["max_gross"] / slots))


def closest_atr_stop(spec: NormalSpec) -> float | None:
    """Distance of the closest stop set in multiples of ATR; None without one."""
    risk = spec["risk"]["trade_risk"]
    stops = [risk["hard_stop"], risk["trailing_stop"]]
    distances = [float(s["value"]) for s in stops if s is not None and s["type"] == "atr"]
    return min(distances) if distances else None
