"""Economic series and news in strategies: both engines, the key, reproduction, the loop, no leak."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from quantrail.domain.contract import CalcContract, ModelVersions
from quantrail.domain.enums import DriftCause
from quantrail.domain.market import Period
from quantrail.engine import compare, prepare, screen, verify
from quantrail.errors import NotFound
from quantrail.lab import Lab, open_lab
from quantrail.marketdata import MarketStore
from quantrail.services.records import current_versions, with_records
from quantrail.strategy import canonicalise, ind, spec

SYMBOLS = ("AAPL", "JPM", "XOM")
ECON = spec(
    entry=ind.econ("RATE") > 0.0,
    exit=ind.econ("RATE") <= 0.0,
    symbols=SYMBOLS,
)
NEWS = spec(
    entry=ind.news_sentiment(days=5) > 0.1,
    exit=ind.news_sentiment(days=5) < -0.1,
    symbols=SYMBOLS,
)
MONTHS = [f"{year}-{month:02d}-01" for year in (2013, 2014, 2015, 2016) for month in range(1, 13)]


def rates(changes: Mapping[int, float] | None = None) -> pl.DataFrame:
    """A monthly series, released on the 12th of the month after, alternating every quarter."""
    values = [1.0 if k // 3 % 2 else -1.0 for k in range(len(MONTHS))]
    for index, value in (changes or {}).items():
        values[index] = value
    released = [f"{(np.datetime64(day[:7]) + 1)}-12T13:30:00Z" for day in MONTHS]
    columns = {"series": "RATE", "date": MONTHS, "value": values, "available_at": released}
    return pl.DataFrame({**columns, "series": ["RATE"] * len(MONTHS)})


def news() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    days = np.arange("2014-01-01", "2016-01-01", 2, dtype="datetime64[D]").astype(str)
    rows = [(s, f"{d}T15:00:00Z", f"{s} {d}", float(rng.uniform(-1, 1))) for s in SYMBOLS for d in days]
    names = ["symbol", "published_at", "title", "sentiment_score"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.fixture
def lab(bars_home: Path, tmp_path: Path) -> Iterator[Lab]:
    shutil.copytree(bars_home, tmp_path / "home")
    with open_lab(tmp_path / "home") as opened:
        opened.data.records.add_economic(rates(), source="test")
        yield opened


def ids(results: list[Any]) -> list[str]:
    assert [r.error for r in results] == [None, None]
    return [r.backtest_id for r in results]


def test_a_series_trades_is_cached_and_a_changed_value_is_another_backtest(lab: Lab) -> None:
    first = lab.backtest(ECON)
    assert first[0].metrics["closed_trades"] > 10
    assert first[0].metrics["closed_trades"] == first[1].metrics["closed_trades"]
    assert [r.cached for r in lab.backtest(ECON)] == [True, True]
    # Another series, and a release after the last bar, change nothing that was read.
    other = rates().with_columns(pl.lit("OTHER").alias("series"))
    late = pl.DataFrame({"series": ["RATE"], "date": ["2019-01-01"], "value": [1.0],
                         "available_at": ["2019-02-01T00:00:00Z"]})  # fmt: skip
    for more in (other, late):
        lab.data.records.add_economic(more, source="test")
    assert [r.cached for r in lab.backtest(ECON)] == [True, True]
    lab.data.records.add_economic(rates({20: -rates()["value"][20]}), source="test")
    moved = lab.backtest(ECON)
    assert [r.cached for r in moved] == [False, False]
    assert not set(ids(moved)) & set(ids(first))
    assert moved[0].metrics["return_total_net"] != first[0].metrics["return_total_net"]
    # Each is reproduced from the version of the table it was read from.
    assert all(r.equal for r in lab.reproduce([*ids(first), *ids(moved)]))


def test_a_tampered_record_is_noticed_as_data(lab: Lab) -> None:
    done = ids(lab.backtest(ECON))
    version = lab.data.records.version("economic_indicators")
    path = lab.home / "market" / "records" / "economic_indicators" / f"{version}.parquet"
    rows = pl.read_parquet(path)
    assert rows.height == len(MONTHS)
    rows.with_columns(value=-pl.col("value")).write_parquet(path)
    assert [r.cause for r in lab.reproduce(done)] == [DriftCause.DATA, DriftCause.DATA]
    path.unlink()
    assert [r.cause for r in lab.reproduce(done)] == [DriftCause.MISSING, DriftCause.MISSING]


def test_what_the_store_lacks_is_refused_with_what_there_is(lab: Lab) -> None:
    document = spec(entry=ind.econ("RATES") > 0.0, symbols=SYMBOLS)
    with pytest.raises(NotFound, match="no economic series 'RATES'; there are RATE"):
        lab.backtest(document)
    with pytest.raises(NotFound, match="reads news, which holds nothing here; `quantrail data import"):
        lab.backtest(NEWS)
    lab.data.records.add_news(news().with_columns(symbol=pl.lit("IBM")), source="test")
    with pytest.raises(NotFound, match="no judged news about AAPL, JPM, XOM"):
        lab.backtest(NEWS)


def test_news_trades_each_symbol_on_its_own(lab: Lab) -> None:
    lab.data.records.add_news(news(), source="test")
    a, b = lab.backtest(NEWS)
    assert a.metrics["closed_trades"] > 50
    assert a.metrics["closed_trades"] == b.metrics["closed_trades"]
    assert all(r.equal for r in lab.reproduce(ids([a, b])))


def told(store: MarketStore, document: dict[str, Any], last: str) -> dict[str, Any]:
    """What both engines say of every bar up to ``last``, after checking that they agree."""
    normal = canonicalise(document).spec
    bars = with_records(store, store.bars(SYMBOLS), [normal], current_versions(store))
    period = Period(bars.sessions[5].item(), bars.sessions[-1].item())
    a = screen(prepare(bars, [normal]), period, CalcContract()).result(0)
    b = verify(bars, normal, period, CalcContract(), ModelVersions())
    assert compare(a, b.result).agree
    upto = int(np.searchsorted(a.sessions, np.datetime64(last), side="right"))
    known = b.decisions["bar"] < upto
    return {
        "equity": [r.equity[:upto].tolist() for r in (a, b.result)],
        "decisions": {name: column[known].tolist() for name, column in b.decisions.items()},
        "later": [r.equity[upto:].tolist() for r in (a, b.result)],
    }


@pytest.mark.parametrize("index", [10, 11, 19])
def test_a_value_released_later_moves_nothing_before_its_release(lab: Lab, index: int) -> None:
    # Released at 13:30 UTC on the 12th, before that day's close: the day before is the last untouched.
    release = np.datetime64(rates()["available_at"][index][:10])
    before = told(lab.data, ECON, str(release - 1))
    lab.data.records.add_economic(rates({index: -rates()["value"][index]}), source="test")
    after = told(lab.data, ECON, str(release - 1))
    assert after["equity"] == before["equity"]
    assert after["decisions"] == before["decisions"]
    assert after["later"] != before["later"]


def test_news_moves_nothing_before_it_is_published(lab: Lab) -> None:
    lab.data.records.add_news(news(), source="test")
    before = told(lab.data, NEWS, "2015-06-14")
    shock = [("JPM", "2015-06-15T15:00:00Z", f"shock {k}", -1.0) for k in range(50)]
    lab.data.records.add_news(pl.DataFrame(shock, schema=news().columns, orient="row"), source="test")
    after = told(lab.data, NEWS, "2015-06-14")
    assert (after["equity"], after["decisions"]) == (before["equity"], before["decisions"])
    assert after["later"] != before["later"]


def test_the_loop_searches_from_a_seed_that_reads_records(
    lab: Lab, small_config: Any, tmp_path: Path
) -> None:
    lab.data.records.add_news(news(), source="test")
    config = yaml.safe_load(small_config(tmp_path).read_text())
    config["data"]["symbols"] = list(SYMBOLS)
    config["search"] |= {
        "seeds": [ECON, NEWS, spec(entry=ind.econ("GONE") > 0.0)],
        "budget": {"candidates": 12, "iterations": 1},
        "shortlist": 20,
    }
    run = lab.search(config)
    services = lab._services
    trials = services.store.list_trials(run.run_id)
    assert [t.outcome for t in trials[:3]] == ["evaluated", "evaluated", "error"]
    done = services.store.list_backtests(run_id=run.run_id)
    again = lab.reproduce(done)
    assert [r.detail for r in again if not r.equal] == []
    engines = {services.store.get_backtest(t.backtest_id).key.engine_mode for t in trials
               if t.strategy_id == trials[1].strategy_id}  # fmt: skip
    assert engines == {"A", "B"}
