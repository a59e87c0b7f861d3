"""Modules, universe, risk and execution: what must exist, what excludes what, what engines run."""

from __future__ import annotations

from typing import Any

from quantrail.strategy.problems import Path, ProblemList, nearest
from quantrail.strategy.support import SUPPORTED


def check_modules(document: dict[str, Any], problems: ProblemList) -> None:
    """Adds problems of ``modules``: references, direction pairs, selection."""
    modules = _mapping(document, "modules")
    conditions = _mapping(document, "conditions")
    for side in ("entry", "exit", "short_entry", "short_exit"):
        for use in ("condition", "filter"):
            ref = _mapping(modules, side, use).get("ref")
            if isinstance(ref, str) and ref not in conditions:
                path: Path = ("modules", side, use, "ref")
                problems.add(path, "UNKNOWN_NAME", "no such condition", ref, nearest(ref, conditions))
    _check_direction(modules, problems)
    feature = _mapping(modules, "selection").get("feature")
    features = _mapping(document, "features")
    if isinstance(feature, str) and feature not in features:
        path = ("modules", "selection", "feature")
        problems.add(path, "UNKNOWN_NAME", "no such feature", feature, nearest(feature, features))


def check_settings(document: dict[str, Any], problems: ProblemList) -> None:
    """Adds problems of ``universe``, ``risk``, ``portfolio_constraints`` and ``execution``."""
    for name in _CHECKS:
        check_section(name, document.get(name), problems)
    policy = _mapping(document, "metadata").get("nan_policy")
    _supported(("metadata", "nan_policy"), "nan_policy", policy, problems)


def check_section(name: str, section: Any, problems: ProblemList) -> None:
    """Adds problems of one section of a document; those that models alone describe have none."""
    check = _CHECKS.get(name)
    if check is not None and isinstance(section, dict):
        check(section, problems)


