"""How constraints bind: generator constraints block a candidate, the others rewrite its spec.

A constraint type that neither blocks nor rewrites nor acts elsewhere would be a lesson nobody
reads, so ``check_enforceable`` refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, cast

from quantrail.analysis.constraints import Traits
from quantrail.domain.enums import ConstraintStatus, ConstraintType
from quantrail.domain.records import Constraint
from quantrail.errors import Unsupported
from quantrail.strategy import NormalSpec, copy_tree, shortest

Params = Mapping[str, Any]


def _bans_template(params: Params, traits: Traits, _: NormalSpec) -> bool:
    return bool(traits.template_id == params["template_id"])


def _bans_features(params: Params, _: Traits, spec: NormalSpec) -> bool:
    return any(f["type"] in params["features"] for f in spec["features"].values())


def _allows_features_only(params: Params, _: Traits, spec: NormalSpec) -> bool:
    return any(f["type"] not in params["features"] for f in spec["features"].values())


def _limits_param(params: Params, traits: Traits, _: NormalSpec) -> bool:
    values = traits.feature_params.get((params["feature"], params["param"]), ())
    low, high = params.get("min"), params.get("max")
    return any((low is not None and v < low) or (high is not None and v > high) for v in values)


def _too_complex(params: Params, traits: Traits, _: NormalSpec) -> bool:
    limits = (
        (params.get("max_ast_depth"), traits.ast_depth),
        (params.get("max_cmp_count"), traits.cmp_count),
        (params.get("max_feature_count"), traits.feature_count),
    )
    return any(limit is not None and size > limit for limit, size in limits)


def _too_sparse(params: Params, traits: Traits, _: NormalSpec) -> bool:
    return bool(traits.signals_per_year < params["min_trades_per_year"])


def _too_dense(params: Params, traits: Traits, _: NormalSpec) -> bool:
    return bool(traits.signals_per_year > params["max_trades_per_year"])


def _forbids_order_type(params: Params, _: Traits, spec: NormalSpec) -> bool:
    return spec["execution"]["order"]["type"] not in params["allowed"]


_BLOCKERS: dict[ConstraintType, Callable[[Params, Traits, NormalSpec], bool]] = {
    ConstraintType.BAN_TEMPLATE: _bans_template,
    ConstraintType.BAN_FEATURES: _bans_features,
    ConstraintType.ALLOW_FEATURES_ONLY: _allows_features_only,
    ConstraintType.LIMIT_PARAM_RANGE: _limits_param,
    ConstraintType.MAX_COMPLEXITY: _too_complex,
    ConstraintType.MIN_SIGNAL_DENSITY: _too_sparse,
    ConstraintType.MAX_SIGNAL_DENSITY: _too_dense,
    ConstraintType.ORDER_TYPE_ALLOWLIST: _forbids_order_type,
}


def _at_most(section: dict[str, Any], key: str, limit: float) -> None:
    current = section[key]
    section[key] = shortest(limit if current is None else min(current, limit))


def _cap_weight(params: Params, portfolio: Any) -> None:
    _at_most(portfolio, "max_position_weight", params["value"])


def _cap_positions(params: Params, portfolio: Any) -> None:
    _at_most(portfolio, "max_positions", params["value"])


def _cap_leverage(params: Params, portfolio: Any) -> None:
    for key in ("max_gross", "max_net"):
        if params.get(key) is not None:
            _at_most(portfolio["leverage"], key, params[key])


def _cap_drawdown(params: Params, risk: Any) -> None:
    _at_most(risk["portfolio_risk"], "max_drawdown_pct", params["value"])


def _cap_daily_loss(params: Params, risk: Any) -> None:
    _at_most(risk["portfolio_risk"], "max_daily_loss_pct", params["value"])


def _bound_stops(params: Params, risk: Any) -> None:
    for key in ("hard_stop", "trailing_stop"):
        stop = risk["trade_risk"][key]
        if stop is not None and stop["type"] == "atr":
            if params.get("min_atr_mult") is not None:
                stop["value"] = shortest(max(stop["value"], params["min_atr_mult"]))
            if params.get("max_atr_mult") is not None:
                stop["value"] = shortest(min(stop["value"], params["max_atr_mult"]))


def _cap_participation(params: Params, execution: Any) -> None:
    _at_most(execution["order"], "max_adv_participation", params["max_participation"])


def _cap_spread(params: Params, execution: Any) -> None:
    _at_most(execution["order"], "reject_if_spread_bps_gt", params["max_spread_bps"])


Section = Literal["portfolio_constraints", "risk", "execution"]
# The section that a type rewrites, and how.
_REWRITERS: dict[ConstraintType, tuple[Section, Callable[[Params, Any], None]]] = {
    ConstraintType.MAX_POSITION_WEIGHT: ("portfolio_constraints", _cap_weight),
    ConstraintType.MAX_POSITIONS: ("portfolio_constraints", _cap_positions),
    ConstraintType.LEVERAGE_LIMIT: ("portfolio_constraints", _cap_leverage),
    ConstraintType.MAX_DRAWDOWN_PCT: ("risk", _cap_drawdown),
    ConstraintType.MAX_DAILY_LOSS_PCT: ("risk", _cap_daily_loss),
    ConstraintType.STOP_DISTANCE_MIN_MAX: ("risk", _bound_stops),
    ConstraintType.ADV_PARTICIPATION_CAP: ("execution", _cap_participation),
    ConstraintType.SPREAD_BPS_CAP: ("execution", _cap_spread),
}
# The engines fill at the next bar only; there is nothing left to enforce.
_ALWAYS_HELD = {ConstraintType.NO_LOOKAHEAD}
_REACH = {"template_ids", "symbols"}
# The window the engines measure mean volume over; a spec has no say in it.
_ADV_BARS = 20


def check_enforceable(constraints: Iterable[Constraint]) -> None:
    """Unsupported if nothing enforces a constraint's type, or its reach names what nothing reads."""
    for constraint in constraints:
        unread = sorted(set(constraint.applies_to) - _REACH)
        if unread:
            raise Unsupported(
                f"constraint {constraint.constraint_id[:12]} applies to {', '.join(unread)}, which this "
                f"version cannot tell apart; it reads {', '.join(sorted(_REACH))}"
            )
        window = constraint.params.get("adv_window_bars", _ADV_BARS)
        if window != _ADV_BARS:
            raise Unsupported(
                f"constraint {constraint.constraint_id[:12]} measures volume over {window} bars; the engines "
                f"use {_ADV_BARS}, so set adv_window_bars to {_ADV_BARS} or leave it out"
            )
        if constraint.type not in _BLOCKERS.keys() | _REWRITERS.keys() | _ALWAYS_HELD:
            raise Unsupported(
                f"constraint {constraint.constraint_id[:12]} of type {constraint.type} cannot be "
                "enforced by this version; retire it or leave it out of the base set"
            )


