"""What `quantrail doctor` looks at."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from shlex import quote

from quantrail import __version__
from quantrail.bootstrap import make_home, market_store, open_services, utc_now
from quantrail.config import Settings
from quantrail.errors import QuantrailError, SchemaOutdated

NEEDED = (
    "numpy",
    "numba",
    "TA-Lib",
    "scipy",
    "polars",
    "pyarrow",
    "duckdb",
    "SQLAlchemy",
    "alembic",
    "plotly",
)
OPTIONAL = (("psycopg", "PostgreSQL as the knowledge store", "pip install 'quantrail[postgres]'"),)
LOW_DISK_BYTES = 1 << 30
STALE_DAYS = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. ``remedy`` is empty when nothing is to do."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    optional: bool = False


def examine(settings: Settings) -> list[Check]:
    """Everything a run needs, then what is optional. Never raises for what it finds."""
    return [*_versions(), *_optional(), *_home(settings)]


def _versions() -> Iterator[Check]:
    yield Check("quantrail", True, __version__)
    enough = sys.version_info >= (3, 11)
    yield Check("python", enough, platform.python_version(), "" if enough else "install Python 3.11 or newer")
    for name in NEEDED:
        try:
            yield Check(name, True, version(name))
        except PackageNotFoundError:
            yield Check(name, False, "not installed", "pip install --editable . again")


def _optional() -> Iterator[Check]:
    for module, purpose, remedy in OPTIONAL:
        there = find_spec(module) is not None
        found = version(module) if there else "not installed"
        yield Check(purpose, there, found, "" if there else remedy, optional=True)


def _home(settings: Settings) -> Iterator[Check]:
    nearest = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(nearest).free
    roomy = free > LOW_DISK_BYTES
    yield Check("disk", roomy, f"{free / 1e9:.0f} GB free", "" if roomy else "free at least 1 GB")
    if not settings.home.exists():
        yield Check("home", False, f"{settings.home} is not there yet", "quantrail demo", optional=True)
        return
    yield _tried("home", lambda: _writable(settings), "choose another with --home")
    yield _tried("store", lambda: _store(settings), f"quantrail db check --home {quote(str(settings.home))}")
    yield _tried("data", lambda: _data(settings), "quantrail data import FILE")


def _tried(name: str, look: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, look())
    except SchemaOutdated as error:
        return Check(name, False, error.message, error.context.get("command", "update quantrail"))
    except QuantrailError as error:
        return Check(name, False, error.message, remedy)


def _writable(settings: Settings) -> str:
    make_home(settings)
    return str(settings.home)


def _store(settings: Settings) -> str:
    with open_services(settings) as services:
        counts = services.store.counts()
    kind = settings.database_url.partition(":")[0]
    return f"{kind}, {counts.get('strategies', 0):,} strategies, {counts.get('backtests', 0):,} backtests"


def _data(settings: Settings) -> str:
    # The bars alone: what ails the database is told in its own row.
    current = market_store(settings).current()
    if current is None:
        return "no bars imported yet"
    names = sorted({info.symbol for info in current.symbols})
    last = max(info.last for info in current.symbols)
    age = (utc_now().date() - last).days
    note = f", last bar {age} days old" if age > STALE_DAYS else ""
    return f"{len(names)} symbols, {current.rows:,} bars, up to {last}{note}"


__all__ = ["Check", "examine"]
