"""What every room's tests share: a real PostgreSQL, and the rule that it was really used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes says more of the machine than of the code; benchmarks measure time.
settings.register_profile("quantrail", deadline=None)
settings.load_profile("quantrail")

pytest.register_assert_rewrite("quantrail.testing")

from quantrail.testing.postgres import PostgresServer, start_server  # noqa: E402


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this session's own, or the one QUANTRAIL_TEST_PG_URL names."""
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database, dropped after the test."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


class _PostgresWasUsed:
    """Fails a run of the whole suite in which no PostgreSQL test passed."""

    def __init__(self) -> None:
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed and "postgres" in report.keywords:
            self.passed += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.passed or hasattr(session.config, "workerinput") or not _whole_suite(session.config):
            return
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line("no PostgreSQL test passed: the suite has not shown both backends", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _whole_suite(config: pytest.Config) -> bool:
    option = config.option
    narrowed = option.keyword or option.collectonly or option.markexpr not in ("", "not slow")
    asked = {argument.rstrip("/") for argument in config.args}
    return not narrowed and asked <= {"tests", str(config.rootpath / "tests")}


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_PostgresWasUsed(), "postgres_was_used")
