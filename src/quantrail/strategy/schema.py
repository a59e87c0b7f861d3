"""The JSON Schema (2020-12) of a strategy document, generated from the models."""

from __future__ import annotations

from typing import Any

from quantrail.strategy.catalogue import FEATURE_TYPES, FeatureType
from quantrail.strategy.limits import SERIES
from quantrail.strategy.models import StrategySpec


def json_schema() -> dict[str, Any]:
    """Structure, types and bounds. Names that must exist and rules between parts are beyond a schema."""
    schema: dict[str, Any] = _standard(StrategySpec.model_json_schema())
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$defs"]["Feature"]["oneOf"] = [_feature(kind) for kind in FEATURE_TYPES.values()]
    return schema


# Pydantic leaves a bound on a union, and on a value that is read before it is checked, in its own words.
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def _standard(node: Any) -> Any:
    if isinstance(node, list):
        return [_standard(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {_BOUNDS.get(key, key): _standard(value) for key, value in node.items()}
    kinds = [item.get("type") for item in plain.get("oneOf", ()) if isinstance(item, dict)]
    if kinds[:2] == ["integer", "number"]:
        # Every integer is a number, so that one of the two alone would never match.
        _, number, *more = plain.pop("oneOf")
        plain = {"anyOf": [number, *more], **plain} if more else {**number, **plain}
    if "patternProperties" in plain:
        plain.setdefault("additionalProperties", False)
    return plain


def _feature(kind: FeatureType) -> dict[str, Any]:
    inputs: dict[str, Any] = {"minItems": kind.arity, "maxItems": kind.arity}
    if not kind.free_inputs:
        inputs = {"const": list(kind.inputs)}
    required = ["type"] if len(kind.inputs) == kind.arity else ["type", "inputs"]
    required += ["params"] if kind.texts else []
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
                }
                | {name: {"type": "string", "pattern": f"^(?:{SERIES})$"} for name in kind.texts},
                "required": list(kind.texts),
                "additionalProperties": False,
            },
        },
        "required": required,
    }
