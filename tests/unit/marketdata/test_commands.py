import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import typer

sys.path.insert(0, str(Path(__file__).parent))
from vendors import Vendor, reference, serving, yahoo

from quantrail.apps.cli import data
from quantrail.errors import ConfigInvalid, InvalidInput, NotFound

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs one `data …` command on a home of its own and returns its stdout."""

    def run(*words: str) -> str:
        capsys.readouterr()
        data.app([*words, "--home", str(tmp_path / "home")], standalone_mode=False)
        return capsys.readouterr().out

    return run


def bars(folder: Path, *, shift: float = 0.0) -> str:
    path = folder / "bars.csv"
    rows = [f"AAA,2020-01-{d:02d},10,12,8,{10.5 + shift},100" for d in (6, 7, 8, 9, 10)]
    path.write_text("\n".join(["Ticker,Date,Open,High,Low,Close,Volume", *rows]) + "\n")
    return str(path)


def test_an_import_shows_the_columns_first_and_says_what_it_did(say: Say, tmp_path: Path) -> None:
    text = say("import", bars(tmp_path))
    assert "Ticker → symbol" in text
    assert "5 rows added, 0 changed" in text
    again = json.loads(say("import", bars(tmp_path), "--json"))
    assert (again["added"], again["unchanged"]) == (0, 5)


def test_a_dry_run_stores_nothing(say: Say, tmp_path: Path) -> None:
    assert "5 rows" in say("import", bars(tmp_path), "--dry-run")
    assert "no market data yet" in say("list")


def test_versions_are_found_by_their_beginning_and_compared(say: Say, tmp_path: Path) -> None:
    say("import", bars(tmp_path))
    say("import", bars(tmp_path, shift=0.5))
    versions = [row["version"] for row in json.loads(say("list", "--snapshots", "--json"))]
    rows = json.loads(say("diff", versions[0][:10], versions[1][:10], "--json"))
    assert {row["columns"] for row in rows} == {"close"}
    assert len(rows) == 5
    old = json.loads(
        say("sql", "select avg(close_price) a from market_data", "--version", versions[0][:8], "--json")
    )
    assert old == [{"a": 10.5}]
    with pytest.raises(NotFound, match="begins with"):
        say("diff", "zz", versions[0])


def test_the_sample_is_listed_checked_and_drawn(say: Say, tmp_path: Path) -> None:
    say("import", "--sample")
    assert len(json.loads(say("list", "--json"))) == 34
    findings = json.loads(say("check", "--json", "--html", str(tmp_path / "gaps.html")))["findings"]
    assert ("MRK", "2017-09-14") in {(f["symbol"], f["date"]) for f in findings}
    assert "MRK" in (tmp_path / "gaps.html").read_text()
    say("show", "MRK", "--plot", str(tmp_path / "mrk.html"))
    assert "bad_bar" in (tmp_path / "mrk.html").read_text()
    assert say("show", "MRK", "--csv", "-n", "1").splitlines()[1].startswith("MRK,2018-02-07,")


def test_a_grave_finding_makes_the_answer_no(say: Say, tmp_path: Path) -> None:
    frame = pl.read_csv(bars(tmp_path)).with_columns(pl.col("Date"))
    ten = pl.col("Date") == "2020-01-08"
    names = ["Open", "High", "Low", "Close"]
    frame.with_columns(
        pl.when(ten).then(pl.col(n) * 10).otherwise(pl.col(n)).alias(n) for n in names
    ).write_csv(tmp_path / "ten.csv")
    say("import", str(tmp_path / "ten.csv"))
    with pytest.raises(typer.Exit) as stop:
        data.check(home=tmp_path / "home")
    assert stop.value.exit_code == 3


def test_exports_and_collection_say_what_they_did(say: Say, tmp_path: Path) -> None:
    say("import", bars(tmp_path))
    assert "1 file written" in say("export", "--parquet", str(tmp_path / "out"))
    say("export", "--duckdb", str(tmp_path / "out.duckdb"))
    assert (tmp_path / "out.duckdb").exists()
    assert json.loads(say("gc", "--dry-run", "--json"))["snapshots"] == []
    with pytest.raises(InvalidInput, match="--duckdb"):
        say("export")


def test_a_made_up_market_is_imported_with_what_is_known_of_it(say: Say) -> None:
    words = ("synth", "planted_edge", "--sharpe", "2", "--symbols", "3", "--sessions", "50", "--json")
    told, again = json.loads(say(*words)), json.loads(say(*words))
    assert (told["added"], again["added"]) == (150, 0)
    assert again["version"] == told["version"]
    say("synth", "block_bootstrap", "--sessions", "40")
    assert "SHUF_SYN000" in say("list", "--csv")
    with pytest.raises(InvalidInput, match="random_walk"):
        say("synth", "nonsense")
    with pytest.raises(InvalidInput, match="planted_edge"):
        say("synth", "garch", "--sharpe", "1")


def test_bars_are_fetched_from_a_server_that_speaks_the_vendors_format(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = ("--start", "2024-02-01", "--end", "2024-02-29")
    with serving(Vendor(), yahoo) as vendor:
        told = json.loads(say("fetch", "AAPL", *span, "--base-url", vendor.url, "--json"))
        assert (told["requests"], told["added"]) == (1, 20)
        with pytest.raises(NotFound, match="NONE"):
            say("fetch", "NONE", *span, "--base-url", vendor.url)
    monkeypatch.delenv("ALPHAVANTAGE_API_KEY", raising=False)
    with pytest.raises(ConfigInvalid, match="ALPHAVANTAGE_API_KEY"):
        say("fetch", "IBM", *span, "--provider", "alpha_vantage")
    with pytest.raises(InvalidInput, match="2020-01-31"):
        say("fetch", "IBM", "--start", "February")


def test_series_companies_and_news_are_imported_too(say: Say, tmp_path: Path) -> None:
    say("import", bars(tmp_path))
    (tmp_path / "gdp.csv").write_text("date,gdp\n2019-09-30,100.5\n2019-12-31,101.5\n")
    (tmp_path / "news.csv").write_text("date,symbol,title\n2020-01-06,AAA,AAA does well\n")
    assert "2 rows added" in say("import", str(tmp_path / "gdp.csv"), "--as", "economic", "--lag-days", "30")
    assert json.loads(say("import", str(tmp_path / "news.csv"), "--as", "news", "--json"))["added"] == 1
    rows = json.loads(say("sql", "select indicator_type, lag_days from economic_indicators", "--json"))
    assert rows == [{"indicator_type": "gdp", "lag_days": 30}] * 2
    with pytest.raises(InvalidInput, match="economic, companies or news"):
        say("import", "x.csv", "--as", "gossip")


def test_an_import_of_nothing_and_an_odd_basis_are_refused(say: Say, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--sample"):
        say("import")
    with pytest.raises(InvalidInput, match="split_adjusted"):
        say("import", bars(tmp_path), "--basis", "odd")


def test_companies_series_and_news_come_from_alpha_vantage(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHAVANTAGE_API_KEY", "key")
    with serving(Vendor(), reference) as vendor:
        at = ("--provider", "alpha_vantage", "--base-url", vendor.url)
        assert "IBM: 1 rows of companies added" in say("fetch", "IBM", "--as", "companies", *at)
        assert "1 rows of economic_indicators added" in say("fetch", "REAL_GDP", "--as", "economic", *at)
        assert json.loads(say("fetch", "IBM", "--as", "news", *at, "--json"))[0]["added"] == 1
        with pytest.raises(InvalidInput, match="bars, companies, economic or news"):
            say("fetch", "IBM", "--as", "gossip", *at)
        with pytest.raises(InvalidInput, match="a lag goes with economic"):
            say("fetch", "IBM", "--as", "news", "--lag-days", "3", *at)
    with pytest.raises(InvalidInput, match="--provider alpha_vantage"):
        say("fetch", "IBM", "--as", "news")
    with pytest.raises(InvalidInput, match="--start"):
        say("fetch", "IBM")


def test_a_check_looks_at_every_interval_unless_one_is_named(say: Say, tmp_path: Path) -> None:
    say("import", bars(tmp_path))
    lines = [
        f"AAA,2024-01-02T{14 + k // 2}:{30 * (k % 2):02d}:00Z,10,12,8,{10 + k / 100},9" for k in range(2, 14)
    ]
    header = "symbol,timestamp,open,high,low,close,volume"
    (tmp_path / "minutes.csv").write_text("\n".join([header, *lines[:3], *lines[4:]]) + "\n")
    say("import", str(tmp_path / "minutes.csv"), "--interval", "30m")
    found = json.loads(say("check", "--json"))["findings"]
    assert [f["kind"] for f in found] == ["stale", "missing_bars"]
    assert json.loads(say("check", "AAA", "--json"))["findings"] == found
    assert json.loads(say("check", "--interval", "1d", "--json"))["findings"] == found[:1]
    assert json.loads(say("check", "--interval", "30m", "--json"))["findings"] == found[1:]
    with pytest.raises(NotFound, match="'ZZZ'"):
        say("check", "ZZZ")
