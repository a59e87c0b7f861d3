"""What the command line says at its edges: paths that refuse, readers that leave, words to type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quantrail.apps.cli.main import invoke

Said = tuple[int, str, str]
Say = Callable[..., Said]
SPEC = Path(__file__).parents[3] / "examples" / "sma.yaml"
BAR = "2020-01-06,10,11,9,10.5,100\n"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs one command line; its exit code, stdout and stderr on one line each."""

    def run(*words: str | Path) -> Said:
        capsys.readouterr()
        code = invoke([str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edges") / "home"
    assert invoke(["data", "import", "--sample", "--home", str(folder)]) == 0
    return folder


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A file where a folder would have to be."""
    path = tmp_path / "file"
    path.write_text("in the way")
    return path


def test_targets_that_cannot_be_written_are_named_before_any_work(
    say: Say, home: Path, blocked: Path, tmp_path: Path
) -> None:
    for words in (
        ("data", "export", "--parquet", blocked / "out"),
        ("data", "export", "--duckdb", blocked / "out.duckdb"),
        ("data", "show", "AAPL", "--plot", blocked / "a.html"),
        ("data", "check", "--html", blocked / "a.html"),
        ("backtest", SPEC, "--plot", blocked / "a.html"),
        ("backtest", SPEC, "--plot", tmp_path / "none" / "a.html"),
    ):
        code, _, told = say(*words, "--home", home)
        assert (code, len(told.splitlines())) == (1, 1), told
        assert f"error: {words[-1]} cannot be written" in told
    # The backtests were not even begun.
    assert not (home / "quantrail.db").exists()


def test_a_folder_is_no_file_to_write(say: Say, home: Path, tmp_path: Path) -> None:
    code, _, told = say("data", "show", "AAPL", "--plot", tmp_path, "--home", home)
    assert code == 2
    assert "is a folder; name a file in it" in told


def test_a_home_that_takes_no_bars_is_one_sentence(say: Say, blocked: Path, tmp_path: Path) -> None:
    universe = tmp_path / "uni.csv"
    universe.write_text("symbol\nAAPL\n")
    for words in (
        ("data", "import", "--sample"),
        ("data", "synth", "garch"),
        ("data", "universe", "import", universe),
        ("data", "fetch", "AAPL", "--start", "2020-01-06", "--base-url", "http://127.0.0.1:9"),
    ):
        code, _, told = say(*words, "--home", blocked / "home")
        assert (code, len(told.splitlines())) == (1, 1), told
        assert "cannot be written" in told


@pytest.mark.parametrize("command", [("leaderboard",), ("data", "list"), ("demo",), ("db", "check")])
def test_a_file_is_no_home(say: Say, blocked: Path, command: tuple[str, ...]) -> None:
    code, _, told = say(*command, "--home", blocked)
    assert code == 2
    assert told == f"error: home {blocked} is a file; name a folder with --home\n"


def test_what_the_system_refuses_in_the_middle_is_one_sentence_too(
    say: Say, home: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "home"
    (broken / "market").mkdir(parents=True)
    (broken / "market" / "current").mkdir()
    code, _, told = say("data", "list", "--home", broken)
    assert code == 1
    assert f"error: {broken / 'market' / 'current'} cannot be read or written (Is a directory)" in told
    code, document, _ = say("data", "list", "--home", broken, "--json")
    assert (code, json.loads(document)["error"]["code"]) == (1, "BACKEND_ERROR")


@pytest.mark.parametrize("content", ["", "\n", "\ufeff\n"])
def test_an_empty_universe_is_said_to_be_empty(say: Say, tmp_path: Path, content: str) -> None:
    path = tmp_path / "uni.csv"
    path.write_text(content, encoding="utf-8")
    code, _, told = say("data", "universe", "import", path, "--home", tmp_path / "home")
    assert (code, told) == (2, f"error: {path} is empty\n")
    code, _, told = say("data", "universe", "import", "/dev/null", "--home", tmp_path / "home")
    assert (code, told) == (2, "error: /dev/null is empty\n")


@pytest.mark.parametrize(
    ("header", "row", "remedy"),
    [
        ("date,open,high,low,close,volume", BAR, "with --symbol SYMBOL"),
        ("when,open,high,low,close,symbol", BAR, "name them with --column THEIRS=ours"),
        ("date,open,high,low,close,symbol", "2020-01-06 10:30,1,1,1,1,A\n", "--tz 'America/New_York'"),
        (
            "date,open,high,low,close,symbol",
            "01/02/2020,1,1,1,1,A\n",
            "name the date format with --date-form",
        ),
        ("date;open;high;low;close;symbol", "2020-01-06;1,5;1,5;1,5;1,5;A\n", "say --decimal ','"),
        ("date,open,high,low,close,symbol", "2020-01-06 10:30:00Z,1,1,1,1,A\n", "e.g. --interval '5m'"),
    ],
)
def test_remedies_are_options_to_type(say: Say, tmp_path: Path, header: str, row: str, remedy: str) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(header + "\n" + row)
    code, _, told = say("data", "import", path, "--home", tmp_path / "home")
    assert code == 2
    assert remedy in told


def test_refused_rows_are_said_apart(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "AAA.csv"
    path.write_text("date,open,high,low,close,volume\n" + BAR + "2020-01-07,10,11,9,10.5,many\n")
    code, shown, told = say("data", "import", path, "--home", tmp_path / "home")
    assert code == 0
    assert "1 row added" in shown
    assert told.startswith("warning: 1 of 2 rows were refused")


def piped(home: Path, *words: str) -> int:
    """The exit code of a command whose reader leaves after the first byte."""
    process = subprocess.Popen(
        [sys.executable, "-m", "quantrail", *words, "--home", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    with process.stderr:
        told = process.stderr.read()
    assert told == b"", told
    return process.wait(timeout=60)


@pytest.mark.parametrize("form", ["--csv", "--json", ""])
def test_a_reader_that_has_seen_enough_is_no_failure(home: Path, form: str) -> None:
    statement = "select * from market_data limit 2000"
    assert piped(home, "data", "sql", statement, *([form] if form else [])) == 0


@pytest.mark.parametrize("command", ["validate", "explain", "hash"])
def test_a_dash_reads_standard_input(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "quantrail", "spec", command, "-", "--json"],
        input=SPEC.read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    from quantrail.strategy import canonicalise, parse_spec

    assert json.loads(done.stdout)["strategy_id"] == canonicalise(parse_spec(SPEC)).strategy_id


def test_standard_input_that_is_no_text_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "quantrail", "spec", "hash", "-"],
        input=b"\xff\xfe",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"standard input is not UTF-8 text" in done.stderr


@pytest.fixture
def intraday(say: Say, tmp_path: Path) -> Path:
    """A home that holds five-minute bars of ABC and nothing else."""
    path = tmp_path / "ABC.csv"
    rows = [f"2020-01-06 15:{minute:02d}:00Z,10,11,9,10.5,100" for minute in (0, 5, 10)]
    path.write_text("date,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    assert say("data", "import", path, "--home", tmp_path / "home")[0] == 0
    return tmp_path / "home"


def test_the_interval_there_is_is_shown_and_the_missing_one_explained(say: Say, intraday: Path) -> None:
    code, shown, told = say("data", "show", "ABC", "--home", intraday)
    assert (code, told) == (0, "")
    assert shown.startswith("ABC, 3 5m bars")
    code, _, told = say("data", "show", "ABC", "--interval", "1d", "--home", intraday)
    assert code == 2
    assert told == "error: ABC has 5m bars and no 1d bars; strategies run on 1d bars only\n"


def test_a_backtest_on_intraday_bars_says_that_strategies_run_on_daily_ones(
    say: Say, intraday: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text().replace("[AAPL, MSFT, XOM]", "[ABC]"))
    assert "[ABC]" in spec.read_text()
    code, _, told = say("backtest", spec, "--home", intraday)
    assert code == 2
    assert "ABC has 5m bars and no 1d bars; strategies run on 1d bars only" in told


def test_an_empty_home_is_told_of_the_bundled_bars(say: Say, tmp_path: Path) -> None:
    code, _, told = say("backtest", SPEC, "--home", tmp_path / "home")
    assert code == 2
    assert "--sample" in told


def test_collection_counts_what_goes_apart_from_the_cache(say: Say, home: Path, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from quantrail.marketdata import MarketStore

    own = tmp_path / "home"
    shutil.copytree(home, own)
    MarketStore(own / "market", lambda: datetime.now(UTC)).bars(["AAPL"])
    code, shown, _ = say("data", "gc", "--home", own)
    assert code == 0
    first, second = shown.splitlines()
    size = first.removeprefix("0 data versions and 0 files removed, ").removesuffix(" bytes")
    assert second == f"{size} of these bytes are cache, which the next read makes again"
    assert size != "0"
    again = say("data", "gc", "--home", own)[1].splitlines()
    assert again == ["0 data versions and 0 files removed, 0 bytes"]


def test_the_data_row_of_the_doctor_is_about_bars_alone(say: Say, home: Path, tmp_path: Path) -> None:
    own = tmp_path / "home"
    shutil.copytree(home, own)
    (own / "quantrail.db").write_bytes(b"no database at all" * 100)
    _, document, _ = say("doctor", "--home", own, "--json")
    checks = {check["name"]: check for check in json.loads(document)["checks"]}
    assert not checks["store"]["ok"]
    assert checks["data"]["ok"]
    assert checks["data"]["detail"].startswith("34 symbols")


def test_a_home_without_a_search_has_none_to_show(say: Say, home: Path, tmp_path: Path) -> None:
    own = tmp_path / "home"
    shutil.copytree(home, own)
    for command in (("run", "show"), ("report",)):
        code, _, told = say(*command, "--home", own)
        assert code == 2
        assert "holds no search yet" in told
