"""Yahoo's chart answers, the ones yfinance reads: split-adjusted bars with dividends and splits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import polars as pl

from quantrail.domain.market import Period
from quantrail.errors import DataInvalid, NotFound
from quantrail.marketdata.providers.port import Batch
from quantrail.marketdata.providers.quota import Quota
from quantrail.marketdata.providers.transport import Transport
from quantrail.marketdata.records import StoredBasis

BASE_URL = "https://query1.finance.yahoo.com"
_FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Yahoo:
    """No key, no published quota; throttles with 429."""

    transport: Transport
    name: str = "yahoo"
    basis: StoredBasis = StoredBasis.SPLIT
    quota: Quota | None = None

    def bars(self, symbol: str, period: Period) -> Batch:
        query = {
            "period1": str(_epoch(period.start)),
            "period2": str(_epoch(period.end + timedelta(days=1))),
            "interval": "1d",
            "events": "div,splits",
        }
        answer = self.transport.get(f"/v8/finance/chart/{quote(symbol, safe='')}", query)
        try:
            return Batch(_rows(symbol, answer["chart"]), period)
        except (KeyError, IndexError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise DataInvalid(f"Yahoo's answer for {symbol} has another format: {error!r}") from error


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _rows(symbol: str, chart: dict[str, Any]) -> pl.DataFrame:
    if chart.get("error"):
        raise NotFound(f"Yahoo on {symbol}: {chart['error']['description']}")
    result = chart["result"][0]
    zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
    days = [datetime.fromtimestamp(stamp, zone).date() for stamp in result.get("timestamp", [])]
    quotes = result["indicators"]["quote"][0] if days else {name: [] for name in _FIELDS}
    events = result.get("events", {})
    dividends = {_day(e, zone): float(e["amount"]) for e in events.get("dividends", {}).values()}
    splits = {_day(e, zone): e["numerator"] / e["denominator"] for e in events.get("splits", {}).values()}
    schema = {"date": pl.Date, **dict.fromkeys((*_FIELDS, "dividend", "split"), pl.Float64)}
    columns = {name: quotes[name] for name in _FIELDS}
    actions = {"dividend": [dividends.get(d, 0.0) for d in days], "split": [splits.get(d, 1.0) for d in days]}
    return pl.DataFrame({"date": days, **columns, **actions}, schema=schema, strict=False)


def _day(event: dict[str, Any], zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(event["date"], zone).date()