def _mapping(value: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _supported(path: Path, table: str, value: Any, problems: ProblemList) -> None:
    if isinstance(value, str) and value not in SUPPORTED[table]:
        hint = f"supported: {', '.join(sorted(SUPPORTED[table]))}"
        problems.add(path, "UNSUPPORTED", f"no engine runs {value!r:.80} here yet", value, hint)


def _supported_keys(path: Path, table: str, given: dict[str, Any], problems: ProblemList) -> None:
    for key, value in given.items():
        if value not in (None, {}, []) and key not in SUPPORTED[table]:
            problems.add((*path, key), "UNSUPPORTED", f"no engine obeys {key} yet; leave it out", value)


def _check_direction(modules: dict[str, Any], problems: ProblemList) -> None:
    direction = modules.get("direction", "long")
    _supported(("modules", "direction"), "direction", direction, problems)
    for side in ("short_entry", "short_exit"):
        given = modules.get(side) is not None
        if direction == "both" and not given:
            problems.add(("modules", side), "MISSING", f"direction both needs {side}")
        elif direction in ("long", "short") and given:
            message = f"{side} is read only with direction both"
            problems.add(("modules", side), "CROSS_RULE", message, direction)


def _check_universe(universe: dict[str, Any], problems: ProblemList) -> None:
    symbols, source = universe.get("symbols"), universe.get("universe_source")
    if symbols is not None and source is not None:
        message = "give symbols or universe_source, not both"
        problems.add(("universe", "universe_source"), "DUPLICATE", message, source)
    if isinstance(symbols, list):
        seen: set[str] = set()
        for index, symbol in enumerate(symbols):
            if isinstance(symbol, str) and symbol in seen:
                problems.add(("universe", "symbols", index), "DUPLICATE", "listed twice", symbol)
            elif isinstance(symbol, str):
                seen.add(symbol)
    _supported(("universe", "universe_source"), "universe_source", source, problems)
    settings = {
        key: value for key, value in universe.items() if key in ("params", "tradable_filter", "ranking")
    }
    _supported_keys(("universe",), "universe", settings, problems)
    path: Path = ("universe", "tradable_filter")
    _supported_keys(path, "tradable_filter", _mapping(universe, "tradable_filter"), problems)


def _check_risk(risk: dict[str, Any], problems: ProblemList) -> None:
    trade = _mapping(risk, "trade_risk")
    path: Path = ("risk", "trade_risk")
    for name in ("hard_stop", "trailing_stop"):
        _supported((*path, name, "type"), name, _mapping(trade, name).get("type"), problems)
    levels = trade.get("take_profit")
    if isinstance(levels, list):
        _check_targets((*path, "take_profit"), levels, problems)
    _supported_keys(("risk", "portfolio_risk"), "portfolio_risk", _mapping(risk, "portfolio_risk"), problems)


def _check_targets(path: Path, levels: list[Any], problems: ProblemList) -> None:
    rows = [level for level in levels if isinstance(level, dict)]
    for index, level in enumerate(rows):
        _supported((*path, index, "type"), "take_profit", level.get("type"), problems)
    if len({str(level.get("type")) for level in rows}) > 1:
        problems.add(path, "CROSS_RULE", "levels are all pct or all atr, so that they have an order")
    if len({level.get("period", 14) for level in rows if level.get("type") == "atr"}) > 1:
        problems.add(path, "CROSS_RULE", "levels share one ATR period, so that they have an order")
    values = [level["value"] for level in rows if isinstance(level.get("value"), int | float)]
    if len(set(values)) < len(values):
        problems.add(path, "DUPLICATE", "two levels at the same distance", values)
    shares = [level.get("fraction", 1) for level in rows]
    if all(isinstance(share, int | float) for share in shares) and sum(shares) > 1 + 1e-12:
        problems.add(path, "CROSS_RULE", "the fractions close more than the whole position", sum(shares))


def _check_portfolio(portfolio: dict[str, Any], problems: ProblemList) -> None:
    path: Path = ("portfolio_constraints",)
    _supported_keys(path, "portfolio_constraints", portfolio, problems)
    _supported((*path, "sizing", "type"), "sizing", _mapping(portfolio, "sizing").get("type"), problems)
    leverage = _mapping(portfolio, "leverage")
    net, gross = leverage.get("max_net"), leverage.get("max_gross", 1)
    both = isinstance(net, int | float) and isinstance(gross, int | float)
    if both and net < gross and "max_net" not in SUPPORTED["portfolio_constraints"]:
        message = "no engine obeys a max_net below max_gross yet"
        problems.add((*path, "leverage", "max_net"), "UNSUPPORTED", message, net)


def _check_execution(execution: dict[str, Any], problems: ProblemList) -> None:
    path: Path = ("execution",)
    if _mapping(execution, "fill_policy").get("use_next_bar", True) is False:
        message = "fills happen at the next bar; anything earlier is look-ahead"
        where: Path = (*path, "fill_policy", "use_next_bar")
        problems.add(where, "LOOKAHEAD_POLICY_VIOLATION", message, False)
    _supported((*path, "rebalance"), "rebalance", execution.get("rebalance"), problems)
    order = _mapping(execution, "order")
    names = [order.get("type"), order.get("default_order_type")]
    if None not in names and names[0] != names[1]:
        problems.add((*path, "order"), "DUPLICATE", "type and default_order_type differ", str(names))
    for key in ("type", "default_order_type"):
        _supported((*path, "order", key), "order_type", order.get(key), problems)
    _supported((*path, "order", "time_in_force"), "time_in_force", order.get("time_in_force"), problems)
    own = {key: value for key, value in order.items() if key != "default_order_type"}
    _supported_keys((*path, "order"), "order", own, problems)


_CHECKS = {
    "universe": _check_universe,
    "risk": _check_risk,
    "portfolio_constraints": _check_portfolio,
    "execution": _check_execution,
}
