"""Delimited text as a table of strings, every line accounted for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.domain.words import counted
from quantrail.errors import DataInvalid
from quantrail.marketdata.records import Finding

_HEAD = 65_536
_DELIMITERS = (",", ";", "\t", "|")
_MAGIC = {
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"\x1f\x8b": "gzip data; unpack it first",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save it as CSV",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
}
BROKEN_SCHEMA = {"line": pl.UInt32, "source_row": pl.String}


@dataclass(frozen=True, slots=True)
class TextTable:
    """``table``: strings and ``line`` (header = 1). ``broken``: lines that are no rows of this table."""

    table: pl.DataFrame
    broken: pl.DataFrame
    notes: tuple[Finding, ...]


def read_text(path: Path, limit: int | None = None, *, lone: bool = False) -> TextTable:
    """Read a CSV file, or its first ``limit`` lines. DataInvalid when its start shows that it is none.

    ``lone``: a single column is a table too.
    """
    header, delimiter = _header(path, lone)
    notes = []
    if delimiter != ",":
        notes.append(Finding("delimiter", Severity.INFO, f"fields are separated by {delimiter!r}", line=1))
    try:
        # Everything as text: what a cell means is judged row by row, with its line, not guessed per column.
        table = pl.read_csv(path, separator=delimiter, infer_schema=False, glob=False, n_rows=limit)
        table, broken = table.with_row_index("line", offset=2), pl.DataFrame(schema=BROKEN_SCHEMA)
    except pl.exceptions.PolarsError:
        table, broken = _line_by_line(path, header, delimiter, limit)
    blank = table.filter(pl.all_horizontal(pl.exclude("line").fill_null("").str.strip_chars() == ""))
    if blank.height:
        text = f"{counted(blank.height, 'blank line')}, the first is line {blank['line'][0]}"
        notes.append(Finding("blank_line", Severity.INFO, text, line=blank["line"][0]))
        table = table.join(blank.select("line"), on="line", how="anti", maintain_order="left")
    return TextTable(table, broken, tuple(notes))


def _header(path: Path, lone: bool) -> tuple[list[str], str]:
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise DataInvalid(f"{path} is {what}")
    if b"\0" in head:
        at = head.index(0)
        line_no = head[:at].count(10) + 1
        raise DataInvalid(
            f"{path}, line {line_no} is binary data, not delimited text (byte {at} of the file is zero)"
        )
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise DataInvalid(f"{path} is empty")
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    if len(first) == len(head) and len(head) == _HEAD:
        raise DataInvalid(
            f"{path}, line 1 has no line end in its first {_HEAD} bytes; it is not delimited text"
        )
    try:
        line = first.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataInvalid(
            f"{path}, line 1 is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error
    delimiter = max(_DELIMITERS, key=line.count)
    if delimiter not in line and not lone:
        raise DataInvalid(
            f"{path}, line 1 is one field, {line[:80]!r}; expected a header separated by comma, semicolon, "
            "tab or bar"
        )
    return next(csv.reader([line], delimiter=delimiter)), delimiter


def _line_by_line(
    path: Path, header: list[str], delimiter: str, limit: int | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The slow way, for files where some lines do not fit: those lines are named, the others are read."""
    rows: list[list[str]] = []
    broken: list[tuple[int, str]] = []
    for line, fields in islice(_lines(path, delimiter), limit):
        if fields and len(fields) <= len(header):
            rows.append([str(line), *fields, *[""] * (len(header) - len(fields))])
        elif fields:
            broken.append((line, delimiter.join(fields)[:300]))
        if len(broken) > 1000 and len(broken) > len(rows):
            raise DataInvalid(
                f"{path}: {len(broken)} of the first {len(broken) + len(rows)} lines do not have "
                f"the header's {len(header)} fields, the first is line {broken[0][0]}: {broken[0][1][:80]!r}"
            )
    table = pl.DataFrame(rows, schema=["line", *header], orient="row", infer_schema_length=None)
    typed = table.with_columns(pl.col("line").cast(pl.UInt32))
    return typed, pl.DataFrame(broken, schema=BROKEN_SCHEMA, orient="row")


def _lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # Bytes that are no UTF-8 stay visible as \\xNN in the row that is refused for them.
    with path.open(encoding="utf-8-sig", errors="backslashreplace", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        next(reader)
        while True:
            start = reader.line_num + 1
            try:
                yield start, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataInvalid(f"{path}, line {start}: {error}") from error
