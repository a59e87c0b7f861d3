"""Bring a database to this program's schema, and tell when it is not there."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from quantrail.errors import BackendError, SchemaOutdated
from quantrail.knowledge.backend import WRITE_LOCK, Backend, sqlite_path
from quantrail.knowledge.driver_errors import translated
from quantrail.knowledge.migrations import FOLDER, HEAD, REVISIONS


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
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
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


def require_head(backend: Backend) -> None:
    """SchemaOutdated, with the command that mends it, unless the database is at this program's schema."""
    path = sqlite_path(backend.url)
    missing = path is not None and not path.exists()
    found = None
    if not missing:
        with translated(backend.shown), backend.engine.connect() as connection:
            found = revision(connection)
    _refuse_newer(found, backend)
    if found != HEAD:
        state = "holds no store yet" if found is None else f"is at schema {found}, this program needs {HEAD}"
        raise SchemaOutdated(
            f"{backend.shown} {state}; run: quantrail db upgrade", found=found, expected=HEAD
        )
