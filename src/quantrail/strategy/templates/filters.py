"""Filter atoms: when an entry may act at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.strategy.templates import inputs, ranges, sources
from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.parameter import Parameter
from quantrail.strategy.templates.pieces import cmp, feature


def _filter(
    atom_id: str,
    rationale: str,
    reference: str,
    condition: Mapping[str, Any],
    features: Mapping[str, Any] | None = None,
    parameters: tuple[Parameter, ...] = (),
    sections: Mapping[str, Any] | None = None,
) -> Atom:
    return Atom(
        atom_id, "filter", rationale, reference, parameters, (), features or {}, condition, sections or {}
    )


FILTERS = (
    _filter(
        "REGIME_RISK_ON",
        "Trades only while the market is above its mean and calm.",
        sources.ANG,
        cmp("regime_state", "==", {"value": "RISK_ON"}),
        sections={"modules": {"regime": {"benchmark": None}}},
    ),
    _filter(
        "ABOVE_TREND",
        "Buys only what trades above its long mean.",
        sources.FABER,
        cmp("close", ">", "sma_trend"),
        inputs.TREND,
        (ranges.TREND_WINDOW,),
    ),
    _filter(
        "VOLUME_SURGE",
        "A signal on unusual volume has more people behind it.",
        sources.LEE,
        cmp("volume", ">", {"ref": "volume_mean", "scale": "$volume_mult"}),
        {"volume_mean": feature("volume_sma", period="$volume_period")},
        (ranges.VOLUME_PERIOD, ranges.VOLUME_MULT),
    ),
    _filter(
        "QUIET_MARKET",
        "Return per unit of risk has been better when volatility is low.",
        sources.MOREIRA,
        cmp("volatility", "<", "$vol_max"),
        {"volatility": feature("volatility", "close", period="$vol_period")},
        (ranges.VOL_PERIOD, ranges.VOL_MAX),
    ),
    _filter(
        "NARROW_RANGE",
        "Keeps out symbols whose daily range would swamp a stop.",
        sources.WILDER,
        cmp("atr_share", "<", "$atr_pct_max"),
        {"atr_share": feature("atr_pct", period="$atr_period")},
        (ranges.ATR_PERIOD, ranges.ATR_PCT_MAX),
    ),
    _filter(
        "STRONG_TREND",
        "Trend rules lose in markets that go sideways.",
        sources.WILDER,
        cmp("adx", ">=", "$adx_min"),
        inputs.ADX,
        (ranges.ADX_PERIOD, ranges.ADX_MIN),
    ),
    _filter(
        "WEAK_TREND",
        "Reversion rules lose in markets that run away.",
        sources.WILDER,
        cmp("adx", "<", "$adx_max"),
        inputs.ADX,
        (ranges.ADX_PERIOD, ranges.ADX_MAX),
    ),
)
