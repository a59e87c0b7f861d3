"""From observations to constraints: planted causes are found, luck is not, evidence is cited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from quantrail.analysis.constraints import (
    Observation,
    ObservedFailure,
    Traits,
    constraint_effect,
    derive_constraints,
    load_constraint_rules,
)
from quantrail.domain.enums import SCOPE_OF, ConstraintType
from quantrail.domain.identity import constraint_id
from quantrail.domain.ids import FailureId, StrategyId
from quantrail.domain.records import Constraint

RULES = load_constraint_rules()
TEMPLATES = [f"T{k}" for k in range(10)]


def observation(k: int, template: str = "T0", tag: str | None = None, **traits: object) -> Observation:
    base = Traits(
        strategy_id=StrategyId(f"{k:064x}"),
        template_id=template,
        feature_params={("sma", "period"): (float(10 + k % 40),)},
        ast_depth=2,
        cmp_count=2,
        feature_count=2,
        max_weight=0.1,
        stop_atr=None,
        signals_per_year=50.0,
    )
    made = replace(base, **traits)  # type: ignore[arg-type]
    failures = (ObservedFailure(FailureId(f"{k:064x}"), tag, 0.9),) if tag else ()
    return Observation(made, failures, passed=tag is None)


def derived(
    observed: list[Observation], in_force: tuple[Constraint, ...] = ()
) -> dict[ConstraintType, object]:
    return {d.constraint.type: d for d in derive_constraints(RULES, observed, in_force)}


def planted(kind: str) -> list[Observation]:
    """Two hundred candidates of which a region fails with one tag."""
    made = []
    for k in range(200):
        inside = k % 4 == 0
        template = TEMPLATES[k % 10]
        if kind == "template":
            inside = k % 10 == 3
            made.append(observation(k, template, "NEGATIVE_EXPECTANCY" if inside else None))
        elif kind == "param":
            period = 5.0 + (k * 7) % 100
            failing = period < 30
            made.append(
                observation(
                    k, template, "COST_DRAG" if failing else None,
                    feature_params={("sma", "period"): (period,)}, signals_per_year=60.0 + k % 3,
                )
            )  # fmt: skip
        elif kind == "dense":
            made.append(
                observation(
                    k,
                    template,
                    "TURNOVER_HIGH" if inside else None,
                    signals_per_year=400.0 + k if inside else 50.0,
                )
            )
        elif kind == "sparse":
            made.append(
                observation(
                    k, template, "NO_TRADES" if inside else None, signals_per_year=1.0 if inside else 50.0 + k
                )
            )
        elif kind == "complex":
            made.append(
                observation(k, template, "FEW_TRADES_CARRY" if inside else None, cmp_count=6 if inside else 2)
            )
        elif kind == "weight":
            made.append(
                observation(
                    k, template, "CONCENTRATION" if inside else None, max_weight=0.34 if inside else 0.05
                )
            )
        elif kind == "stop":
            made.append(
                observation(
                    k, template, "STOP_TOO_TIGHT" if inside else None, stop_atr=1.0 if inside else 3.0
                )
            )
        elif kind == "drawdown":
            made.append(observation(k, template, "DRAWDOWN_DEEP" if inside else None))
    return made


@pytest.mark.parametrize(
    ("kind", "type_", "params"),
    [
        ("template", ConstraintType.BAN_TEMPLATE, {"template_id": "T3"}),
        ("param", ConstraintType.LIMIT_PARAM_RANGE, {"feature": "sma", "param": "period", "max": None}),
        ("dense", ConstraintType.MAX_SIGNAL_DENSITY, {}),
        ("sparse", ConstraintType.MIN_SIGNAL_DENSITY, {"min_trades_per_year": 51.0}),
        ("complex", ConstraintType.MAX_COMPLEXITY, {"max_cmp_count": 5}),
        ("weight", ConstraintType.MAX_POSITION_WEIGHT, {"value": 0.05}),
        ("stop", ConstraintType.STOP_DISTANCE_MIN_MAX, {"min_atr_mult": 3.0}),
        ("drawdown", ConstraintType.MAX_DRAWDOWN_PCT, {"value": 0.2}),
    ],
)
def test_a_planted_cause_becomes_its_constraint(
    kind: str, type_: ConstraintType, params: dict[str, object]
) -> None:
    found = derived(planted(kind))
    assert type_ in found
    constraint = found[type_].constraint  # type: ignore[attr-defined]
    assert params.items() <= dict(constraint.params).items()
    assert constraint.scope is SCOPE_OF[type_]
    assert constraint.constraint_id == constraint_id(
        constraint.scope.value, type_.value, constraint.params, {}
    )


def test_every_derived_constraint_cites_failures_that_were_observed() -> None:
    observed = planted("template")
    known = {f.failure_id for o in observed for f in o.failures}
    for found in derive_constraints(RULES, observed, ()):
        assert 0 < len(found.failure_ids) <= RULES.cited_failures
        assert set(found.failure_ids) <= known


def test_statistics_hold_the_counts_and_the_exact_p_value() -> None:
    found = derived(planted("template"))[ConstraintType.BAN_TEMPLATE]
    statistics = found.constraint.statistics  # type: ignore[attr-defined]
    assert (statistics["failures"], statistics["n"]) == (20, 20)
    assert (statistics["rest_failures"], statistics["rest_n"]) == (0, 180)
    table = [[20, 0], [0, 180]]
    assert statistics["p_value"] == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_failures_that_hit_everywhere_alike_lead_to_no_ban_and_no_limit() -> None:
    rng = np.random.default_rng(0)
    for seed_round in range(20):
        observed = [
            observation(
                k, TEMPLATES[k % 10], "NEGATIVE_EXPECTANCY" if rng.random() < 0.5 else None,
                feature_params={("sma", "period"): (float(rng.integers(5, 100)),)},
                signals_per_year=float(rng.integers(1, 300)), cmp_count=int(rng.integers(1, 6)),
            )
            for k in range(300)
        ]  # fmt: skip
        assert derive_constraints(RULES, observed, ()) == [], seed_round


def test_unsure_failures_do_not_count() -> None:
    unsure = [
        replace(o, failures=tuple(replace(f, confidence=0.4) for f in o.failures))
        for o in planted("template")
    ]
    assert ConstraintType.BAN_TEMPLATE not in derived(unsure)


def test_what_is_in_force_is_not_derived_again_nor_is_anything_weaker() -> None:
    observed = planted("param")
    first = derived(observed)[ConstraintType.LIMIT_PARAM_RANGE].constraint  # type: ignore[attr-defined]
    assert ConstraintType.LIMIT_PARAM_RANGE not in derived(observed, (first,))
    tighter = replace(first, params={**first.params, "min": first.params["min"] + 5})
    assert ConstraintType.LIMIT_PARAM_RANGE not in derived(observed, (tighter,))
    weaker = replace(first, params={**first.params, "min": 6.0})
    assert ConstraintType.LIMIT_PARAM_RANGE in derived(observed, (weaker,))


def test_bans_leave_templates_to_search() -> None:
    observed = [
        observation(k, TEMPLATES[k % 10], "NEGATIVE_EXPECTANCY" if k % 10 < 5 else None) for k in range(300)
    ]
    bans = [
        d for d in derive_constraints(replace(RULES, max_new=99), observed, ())
        if d.constraint.type is ConstraintType.BAN_TEMPLATE
    ]  # fmt: skip
    keep = next(r.keep for r in RULES.rules if r.derive == "ban_template")
    assert 0 < len(bans) <= len(TEMPLATES) - keep


def test_the_order_of_observations_does_not_matter() -> None:
    observed = planted("param")
    forward = [d.constraint for d in derive_constraints(RULES, observed, ())]
    backward = [d.constraint for d in derive_constraints(RULES, observed[::-1], ())]
    assert forward == backward


def test_effect_interval_is_newcombes() -> None:
    # Newcombe (1998), table II, (a): 56/70 against 48/80, method 10: 0.0524 .. 0.3339.
    effect = constraint_effect(blocked=100, explored=80, explored_passed=48, allowed=70, allowed_passed=56)
    assert effect.uplift == pytest.approx(0.2)
    assert (effect.uplift_low, effect.uplift_high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert not effect.harmful


def test_effect_without_exploration_says_nothing() -> None:
    effect = constraint_effect(blocked=10, explored=0, explored_passed=0, allowed=70, allowed_passed=56)
    assert effect.uplift is None
    assert not effect.harmful


def test_blocking_what_works_is_harmful() -> None:
    assert constraint_effect(50, 40, 38, 200, 20).harmful


def test_bans_of_earlier_runs_count_against_what_must_be_left() -> None:
    templates = [f"T{k:02d}" for k in range(12)]
    keep = next(r.keep for r in RULES.rules if r.derive == "ban_template")
    many = replace(RULES, max_new=99)
    first = [
        observation(k, templates[k % 12], "NEGATIVE_EXPECTANCY" if k % 12 < 6 else None) for k in range(360)
    ]
    held = tuple(
        d.constraint
        for d in derive_constraints(many, first, ())
        if d.constraint.type is ConstraintType.BAN_TEMPLATE
    )
    assert len(held) == 12 - keep
    # Explorers of banned templates are observed too; four more templates fail now.
    later = [
        observation(k, templates[k % 12], "NEGATIVE_EXPECTANCY" if k % 12 < 10 else None) for k in range(360)
    ]
    again = [
        d for d in derive_constraints(many, later, held) if d.constraint.type is ConstraintType.BAN_TEMPLATE
    ]
    assert again == []


def test_a_density_bound_blocks_exactly_the_region_that_failed() -> None:
    observed = [
        observation(k, TEMPLATES[k % 10], "NO_TRADES" if k % 3 == 0 else None,
                    signals_per_year=0.0 if k % 3 == 0 else 4.5 + k)
        for k in range(200)
    ]  # fmt: skip
    found = derived(observed)[ConstraintType.MIN_SIGNAL_DENSITY]
    lowest_good = min(o.traits.signals_per_year for o in observed if o.passed)
    assert found.constraint.params == {"min_trades_per_year": lowest_good}  # type: ignore[attr-defined]
