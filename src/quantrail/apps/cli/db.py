"""`db upgrade | check | backup | stats | vacuum | copy`: the knowledge store itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quantrail.apps.cli.output import EXIT_ANSWER_NO, HomeOption, JsonOption, emit_json, number, out, table
from quantrail.config import load_settings

if TYPE_CHECKING:
    from quantrail.knowledge import Backend

app = typer.Typer(no_args_is_help=True)
MEGABYTE = 1_000_000


@contextmanager
def _any_backend(home: Path | None) -> Iterator[Backend]:
    """Whatever is there, for commands that must also work on what is damaged or older."""
    from quantrail.knowledge import Backend

    backend = Backend(load_settings(home).database_url)
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def _backend(home: Path | None) -> Iterator[Backend]:
    from quantrail.knowledge import require_head

    with _any_backend(home) as backend:
        require_head(backend)
        yield backend


@app.command("upgrade")
def upgrade(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Make the database, or bring it to this program's schema; all or nothing.

    Example: `quantrail db upgrade --home research`
    """
    from quantrail.knowledge import SCHEMA_REVISION
    from quantrail.knowledge import upgrade as migrate

    before = migrate(load_settings(home).database_url)
    if as_json:
        emit_json({"from": before, "to": SCHEMA_REVISION, "changed": before != SCHEMA_REVISION})
        return
    state = "is up to date" if before == SCHEMA_REVISION else f"upgraded from {before or 'nothing'}"
    out().print(f"schema {SCHEMA_REVISION}: {state}")


@app.command("check")
def check(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Verify keys, rules, spec hashes, counts and artifact files; exit code 3 if anything is wrong.

    A damaged database file is a finding like any other.

    Example: `quantrail db check`
    """
    from quantrail.knowledge import ArtifactFolder, check_store

    settings = load_settings(home)
    with _any_backend(home) as backend:
        found = check_store(backend, ArtifactFolder(settings.artifacts))
    if as_json:
        emit_json({"findings": found, "total": len(found)})
    elif found:
        rows = [[one.kind, one.subject, one.detail, one.mend] for one in found]
        columns = ["kind", "subject", "detail", "how to mend"]
        out().print(table(f"{len(found)} finding(s)", columns, rows, wrap=columns[1:]))
    else:
        out().print("all is well: keys, rules, spec hashes, counts and files")
    if found:
        raise typer.Exit(EXIT_ANSWER_NO)


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the store into one SQLite file, consistently, while runs go on; older schemas too.

    Example: `quantrail db backup backups/monday.db`
    """
    from quantrail.knowledge import backup_store

    with _any_backend(home) as backend:
        size = backup_store(backend, file)
    if as_json:
        emit_json({"file": file, "size_bytes": size})
    else:
        out().print(f"{file}: {number(size / MEGABYTE)} MB", markup=False)


@app.command("stats")
def stats(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Size, schema and rows per table.

    Example: `quantrail db stats --json`
    """
    from quantrail.knowledge import store_stats

    with _backend(home) as backend:
        found = store_stats(backend)
    if as_json:
        emit_json(found)
        return
    per_backtest = number(found.bytes_per_backtest, 0)
    out().print(
        f"{found.backend}, schema {found.schema_revision}, {number(found.size_bytes / MEGABYTE)} MB, "
        f"{per_backtest} bytes per backtest"
    )
    out().print(table(None, ["table", "rows"], [[name, str(n)] for name, n in found.rows.items() if n]))


@app.command("vacuum")
def vacuum(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Give unused room back to the disk and refresh the planner's statistics.

    Example: `quantrail db vacuum`
    """
    from quantrail.knowledge import vacuum_store

    with _backend(home) as backend:
        before, after = vacuum_store(backend)
    if as_json:
        emit_json({"before_bytes": before, "after_bytes": after})
    else:
        out().print(f"{number(before / MEGABYTE)} MB before, {number(after / MEGABYTE)} MB after")


@app.command("copy")
def copy(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database: postgresql://… or a file.")
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy everything into an empty database on either backend; counts and hashes are verified.

    Example: `quantrail db copy --to postgresql://me@server/research`
    """
    from quantrail.knowledge import copy_store

    with _backend(home) as backend:
        copied = copy_store(backend, to)
    if as_json:
        emit_json({"tables": copied, "rows": sum(one.rows for one in copied)})
        return
    rows = [[one.name, str(one.rows), one.sha256[:12]] for one in copied if one.rows]
    out().print(table("copied and verified", ["table", "rows", "sha256"], rows))
