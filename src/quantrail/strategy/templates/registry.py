"""The atoms and templates that ship; their use is counted in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantrail.errors import NotFound
from quantrail.strategy.problems import nearest
from quantrail.strategy.templates import sources
from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.entries import ENTRIES
from quantrail.strategy.templates.exits import EXITS
from quantrail.strategy.templates.exposure import RISKS, SIZINGS
from quantrail.strategy.templates.filters import FILTERS
from quantrail.strategy.templates.parameter import Parameter, Rule
from quantrail.strategy.templates.template import Template

ATOMS: Mapping[str, Atom] = {atom.atom_id: atom for atom in (*ENTRIES, *FILTERS, *EXITS, *SIZINGS, *RISKS)}


def combine(template_id: str, name: str, rationale: str, reference: str, *atom_ids: str) -> Template:
    """A template of known atoms; parameters and rules with the same name are one."""
    atoms = tuple(ATOMS[atom_id] for atom_id in atom_ids)
    parameters: dict[str, Parameter] = {}
    rules: dict[str, Rule] = {}
    for atom in atoms:
        parameters |= {parameter.name: parameter for parameter in atom.parameters}
        rules |= {str(rule): rule for rule in atom.rules}
    names = set(parameters)
    if {"oversold", "overbought"} <= names:
        rules["overbought > oversold"] = Rule("overbought", "oversold")
    if {"stoch_low", "stoch_high"} <= names:
        rules["stoch_high > stoch_low"] = Rule("stoch_high", "stoch_low")
    return Template(
        template_id, name, rationale, reference, atoms, tuple(parameters.values()), tuple(rules.values())
    )


_TEMPLATES = (
    combine(
        "SMA_CROSSOVER",
        "moving average crossover",
        "Trends last longer than chance, so a rise in progress is worth joining.",
        sources.BROCK,
        "SMA_ABOVE",
        "SMA_BELOW",
    ),
    combine(
        "EMA_CROSSOVER",
        "exponential crossover",
        "As the plain crossover, with means that react sooner.",
        sources.APPEL,
        "EMA_ABOVE",
        "EMA_BELOW",
        "STOP_ATR",
    ),
    combine(
        "RSI_MEAN_REVERSION",
        "RSI reversion",
        "Short runs of losses overshoot and are partly taken back.",
        sources.WILDER,
        "RSI_OVERSOLD",
        "RSI_RECOVERED",
        "TIME_STOP",
    ),
    combine(
        "MOMENTUM",
        "monthly top-N momentum",
        "Winners of the past months stay ahead for some months more.",
        sources.JEGADEESH,
        "MOMENTUM_POSITIVE",
        "MOMENTUM_GONE",
        "TOP_N_BY_MOMENTUM",
    ),
    combine(
        "BUY_AND_HOLD",
        "buy and hold",
        "The yardstick: what a market gives without any timing.",
        sources.SHARPE,
        "ALWAYS",
        "NEVER",
    ),
    combine(
        "BOLLINGER_REVERSION",
        "Bollinger reversion",
        "A close outside its band is stretched and comes back to the mean.",
        sources.BOLLINGER,
        "BAND_LOW_TOUCH",
        "BAND_MIDDLE_REACHED",
        "TIME_STOP",
    ),
    combine(
        "DONCHIAN_BREAKOUT",
        "channel breakout",
        "New highs beget new highs; a shorter channel leads out again.",
        sources.DONCHIAN,
        "CHANNEL_BREAK_HIGH",
        "CHANNEL_BREAK_LOW",
        "STOP_ATR",
    ),
    combine(
        "MACD_TREND",
        "MACD above signal in a rise",
        "Joins a rise while it gains speed.",
        sources.APPEL,
        "MACD_ABOVE_SIGNAL",
        "MACD_BELOW_SIGNAL",
        "ABOVE_TREND",
    ),
    combine(
        "ADX_TREND",
        "directional trend",
        "Follows a direction only where movement is strong.",
        sources.WILDER,
        "TREND_UP_BY_DI",
        "DI_DOWN",
        "TRAIL_ATR",
    ),
    combine(
        "STOCH_RSI",
        "stochastic with RSI exit",
        "A close at the bottom of its range, held until the RSI has recovered.",
        sources.LANE,
        "STOCH_OVERSOLD",
        "RSI_RECOVERED",
        "TIME_STOP",
    ),
    combine(
        "REGIME_REVERSAL",
        "reversion in calm markets",
        "Dips are bought back in calm rising markets and go on in others.",
        sources.ANG,
        "RSI_OVERSOLD",
        "RSI_RECOVERED",
        "REGIME_RISK_ON",
    ),
    combine(
        "ZSCORE_REVERSION",
        "z-score reversion",
        "Prices have a transitory part that reverts.",
        sources.POTERBA,
        "ZSCORE_LOW",
        "ZSCORE_BACK",
        "STOP_PCT",
        "TIME_STOP",
    ),
    combine(
        "VOLATILITY_BREAKOUT",
        "range expansion",
        "A move larger than usual starts more of it.",
        sources.CRABEL,
        "RANGE_EXPANSION",
        "CHANNEL_BREAK_LOW",
        "TRAIL_ATR",
    ),
    combine(
        "PULLBACK",
        "pullback in a rise",
        "Weakness within a rise is an offer.",
        sources.CONNORS,
        "PULLBACK_IN_TREND",
        "RSI_RECOVERED",
        "STOP_ATR",
    ),
    combine(
        "RS_ROTATION",
        "leaders, sized by risk",
        "The strongest symbols lead on; each takes about the same risk.",
        sources.LEVY,
        "RS_LEADER",
        "PRICE_BELOW_MEAN",
        "INVERSE_VOL",
        "TRAIL_PCT",
    ),
    combine(
        "TREND_STACK",
        "stacked trend",
        "Three horizons agree; the shortest one leads out.",
        sources.APPEL,
        "EMA_STACK",
        "EMA_STACK_BROKEN",
        "STRONG_TREND",
        "VOL_TARGET",
    ),
)

TEMPLATES: Mapping[str, Template] = {template.template_id: template for template in _TEMPLATES}


def template(template_id: str) -> Template:
    """NotFound names the nearest template."""
    if template_id not in TEMPLATES:
        raise NotFound(f"no template {template_id!r}; {nearest(template_id, TEMPLATES)}")
    return TEMPLATES[template_id]


def template_spec(
    template_id: str,
    params: Mapping[str, Any] | None = None,
    universe_symbols: Sequence[str] | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    """The document of a template with these parameters; see :meth:`Template.build`."""
    return template(template_id).build(params, universe_symbols, **overrides)
