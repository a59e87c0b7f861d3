"""Real processes, as a user would start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantrail.services.demo import demo_document


@dataclass(frozen=True)
class Ran:
    """A finished command line."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Command = Callable[..., Ran]


def clean_environment() -> dict[str, str]:
    """The environment without what would point commands elsewhere than the test says."""
    return {k: v for k, v in os.environ.items() if not k.startswith("QUANTRAIL_")} | {"COLUMNS": "80"}


def quantrail(*arguments: str | Path, env: dict[str, str] | None = None) -> Ran:
    """Run one command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "quantrail", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=clean_environment() | (env or {}),
        timeout=280,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def command() -> Command:
    return quantrail


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A home after one demo, and what the demo printed as JSON. Tests copy it before changing it."""
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, quantrail("demo", "--home", home, "--json")


@pytest.fixture(scope="session")
def small_config() -> Callable[..., Path]:
    """Writes a run configuration on eight bundled stocks, small enough for a few seconds."""

    def write(folder: Path, **changes: Any) -> Path:
        document = demo_document()
        document["name"] = "small"
        document["data"]["symbols"] = ["AAPL", "AMZN", "BAC", "JPM", "KO", "MSFT", "T", "XOM"]
        document["search"]["budget"] = {"candidates": 90, "iterations": 3}
        document["search"]["shortlist"] = 3
        document["workers"] = 1
        path = folder / "config.yaml"
        path.write_text(yaml.safe_dump(document | changes))
        return path

    return write


@pytest.fixture(scope="session")
def bars_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the bundled bars and no run. Tests copy it before using it."""
    home = tmp_path_factory.mktemp("bars") / "home"
    done = quantrail("data", "import", "--sample", "--home", home)
    assert done.code == 0, done.stderr
    return home
