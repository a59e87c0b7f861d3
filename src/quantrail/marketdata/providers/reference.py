"""Alpha Vantage's companies, economic series and news, as rows of the point-in-time tables."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from quantrail.errors import DataInvalid, InvalidInput
from quantrail.marketdata.pointintime import RecordReport, RecordStore
from quantrail.marketdata.providers.alpha_vantage import AlphaVantage

# Released within a month and a half of the period's end, by the agencies' calendars; rates the next day.
_LAG_DAYS = {"REAL_GDP": 45, "REAL_GDP_PER_CAPITA": 90, "CPI": 45, "INFLATION": 45, "UNEMPLOYMENT": 40}
_DESCRIPTION = ("Symbol", "Name", "Sector", "Industry")


def fetch_records(
    vendor: AlphaVantage, store: RecordStore, what: str, name: str, lag_days: int | None = None
) -> RecordReport:
    """``what`` is companies, news (``name``: a symbol) or economic (``name``: a series). See each of them."""
    if what == "economic":
        return fetch_economic(vendor, store, name, lag_days)
    if lag_days is not None:
        raise InvalidInput(f"a lag goes with economic series, not with {what}")
    if what == "companies":
        return fetch_company(vendor, store, name)
    if what == "news":
        return fetch_news(vendor, store, name)
    raise InvalidInput(f"cannot fetch {what!r}; use bars, companies, economic or news")


def fetch_company(vendor: AlphaVantage, store: RecordStore, symbol: str) -> RecordReport:
    """One company's record, known from now on. Raises as ``Provider.bars``."""
    answer = vendor.ask("OVERVIEW", symbol=symbol)
    if "Symbol" not in answer:
        raise DataInvalid(f"Alpha Vantage's overview of {symbol} has another format: {sorted(answer)[:5]}")
    financials = {key: value for key, value in answer.items() if key not in _DESCRIPTION}
    row: dict[str, Any] = {name.lower(): answer.get(name) for name in _DESCRIPTION}
    frame = pl.DataFrame([row | {"financials": json.dumps(financials, sort_keys=True)}])
    return store.add_companies(frame, source=vendor.name)


def fetch_economic(
    vendor: AlphaVantage, store: RecordStore, function: str, lag_days: int | None = None
) -> RecordReport:
    """One series, e.g. REAL_GDP. The vendor dates no releases: a lag is declared and stored with each row.

    Raises DataInvalid when no lag is known for ``function`` and none is given.
    """
    lag = _LAG_DAYS.get(function) if lag_days is None else lag_days
    if lag is None:
        raise DataInvalid(f"how long after its date is {function} released? say lag_days=…")
    answer = vendor.ask(function)
    try:
        rows = [
            {"indicator_type": function, "date": e["date"], "value": e["value"], "unit": answer["unit"]}
            for e in answer["data"]
        ]
    except (KeyError, TypeError) as error:
        raise DataInvalid(f"Alpha Vantage's {function} has another format: {error!r}") from error
    return store.add_economic(pl.DataFrame(rows), source=vendor.name, lag_days=lag)


def fetch_news(vendor: AlphaVantage, store: RecordStore, symbol: str) -> RecordReport:
    """News on one symbol with the vendor's score of that symbol, -1..1. Raises as ``Provider.bars``."""
    answer = vendor.ask("NEWS_SENTIMENT", tickers=symbol)
    try:
        rows = [_news_row(item, symbol) for item in answer["feed"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DataInvalid(f"Alpha Vantage's news on {symbol} has another format: {error!r}") from error
    return store.add_news(pl.DataFrame(rows), source=vendor.name)


def _news_row(item: dict[str, Any], symbol: str) -> dict[str, Any]:
    own = [t for t in item["ticker_sentiment"] if t["ticker"] == symbol]
    score = own[0]["ticker_sentiment_score"] if own else item["overall_sentiment_score"]
    return {
        "symbol": symbol,
        "title": item["title"],
        "content": item["summary"],
        "url": item["url"],
        "sentiment_score": float(score),
        "topics": [t["topic"] for t in item["topics"]],
        "published_at": item["time_published"],
    }
