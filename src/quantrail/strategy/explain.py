"""A strategy in two or three plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.strategy.models import StrategySpec
from quantrail.strategy.normal import Node, NormalFeature, NormalSide, NormalSpec
from quantrail.strategy.normalise import normal_spec
from quantrail.strategy.number import number_text
from quantrail.strategy.parse import parse_spec
from quantrail.strategy.words import in_words

_WORDS = {
    "==": "is",
    "!=": "is not",
    ">": "is above",
    ">=": "is at least",
    "<": "is below",
    "<=": "is at most",
}


def explain(spec: StrategySpec | Mapping[str, Any]) -> str:
    """What the strategy trades, when, and how much, in plain English. SpecInvalid as for parse_spec."""
    checked = spec if isinstance(spec, StrategySpec) else parse_spec(spec)
    return explain_normal(normal_spec(checked))


def explain_normal(spec: NormalSpec) -> str:
    """As :func:`explain`, of a canonical form."""
    return " ".join([_trades(spec), _sells(spec), _money(spec)])


def _trades(spec: NormalSpec) -> str:
    sides = [
        f"{verb} {_when(side['entry'], spec)}{_cooldown(side)}" for verb, side in _sides(spec, entry=True)
    ]
    selection = spec["modules"]["selection"]
    among = ""
    if selection is not None:
        rank = "highest" if selection["order"] == "desc" else "lowest"
        feature = in_words(selection["feature"], spec["features"]).removeprefix("the ")
        among = f" while among the {selection['top_n']} with the {rank} {feature}"
    return f"On {_universe(spec)}, it {'; it '.join(sides)}{among}, {_filling(spec)}."


def _filling(spec: NormalSpec) -> str:
    order = spec["execution"]["order"]
    if order["type"] == "MKT":
        return "filling at the next open"
    kind = "limit" if order["type"] == "LMT" else "stop"
    lasting = "until it fills" if order["time_in_force"] == "GTC" else "for a bar"
    return f"with a {kind} order at that close, {lasting}"


def _sides(spec: NormalSpec, *, entry: bool) -> list[tuple[str, NormalSide]]:
    verbs = ("buys", "sells short") if entry else ("sells", "buys back")
    modules = spec["modules"]
    pairs = ((verbs[0], modules["long"]), (verbs[1], modules["short"]))
    return [(verb, side) for verb, side in pairs if side is not None]


def _universe(spec: NormalSpec) -> str:
    symbols = spec["universe"]["symbols"]
    if symbols is None:
        return f"every symbol of the data{_tradable(spec)}"
    shown = ", ".join(symbols[:5])
    more = "" if len(symbols) <= 5 else f" and {len(symbols) - 5} more symbols"
    return f"{shown}{more}{_tradable(spec)}"


def _tradable(spec: NormalSpec) -> str:
    limits = spec["universe"].get("tradable_filter") or {}
    parts = []
    if limits.get("min_avg_vol_60") is not None:
        parts.append(f"a 60-bar mean volume of at least {limits['min_avg_vol_60']:,}")
    if limits.get("min_dollar_vol_week") is not None:
        parts.append(f"a week's turnover of at least {limits['min_dollar_vol_week']:,}")
    ranking = spec["universe"].get("ranking")
    if ranking is not None:
        parts.append(f"a place among the {ranking['top_n']} strongest over {ranking['period']} bars")
    return f" (entered only with {' and '.join(parts)})" if parts else ""


def _cooldown(side: NormalSide) -> str:
    bars = side["cooldown_bars"]
    return f" (not within {bars} bars of the last trade)" if bars else ""


def _sells(spec: NormalSpec) -> str:
    parts = [f"{verb} {_exit(side, spec)}" for verb, side in _sides(spec, entry=False)]
    return f"It {'; it '.join(parts)}{_protection(spec)}."


def _exit(side: NormalSide, spec: NormalSpec) -> str:
    bars = side["max_holding_bars"]
    never = side["exit"]["node"] == "FALSE"
    if bars is None:
        return "on no signal of its own" if never else _when(side["exit"], spec)
    return f"after {bars} bars" if never else f"{_when(side['exit'], spec)}, or after {bars} bars"


def _protection(spec: NormalSpec) -> str:
    trade = spec["risk"]["trade_risk"]
    parts = []
    if trade["hard_stop"]:
        parts.append(f"a stop {_distance(trade['hard_stop'])} from entry")
    if trade["trailing_stop"]:
        parts.append(f"a stop trailing by {_distance(trade['trailing_stop'])}")
    for level in trade["take_profit"]:
        share = f" for {_percent(level['fraction'])} of the position" if level["fraction"] != 1 else ""
        parts.append(f"a target {_distance(level)} from entry{share}")
    drawdown = spec["risk"]["portfolio_risk"]["max_drawdown_pct"]
    if drawdown:
        parts.append(f"an end to all trading at a drawdown of {_percent(drawdown)}")
    return f", with {' and '.join(parts)}" if parts else ", without stops or targets"


def _distance(distance: Mapping[str, Any]) -> str:
    if distance["type"] == "pct":
        return _percent(distance["value"])
    return f"{number_text(distance['value'])} ATR({distance['period']})"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _money(spec: NormalSpec) -> str:
    portfolio, costs = spec["portfolio_constraints"], spec["cost_model"]
    positions = portfolio["max_positions"]
    held = "one position" if positions == 1 else f"{positions or 'as many'} positions"
    held += " as there are symbols" if positions is None else ""
    bps = sum(cost["value_bps"] for cost in costs.values())
    rebalance = spec["execution"]["rebalance"]
    again = f", rebalanced {rebalance}" if rebalance else ""
    return f"It holds at most {held}, {_sizing(portfolio['sizing'])}{again}; each fill costs {bps:g} bps."


def _sizing(sizing: Mapping[str, Any]) -> str:
    kind = sizing["type"]
    if kind == "fixed_fraction":
        return f"each {_percent(sizing['fraction'])} of equity"
    if kind == "vol_target":
        return f"each scaled to {_percent(sizing['target_volatility_annual'])} annual volatility"
    return {"equal_weight": "equally weighted", "inverse_vol": "weighted by inverse volatility"}[str(kind)]


def _when(node: Node, spec: NormalSpec) -> str:
    if node["node"] in ("TRUE", "FALSE"):
        return "at every bar" if node["node"] == "TRUE" else "never"
    return f"when {condition_text(node, spec['features'])}"


def condition_text(node: Node, features: Mapping[str, NormalFeature] | None = None) -> str:
    """A canonical tree as a clause; AND and OR inside another are put in brackets.

    With ``features`` their names are put into words, else content names stand as they are.
    """
    known = features or {}
    kind = node["node"]
    if kind in ("AND", "OR"):
        return f" {kind.lower()} ".join(_bracketed(child, known) for child in node["children"])
    if kind == "NOT":
        return f"not ({condition_text(node['child'], known)})"
    if kind == "CMP":
        left, right = _operand(node["left"], known), _operand(node["right"], known)
        return f"{left} {_WORDS[node['op']]} {right}"
    if kind == "CROSS_ABOVE":
        return f"{_operand(node['left'], known)} crosses above {_operand(node['right'], known)}"
    if kind == "IN":
        return f"{_operand(node['value'], known)} is one of {', '.join(map(_literal, node['set']))}"
    return "always" if kind == "TRUE" else "never"


def _bracketed(node: Node, features: Mapping[str, NormalFeature]) -> str:
    text = condition_text(node, features)
    return f"({text})" if node["node"] in ("AND", "OR") else text


def _operand(operand: Mapping[str, Any], features: Mapping[str, NormalFeature]) -> str:
    if "value" in operand:
        return _literal(operand["value"])
    scale = f"{number_text(operand['scale'])} x " if "scale" in operand else ""
    lag = operand.get("lag", 0)
    ago = f" {lag} bar{'s' if lag > 1 else ''} ago" if lag else ""
    name = in_words(operand["ref"], features) if features else operand["ref"]
    return f"{scale}{name}{ago}"


def _literal(value: Any) -> str:
    return value if isinstance(value, str) else number_text(value)
