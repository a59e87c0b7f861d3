"""Versioned parts of engine B that turn decisions into fills, behind small interfaces.

========================  =====================================================================
``cost``                  ``bps_per_side_v1``: the spec's basis points of traded value, per side
``execution``             ``next_open_v2``: the light contract, orders included (``OrderRules``);
                          ``next_open_v1``: the same with every order a market order;
                          ``market_v1``: orders live with the market (``MarketRules``)
``portfolio``             ``fractional_v1``: sized at the fill; ``whole_shares_v1``: whole lots,
                          sized at the decision's close
========================  =====================================================================

``ModelVersions.settings`` overrides: ``lot_size`` (whole_shares_v1, default 1), ``fees_bps``,
``spread_bps``, ``slippage_bps`` (instead of the spec's), and under market_v1 the names of
:class:`~quantrail.engine.market_rules.MarketRules` and ``corporate_actions``, the hash of the splits and
dividends that are applied: they are an input like the bars, so they belong to a result's identity.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.engine.event_driven.ledger import Charge
from quantrail.engine.market_rules import RULE_NAMES, MarketRules, market_rules
from quantrail.engine.order_rules import OrderRules, order_rules
from quantrail.errors import ConfigInvalid, Unsupported
from quantrail.strategy import COST_SETTINGS, NormalSpec

COST_MODELS = ("bps_per_side_v1",)
EXECUTION_MODELS = ("next_open_v2", "next_open_v1", "market_v1")
PORTFOLIO_MODELS = ("fractional_v1", "whole_shares_v1")
ACTIONS = "corporate_actions"
_SETTINGS = COST_SETTINGS | {"lot_size"}
_TEXTS = frozenset({"order_type", "time_in_force", "spread_estimate", ACTIONS})


@dataclass(frozen=True, slots=True)
class BpsCosts:
    """Fractions of traded value per side."""

    fees: float
    spread: float
    slippage: float

    @property
    def rate(self) -> float:
        """All costs of one side as a fraction of traded value."""
        return self.fees + self.spread + self.slippage

    def charge(self, value: float) -> Charge:
        """Costs of trading ``value`` once."""
        return Charge(value * self.fees, value * self.spread, value * self.slippage)


@dataclass(frozen=True, slots=True)
class Models:
    """The parts chosen for one run."""

    costs: BpsCosts
    lot_size: float | None  # None: fractional
    rules: MarketRules | None  # None: the light contract
    orders: OrderRules | None  # None: every order is a plain market order


def build_models(spec: NormalSpec, contract: CalcContract, versions: ModelVersions) -> Models:
    """Parts by name. Unsupported for an unknown version, ConfigInvalid for an unknown setting."""
    check_models(versions)
    settings = dict(versions.settings)
    whole = versions.portfolio == "whole_shares_v1"
    rules = None
    if versions.execution == "market_v1":
        rules = market_rules(spec["execution"]["order"], spec["risk"]["portfolio_risk"], settings)
    lot = float(settings.get("lot_size", 1)) if whole else None
    costs = _costs(spec, contract, settings)
    orders = order_rules(spec, costs.spread) if versions.execution == "next_open_v2" else None
    return Models(costs, lot, rules, orders)


def check_models(versions: ModelVersions) -> None:
    """Unsupported for an unknown version, ConfigInvalid for a setting unknown there or of a wrong value."""
    for name, known in (
        ("cost", COST_MODELS),
        ("execution", EXECUTION_MODELS),
        ("portfolio", PORTFOLIO_MODELS),
    ):
        asked = getattr(versions, name)
        if asked not in known:
            raise Unsupported(f"{name} model {asked!r} is not known; there are: {', '.join(known)}")
    market = versions.execution == "market_v1"
    known_settings = _SETTINGS | RULE_NAMES | {ACTIONS} if market else _SETTINGS
    for name, value in versions.settings:
        if name not in known_settings:
            raise ConfigInvalid(_unknown(name, sorted(known_settings), versions.execution))
        _check_value(name, value)
    if market:
        market_rules({}, {}, dict(versions.settings))


def _check_value(name: str, value: float | str | bool) -> None:
    if name in _TEXTS:
        return
    if isinstance(value, (str, bool)) or not math.isfinite(value):
        raise ConfigInvalid(f"setting {name} must be a number, got {value!r}")
    if name == "lot_size" and value <= 0:
        raise ConfigInvalid(f"setting lot_size must be above 0, got {value!r}")


def _unknown(name: str, known: Sequence[str], execution: str) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f"did you mean {close[0]}? T" if close else "t"
    elsewhere = "; it belongs to execution model market_v1" if name in RULE_NAMES else ""
    return (
        f"model setting {name!r} is not known to {execution}{elsewhere}; {guess}here are: {', '.join(known)}"
    )


def _costs(spec: NormalSpec, contract: CalcContract, settings: Mapping[str, Any]) -> BpsCosts:
    def fraction(name: str, included: bool) -> float:
        part = spec["cost_model"][name]
        if part["type"] != "bps":
            raise Unsupported(f"cost type {part['type']!r} of {name} is not known to the engines")
        return float(settings.get(f"{name}_bps", part["value_bps"])) / 1e4 if included else 0.0

    return BpsCosts(
        fees=fraction("fees", contract.include_fees),
        spread=fraction("spread", contract.include_spread),
        slippage=fraction("slippage", contract.include_slippage),
    )
