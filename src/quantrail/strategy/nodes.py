"""Condition trees as they are written: pydantic models of the AST."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from quantrail.strategy.limits import MAX_CHILDREN, MAX_LAG, MAX_NUMBER


class Part(BaseModel):
    """Every part of a spec: unknown keys are errors, nothing is coerced, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _integral(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_integral), Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]


# Tags are spelt so that no key of a document can be taken for one.
def _number_kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    return "<int>" if isinstance(value, int) else "<float>" if isinstance(value, float) else None


Number = Annotated[
    Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), Tag("<int>")]
    | Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), Tag("<float>")],
    Discriminator(_number_kind, custom_error_type="number", custom_error_message="a number is expected here"),
]


def _parameter_kind(value: Any) -> str | None:
    return "<text>" if isinstance(value, str) else _number_kind(value)


ParameterValue = Annotated[
    Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), Tag("<int>")]
    | Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), Tag("<float>")]
    | Annotated[str, Tag("<text>")],
    Discriminator(
        _parameter_kind,
        custom_error_type="parameter",
        custom_error_message="a parameter is a number, or for a few a text",
    ),
]


class RefOperand(Part):
    """A feature, bar column or system variable, ``lag`` bars ago, times ``scale``."""

    ref: str
    lag: Annotated[Whole, Field(ge=0, le=MAX_LAG)] = 0
    scale: Number = 1


class ValueOperand(Part):
    """A constant, spelt out."""

    value: Number | str


def _operand_kind(value: Any) -> str | None:
    if isinstance(value, str):
        return "<name>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "<number>"
    if isinstance(value, RefOperand) or (isinstance(value, dict) and "ref" in value):
        return "<ref>"
    return "<value>" if isinstance(value, ValueOperand | dict) else None


Operand = Annotated[
    Annotated[str, Tag("<name>")]
    | Annotated[Number, Tag("<number>")]
    | Annotated[RefOperand, Tag("<ref>")]
    | Annotated[ValueOperand, Tag("<value>")],
    Discriminator(
        _operand_kind,
        custom_error_type="operand",
        custom_error_message="an operand is a name, a number, {ref, lag, scale} or {value}",
    ),
]


class Cmp(Part):
    node: Literal["CMP"]
    left: Operand
    op: Literal["==", "!=", ">", ">=", "<", "<="]
    right: Operand


class CrossAbove(Part):
    node: Literal["CROSS_ABOVE"]
    left: Operand
    right: Operand


class CrossBelow(Part):
    node: Literal["CROSS_BELOW"]
    left: Operand
    right: Operand


class And(Part):
    node: Literal["AND"]
    children: Annotated[list[Node], Field(min_length=2, max_length=MAX_CHILDREN)]


class Or(Part):
    node: Literal["OR"]
    children: Annotated[list[Node], Field(min_length=2, max_length=MAX_CHILDREN)]


class Not(Part):
    node: Literal["NOT"]
    child: Node


class In(Part):
    node: Literal["IN"]
    value: Operand
    set: Annotated[list[Number | str], Field(min_length=1, max_length=500)]


class Between(Part):
    node: Literal["BETWEEN"]
    value: Operand
    low: Operand
    high: Operand
    inclusive: bool = True


class TrueNode(Part):
    node: Literal["TRUE"]


class FalseNode(Part):
    node: Literal["FALSE"]


Node = Annotated[
    Cmp | CrossAbove | CrossBelow | And | Or | Not | In | Between | TrueNode | FalseNode,
    Field(discriminator="node"),
]
NODE_KINDS = (
    "CMP",
    "CROSS_ABOVE",
    "CROSS_BELOW",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "TRUE",
    "FALSE",
)

And.model_rebuild()
Or.model_rebuild()
Not.model_rebuild()
