"""A snapshot as SQL tables: an in-memory DuckDB with views over the Parquet files, nothing else in reach."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from quantrail.errors import InvalidInput, Unsupported
from quantrail.marketdata.manifest import Manifest
from quantrail.marketdata.packing import sql_columns
from quantrail.marketdata.pointintime import TABLES as RECORD_TABLES
from quantrail.marketdata.pointintime import RecordStore
from quantrail.marketdata.pointintime.tables import Table, row_id
from quantrail.marketdata.records import DAILY

_IMPORTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "import_no": pl.Int32,
    "data_source": pl.String,
    "created_at": pl.Datetime("us", "UTC"),
}
_FINDINGS: dict[str, pl.DataType | type[pl.DataType]] = {
    "import_no": pl.Int32,
    "symbol": pl.String,
    "date": pl.String,
    "until": pl.String,
    "kind": pl.String,
    "severity": pl.String,
    "detail": pl.String,
    "line": pl.Int64,
    "quarantined": pl.Boolean,
}
_QUARANTINE: dict[str, pl.DataType | type[pl.DataType]] = {
    "import_no": pl.Int32,
    "line": pl.UInt32,
    "symbol": pl.String,
    "ts": pl.String,
    "kind": pl.String,
    "detail": pl.String,
    "source_row": pl.String,
}
TABLES = ("market_data", "market_data_intraday", "technical_indicators", *RECORD_TABLES)


def connect(home: Path, held: Manifest) -> duckdb.DuckDBPyConnection:
    """Tables ``TABLES`` of one snapshot, in the column names of the platform's data model.

    The connection reads files below ``home`` only, writes none, loads no extension and cannot be told to.
    """
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.register("imports_frame", imports(home).to_arrow())
    connection.execute("create table imports as select * from imports_frame")
    connection.unregister("imports_frame")
    intervals = sorted({entry.interval for entry in held.files})
    daily = _source(home, held, [DAILY]) if DAILY in intervals else _EMPTY
    others = _source(home, held, [i for i in intervals if i != DAILY]) if set(intervals) - {DAILY} else _EMPTY
    connection.execute(f"create view market_data as {_market_data(daily, 'date')}")
    connection.execute(
        f"create view market_data_intraday as {_market_data(others, 'timestamp', interval=True)}"
    )
    connection.execute(_indicators(home, held))
    _import_tables(connection, home)
    for table in RECORD_TABLES.values():
        _record_table(connection, home, table)
    connection.execute(f"set allowed_directories = [{_quoted(str(home))}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _import_tables(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """``findings`` of every import, and ``quarantine``: refused rows as their source spelt them."""
    found: list[dict[str, Any]] = []
    for path in sorted((home / "imports").glob("*.json")):
        entry = json.loads(path.read_text())
        found += [{"import_no": entry["import_no"], **finding} for finding in entry["findings"]]
    findings = pl.DataFrame(found, schema=_FINDINGS)
    kept = [
        pl.read_parquet(path, glob=False).with_columns(import_no=pl.lit(int(path.stem), pl.Int32))
        for path in sorted((home / "quarantine").glob("*.parquet"))
    ]
    quarantine = pl.concat([pl.DataFrame(schema=_QUARANTINE), *kept], how="diagonal_relaxed")
    for name, rows in (("findings", findings), ("quarantine", quarantine)):
        connection.register("table_rows", rows.to_arrow())
        connection.execute(f"create table {name} as select * from table_rows")
        connection.unregister("table_rows")


def _record_table(connection: duckdb.DuckDBPyConnection, home: Path, table: Table) -> None:
    # Small beside the bars; a copy keeps the key of the data model at hand.
    rows = RecordStore(home / "records", _no_clock).read(table.name)
    connection.register("record_rows", rows.select(row_id(table), pl.all()).to_arrow())
    connection.execute(f"create table {table.name} as select * from record_rows")
    connection.unregister("record_rows")


def _no_clock() -> datetime:
    raise Unsupported("reading needs no clock")


def query(home: Path, held: Manifest, statement: str) -> pl.DataFrame:
    """The rows of one statement. InvalidInput carries DuckDB's message when it is not understood."""
    with connect(home, held) as connection:
        try:
            parsed = connection.extract_statements(statement)
            if [part.type for part in parsed] != [duckdb.StatementType.SELECT]:
                raise InvalidInput("one SELECT, DESCRIBE or SUMMARIZE at a time; nothing else is run")
            table = connection.sql(statement).to_arrow_table()
        except duckdb.Error as error:
            raise InvalidInput(f"SQL not understood: {error}") from error
    return pl.DataFrame(pl.from_arrow(table))


def imports(home: Path) -> pl.DataFrame:
    """Every import: number, source, time."""
    rows: list[dict[str, Any]] = []
    for path in sorted((home / "imports").glob("*.json")):
        entry = json.loads(path.read_text())
        rows.append(
            {
                "import_no": entry["import_no"],
                "data_source": entry["source"],
                "created_at": entry["created_at"],
            }
        )
    text = pl.DataFrame(rows, schema={**_IMPORTS, "created_at": pl.String})
    return text.with_columns(pl.col("created_at").str.to_datetime(time_unit="us", time_zone="UTC"))


_EMPTY = (
    "select null::varchar as symbol, null::date as ts, null::double as open, null::double as high, "
    "null::double as low, null::double as close, null::double as volume, null::double as dividend, "
    "null::double as split, null::integer as import_no, null::varchar as interval where false"
)


def _source(home: Path, held: Manifest, intervals: list[str]) -> str:
    """All rows of some intervals; files that hold their values the same way are read together."""
    # Alike to the type: DuckDB reads a list of files by the schema of its first.
    alike: dict[tuple[str, str, str], list[str]] = {}
    for interval in intervals:
        for entry in held.parts(interval).values():
            schema = pl.read_parquet_schema(home / entry.path)
            key = (interval, sql_columns(list(schema)), str(schema))
            alike.setdefault(key, []).append(_quoted(str(home / entry.path)))
    selects = [
        f"select {columns}, {_quoted(interval)} as interval from read_parquet([{', '.join(files)}])"
        for (interval, columns, _), files in alike.items()
    ]
    return " union all by name ".join(selects)


def _market_data(source: str, when: str, *, interval: bool = False) -> str:
    key = "symbol || '|' || interval || '|' || ts" if interval else "symbol || '|' || ts"
    return (
        f"select {key} as id, symbol, ts as {when}, {'interval, ' if interval else ''}"
        "open as open_price, high as high_price, low as low_price, close as close_price, "
        "volume::bigint as volume, data_source, created_at, dividend, split "
        f"from ({source}) join imports using (import_no)"
    )


def _indicators(home: Path, held: Manifest) -> str:
    folder = home / "cache" / "indicators" / held.snapshot.version
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return (
            "create view technical_indicators as select null::varchar as id, null::varchar as symbol, "
            'null::varchar as indicator_type, null::date as date, null::varchar as "values", '
            "null::timestamptz as created_at where false"
        )
    names = ", ".join(_quoted(str(path)) for path in files)
    # The same symbol may have been asked for in several company: one row each.
    return (
        f"create view technical_indicators as select * from read_parquet([{names}]) "
        "qualify row_number() over (partition by id order by created_at) = 1"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
