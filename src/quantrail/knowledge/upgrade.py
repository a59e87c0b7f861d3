"""Bring a database to this program's schema, and tell when it is not there."""

from __future__ import annotations

import shlex
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import URL, Connection

from quantrail.errors import BackendError, SchemaOutdated
from quantrail.knowledge.backend import Backend, begin_as_only_writer, masked, patiently, sqlite_path
from quantrail.knowledge.driver_errors import translated
from quantrail.knowledge.migrations import FOLDER, HEAD, REVISIONS

_HOME_FILE = "quantrail.db"  # the name by which a home finds its own database


def upgrade(url: str | Path, to: str = HEAD) -> str | None:
    """Migrate to ``to``, creating the database file and tables as needed, all or nothing.

    Returns the revision it came from, None when there was none. Raises SchemaOutdated when the
    database is newer than this program.
    """
    backend = Backend(url)
    _make_folder(backend)
    try:
        with translated(backend.shown), backend.engine.connect() as connection:
            return _upgrade(connection, backend, to)
    finally:
        backend.close()


def create_store(url: str | Path) -> None:
    """Make a store where there is none; one that is there, of whatever revision, is left as it is."""
    backend = Backend(url)
    try:
        there = found_revision(backend) is not None
    finally:
        backend.close()
    if not there:
        upgrade(url)


def upgrade_command(url: URL) -> str:
    """The command line that upgrades this very database, its password masked."""
    path = sqlite_path(url)
    if path is not None and path.name == _HOME_FILE:
        return f"quantrail db upgrade --home {shlex.quote(str(path.parent))}"
    server = url.set(drivername=url.get_backend_name())
    spelt = masked(server) if path is None else str(path)
    return f"QUANTRAIL_DATABASE_URL={shlex.quote(spelt)} quantrail db upgrade"


def _make_folder(backend: Backend) -> None:
    path = sqlite_path(backend.url)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackendError(f"cannot make the folder {path.parent}: {error.strerror}") from error


def _upgrade(connection: Connection, backend: Backend, to: str) -> str | None:
    # Alembic takes half a second to import and is needed only here.
    from alembic import command
    from alembic.config import Config

    # The only writer, so that two processes that start at once do not both make the tables.
    if backend.dialect == "sqlite":
        patiently(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        begin_as_only_writer(connection.exec_driver_sql)
    found = revision(connection)
    _refuse_newer(found, backend)
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    connection.exec_driver_sql("COMMIT")
    return found


def revision(connection: Connection) -> str | None:
    """The revision a database stands on, None when it holds no store."""
    if not inspect(connection).has_table("schema_migrations"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM schema_migrations").fetchone()
    return None if row is None else str(row[0])


def _refuse_newer(found: str | None, backend: Backend) -> None:
    if found is not None and found not in REVISIONS:
        raise SchemaOutdated(
            f"{backend.shown} is at schema {found}, newer than this program's {HEAD}; update quantrail",
            found=found,
            expected=HEAD,
        )


def found_revision(backend: Backend) -> str | None:
    """The revision a database stands on, None when it holds no store; makes no file."""
    path = sqlite_path(backend.url)
    if path is not None and not path.exists():
        return None
    with translated(backend.shown), backend.engine.connect() as connection:
        return revision(connection)


def require_store(backend: Backend) -> str:
    """The revision of the store that is there; SchemaOutdated when there is none."""
    found = found_revision(backend)
    if found is None:
        raise _outdated(backend, "holds no store yet", None)
    return found


def require_head(backend: Backend) -> None:
    """SchemaOutdated, with the command that mends it, unless the database is at this program's schema."""
    found = require_store(backend)
    _refuse_newer(found, backend)
    if found != HEAD:
        raise _outdated(backend, f"is at schema {found}, this program needs {HEAD}", found)


def _outdated(backend: Backend, state: str, found: str | None) -> SchemaOutdated:
    command = upgrade_command(backend.url)
    return SchemaOutdated(
        f"{backend.shown} {state}; run: {command}", found=found, expected=HEAD, command=command
    )
