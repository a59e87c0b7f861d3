"""Composition root: settings in, ready services out. The only module that knows every adapter."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from quantrail import __version__
from quantrail.config import Settings
from quantrail.errors import BackendError, NotFound
from quantrail.knowledge import ArtifactFolder, create_store, open_store
from quantrail.services.context import Services, environment

if TYPE_CHECKING:
    from quantrail.domain.market import MarketReader
    from quantrail.marketdata import Collected, MarketStore
    from quantrail.services.demo import Sample


def utc_now() -> datetime:
    """The clock of a real process."""
    return datetime.now(UTC)


@contextmanager
def open_services(settings: Settings, create: bool = False) -> Iterator[Services]:
    """Services on a home. ``create`` makes the home and its database; one that is there is never migrated
    unasked.

    Raises NotFound for a home that is not there (unless ``create``), BackendError for one that
    cannot be written, SchemaOutdated with the command to run for an older database.
    """
    if create:
        make_home(settings)
        create_store(settings.database_url)
    elif not settings.home.exists():
        raise NotFound(
            f"there is no quantrail home at {settings.home}; `quantrail demo`, `quantrail data import` or "
            "`quantrail run start` makes one, --home points to another"
        )
    elif settings.is_new_file:
        # A home that holds bars but no results yet.
        create_store(settings.database_url)
    store = open_store(settings.database_url, utc_now)
    try:
        yield Services(
            store=store,
            market=cast("MarketReader", DeferredMarket(settings)),
            artifacts=ArtifactFolder(settings.artifacts),
            clock=utc_now,
            entropy=os.urandom,
            code_version=code_version(),
            environment=environment(),
        )
    finally:
        store.close()


class DeferredMarket:
    """The home's market store, opened at the first question: most commands on the store ask none.

    Polars alone takes a third of a second to import.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _market(self) -> MarketStore:
        return market_store(self._settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)


def market_store(settings: Settings) -> MarketStore:
    """The home's bars, with everything their own store can do."""
    from quantrail.marketdata import MarketStore

    return MarketStore(settings.market, utc_now)


def collect_market(settings: Settings, *, dry_run: bool) -> Collected:
    """Remove the data versions of a home that no stored result and no run rests on.

    Without a knowledge store to ask, results may lie elsewhere: whatever was ever read is kept.
    """
    if settings.is_new_file:
        return market_store(settings).collect(None, dry_run=dry_run)
    with open_services(settings) as services:
        return market_store(settings).collect(services.store.data_versions(), dry_run=dry_run)


def import_sample(settings: Settings) -> Sample:
    """The bundled bars, in the home's market store; a second time changes nothing."""
    from quantrail.marketdata import SAMPLE_STOCKS, SAMPLE_SURVIVORSHIP
    from quantrail.services.demo import Sample

    report = market_store(settings).import_sample()
    return Sample(report.snapshot.version, SAMPLE_STOCKS, SAMPLE_SURVIVORSHIP)


def make_home(settings: Settings) -> None:
    """The home folder and its parts; BackendError when the disk refuses."""
    try:
        for folder in (settings.home, settings.market, settings.artifacts):
            folder.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise BackendError(
            f"home {settings.home} cannot be written ({error.strerror}); choose another with --home"
        ) from error


@cache
def code_version() -> str:
    """The commit this package runs from, with ``+dirty`` when files differ; else the released version."""
    package = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            [
                "git",
                "-C",
                str(package),
                "describe",
                "--always",
                "--dirty=+dirty",
                "--abbrev=40",
                "--exclude=*",
            ],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        tracked = subprocess.run(
            ["git", "-C", str(package), "ls-files", "--error-unmatch", Path(__file__).name],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return __version__
    # A package installed inside somebody else's repository must not claim that repository's commit.
    return found.stdout.strip() if tracked.returncode == 0 else __version__