def binds(constraint: Constraint, template_id: str | None, spec: NormalSpec) -> bool:
    """Whether an active constraint's ``applies_to`` covers this candidate (empty = everywhere)."""
    if constraint.status is not ConstraintStatus.ACTIVE:
        return False
    scope = constraint.applies_to
    if "template_ids" in scope and template_id not in scope["template_ids"]:
        return False
    if "symbols" not in scope:
        return True
    return not set(scope["symbols"]).isdisjoint(spec["universe"].get("symbols") or ())


def blockers(constraints: Iterable[Constraint], traits: Traits, spec: NormalSpec) -> tuple[Constraint, ...]:
    """Every constraint that would block this candidate, in the order given."""
    return tuple(
        c
        for c in constraints
        if c.type in _BLOCKERS
        and binds(c, traits.template_id, spec)
        and _BLOCKERS[c.type](c.params, traits, spec)
    )


def rewrite(
    constraints: Iterable[Constraint], template_id: str | None, spec: NormalSpec
) -> tuple[NormalSpec, tuple[Constraint, ...]]:
    """The spec with every portfolio, execution and risk constraint applied, and those that changed it.

    The input is left alone; sections that no constraint changes are shared with it. What comes back is
    still canonical: only numbers moved, and each has its one spelling.
    """
    changed = []
    for constraint in constraints:
        if constraint.type not in _REWRITERS or not binds(constraint, template_id, spec):
            continue
        name, rewriter = _REWRITERS[constraint.type]
        section = copy_tree(spec[name])
        rewriter(constraint.params, section)
        if section != spec[name]:
            spec = cast("NormalSpec", {**spec, name: section})
            changed.append(constraint)
    return spec, tuple(changed)


def density_limits(
    constraints: Iterable[Constraint], template_id: str | None, spec: NormalSpec
) -> tuple[float, float]:
    """Least and most entry signals a year that any density constraint allows this candidate."""
    low, high = 0.0, float("inf")
    for constraint in constraints:
        if binds(constraint, template_id, spec):
            low = max(low, constraint.params.get("min_trades_per_year", low))
            high = min(high, constraint.params.get("max_trades_per_year", high))
    return low, high
