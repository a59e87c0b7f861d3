"""How every command speaks: tables for people, one JSON document for machines, one exit code.

Exit codes: 0 done; 1 could not; 2 bad usage or input; 3 done, but the answer is "no";
130 interrupted. Logs and errors go to stderr, so that stdout can be piped.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from quantrail.apps.cli.spelling import typed
from quantrail.errors import InvalidInput, NotFound, QuantrailError

EXIT_OK, EXIT_COULD_NOT, EXIT_BAD_INPUT, EXIT_ANSWER_NO, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

ROOMY = 6  # columns; tables with more are set tight, to fit 80 characters

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Home folder of the project [default: $QUANTRAIL_HOME or ./.quantrail]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for machines.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Comma-separated rows on stdout.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to show.")]


class _Console(Console):
    """A console that goes on in silence when the reader of its pipe leaves."""

    def on_broken_pipe(self) -> None:
        reader_has_gone(self.file)


def out() -> Console:
    """Console on stdout. Made anew each time, because tests and pipes replace the stream."""
    return _Console(file=sys.stdout, highlight=False)


def err() -> Console:
    return _Console(file=sys.stderr, highlight=False)


def reader_has_gone(stream: IO[str]) -> None:
    """Let what is still written to ``stream`` go nowhere: `| head` has seen enough, which is no failure."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _heard() -> Iterator[None]:
    """Rows for a pipe whose reader may leave before the last one."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        reader_has_gone(sys.stdout)


def plain(value: Any) -> Any:
    """``value`` as JSON-ready data: records become mappings, dates ISO text, enums their values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, Path):
        return str(value)
    return value


def emit_json(value: Any) -> None:
    """The one JSON document of a command."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False)
    with _heard():
        sys.stdout.write(text + "\n")


def emit_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows with a header line; a cell that holds a list is joined with semicolons."""
    cells = [["; ".join(map(str, c)) if isinstance(c, list) else c for c in row] for row in rows]
    with _heard():
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows(cells)


def table(
    title: str | None,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    wrap: Sequence[str] = (),
    caption: str | None = None,
) -> Table:
    """A table that fits the terminal: numbers to the right; only columns in ``wrap`` break into lines."""
    shown = [[cell if isinstance(cell, str) else _text(cell) for cell in row] for row in rows]
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0) if len(columns) > ROOMY else (0, 1, 0, 0),
        pad_edge=False,
    )
    for position, name in enumerate(columns):
        numeric = bool(shown) and all(_looks_numeric(row[position]) for row in shown)
        made.add_column(name, justify="right" if numeric else "left", no_wrap=name not in wrap)
    for row in shown:
        made.add_row(*row)
    return made


def number(value: float | None, digits: int = 2) -> str:
    """A figure for people; a dash where it is undefined."""
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f}%"


def next_command(arguments: str, home: Path | None) -> str:
    """A command line that works as printed: the program as it was called, the home it was given."""
    program = "quantrail" if shutil.which("quantrail") else os.path.relpath(sys.argv[0])
    where = f" --home {home}" if home is not None else ""
    return f"{program} {arguments}{where}"


def exit_code_of(error: QuantrailError) -> int:
    return EXIT_BAD_INPUT if isinstance(error, (InvalidInput, NotFound)) else EXIT_COULD_NOT


def report_error(error: QuantrailError, as_json: bool) -> int:
    """Says what went wrong, on stderr or as the JSON document, and returns the exit code."""
    if as_json:
        emit_json({"error": {"code": error.code, "message": typed(error.message), **_context(error)}})
    else:
        err().print(f"[red]error:[/red] {_escape(typed(error.message))}", soft_wrap=True)
    return exit_code_of(error)


def _context(error: QuantrailError) -> dict[str, Any]:
    return {"context": plain(error.context)} if error.context else {}


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _text(value: Any) -> str:
    return "–" if value is None else str(value)


def _looks_numeric(text: str) -> bool:
    stripped = text.replace(",", "").replace("%", "").replace("–", "0").strip()
    try:
        float(stripped)
    except ValueError:
        return False
    return True
