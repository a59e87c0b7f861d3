"""Sizing and risk atoms: how much, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from quantrail.strategy.templates import inputs, ranges, sources
from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.parameter import Parameter


def _atom(
    kind: Literal["sizing", "risk"],
    atom_id: str,
    rationale: str,
    reference: str,
    sections: Mapping[str, Any],
    *parameters: Parameter,
    features: Mapping[str, Any] | None = None,
) -> Atom:
    return Atom(atom_id, kind, rationale, reference, parameters, features=features or {}, sections=sections)


def _sizing(**sizing: Any) -> dict[str, Any]:
    return {"portfolio_constraints": {"sizing": sizing}}


def _risk(**trade_risk: Any) -> dict[str, Any]:
    return {"risk": {"trade_risk": trade_risk}}


_TOP_N = {
    "modules": {"selection": {"feature": "momentum", "top_n": "$top_n", "order": "desc"}},
    "portfolio_constraints": {"max_positions": "$top_n"},
    "execution": {"rebalance": "monthly"},
}

SIZINGS = (
    _atom(
        "sizing",
        "EQUAL_WEIGHT",
        "Hard to beat out of sample, since it estimates nothing.",
        sources.DEMIGUEL,
        _sizing(type="equal_weight"),
    ),
    _atom(
        "sizing",
        "FIXED_FRACTION",
        "Bets the same share of what is left each time.",
        sources.VINCE,
        _sizing(type="fixed_fraction", fraction="$fraction"),
        ranges.FRACTION,
    ),
    _atom(
        "sizing",
        "INVERSE_VOL",
        "Gives each position about the same risk.",
        sources.MAILLARD,
        _sizing(type="inverse_vol"),
    ),
    _atom(
        "sizing",
        "VOL_TARGET",
        "Holds less when the market swings more.",
        sources.MOREIRA,
        _sizing(type="vol_target", target_volatility_annual="$target_volatility"),
        ranges.TARGET_VOL,
    ),
    _atom(
        "sizing",
        "TOP_N_BY_MOMENTUM",
        "Past winners of three to twelve months have stayed ahead for months.",
        sources.JEGADEESH,
        _TOP_N,
        ranges.LOOKBACK,
        ranges.TOP_N,
        features=inputs.MOMENTUM,
    ),
)

RISKS = (
    _atom(
        "risk",
        "STOP_PCT",
        "Caps the loss of one trade; helps where returns trend.",
        sources.KAMINSKI,
        _risk(hard_stop={"type": "pct", "value": "$stop_pct"}),
        ranges.STOP_PCT,
    ),
    _atom(
        "risk",
        "STOP_ATR",
        "A stop as wide as the symbol's own noise.",
        sources.TURTLE,
        _risk(hard_stop={"type": "atr", "value": "$stop_atr", "period": "$atr_period"}),
        ranges.STOP_ATR,
        ranges.ATR_PERIOD,
    ),
    _atom(
        "risk",
        "TRAIL_PCT",
        "Lets gains run and gives back at most a fixed share.",
        sources.KAMINSKI,
        _risk(trailing_stop={"type": "pct", "value": "$trail_pct"}),
        ranges.TRAIL_PCT,
    ),
    _atom(
        "risk",
        "TRAIL_ATR",
        "Trails by the symbol's own noise.",
        sources.WILDER,
        _risk(trailing_stop={"type": "atr", "value": "$trail_atr", "period": "$atr_period"}),
        ranges.TRAIL_ATR,
        ranges.ATR_PERIOD,
    ),
    _atom(
        "risk",
        "TARGET_PCT",
        "Reversion trades have a natural end.",
        sources.LEUNG,
        _risk(take_profit=[{"type": "pct", "value": "$target_pct"}]),
        ranges.TARGET_PCT,
    ),
    _atom(
        "risk",
        "TARGET_ATR",
        "A target in units of the symbol's own noise.",
        sources.LEUNG,
        _risk(take_profit=[{"type": "atr", "value": "$target_atr", "period": "$atr_period"}]),
        ranges.TARGET_ATR,
        ranges.ATR_PERIOD,
    ),
    _atom(
        "risk",
        "TIME_STOP",
        "A reason to buy that has not worked in time was not one.",
        sources.CONNORS,
        {"modules": {"exit": {"time_stop": {"max_holding_bars": "$max_holding_bars"}}}},
        ranges.MAX_HOLDING,
    ),
    _atom(
        "risk",
        "DRAWDOWN_HALT",
        "Ends the run before a loss becomes one that cannot be made good.",
        sources.GROSSMAN,
        {"risk": {"portfolio_risk": {"max_drawdown_pct": "$max_drawdown_pct"}}},
        ranges.MAX_DRAWDOWN,
    ),
)
