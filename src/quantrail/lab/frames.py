"""Tables in the kind of frame that the user works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Protocol

from quantrail.errors import InvalidInput


class HasVersion(Protocol):
    """A snapshot of market data, or the report of an import."""

    @property
    def version(self) -> str: ...


KINDS = ("pandas", "polars")


def checked_kind(kind: str) -> str:
    """``kind``; InvalidInput when it is none of ours."""
    if kind not in KINDS:
        raise InvalidInput(f"frames {kind!r} is neither pandas nor polars")
    return kind


def kind_of(frame: Any, default: str) -> str:
    """The library ``frame`` comes from; ``default`` for a file, an Arrow table or nothing."""
    library = type(frame).__module__.split(".")[0]
    return library if library in KINDS else default


def version_of(data: HasVersion | str | None) -> str | None:
    """The data version ``data`` names; InvalidInput when it is no snapshot."""
    version = getattr(data, "version", data)
    if version is None or isinstance(version, str):
        return version
    raise InvalidInput(
        f"data must be a snapshot or a version, not a {type(data).__name__}; import bars first: "
        "data=lab.data.import_bars(frame)"
    )


def as_frame(columns: Mapping[str, Any], kind: str) -> Any:
    """Columns of equal length as a pandas or Polars DataFrame."""
    if kind == "polars":
        import polars as pl

        return pl.DataFrame(dict(columns))
    import pandas as pd

    return pd.DataFrame(dict(columns))


def as_rows(records: Sequence[Any], kind: str) -> Any:
    """Records as a frame, one row each, enums as their values."""
    names = [f.name for f in fields(records[0])] if records and is_dataclass(records[0]) else []
    return as_frame({name: [_cell(getattr(r, name)) for r in records] for name in names}, kind)


def as_series(sessions: Any, values: Any, name: str, kind: str) -> Any:
    """A pandas Series indexed by session; for Polars, which has no index, a frame of session and value."""
    if kind == "polars":
        return as_frame({"session": sessions, name: values}, kind)
    import pandas as pd

    return pd.Series(values, index=pd.DatetimeIndex(sessions, name="session"), name=name)


def _cell(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
