"""The fast path's modules: a memoised plan per distinct block, filled with a candidate's trees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from quantrail.strategy.fast.blocks import MEMO, Block, NotFast, block_of, checked
from quantrail.strategy.fast.trees import FALSE_TREE, Tree, conjunction
from quantrail.strategy.models import Modules
from quantrail.strategy.normalise import REGIME_VARIABLES
from quantrail.strategy.settings import normal_regime

_NONE = Block(None, "null")
_NO_USES: frozenset[str] = frozenset()


class SidePlan(NamedTuple):
    """Names of conditions (filter, condition), None where switched off; text around the two trees."""

    entry: tuple[str | None, str] | None
    exit: tuple[str | None, str] | None
    refs: frozenset[str]
    cooldown_bars: int
    max_holding_bars: int | None
    head: str
    tail: str


class SelectionPlan(NamedTuple):
    feature: str
    enabled: bool
    top_n: int
    order: str


class ModulePlan(NamedTuple):
    long: SidePlan | None
    short: SidePlan | None
    regime: Block
    has_regime: bool
    selection: SelectionPlan | None


class Joined(NamedTuple):
    """Modules in canonical form, their text, and every name they use."""

    normal: Any
    text: str
    uses: frozenset[str]


@lru_cache(MEMO)
def module_plan(key: bytes) -> ModulePlan:
    """The plan of a ``modules`` block."""
    modules = checked(key, Modules)
    direction = modules["direction"]
    second = (modules["short_entry"], modules["short_exit"])
    if (direction == "both") != (None not in second) or (direction != "both" and second != (None, None)):
        raise NotFast
    first_plan = _side_plan(modules["entry"], modules["exit"])
    second_plan = _side_plan(*second) if direction == "both" else None
    regime, selection = modules["regime"], modules["selection"]
    return ModulePlan(
        long=None if direction == "short" else first_plan,
        short=first_plan if direction == "short" else second_plan,
        regime=_NONE if regime is None else block_of(normal_regime(regime)),
        has_regime=regime is not None and regime["enabled"],
        selection=None
        if selection is None
        else SelectionPlan(
            selection["feature"], selection["enabled"], selection["top_n"], selection["order"]
        ),
    )


def _side_plan(entry: Mapping[str, Any], exit_: Mapping[str, Any]) -> SidePlan:
    stop = exit_["time_stop"]
    holding = stop["max_holding_bars"] if stop and stop["enabled"] else None
    pairs = [_refs(module) for module in (entry, exit_)]
    return SidePlan(
        entry=pairs[0] if entry["enabled"] else None,
        exit=pairs[1] if exit_["enabled"] else None,
        refs=frozenset(ref for pair in pairs for ref in pair if ref is not None),
        cooldown_bars=entry["cooldown_bars"],
        max_holding_bars=holding,
        head=f'{{"cooldown_bars":{entry["cooldown_bars"]},"entry":',
        tail=f',"max_holding_bars":{"null" if holding is None else holding}}}',
    )


def _refs(module: Mapping[str, Any]) -> tuple[str | None, str]:
    return (module["filter"] and module["filter"]["ref"], module["condition"]["ref"])


def joined(plan: ModulePlan, trees: Mapping[str, Tree], names: Mapping[str, str]) -> Joined:
    """A plan filled with the trees of a candidate; ``names`` maps feature keys to content names."""
    long, first = _side(plan.long, trees)
    short, second = _side(plan.short, trees)
    uses = first | second
    selection = _NONE
    if plan.selection is not None:
        selection, more = _selection(plan.selection, names)
        uses |= more
    regime = _NONE if uses.isdisjoint(REGIME_VARIABLES) else plan.regime
    if not plan.has_regime and _read_regime(trees):
        raise NotFast
    text = f'{{"long":{long.text},"regime":{regime.text},"selection":{selection.text},"short":{short.text}}}'
    normal = {
        "long": long.normal,
        "short": short.normal,
        "regime": regime.normal,
        "selection": selection.normal,
    }
    return Joined(normal, text, uses)


def _read_regime(trees: Mapping[str, Tree]) -> bool:
    for tree in trees.values():  # noqa: SIM110 - a loop takes half the time of any()
        if not tree.uses.isdisjoint(REGIME_VARIABLES):
            return True
    return False


def _side(plan: SidePlan | None, trees: Mapping[str, Tree]) -> tuple[Block, frozenset[str]]:
    if plan is None:
        return _NONE, _NO_USES
    if not plan.refs <= trees.keys():
        raise NotFast
    entry, leave = _tree(plan.entry, trees), _tree(plan.exit, trees)
    normal = {
        "entry": entry.node,
        "exit": leave.node,
        "cooldown_bars": plan.cooldown_bars,
        "max_holding_bars": plan.max_holding_bars,
    }
    text = f'{plan.head}{entry.text},"exit":{leave.text}{plan.tail}'
    return Block(normal, text), entry.uses | leave.uses


def _tree(refs: tuple[str | None, str] | None, trees: Mapping[str, Tree]) -> Tree:
    if refs is None:
        return FALSE_TREE
    tree = trees[refs[1]]
    return tree if refs[0] is None else conjunction(trees[refs[0]], tree)


def _selection(plan: SelectionPlan, names: Mapping[str, str]) -> tuple[Block, frozenset[str]]:
    if plan.feature not in names:
        raise NotFast
    if not plan.enabled:
        return _NONE, _NO_USES
    name = names[plan.feature]
    text = f'{{"feature":"{name}","order":"{plan.order}","top_n":{plan.top_n}}}'
    return Block({"feature": name, "top_n": plan.top_n, "order": plan.order}, text), frozenset({name})
