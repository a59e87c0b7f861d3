"""Short spellings for the pieces of a document."""

from __future__ import annotations

from typing import Any

Piece = dict[str, Any]


def cmp(left: Any, op: str, right: Any) -> Piece:
    return {"node": "CMP", "left": left, "op": op, "right": right}


def cross_above(left: Any, right: Any) -> Piece:
    return {"node": "CROSS_ABOVE", "left": left, "right": right}


def cross_below(left: Any, right: Any) -> Piece:
    return {"node": "CROSS_BELOW", "left": left, "right": right}


def all_of(*children: Piece) -> Piece:
    return {"node": "AND", "children": list(children)}


def any_of(*children: Piece) -> Piece:
    return {"node": "OR", "children": list(children)}


def feature(kind: str, *inputs: str, **params: Any) -> Piece:
    """Without inputs the type's defaults are read."""
    piece: Piece = {"type": kind, "params": params}
    return {**piece, "inputs": list(inputs)} if inputs else piece
