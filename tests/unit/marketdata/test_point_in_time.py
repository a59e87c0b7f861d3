import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from vendors import Vendor, reference, serving

from quantrail.domain.market import Period
from quantrail.errors import DataInvalid, NotFound
from quantrail.marketdata import MarketStore, RecordStore
from quantrail.marketdata.providers import (
    AlphaVantage,
    Transport,
    fetch_company,
    fetch_economic,
    fetch_news,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def records(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "records", lambda: NOW)


def gdp(rows: list[tuple[str, float, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["date", "value", "released"], orient="row").with_columns(
        series=pl.lit("GDP")
    )


def moments(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[us]")


def test_a_value_is_seen_from_its_release_on_and_revisions_from_theirs(records: RecordStore) -> None:
    records.add_economic(
        gdp(
            [
                ("2023-12-31", 100.0, "2024-01-25T13:30:00Z"),
                ("2023-12-31", 101.0, "2024-02-28T13:30:00Z"),
                ("2024-03-31", 105.0, "2024-04-25T13:30:00Z"),
                ("2023-12-31", 102.0, "2024-09-26T13:30:00Z"),
            ]
        ),
        source="bea",
    )
    at = moments(
        "2024-01-25T13:29:59",
        "2024-01-25T13:30:00",
        "2024-02-28T13:30:00",
        "2024-04-25T13:30:00",
        "2024-10-01T00:00:00",
    )
    values = records.economic_at("GDP", at)
    assert np.isnan(values[0])
    assert values[1:].tolist() == [100.0, 101.0, 105.0, 105.0]


def test_a_series_without_release_dates_needs_a_declared_lag_that_shows(
    records: RecordStore,
) -> None:
    wide = pl.DataFrame({"quarter_end": ["2023-12-31"], "realgdp": ["100.5"], "cpi": ["3.1"]})
    with pytest.raises(DataInvalid, match="declare a lag"):
        records.add_economic(wide, source="x")
    report = records.add_economic(wide, source="x", lag_days=45)
    assert report.added == 2
    rows = records.read("economic_indicators")
    assert rows["lag_days"].to_list() == [45, 45]
    at = moments("2024-02-14T23:59:59", "2024-02-15T00:00:00")
    assert records.economic_at("cpi", at).tolist() == pytest.approx([np.nan, 3.1], nan_ok=True)


def test_an_unknown_series_is_answered_with_those_there_are(records: RecordStore) -> None:
    records.add_economic(gdp([("2023-12-31", 1.0, "2024-01-25")]), source="x")
    with pytest.raises(NotFound, match="GDP"):
        records.economic_at("GPD", moments("2024-05-01"))


def test_news_of_a_bare_date_counts_from_the_end_of_its_day(records: RecordStore) -> None:
    frame = pl.DataFrame({"date": ["2024-03-01"], "text": ["calm"], "symbol": ["AAA"], "sentiment": [0.5]})
    records.add_news(frame, source="wire")
    at = moments("2024-03-01T21:00:00", "2024-03-02T00:00:00", "2024-03-09T00:00:00")
    scores = records.news_sentiment_at(["AAA", "BBB"], at, timedelta(days=5))
    assert scores[0].tolist() == pytest.approx([np.nan, 0.5, np.nan], nan_ok=True)
    assert np.isnan(scores[1]).all()


def test_sentiment_is_the_mean_of_the_window(records: RecordStore) -> None:
    hours = [1, 2, 30, 31]
    frame = pl.DataFrame(
        {
            "published_at": [START + timedelta(hours=h) for h in hours],
            "title": [f"t{h}" for h in hours],
            "symbol": ["AAA"] * 4,
            "sentiment_score": [0.2, 0.4, -0.6, None],
        }
    )
    records.add_news(frame, source="wire")
    at = np.array(["2024-01-01T12:00", "2024-01-02T07:00"], dtype="datetime64[us]")
    assert records.news_sentiment_at(["AAA"], at, timedelta(hours=30))[0] == pytest.approx(
        [0.3, (0.4 - 0.6) / 2]
    )


def test_impossible_records_are_refused(records: RecordStore) -> None:
    row = {"title": ["x"], "published_at": ["2024-01-02T00:00:00Z"]}
    with pytest.raises(DataInvalid, match="outside -1 to 1"):
        records.add_news(pl.DataFrame({**row, "sentiment_score": [3.0]}), source="x")
    with pytest.raises(DataInvalid, match="before they were published"):
        records.add_news(pl.DataFrame({**row, "available_at": ["2024-01-01T00:00:00Z"]}), source="x")
    holes = gdp([("2023-12-31", 1.0, "2024-01-25"), ("2023-09-30", float("nan"), "2023-10-25")])
    report = records.add_economic(holes, source="x")
    assert (report.added, [f.kind for f in report.findings]) == (1, ["incomplete_record"])


def test_a_company_record_counts_from_its_import_unless_it_says_otherwise(records: RecordStore) -> None:
    records.add_companies(
        pl.DataFrame({"Ticker": ["AAA"], "Name": ["Alpha"], "Sector": ["Tech"]}), source="x"
    )
    assert records.read("companies", as_of=NOW - timedelta(seconds=1)).is_empty()
    assert records.read("companies", as_of=NOW)["sector"].to_list() == ["Tech"]


def test_old_versions_stay_readable_and_the_same_rows_have_the_same_version(tmp_path: Path) -> None:
    rows = gdp([("2023-12-31", 1.0, "2024-01-25"), ("2024-03-31", 2.0, "2024-04-25")])
    one, two = (RecordStore(tmp_path / n, lambda: NOW) for n in "ab")
    first = one.add_economic(rows[:1], source="x").version
    both = one.add_economic(rows[1:], source="x").version
    two.add_economic(rows[1:], source="x")
    assert two.add_economic(rows, source="x").version == both
    assert two.add_economic(rows, source="x").unchanged == 2
    assert one.read("economic_indicators", version=first).height == 1


RELEASES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 120), st.floats(-1, 1)),
    min_size=1,
    max_size=25,
    unique_by=lambda r: r[:2],
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(releases=RELEASES, cut=st.integers(0, 500))
def test_nothing_that_becomes_known_later_changes_what_was_seen_before(
    tmp_path: Path, releases: list[tuple[int, int, float]], cut: int
) -> None:
    at = np.array(
        [np.datetime64(START.replace(tzinfo=None), "us") + np.timedelta64(d, "D") for d in range(cut + 1)]
    )
    seen = []
    for k, kept in enumerate((releases, [r for r in releases if r[0] + r[1] <= cut])):
        store = RecordStore(tmp_path / f"{Random(str(releases)).random()}-{cut}-{k}", lambda: NOW)
        base = [(START - timedelta(days=400), START - timedelta(days=400), 0.0)]
        times = base + [(START + timedelta(days=d), START + timedelta(days=d + lag), v) for d, lag, v in kept]
        econ = pl.DataFrame(
            {
                "date": [t[0].date() for t in times],
                "available_at": [t[1] for t in times],
                "value": [t[2] for t in times],
            }
        )
        store.add_economic(econ.with_columns(indicator_type=pl.lit("X")), source="x")
        titles = [str(t) for t in times]
        news = pl.DataFrame(
            {"published_at": [t[1] for t in times], "sentiment_score": [t[2] for t in times], "title": titles}
        )
        store.add_news(news.with_columns(symbol=pl.lit("AAA")), source="x")
        window = timedelta(days=20)
        seen.append((store.economic_at("X", at), store.news_sentiment_at(["AAA"], at, window)[0]))
    assert np.array_equal(seen[0][0], seen[1][0], equal_nan=True)
    assert np.array_equal(seen[0][1], seen[1][1], equal_nan=True)


def test_features_follow_the_closing_bell(store: MarketStore) -> None:
    store.import_sample()
    bars = store.bars(["SPY"], Period(date(2016, 7, 1), date(2016, 7, 8)))
    # New York closes at 20:00 UTC in summer.
    late = [("2016-03-31", 1.0, "2016-07-05T20:00:01Z"), ("2015-12-31", 0.5, "2016-01-29T13:30:00Z")]
    store.records.add_economic(gdp(late), source="x")
    assert store.econ("GDP", bars).tolist() == [0.5, 0.5, 1.0, 1.0, 1.0]
    news = pl.DataFrame(
        {"published_at": ["2016-07-06T20:00:00Z"], "title": ["t"], "symbol": ["SPY"], "sentiment": [0.25]}
    )
    store.records.add_news(news, source="x")
    scores = store.news_sentiment(bars, timedelta(days=1))[0]
    assert scores.tolist() == pytest.approx([np.nan, np.nan, 0.25, np.nan, np.nan], nan_ok=True)


def test_the_tables_are_there_in_sql(store: MarketStore, make_bars: Callable[..., pl.DataFrame]) -> None:
    store.import_bars(make_bars(["AAA"], count=5))
    store.records.add_companies(pl.DataFrame({"symbol": ["AAA"], "sector": ["Tech"]}), source="x")
    found = store.sql("select sector, count(*) n from market_data join companies using (symbol) group by 1")
    assert found.rows() == [("Tech", 5)]
    columns = set(store.sql("select * from news").columns) & set(
        store.sql("select * from economic_indicators").columns
    )
    assert columns == {"id", "source", "available_at", "created_at"}


def test_alpha_vantage_fills_companies_series_and_news(records: RecordStore) -> None:
    with serving(Vendor(), reference) as vendor:
        source = AlphaVantage(Transport(vendor.url, lambda _: None, Random(1)), "key", NOW.date())
        fetch_company(source, records, "IBM")
        series = fetch_economic(source, records, "REAL_GDP")
        fetch_news(source, records, "IBM")
        with pytest.raises(DataInvalid, match="lag_days"):
            fetch_economic(source, records, "COPPER")
    company = records.read("companies").row(0, named=True)
    assert (company["sector"], json.loads(company["financials"])) == ("TECHNOLOGY", {"PERatio": "22.1"})
    assert (series.added, [f.kind for f in series.findings]) == (1, ["incomplete_record"])
    news = records.read("news").row(0, named=True)
    assert (news["sentiment_score"], news["topics"], news["published_at"]) == (
        0.31,
        ["Technology"],
        datetime(2024, 3, 1, 14, 30, tzinfo=UTC),
    )


def test_a_corrected_lag_replaces_the_release_that_was_guessed_before(records: RecordStore) -> None:
    cpi = pl.DataFrame({"series": ["CPI"], "date": ["2024-01-01"], "value": [3.1]})
    moments = np.array(["2024-01-20T21:00", "2024-02-20T21:00"], dtype="datetime64[us]")
    records.add_economic(cpi, source="desk", lag_days=0)
    report = records.add_economic(cpi, source="desk", lag_days=45)
    assert (report.added, report.changed) == (0, 1)
    np.testing.assert_array_equal(records.economic_at("CPI", moments), [np.nan, 3.1])


def test_dates_spelt_as_midnights_are_known_at_the_end_of_their_day(records: RecordStore) -> None:
    day = datetime(2024, 1, 5)  # noqa: DTZ001  a frame's naive midnight
    frame = pl.DataFrame({"symbol": ["A"], "title": ["x"], "published_at": [day], "sentiment_score": [0.9]})
    records.add_news(frame, source="desk")
    moments = np.array(["2024-01-05T21:00", "2024-01-06T00:00"], dtype="datetime64[us]")
    found = records.news_sentiment_at(["A"], moments, timedelta(days=3))
    np.testing.assert_array_equal(found, [[np.nan, 0.9]])


@pytest.mark.parametrize("older", [0.0, 0.3, 0.7, -0.9])
def test_news_before_the_window_does_not_move_its_mean(records: RecordStore, older: float) -> None:
    scores = [(START, older), (START + timedelta(days=30), 0.1)]
    frame = pl.DataFrame(
        [
            {"symbol": "A", "title": str(at), "published_at": at, "sentiment_score": score}
            for at, score in scores
        ]
    )
    records.add_news(frame, source="desk")
    moment = np.array([(START + timedelta(days=31)).replace(tzinfo=None)], dtype="datetime64[us]")
    assert records.news_sentiment_at(["A"], moment, timedelta(days=5))[0, 0] == 0.1
