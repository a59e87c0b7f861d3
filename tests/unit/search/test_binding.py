"""Constraints bind: generator ones block, risk ones rewrite before the hash, none is left unread."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantrail.domain.enums import SCOPE_OF, ConstraintStatus
from quantrail.domain.enums import ConstraintType as C
from quantrail.domain.identity import constraint_id
from quantrail.domain.records import Constraint
from quantrail.errors import Unsupported
from quantrail.search.binding import blockers, check_enforceable, density_limits, rewrite
from quantrail.search.traits import traits_of
from quantrail.strategy import TEMPLATES, canonicalise, from_normal, reframed

SYMBOLS = ("AAPL", "MSFT", "XOM")


def constraint(kind: C, params: dict[str, Any], **changes: Any) -> Constraint:
    scope = SCOPE_OF[kind]
    applies_to = changes.pop("applies_to", {})
    made = Constraint(constraint_id(scope, kind, params, applies_to), scope, kind, params, applies_to)
    return replace(made, **changes)


def spec_of(template: str = "SMA_CROSSOVER", **sections: Any) -> Any:
    document = TEMPLATES[template].build({}, SYMBOLS)
    return canonicalise({**document, **sections})


def blocked_by(
    made: Constraint, template: str = "SMA_CROSSOVER", density: float = np.nan, **sections: Any
) -> bool:
    canonical = spec_of(template, **sections)
    traits = traits_of(canonical.strategy_id, canonical.spec, template, density)
    return blockers([made], traits, canonical.spec) == (made,)


@pytest.mark.parametrize(
    ("kind", "params", "density", "expected"),
    [
        (C.BAN_TEMPLATE, {"template_id": "SMA_CROSSOVER"}, np.nan, True),
        (C.BAN_TEMPLATE, {"template_id": "MOMENTUM"}, np.nan, False),
        (C.BAN_FEATURES, {"features": ["sma"]}, np.nan, True),
        (C.BAN_FEATURES, {"features": ["rsi"]}, np.nan, False),
        (C.ALLOW_FEATURES_ONLY, {"features": ["rsi"]}, np.nan, True),
        (C.ALLOW_FEATURES_ONLY, {"features": ["sma", "rsi"]}, np.nan, False),
        (C.LIMIT_PARAM_RANGE, {"feature": "sma", "param": "period", "min": 30, "max": None}, np.nan, True),
        (C.LIMIT_PARAM_RANGE, {"feature": "sma", "param": "period", "min": None, "max": 40}, np.nan, True),
        (C.LIMIT_PARAM_RANGE, {"feature": "sma", "param": "period", "min": 2, "max": 400}, np.nan, False),
        (C.LIMIT_PARAM_RANGE, {"feature": "ema", "param": "period", "min": 900, "max": None}, np.nan, False),
        (C.MAX_COMPLEXITY, {"max_cmp_count": 1}, np.nan, True),
        (C.MAX_COMPLEXITY, {"max_cmp_count": 8, "max_feature_count": 12}, np.nan, False),
        (C.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 10}, 4.0, True),
        (C.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 10}, 40.0, False),
        (C.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 10}, np.nan, False),
        (C.MAX_SIGNAL_DENSITY, {"max_trades_per_year": 300}, 400.0, True),
        (C.MAX_SIGNAL_DENSITY, {"max_trades_per_year": 300}, 200.0, False),
        (C.ORDER_TYPE_ALLOWLIST, {"allowed": ["LMT", "STP"]}, np.nan, True),
        (C.ORDER_TYPE_ALLOWLIST, {"allowed": ["MKT", "LMT"]}, np.nan, False),
    ],
)
def test_a_generator_constraint_blocks_what_it_forbids(
    kind: C, params: dict[str, Any], density: float, expected: bool
) -> None:
    assert blocked_by(constraint(kind, params), density=density) is expected


def test_an_inactive_constraint_blocks_nothing() -> None:
    made = constraint(C.BAN_TEMPLATE, {"template_id": "SMA_CROSSOVER"})
    assert blocked_by(made)
    assert not blocked_by(replace(made, status=ConstraintStatus.DEPRECATED))


def test_applies_to_narrows_the_reach() -> None:
    params = {"features": ["sma"]}
    other = constraint(C.BAN_FEATURES, params, applies_to={"template_ids": ["MOMENTUM"]})
    own = constraint(C.BAN_FEATURES, params, applies_to={"template_ids": ["SMA_CROSSOVER"]})
    elsewhere = constraint(C.BAN_FEATURES, params, applies_to={"symbols": ["TSLA"]})
    assert not blocked_by(other)
    assert blocked_by(own)
    assert not blocked_by(elsewhere)


@pytest.mark.parametrize(
    ("kind", "params", "path", "expected"),
    [
        (C.MAX_POSITION_WEIGHT, {"value": 0.1}, ("portfolio_constraints", "max_position_weight"), 0.1),
        (C.MAX_POSITIONS, {"value": 2}, ("portfolio_constraints", "max_positions"), 2),
        (C.MAX_DRAWDOWN_PCT, {"value": 0.15}, ("risk", "portfolio_risk", "max_drawdown_pct"), 0.15),
        (C.MAX_DAILY_LOSS_PCT, {"value": 0.03}, ("risk", "portfolio_risk", "max_daily_loss_pct"), 0.03),
        (C.LEVERAGE_LIMIT, {"max_gross": 0.5}, ("portfolio_constraints", "leverage", "max_gross"), 0.5),
        (
            C.STOP_DISTANCE_MIN_MAX,
            {"min_atr_mult": 2.0, "max_atr_mult": 6.0},
            ("risk", "trade_risk", "hard_stop", "value"),
            2.0,
        ),
        (
            C.ADV_PARTICIPATION_CAP,
            {"max_participation": 0.01, "adv_window_bars": 20},
            ("execution", "order", "max_adv_participation"),
            0.01,
        ),
        (C.SPREAD_BPS_CAP, {"max_spread_bps": 10}, ("execution", "order", "reject_if_spread_bps_gt"), 10),
    ],
)
def test_a_risk_constraint_rewrites_the_spec_and_so_its_identity(
    kind: C, params: dict[str, Any], path: tuple[str, ...], expected: float
) -> None:
    source = spec_of(risk={"trade_risk": {"hard_stop": {"type": "atr", "value": 1.0}}})
    before = deepcopy(source.spec)
    made = constraint(kind, params)
    found, changed = rewrite([made], "SMA_CROSSOVER", source.spec)
    assert changed == (made,)
    assert source.spec == before
    value: Any = found
    for key in path:
        value = value[key]
    assert value == expected
    assert from_normal(found).strategy_id != source.strategy_id
    assert reframed(source, found) == from_normal(found)


def test_a_rewritten_spec_is_canonical() -> None:
    source = spec_of()
    made = constraint(C.MAX_DRAWDOWN_PCT, {"value": 0.15})
    found, _ = rewrite([made], None, source.spec)
    written = spec_of(risk={"portfolio_risk": {"max_drawdown_pct": 0.15}})
    assert from_normal(found).strategy_id == written.strategy_id


def test_a_whole_limit_is_spelt_as_a_written_spec_spells_it() -> None:
    source = spec_of(risk={"trade_risk": {"hard_stop": {"type": "atr", "value": 1.0}}})
    found, _ = rewrite([constraint(C.STOP_DISTANCE_MIN_MAX, {"min_atr_mult": 3.0})], None, source.spec)
    written = spec_of(risk={"trade_risk": {"hard_stop": {"type": "atr", "value": 3.0}}})
    assert repr(found["risk"]) == repr(written.spec["risk"])
    assert found["portfolio_constraints"] is source.spec["portfolio_constraints"]


def test_a_spec_within_the_limits_keeps_its_identity() -> None:
    source = spec_of(risk={"portfolio_risk": {"max_drawdown_pct": 0.10}})
    found, changed = rewrite([constraint(C.MAX_DRAWDOWN_PCT, {"value": 0.15})], None, source.spec)
    assert changed == ()
    assert from_normal(found).strategy_id == source.strategy_id


def test_density_limits_join_all_constraints_that_reach_the_candidate() -> None:
    members = [
        constraint(C.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 5.0}),
        constraint(C.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 9.0}),
        constraint(C.MAX_SIGNAL_DENSITY, {"max_trades_per_year": 300.0}),
        constraint(
            C.MAX_SIGNAL_DENSITY, {"max_trades_per_year": 20.0}, applies_to={"template_ids": ["MOMENTUM"]}
        ),
    ]
    assert density_limits(members, "SMA_CROSSOVER", spec_of().spec) == (9.0, 300.0)


def test_a_constraint_that_nothing_enforces_is_refused() -> None:
    with pytest.raises(Unsupported, match="SECTOR_CAP cannot be enforced"):
        check_enforceable([constraint(C.SECTOR_CAP, {"max_weight": 0.3})])


def test_a_volume_window_the_engines_do_not_use_is_refused() -> None:
    made = constraint(C.ADV_PARTICIPATION_CAP, {"max_participation": 0.01, "adv_window_bars": 60})
    with pytest.raises(Unsupported, match="over 60 bars"):
        check_enforceable([made])


def test_a_reach_that_nothing_reads_is_refused() -> None:
    made = constraint(C.BAN_FEATURES, {"features": []}, applies_to={"regions": ["EU"]})
    with pytest.raises(Unsupported, match="applies to regions"):
        check_enforceable([made])
