"""A snapshot written out for other tools: a DuckDB file with keys and indexes, or Parquet by year."""

from __future__ import annotations

from pathlib import Path

import duckdb

from quantrail.errors import BackendError, Conflict, DataInvalid
from quantrail.marketdata import sql
from quantrail.marketdata.layout import years
from quantrail.marketdata.manifest import Manifest
from quantrail.marketdata.records import DAILY

INDEXES = {
    "idx_market_data_pk": "create unique index idx_market_data_pk on market_data (symbol, date)",
    "idx_market_data_symbol_date": (
        "create index idx_market_data_symbol_date on market_data (symbol, date desc)"
    ),
    "idx_market_data_date": "create index idx_market_data_date on market_data (date)",
    "idx_tech_indicators": (
        "create index idx_tech_indicators on technical_indicators (symbol, indicator_type, date desc)"
    ),
}


def to_duckdb(home: Path, held: Manifest, target: Path, *, indexes: bool = True) -> None:
    """A new DuckDB file: every table with ``id`` as primary key, the indexes, one table per year.

    ``indexes=False`` leaves the secondary indexes out: they cost four times the time and disk, and the
    keys alone keep rows unique. Raises Conflict when ``target`` exists, BackendError when the disk refuses.
    """
    if target.exists():
        raise Conflict(f"{target} exists; export to another name or remove it first")
    temp = target.with_name(target.name + ".part")
    temp.unlink(missing_ok=True)
    try:
        _write_duckdb(home, held, temp, indexes)
    except duckdb.IOException as error:
        raise BackendError(f"{target} cannot be written: {str(error).splitlines()[0]}") from error
    temp.rename(target)


def _write_duckdb(home: Path, held: Manifest, temp: Path, indexes: bool) -> None:
    with sql.connect(home, held) as source, duckdb.connect(str(temp)) as file:
        for table in sql.TABLES:
            # Through Arrow: the view's connection may not open files outside the store, and must not.
            rows = source.sql(f"select * from {table}").to_arrow_table()
            file.register("rows_to_store", rows)
            file.execute(f"create table {table} as select * from rows_to_store")
            file.unregister("rows_to_store")
            file.execute(f"alter table {table} add primary key (id)")
        for year in years(held.parts(DAILY)):
            file.execute(
                f"create table market_data_{year} as select * from market_data where year(date) = {year}"
            )
        for statement in INDEXES.values() if indexes else ():
            file.execute(statement)


def to_parquet(home: Path, held: Manifest, target: Path) -> list[Path]:
    """``market_data_<year>.parquet``, zstd, by symbol and date. DataInvalid without daily bars."""
    found = years(held.parts(DAILY))
    if not found:
        raise DataInvalid("there are no daily bars to export")
    target.mkdir(parents=True, exist_ok=True)
    out = []
    with sql.connect(home, held) as source:
        import pyarrow.parquet as pq

        for year in found:
            rows = source.sql(
                f"select * from market_data where year(date) = {int(year)} order by symbol, date"
            ).to_arrow_table()
            out.append(target / f"market_data_{year}.parquet")
            pq.write_table(rows, out[-1], compression="zstd")
    return out
