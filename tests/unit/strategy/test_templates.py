"""Templates and atoms: what ships, parameters with bounds and rules, documents they make."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import pytest

from quantrail.errors import InvalidInput, NotFound, SpecInvalid
from quantrail.strategy import (
    ATOMS,
    FEATURE_TYPES,
    TEMPLATES,
    assemble,
    canonicalise,
    complexity,
    explain,
    recombine,
    template_spec,
    templates,
)

NAMED = {
    "SMA_CROSSOVER",
    "RSI_MEAN_REVERSION",
    "MOMENTUM",
    "BUY_AND_HOLD",
    "BOLLINGER_REVERSION",
    "DONCHIAN_BREAKOUT",
    "MACD_TREND",
    "ADX_TREND",
    "STOCH_RSI",
    "REGIME_REVERSAL",
}


def drawn(name: str, rng: Random) -> dict[str, Any]:
    while True:
        params = {parameter.name: rng.choice(parameter.grid()) for parameter in TEMPLATES[name].parameters}
        if not TEMPLATES[name].problems(params).items:
            return params


def test_the_shelf_is_full_and_every_piece_says_why_and_from_where() -> None:
    assert set(TEMPLATES) >= NAMED
    assert len(TEMPLATES) >= 12
    assert len(ATOMS) >= 40
    for piece in (*TEMPLATES.values(), *ATOMS.values()):
        assert piece.rationale.endswith(".")
        assert "\n" not in piece.rationale
        assert any(character.isdigit() for character in piece.reference)


@pytest.mark.parametrize("name", TEMPLATES)
def test_any_point_of_the_grid_makes_a_valid_spec(name: str) -> None:
    rng = Random(name)
    for _ in range(25):
        params = drawn(name, rng)
        document = TEMPLATES[name].build(params, ["SPY", "QQQ"])
        found = canonicalise(document)
        assert found.spec["universe"]["symbols"] == ["QQQ", "SPY"]
        assert document["metadata"] == {"created_by": "template", "template_id": name, "params": params}
        assert complexity(found.spec).ast_depth <= 4
        assert explain(document).startswith("On QQQ, SPY, it buys")


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_defaults_are_on_the_grid_and_obey_the_rules(name: str) -> None:
    template = TEMPLATES[name]
    for parameter in template.parameters:
        assert parameter.default in parameter.grid()
        assert parameter.grid()[0] == parameter.low
        assert parameter.grid()[-1] == parameter.high
        assert all(target[0] in FEATURE_TYPES for target in parameter.targets)
    assert not template.problems({}).items


def test_a_grid_within_narrower_bounds() -> None:
    period = TEMPLATES["RSI_MEAN_REVERSION"].parameters[0]
    assert period.grid(10, 12) == (10, 11, 12)
    assert period.grid(low=29) == (29, 30)
    assert period.grid(high=1) == ()


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_parameter_schema_lists_every_parameter_with_bounds(name: str) -> None:
    schema = TEMPLATES[name].parameter_schema
    assert list(schema["properties"]) == [parameter.name for parameter in TEMPLATES[name].parameters]
    for parameter in TEMPLATES[name].parameters:
        entry = schema["properties"][parameter.name]
        assert entry["minimum"] <= entry["default"] <= entry["maximum"]
        assert entry["type"] == ("integer" if parameter.kind == "int" else "number")
    assert schema["additionalProperties"] is False
    assert schema["x-rules"] == [str(rule) for rule in TEMPLATES[name].rules]


def test_wrong_parameters_are_all_listed() -> None:
    with pytest.raises(SpecInvalid) as caught:
        template_spec(
            "RSI_MEAN_REVERSION", {"rsi_perod": 3, "oversold": 90, "overbought": "x", "max_holding_bars": 7.5}
        )
    problems = {item["path"]: item["code"] for item in caught.value.context["problems"]}
    assert problems == {
        "$.params.rsi_perod": "UNKNOWN_NAME",
        "$.params.oversold": "OUT_OF_RANGE",
        "$.params.overbought": "WRONG_TYPE",
        "$.params.max_holding_bars": "WRONG_TYPE",
    }


def test_a_long_window_below_the_short_one_is_refused() -> None:
    with pytest.raises(SpecInvalid, match="long_window > short_window"):
        template_spec("SMA_CROSSOVER", {"short_window": 50, "long_window": 50})


def test_an_unknown_template_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="SMA_CROSSOVER"):
        template_spec("SMA_CROSOVER")


def test_templates_are_functions_too() -> None:
    called = templates.sma_crossover(20, 50, symbols=["SPY"], name="mine")
    assert called == template_spec(
        "SMA_CROSSOVER", {"short_window": 20, "long_window": 50}, ["SPY"], name="mine"
    )
    assert (
        templates.sma_crossover(short_window=20, long_window=50, symbols=["SPY"])["features"]
        == called["features"]
    )
    assert "sma_crossover" in dir(templates)
    with pytest.raises(AttributeError, match="sma_crossover"):
        templates.sma_crosover()
    with pytest.raises(InvalidInput, match="twice"):
        templates.sma_crossover(20, short_window=20)


def test_overrides_replace_whole_sections_and_unknown_ones_are_refused() -> None:
    document = template_spec(
        "EMA_CROSSOVER", risk={"trade_risk": {"trailing_stop": {"type": "pct", "value": 0.1}}}
    )
    assert "hard_stop" not in document["risk"]["trade_risk"]
    with pytest.raises(SpecInvalid, match="risks"):
        template_spec("EMA_CROSSOVER", risks={})


def test_every_entry_goes_with_every_exit_filter_sizing_and_risk_atom() -> None:
    by_kind = {
        kind: [atom for atom in ATOMS.values() if atom.kind == kind] for kind in ("entry", "exit", "filter")
    }
    others = [atom for atom in ATOMS.values() if atom.kind in ("sizing", "risk", "filter")]
    for entry, leave in product(by_kind["entry"], by_kind["exit"]):
        pieces = [entry, leave]
        values = {parameter.name: parameter.default for atom in pieces for parameter in atom.parameters}
        canonicalise(assemble(pieces, values))
    for other in others:
        pieces = [by_kind["entry"][0], by_kind["exit"][0], other]
        values = {parameter.name: parameter.default for atom in pieces for parameter in atom.parameters}
        canonicalise(assemble(pieces, values))


def test_any_two_parents_recombine_and_a_parent_with_itself_is_itself() -> None:
    rng = Random(9)
    parents = {name: TEMPLATES[name].build(drawn(name, rng), ["SPY"]) for name in TEMPLATES}
    for first, second in product(parents, parents):
        child = canonicalise(recombine(parents[first], parents[second]))
        mother, father = canonicalise(parents[first]), canonicalise(parents[second])
        if first == second:
            assert child.strategy_id == mother.strategy_id
        long, mothers, fathers = (item.spec["modules"]["long"] for item in (child, mother, father))
        assert long is not None
        assert mothers is not None
        assert fathers is not None
        assert long["entry"] == mothers["entry"]
        assert long["exit"] == fathers["exit"]
        assert child.spec["risk"] == father.spec["risk"]


def test_children_of_children_stay_small_and_valid() -> None:
    rng = Random(3)
    family = [TEMPLATES[name].build(drawn(name, rng), ["SPY"]) for name in TEMPLATES]
    for _ in range(300):
        first, second = rng.choice(family), rng.choice(family)
        child = recombine(first, second)
        long, mothers, fathers = (
            canonicalise(item).spec["modules"]["long"] for item in (child, first, second)
        )
        assert long is not None
        assert mothers is not None
        assert fathers is not None
        assert (long["entry"], long["exit"]) == (mothers["entry"], fathers["exit"])
        assert len(child["features"]) <= 10
        assert len(child["conditions"]) <= 3
        family[rng.randrange(len(family))] = child
    assert all(len(key) < 30 for member in family for key in member["features"])
