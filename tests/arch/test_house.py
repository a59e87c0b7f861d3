"""The house itself: errors, exports, and pages that say what the code says."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import quantrail
from quantrail import errors
from quantrail.errors import QuantrailError, Retry

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "domain",
    "strategy",
    "marketdata",
    "engine",
    "analysis",
    "search",
    "knowledge",
    "services",
    "testing",
)


def every_error() -> list[type[QuantrailError]]:
    found = [QuantrailError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


@pytest.mark.parametrize("kind", every_error(), ids=lambda k: k.__name__)
def test_errors_survive_a_process_border(kind: type[QuantrailError]) -> None:
    made = kind("what was wrong", value=3)
    back = pickle.loads(pickle.dumps(made))
    assert type(back) is kind
    assert (str(back), back.context) == ("what was wrong", {"value": 3})


@pytest.mark.parametrize("kind", every_error(), ids=lambda k: k.__name__)
def test_errors_have_a_code_a_retry_class_and_a_place_in_the_drawn_tree(kind: type[QuantrailError]) -> None:
    assert kind.code.isupper()
    assert isinstance(kind.retry, Retry)
    assert kind.__module__ == "quantrail.errors"
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for_and_exports_what_it_names(room: str) -> None:
    module = importlib.import_module(f"quantrail.{room}")
    assert module.__doc__
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), f"quantrail.{room} exports {name}, which is not there"


def test_every_module_imports_and_has_a_docstring() -> None:
    bare = []
    for info in pkgutil.walk_packages(quantrail.__path__, "quantrail."):
        # Alembic runs these itself; __main__ would start the program.
        if ".migrations." in info.name or info.name == "quantrail.__main__":
            continue
        if not importlib.import_module(info.name).__doc__:
            bare.append(info.name)
    assert bare == []


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_is_light() -> None:
    heavy = ["numba", "pandas", "polars", "sqlalchemy", "talib", "scipy", "plotly", "duckdb", "pyarrow"]
    code = f"import sys, quantrail; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_nothing_in_the_tree_names_a_registry_or_an_index() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")
