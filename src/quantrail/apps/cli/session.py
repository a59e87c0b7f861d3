"""Opening a home from the command line's options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from quantrail.config import load_settings
from quantrail.errors import NotFound

if TYPE_CHECKING:
    from quantrail.domain.ids import RunId
    from quantrail.services.loop.state import Services


def search_of(services: Services, run: str | None) -> RunId:
    """The run that ``run`` begins; None: the newest search. NotFound in a home without any."""
    from quantrail.domain.answers import IdKind
    from quantrail.services.run_view import newest_search

    if run is not None:
        return cast("RunId", services.store.resolve(run, IdKind.RUN)[1])
    newest = newest_search(services.store)
    if newest is None:
        raise NotFound("this home holds no search yet; `quantrail demo` or `quantrail run start` makes one")
    return newest


@contextmanager
def session(home: Path | None, create: bool = False) -> Iterator[Services]:
    """Services on the home that options and environment name."""
    # Imported here: a command that only prints help must not pay for engines and databases.
    from quantrail.bootstrap import open_services

    with open_services(load_settings(home), create) as services:
        yield services
