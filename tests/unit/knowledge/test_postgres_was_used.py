"""A run of the whole suite in which no PostgreSQL test passed must fail."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).parents[2] / "conftest.py"
INI = "[pytest]\ntestpaths = tests\nmarkers =\n  slow: x\n  postgres: x\n"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite of its own that shares our conftest, with one ordinary test in it."""
    pytester.makeini(INI)
    pytester.mkdir("tests").joinpath("conftest.py").write_text(CONFTEST.read_text("utf-8"))
    (pytester.path / "tests" / "test_plain.py").write_text("def test_plain(): assert True\n")
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> int:
    return int(suite.runpytest_subprocess(*arguments).ret)


def test_the_whole_suite_without_postgres_fails_and_says_why(suite: pytest.Pytester) -> None:
    done = suite.runpytest_subprocess("-m", "not slow")
    assert int(done.ret) == 1
    done.stdout.fnmatch_lines(["*no PostgreSQL test passed*"])


def test_a_skipped_postgres_test_does_not_count(suite: pytest.Pytester) -> None:
    (suite.path / "tests" / "test_skipped.py").write_text(
        "import pytest\n@pytest.mark.postgres\n@pytest.mark.skip\ndef test_it(): pass\n"
    )
    assert run(suite) == 1


def test_one_passed_postgres_test_or_a_narrower_run_is_enough(suite: pytest.Pytester) -> None:
    assert run(suite, "tests/test_plain.py") == 0
    assert run(suite, "-k", "plain") == 0
    (suite.path / "tests" / "test_real.py").write_text(
        "import pytest\n@pytest.mark.postgres\ndef test_it(): pass\n"
    )
    assert run(suite) == 0
