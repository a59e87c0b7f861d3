"""Frames of weights or flags, pandas or Polars, wide or long, as aligned arrays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.identity import canonical_json
from quantrail.domain.ids import ContentHash
from quantrail.engine import signals_hash
from quantrail.errors import DataInvalid, NotFound

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]
_DATES = ("date", "session", "ts", "timestamp", "datetime", "day", "index")


class Missing(StrEnum):
    """What a cell without a value means: a mistake, keep what is held, or hold nothing."""

    ERROR = "error"
    HOLD = "hold"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Signals:
    """Target weights known at the close of each session.

    ``symbols`` S sorted, ``sessions`` T ascending ``datetime64[D]``, ``weights`` (S, T) as fractions of
    equity, negative short, NaN no opinion. No session and no symbol without any weight.
    """

    symbols: tuple[str, ...]
    sessions: NDArray[np.datetime64]
    weights: Floats

    @property
    def hash(self) -> ContentHash:
        return signals_hash(self.symbols, self.sessions, self.weights)

    @property
    def path(self) -> str:
        """Where the frame is kept, below the artifacts folder."""
        return f"signals/{self.hash}.parquet"

    def spec_json(self) -> bytes:
        """The canonical spec of a strategy that is nothing but these signals."""
        return canonical_json({"kind": "signals", "signals_hash": self.hash})

    def columns(self) -> dict[str, Any]:
        """Every weight as a row: session, symbol, weight; by session, then symbol."""
        when, which = np.nonzero(~np.isnan(self.weights.T))
        return {
            "session": self.sessions[when],
            "symbol": np.array(self.symbols)[which],
            "weight": self.weights[which, when],
        }


def read_weights(frame: Any, missing: Missing | str = Missing.ERROR) -> Signals:
    """``frame`` as signals: a pandas or Polars frame, an Arrow table, or a CSV or Parquet file.

    Wide (a date column or index, one column per symbol) or long (date, symbol, weight). A date is the
    session at whose close the weight is known; it trades from the next open on. ``missing`` says what an
    empty or NaN cell means. DataInvalid for repeated or unreadable dates, text, infinities, no row.
    """
    rule = _rule(missing)
    table = _polars(frame)
    symbols, sessions, values = _matrix(table, "weight")
    if np.isinf(values).any():
        raise DataInvalid(f"the weight {_place(symbols, sessions, np.isinf(values))} is infinite")
    if np.isnan(values).any() and not _is_long(table, "weight"):
        if rule is Missing.ERROR:
            raise DataInvalid(
                f"there is no weight {_place(symbols, sessions, np.isnan(values))}; say missing=hold to keep "
                "what is held then, or missing=flat to hold nothing"
            )
        values = np.where(np.isnan(values), 0.0, values) if rule is Missing.FLAT else values
    return as_signals(symbols, sessions, values)


def read_flags(frame: Any, what: str) -> tuple[tuple[str, ...], NDArray[np.datetime64], NDArray[np.bool_]]:
    """Symbols, sessions and flags (S, T) of a frame of booleans or of 0 and 1; wide, or long with ``what``.

    A day that a long frame leaves out is False. DataInvalid for anything else, NaN included.
    """
    table = _polars(frame)
    symbols, sessions, values = _matrix(table, what)
    if _is_long(table, what):
        values = np.where(np.isnan(values), 0.0, values)
    odd = ~np.isin(values, (0.0, 1.0))
    if odd.any():
        raise DataInvalid(f"{what} {_place(symbols, sessions, odd)} is {values[odd][0]:g}, not true or false")
    return symbols, sessions, values == 1.0


def as_signals(symbols: tuple[str, ...], sessions: NDArray[np.datetime64], values: Floats) -> Signals:
    """Signals without the sessions and symbols that say nothing; DataInvalid when none is left."""
    said = ~np.isnan(values)
    rows, told = np.flatnonzero(said.any(axis=1)), said.any(axis=0)
    if not told.any():
        raise DataInvalid("the signals hold no weight at all")
    # The file kept of them holds weights only: what has none would be missing when it is read again.
    kept = np.ascontiguousarray(values[rows][:, told])
    return Signals(tuple(symbols[s] for s in rows), sessions[told], kept)


def _rule(missing: Missing | str) -> Missing:
    if missing not in list(Missing):
        raise DataInvalid(f"missing {missing!r} is not one of {', '.join(Missing)}")
    return Missing(missing)


def read_table(path: Path | str) -> pl.DataFrame:
    """A CSV or Parquet file. NotFound when it is not there, DataInvalid when it is neither."""
    return _file(Path(path))


def _polars(frame: Any) -> pl.DataFrame:
    import polars as pl

    if isinstance(frame, (str, Path)):
        return _file(Path(frame))
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    kind = type(frame).__module__.split(".")[0]
    if kind == "pandas":
        return _from_pandas(frame)
    if kind == "pyarrow":
        return pl.DataFrame(frame)
    raise DataInvalid(
        f"signals come as a pandas or Polars frame, an Arrow table or a file, not {type(frame)}"
    )


def _file(path: Path) -> pl.DataFrame:
    import polars as pl

    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataInvalid(f"{path} cannot be read as CSV or Parquet: {str(error).splitlines()[0]}") from error


def _from_pandas(frame: Any) -> pl.DataFrame:
    import polars as pl

    flat = frame
    if not any(_plain(c) in _DATES for c in frame.columns):
        flat = frame.rename_axis(index=None, columns=None)
        flat.insert(0, "date", flat.index)
    flat = flat.rename(columns=str)
    if not flat.columns.is_unique:
        twice = flat.columns[flat.columns.duplicated()][0]
        raise DataInvalid(f"the column {twice!r} comes twice")
    return pl.DataFrame({name: _column(flat[name]) for name in flat.columns}, strict=False)


def _column(values: Any) -> Any:
    """A pandas column as what Polars reads without guessing."""
    kind = values.dtype.kind
    if kind == "M":
        return values.dt.tz_localize(None).to_numpy("datetime64[us]")
    if kind in "fiub":
        return values.to_numpy()
    cells = [None if cell is None or cell != cell else cell for cell in values.tolist()]
    if any(isinstance(cell, datetime) for cell in cells):
        # Dates whose offsets differ, as across a change to summer time, would be read as UTC.
        return [cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in cells]
    if any(isinstance(cell, str) for cell in cells):
        # One text among numbers is a mistake that must be told, not a gap.
        return [cell if cell is None else str(cell) for cell in cells]
    return cells


def _is_long(table: pl.DataFrame, value: str) -> bool:
    names = {_plain(c) for c in table.columns}
    return "symbol" in names and value in names


def _matrix(table: pl.DataFrame, value: str) -> tuple[tuple[str, ...], NDArray[np.datetime64], Floats]:
    import polars as pl

    dated = [c for c in table.columns if _plain(c) in _DATES]
    if len(dated) != 1:
        raise DataInvalid(
            f"signals need one date column, {' or '.join(dated) or 'there is none'} among "
            f"{', '.join(table.columns[:8])}"
        )
    days = _days(table[dated[0]])
    if _is_long(table, value):
        plain = {_plain(c): c for c in table.columns}
        names = table[plain["symbol"]].cast(pl.String).to_list()
        return _scattered(names, days, _numbers(table[plain[value]], value), value)
    rest = [c for c in table.columns if c != dated[0]]
    if not rest or not len(days):
        raise DataInvalid(
            f"signals need a date, and a column per symbol or symbol and {value}; nothing is there"
        )
    order = np.argsort(days, kind="stable")
    _no_repeat(days[order])
    columns = sorted((c.strip(), c) for c in rest)
    _no_twin([name for name, _ in columns])
    values = np.stack([_numbers(table[c], name)[order] for name, c in columns])
    return tuple(name for name, _ in columns), days[order], values


def _scattered(
    names: list[Any], days: NDArray[np.datetime64], given: Floats, value: str
) -> tuple[tuple[str, ...], NDArray[np.datetime64], Floats]:
    if not names:
        raise DataInvalid("the signals hold no row")
    if any(not name for name in names) or np.isnan(given).any():
        row = next(k for k, name in enumerate(names) if not name or np.isnan(given[k]))
        raise DataInvalid(f"row {row + 1} of the signals has no symbol or no {value}; leave such rows out")
    symbols, which = np.unique(np.array([str(name).strip() for name in names]), return_inverse=True)
    sessions, when = np.unique(days, return_inverse=True)
    values = np.full((len(symbols), len(sessions)), np.nan)
    values[which, when] = given
    filled = int((~np.isnan(values)).sum())
    if filled != len(given):
        pairs, counts = np.unique(np.stack([which, when]), axis=1, return_counts=True)
        s, t = pairs[:, int(np.argmax(counts > 1))]
        raise DataInvalid(f"{symbols[s]} on {sessions[t]} comes twice; keep one row per symbol and date")
    return tuple(symbols.tolist()), sessions, values


def _days(column: pl.Series) -> NDArray[np.datetime64]:
    """The dates as the clock on the wall shows them: an evening in New York is not the next day in UTC."""
    import polars as pl

    try:
        if column.dtype == pl.String:
            column = column.str.slice(0, 10).str.to_date("%Y-%m-%d")
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
            column = column.dt.replace_time_zone(None)
        days = column.cast(pl.Datetime("us")).dt.date()
    except pl.exceptions.PolarsError:
        example = column.drop_nulls().head(1).to_list()
        raise DataInvalid(f"dates like 2015-03-02 are needed, the date column holds {example}") from None
    if days.null_count():
        raise DataInvalid(f"row {int(days.is_null().arg_max() or 0) + 1} of the signals has no date")
    found: NDArray[np.datetime64] = days.to_numpy().astype("datetime64[D]")
    return found


def _numbers(column: pl.Series, name: str) -> Floats:
    import polars as pl

    if column.dtype == pl.String:
        flags = {"true": "1", "false": "0"}
        column = column.str.to_lowercase().replace(flags)
    try:
        return column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    except pl.exceptions.PolarsError:
        raise DataInvalid(f"the column {name!r} holds something that is not a number") from None


def _no_repeat(days: NDArray[np.datetime64]) -> None:
    same = np.flatnonzero(days[1:] == days[:-1])
    if len(same):
        raise DataInvalid(f"{days[same[0]]} comes twice in the signals; keep one row per date")


def _no_twin(names: list[str]) -> None:
    twins = [name for name, following in pairwise(names) if name == following]
    if twins:
        raise DataInvalid(f"the column {twins[0]!r} comes twice; keep one column per symbol")


def _place(symbols: tuple[str, ...], sessions: NDArray[np.datetime64], where: NDArray[np.bool_]) -> str:
    s, t = np.argwhere(where)[0]
    return f"of {symbols[s]} on {sessions[t]}"


def _plain(name: Any) -> str:
    return str(name).strip().lower()
