"""Companies, economic series and news: kept whole per version, read as of a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.domain.ids import ContentHash
from quantrail.errors import NotFound
from quantrail.marketdata import durable
from quantrail.marketdata.pointintime import asof, intake
from quantrail.marketdata.pointintime.tables import COMPANIES, ECONOMIC, NEWS, TABLES, Table, canonical
from quantrail.marketdata.records import Finding

if TYPE_CHECKING:
    import pandas as pd

    Source = Path | str | pl.DataFrame | pd.DataFrame

_WAIT_SECONDS = 60.0
_IMPORTED = "created_at"


@dataclass(frozen=True, slots=True)
class RecordReport:
    """Counts are rows; ``version`` is the content hash of the whole table after the import."""

    table: str
    version: ContentHash
    added: int
    changed: int
    unchanged: int
    findings: tuple[Finding, ...]


class RecordStore:
    """Tables under ``root``; each import makes a new version, old ones stay readable."""

    def __init__(self, root: Path, clock: Callable[[], datetime]) -> None:
        self._root = root
        self._clock = clock

    def add_economic(self, data: Source, *, source: str, lag_days: int | None = None) -> RecordReport:
        """Add series, long or wide. Without release times ``lag_days`` must be declared, and stays visible.

        Raises DataInvalid, NotFound (file), BackendBusy.
        """
        rows, notes = intake.economic(intake.opened(data), source, lag_days)
        return self._merge(ECONOMIC, rows, notes)

    def add_companies(self, data: Source, *, source: str) -> RecordReport:
        """Add company records. Without ``available_at`` they count as known from now on. Raises as above."""
        rows, notes = intake.companies(intake.opened(data), source, self._clock())
        return self._merge(COMPANIES, rows, notes)

    def add_news(self, data: Source, *, source: str) -> RecordReport:
        """Add news. A bare date counts as published at the end of its day (UTC). Raises as above."""
        rows, notes = intake.news(intake.opened(data), source)
        return self._merge(NEWS, rows, notes)

    def read(
        self, table: str, *, as_of: datetime | None = None, version: ContentHash | None = None
    ) -> pl.DataFrame:
        """Rows of one table, sorted by its key; with ``as_of`` only those available by then.

        Raises NotFound for a table or version that is not there.
        """
        shape = self._shape(table)
        chosen = version or self.version(table)
        if chosen is None:
            return pl.DataFrame(schema={**shape.schema, _IMPORTED: pl.Datetime("us", "UTC")})
        path = self._root / table / f"{chosen}.parquet"
        if not path.exists():
            raise NotFound(f"version {chosen} of {table} is not stored here")
        rows = pl.read_parquet(path, glob=False)
        return rows if as_of is None else rows.filter(pl.col("available_at") <= as_of)

    def version(self, table: str) -> ContentHash | None:
        """The current version of a table, None before its first import."""
        try:
            return ContentHash((self._root / self._shape(table).name / "current").read_text().strip())
        except FileNotFoundError:
            return None

    def economic_at(
        self, series: str, moments: NDArray[np.datetime64], version: ContentHash | None = None
    ) -> NDArray[np.float64]:
        """The newest value of ``series`` known at each of ``moments`` (UTC, ascending), NaN before the first.

        Newest means the latest period, in its latest revision known by then. Raises NotFound.
        """
        rows = self.read(ECONOMIC.name, version=version)
        mine = rows.filter(pl.col("indicator_type") == series)
        if mine.is_empty():
            known = ", ".join(rows["indicator_type"].unique().sort().to_list()[:10])
            raise NotFound(f"no economic series {series!r}; there are {known or 'none'}")
        return asof.latest(mine, moments)

    def news_sentiment_at(
        self,
        symbols: Sequence[str],
        moments: NDArray[np.datetime64],
        window: timedelta,
        version: ContentHash | None = None,
    ) -> NDArray[np.float64]:
        """Mean score of each symbol's news that became available within ``window`` before each moment.

        Shape (S, T), -1..1, NaN where there was no judged news. News at the moment itself counts.
        """
        rows = self.read(NEWS.name, version=version).filter(pl.col("sentiment_score").is_not_null())
        scores = [asof.windowed_mean(rows.filter(pl.col("symbol") == s), moments, window) for s in symbols]
        return np.array(scores).reshape(len(symbols), moments.size)

    def _shape(self, table: str) -> Table:
        if table not in TABLES:
            raise NotFound(f"no table {table!r}; there are {', '.join(TABLES)}")
        return TABLES[table]

    def _merge(self, table: Table, rows: pl.DataFrame, notes: list[Finding]) -> RecordReport:
        with durable.writer_lock(self._root, _WAIT_SECONDS):
            old = self.read(table.name)
            values = [name for name in table.schema if name not in table.key]
            joined = rows.join(old, on=table.key, how="left", suffix="_old", nulls_equal=True)
            is_new = pl.col(_IMPORTED).is_null()
            differs = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_old")) for n in values)
            fresh = joined.filter(is_new | differs)
            corrected = _corrected(table, old, rows)
            added = fresh.filter(is_new).height - corrected.height
            if not fresh.is_empty():
                stamped = fresh.select(list(table.schema)).with_columns(
                    pl.lit(self._clock()).cast(pl.Datetime("us", "UTC")).alias(_IMPORTED)
                )
                gone = pl.concat([stamped.select(table.key), corrected.select(table.key)])
                kept = old.join(gone, on=table.key, how="anti", nulls_equal=True)
                self._write(table, pl.concat([kept, stamped]).sort(table.key))
        version = self.version(table.name)
        if version is None:
            raise NotFound(f"{table.name} is empty")
        unchanged = rows.height - fresh.height
        return RecordReport(table.name, version, added, fresh.height - added, unchanged, tuple(notes))

    def _write(self, table: Table, rows: pl.DataFrame) -> None:
        version = hashlib.sha256(canonical(rows, table)).hexdigest()
        target = self._root / table.name / f"{version}.parquet"
        if not target.exists():
            temp = durable.temporary(self._root)
            rows.write_parquet(temp, compression="zstd")
            durable.settle(temp, target)
        durable.write_bytes(self._root, self._root / table.name / "current", version.encode())


def _corrected(table: Table, old: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Stored rows whose declared lag is declared anew: another guess of one release, not a later revision."""
    if table is not ECONOMIC:
        return old.clear()
    period = ["indicator_type", "date"]
    declared = rows.filter(pl.col("lag_days").is_not_null())
    guessed = old.filter(pl.col("lag_days").is_not_null())
    again = guessed.join(declared.select(period).unique(), on=period, how="semi")
    return again.join(declared.select(table.key), on=table.key, how="anti", nulls_equal=True)
