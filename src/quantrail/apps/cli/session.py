"""Opening a home from the command line's options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from quantrail.config import load_settings

if TYPE_CHECKING:
    from quantrail.services.loop.state import Services


@contextmanager
def session(home: Path | None, create: bool = False) -> Iterator[Services]:
    """Services on the home that options and environment name."""
    # Imported here: a command that only prints help must not pay for engines and databases.
    from quantrail.bootstrap import open_services

    with open_services(load_settings(home), create) as services:
        yield services
