"""Run configurations: every mistake in one sentence that names the key, the value, the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from quantrail.errors import ConfigInvalid
from quantrail.services.demo import demo_document
from quantrail.services.run_config import load_run_config, parse_run_config


def document(**changes: Any) -> dict[str, Any]:
    return {**demo_document(), **changes}


def splits(**changes: Any) -> dict[str, Any]:
    return {"splits": {**demo_document()["data"]["splits"], **changes}}


def test_the_shipped_configuration_is_valid_and_survives_a_round_trip() -> None:
    config = parse_run_config(document())
    assert parse_run_config(config.model_dump(mode="json")) == config
    assert config.contract().validation_start == "2016-01-04"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sead": 3}, "sead is not a known key; did you mean seed?"),
        ({"search": {"bugdet": {}}}, "search.bugdet is not a known key; did you mean budget?"),
        ({"seed": -1}, r"seed: .*greater than or equal to 0 \(got -1\)"),
        ({"workers": "many"}, r"workers: .*valid integer.*\(got 'many'\)"),
        ({"search": {"budget": {"candidates": 0}}}, r"search.budget.candidates: .*\(got 0\)"),
        ({"search": {"generators": {"template": 0, "mutation": 0}}}, "all generator weights are 0"),
        (
            {"data": splits(train={"start": "2015-01-01", "end": "2014-01-01"})},
            "not after its start 2015-01-01",
        ),
        ({"data": splits(validation={"start": "2015-06-01", "end": "2016-12-30"})}, "inside train"),
        ({"data": splits(holdout={"start": "2016-06-01"})}, "inside validation"),
        (
            {
                "data": {"symbols": ["AAPL"], **splits()},
                "universe": {"stored": "sp500"},
            },
            "data.symbols and universe.stored .*'sp500'.* both say what to trade; give one",
        ),
        ({"engines": {"b": {"portfolio": "magic"}}}, "engines.b.portfolio: .*whole_shares_v1.*magic"),
        ({"engines": {"b": {"execution": "magic"}}}, "engines.b.execution: .*market_v1.*magic"),
        (
            {"engines": {"b": {"execution": "market_v1", "settings": {"latncy_bars": 1}}}},
            "engines.b: model setting 'latncy_bars' is not known to market_v1; did you mean latency_bars?",
        ),
        (
            {"engines": {"b": {"settings": {"latency_bars": 1}}}},
            "'latency_bars' is not known to next_open_v2; it belongs to execution model market_v1",
        ),
        ({"engines": {"b": {"settings": {"fees_bps": "much"}}}}, "fees_bps must be a number, got 'much'"),
        ({"engines": {"b": {"settings": {"lot_size": 0}}}}, "lot_size must be above 0, got 0"),
        (
            {"engines": {"b": {"execution": "market_v1", "settings": {"time_in_force": "DAI"}}}},
            "time_in_force 'DAI' is not known; there are: DAY, GTC",
        ),
        (
            {"engines": {"b": {"execution": "market_v1", "settings": {"corporate_actions": "ab"}}}},
            "corporate_actions cannot be set",
        ),
    ],
)
def test_a_mistake_is_named_with_its_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        parse_run_config(document(**changes))


def test_engine_b_s_models_survive_a_round_trip_with_the_types_of_their_settings() -> None:
    chosen = {"latency_bars": 1, "impact_coefficient": 0.1, "time_in_force": "GTC"}
    config = parse_run_config(document(engines={"b": {"execution": "market_v1", "settings": chosen}}))
    again = parse_run_config(config.model_dump(mode="json"))
    assert again.engines.b.models() == config.engines.b.models()
    assert [(name, type(value)) for name, value in again.engines.b.models().settings] == [
        ("impact_coefficient", float),
        ("latency_bars", int),
        ("time_in_force", str),
    ]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parse_run_config(document(seed=-1, workers=0, colour="red"))
    assert len(caught.value.context["problems"]) == 3


def test_a_missing_section_is_named() -> None:
    without = {k: v for k, v in document().items() if k != "data"}
    with pytest.raises(ConfigInvalid, match="data is missing"):
        parse_run_config(without)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [unclosed", "is not valid YAML on line"),
        ("- a\n- b\n", "must hold a mapping at its top, not a list"),
        ("", "must hold a mapping at its top, not nothing"),
    ],
)
def test_a_file_that_is_no_configuration_says_so(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid, match=message):
        load_run_config(path)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="does not exist"):
        load_run_config(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigInvalid, match="cannot be read as UTF-8"):
        load_run_config(tmp_path / "binary.yaml")
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load_run_config(tmp_path)


def test_a_file_gives_what_its_document_gives(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(document()))
    assert load_run_config(path) == parse_run_config(document())
