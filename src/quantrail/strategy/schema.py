"""The JSON Schema (2020-12) of a strategy document, generated from the models."""

from __future__ import annotations

from typing import Any

from quantrail.strategy.catalogue import FEATURE_TYPES, FeatureType
from quantrail.strategy.models import StrategySpec


def json_schema() -> dict[str, Any]:
    """Structure, types and bounds. Names that must exist and rules between parts are beyond a schema."""
    schema = StrategySpec.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$defs"]["Feature"]["oneOf"] = [_feature(kind) for kind in FEATURE_TYPES.values()]
    return schema


def _feature(kind: FeatureType) -> dict[str, Any]:
    inputs: dict[str, Any] = {"minItems": kind.arity, "maxItems": kind.arity}
    if not kind.free_inputs:
        inputs = {"const": list(kind.inputs)}
    required = ["type"] if len(kind.inputs) == kind.arity else ["type", "inputs"]
    return {
        "properties": {
            "type": {"const": kind.name, "description": kind.meaning},
            "inputs": {"anyOf": [inputs, {"type": "null"}]} if kind.inputs else inputs,
            "params": {
                "properties": {
                    param.name: {
                        "type": "integer" if param.kind == "int" else "number",
                        "minimum": param.low,
                        "maximum": param.high,
                        "default": param.default,
                    }
                    for param in kind.params
                },
                "additionalProperties": False,
            },
        },
        "required": required,
    }
