"""Settings, read once at the edge from arguments and environment, passed down as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quantrail.errors import ConfigInvalid

DEFAULT_HOME = ".quantrail"
DATABASE_FILE = "quantrail.db"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a project lives. ``database_url`` as SQLAlchemy writes it."""

    home: Path
    database_url: str

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def is_new_file(self) -> bool:
        """Whether the database is a file in the home that is not there yet."""
        own = self.home / DATABASE_FILE
        return self.database_url == f"sqlite:///{own}" and not own.exists()

    @property
    def market(self) -> Path:
        return self.home / "market"


def load_settings(
    home: Path | None = None, database_url: str | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Arguments win over environment (``QUANTRAIL_HOME``, ``QUANTRAIL_DATABASE_URL``) over defaults.

    ConfigInvalid when the home is a file.
    """
    env = os.environ if environ is None else environ
    where = (home or Path(env.get("QUANTRAIL_HOME") or DEFAULT_HOME)).expanduser().absolute()
    if where.is_file():
        raise ConfigInvalid(f"home {where} is a file; name a folder with --home")
    url = database_url or env.get("QUANTRAIL_DATABASE_URL") or f"sqlite:///{where / DATABASE_FILE}"
    return Settings(where, url)
