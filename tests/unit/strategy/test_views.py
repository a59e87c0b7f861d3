"""Explanations, differences, advice, schema and complexity."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from quantrail.strategy import (
    FEATURE_TYPES,
    TEMPLATES,
    Complexity,
    advisories,
    canonicalise,
    complexity,
    diff,
    explain,
    json_schema,
    template_spec,
)

DOCUMENT: dict[str, Any] = {
    "universe": {"symbols": ["SPY"]},
    "features": {"fast": {"type": "sma"}, "slow": {"type": "sma", "params": {"period": 100}}},
    "conditions": {
        "up": {"node": "CMP", "left": "fast", "op": ">", "right": {"ref": "slow", "scale": 1.01, "lag": 2}},
        "down": {"node": "CROSS_BELOW", "left": "fast", "right": "slow"},
    },
    "modules": {
        "entry": {"condition": {"ref": "up"}, "cooldown_bars": 3},
        "exit": {"condition": {"ref": "down"}, "time_stop": {"max_holding_bars": 60}},
    },
    "risk": {"trade_risk": {"hard_stop": {"type": "pct", "value": 0.08}}},
}


def test_an_explanation_is_three_sentences_that_name_what_happens() -> None:
    assert explain(DOCUMENT) == (
        "On SPY, it buys when 1.01 x the 100-bar mean of the close 2 bars ago is below "
        "the 20-bar mean of the close (not within 3 bars of the last trade), filling at the next open. "
        "It sells when the 100-bar mean of the close crosses above the 20-bar mean of the close, "
        "or after 60 bars, with a stop 8 % from entry. "
        "It holds at most one position, equally weighted; each fill costs 6 bps."
    )


@pytest.mark.parametrize("name", FEATURE_TYPES)
def test_every_feature_type_can_be_said(name: str) -> None:
    kind = FEATURE_TYPES[name]
    document = copy.deepcopy(DOCUMENT)
    inputs = {} if len(kind.inputs) == kind.arity else {"inputs": ["high", "open"][: kind.arity]}
    named = {"params": dict.fromkeys(kind.texts, "CPI")} if kind.texts else {}
    document["features"]["new"] = {"type": name, **inputs, **named}
    document["conditions"]["up"] = {"node": "CMP", "left": "new", "op": ">", "right": 1}
    text = explain(document)
    assert "{" not in text
    assert ";period" not in text


def test_two_spellings_do_not_differ() -> None:
    other = copy.deepcopy(DOCUMENT)
    other["features"] = {"b": DOCUMENT["features"]["slow"], "a": {"type": "sma", "params": {"period": 20.0}}}
    other["conditions"] = {
        "x": {"node": "CMP", "left": {"ref": "b", "scale": 1.01, "lag": 2}, "op": "<", "right": "a"},
        "y": {"node": "CROSS_ABOVE", "left": "b", "right": "a"},
    }
    other["modules"]["entry"]["condition"]["ref"] = "x"
    other["modules"]["exit"]["condition"]["ref"] = "y"
    assert diff(canonicalise(DOCUMENT).spec, canonicalise(other).spec) == []


def test_every_change_of_meaning_shows_with_its_path() -> None:
    other = copy.deepcopy(DOCUMENT)
    other["features"]["fast"]["params"] = {"period": 30}
    other["universe"]["symbols"] = ["QQQ"]
    other["risk"]["trade_risk"]["hard_stop"]["value"] = 0.1
    other["modules"]["entry"]["cooldown_bars"] = 0
    del other["modules"]["exit"]["time_stop"]
    found = {
        row.path: (row.before, row.after)
        for row in diff(canonicalise(DOCUMENT).spec, canonicalise(other).spec)
    }
    assert set(found) == {
        "features.sma(close;period=20)",
        "features.sma(close;period=30)",
        "modules.long_entry",
        "modules.long_exit",
        "modules.long.cooldown_bars",
        "modules.long.max_holding_bars",
        "risk.trade_risk.hard_stop.value",
        "universe.symbols",
    }
    assert found["risk.trade_risk.hard_stop.value"] == (0.08, 0.1)
    assert found["modules.long.max_holding_bars"] == (60, None)
    assert found["universe.symbols"] == (["SPY"], ["QQQ"])


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_difference_is_empty_exactly_when_the_ids_are_equal(name: str) -> None:
    one = canonicalise(template_spec(name))
    for other in map(canonicalise, map(template_spec, TEMPLATES)):
        assert (diff(one.spec, other.spec) == []) == (one.strategy_id == other.strategy_id)


def test_complexity_counts_the_canonical_form() -> None:
    assert complexity(canonicalise(DOCUMENT).spec) == Complexity(ast_depth=1, cmp_count=2, feature_count=2)
    stack = canonicalise(template_spec("TREND_STACK")).spec
    assert complexity(stack) == Complexity(ast_depth=2, cmp_count=4, feature_count=4)


def test_what_is_allowed_but_odd_is_mentioned() -> None:
    assert advisories(canonicalise(DOCUMENT).spec) == []
    odd = copy.deepcopy(DOCUMENT)
    odd["metadata"] = {"nan_policy": "TREAT_AS_TRUE"}
    odd["conditions"]["up"]["right"] = "fast"
    odd["features"]["slow"]["params"]["period"] = 600
    assert len(advisories(canonicalise(odd).spec)) == 3
    odd["conditions"]["up"] = {"node": "FALSE"}
    assert "long_entry can never hold, so that side never trades" in advisories(canonicalise(odd).spec)


def test_a_spread_limit_below_the_own_model_is_mentioned() -> None:
    tight = {**DOCUMENT, "execution": {"order": {"reject_if_spread_bps_gt": 1}}}
    tight["cost_model"] = {"spread": {"value_bps": 2}}
    assert advisories(canonicalise(tight).spec) == [
        "the cost model's own spread, 4 bps, is wider than reject_if_spread_bps_gt 1, "
        "so every entry is rejected"
    ]
    loose = {**tight, "execution": {"order": {"reject_if_spread_bps_gt": 4}}}
    assert advisories(canonicalise(loose).spec) == []


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"type": "MKT"}, "filling at the next open"),
        ({"type": "LMT"}, "with a limit order at that close, for a bar"),
        ({"type": "STP", "time_in_force": "GTC"}, "with a stop order at that close, until it fills"),
    ],
)
def test_an_explanation_says_how_orders_fill(order: dict[str, Any], said: str) -> None:
    assert f", {said}." in explain({**DOCUMENT, "execution": {"order": order}})


def test_the_schema_is_one_and_accepts_every_template() -> None:
    Draft202012Validator.check_schema(json_schema())
    validator = Draft202012Validator(json_schema())
    for template in TEMPLATES.values():
        assert list(validator.iter_errors(template.build(None, ["SPY"]))) == []
        Draft202012Validator.check_schema(template.parameter_schema)
        parameters = Draft202012Validator(template.parameter_schema)
        defaults = {parameter.name: parameter.default for parameter in template.parameters}
        assert parameters.is_valid(defaults)
        assert not parameters.is_valid({**defaults, "unknown": 1})


def test_the_schema_knows_every_feature_type_and_its_parameters() -> None:
    schema = json_schema()
    kinds = {item["properties"]["type"]["const"]: item for item in schema["$defs"]["Feature"]["oneOf"]}
    assert set(kinds) == set(FEATURE_TYPES)
    assert kinds["rsi"]["properties"]["params"]["properties"]["period"]["maximum"] == 1000
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"conditions", "modules"}
