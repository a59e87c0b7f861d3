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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.engine.ledger import Charge
from quantrail.engine.market_rules import RULE_NAMES, MarketRules, market_rules
from quantrail.engine.order_rules import OrderRules, order_rules
from quantrail.errors import ConfigInvalid, Unsupported
from quantrail.strategy import NormalSpec

COST_MODELS = ("bps_per_side_v1",)
EXECUTION_MODELS = ("next_open_v2", "next_open_v1", "market_v1")
PORTFOLIO_MODELS = ("fractional_v1", "whole_shares_v1")
ACTIONS = "corporate_actions"
_SETTINGS = frozenset({"lot_size", "fees_bps", "spread_bps", "slippage_bps"})


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
    for name, known in (
        ("cost", COST_MODELS),
        ("execution", EXECUTION_MODELS),
        ("portfolio", PORTFOLIO_MODELS),
    ):
        asked = getattr(versions, name)
        if asked not in known:
            raise Unsupported(f"{name} model {asked!r} is not known; there are: {', '.join(known)}")
    settings = dict(versions.settings)
    market = versions.execution == "market_v1"
    known_settings = _SETTINGS | RULE_NAMES | {ACTIONS} if market else _SETTINGS
    unknown = sorted(set(settings) - known_settings)
    if unknown:
        raise ConfigInvalid(
            f"model setting {unknown[0]!r} is not known; there are: {', '.join(sorted(known_settings))}"
        )
    whole = versions.portfolio == "whole_shares_v1"
    rules = None
    if market:
        rules = market_rules(spec["execution"]["order"], spec["risk"]["portfolio_risk"], settings)
    lot = float(settings.get("lot_size", 1)) if whole else None
    costs = _costs(spec, contract, settings)
    orders = order_rules(spec, costs.spread) if versions.execution == "next_open_v2" else None
    return Models(costs, lot, rules, orders)


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
