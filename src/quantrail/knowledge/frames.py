"""Lists of records as frames, for notebooks: one row each, metrics as columns of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from quantrail.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


def to_polars(records: Iterable[Any]) -> pl.DataFrame:
    """A Polars frame; an undefined value is null."""
    import polars as pl

    return pl.DataFrame(_rows(records), infer_schema_length=None)


def to_pandas(records: Iterable[Any]) -> pd.DataFrame:
    """A pandas frame; an undefined number is NaN, as pandas has it."""
    import pandas as pd

    return pd.DataFrame(_rows(records))


def _rows(records: Iterable[Any]) -> list[dict[str, Any]]:
    try:
        return [_row(one) for one in records]
    except TypeError as error:
        raise InvalidInput(f"a frame is made of a list of records, not of {records!r:.60}") from error


def _row(record: Any) -> dict[str, Any]:
    """Library entries come in pairs with their usage count, backtests of a list as ids."""
    if isinstance(record, str):
        return {"id": record}
    if isinstance(record, tuple) and len(record) == 2:
        return {**_flat(record[0]), "usage_count": record[1]}
    return _flat(record)


def _flat(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in fields(record):
        value = getattr(record, one.name)
        if one.name == "metrics" and isinstance(value, Mapping):
            found.update(value)
        else:
            found[one.name] = _cell(value)
    return found


def _cell(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_cell(one) for one in value]
    if is_dataclass(value):
        return str(value)
    return value
