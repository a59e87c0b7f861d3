"""Alpha Vantage: raw daily bars, and (see ``reference``) companies, economic series and news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from quantrail.domain.market import Period
from quantrail.errors import BackendBusy, DataInvalid, NotFound
from quantrail.marketdata.providers.port import Batch
from quantrail.marketdata.providers.quota import Quota
from quantrail.marketdata.providers.transport import Transport
from quantrail.marketdata.records import StoredBasis

BASE_URL = "https://www.alphavantage.co"
FREE = Quota(per_minute=5, per_day=25)
# "compact" answers hold the last hundred bars; older wishes need the full history.
_COMPACT = 100
_FIELDS = {
    "open": "1. open",
    "high": "2. high",
    "low": "3. low",
    "close": "4. close",
    "volume": "5. volume",
}


@dataclass(frozen=True, slots=True)
class AlphaVantage:
    """``api_key`` goes into every URL and into no message. ``today`` tells recent wishes from old ones."""

    transport: Transport
    api_key: str
    today: date
    name: str = "alpha_vantage"
    basis: StoredBasis = StoredBasis.RAW
    quota: Quota | None = FREE

    def bars(self, symbol: str, period: Period) -> Batch:
        recent = (self.today - period.start).days < _COMPACT
        size = "compact" if recent else "full"
        answer = self.ask("TIME_SERIES_DAILY", symbol=symbol, outputsize=size)
        try:
            series = answer["Time Series (Daily)"]
            rows = [{"date": day, **{k: bar[v] for k, v in _FIELDS.items()}} for day, bar in series.items()]
        except (KeyError, TypeError, AttributeError) as error:
            raise DataInvalid(f"Alpha Vantage's bars of {symbol} have another format: {error!r}") from error
        schema = {"date": pl.String, **dict.fromkeys(_FIELDS, pl.String)}
        table = pl.DataFrame(rows, schema=schema).with_columns(
            pl.col("date").str.to_date("%Y-%m-%d", strict=False)
        )
        # More than was asked for came for one request: keep it, and remember that it is there.
        days = [day for day in table["date"] if day is not None]
        return Batch(table.sort("date"), Period(min([period.start, *days]), period.end))

    def ask(self, function: str, **query: str) -> dict[str, Any]:
        """One answer of any function. Raises NotFound for what the vendor calls an invalid call."""
        answer = self.transport.get(
            "/query", {"function": function, **query, "apikey": self.api_key}, refused=_throttled
        )
        if not isinstance(answer, dict):
            raise DataInvalid(f"Alpha Vantage's {function} is no JSON object")
        if "Error Message" in answer:
            raise NotFound(f"Alpha Vantage on {function} {query}: {answer['Error Message']}")
        return answer


def _throttled(answer: Any) -> str | None:
    """The note that comes with status 200 in place of data."""
    if not isinstance(answer, dict):
        return None
    note = answer.get("Note") or answer.get("Information")
    if note is None or any(key not in ("Note", "Information") for key in answer):
        return None
    text = str(note)
    if "per day" in text or "daily" in text:
        # No pause of seconds helps: trying again would only spend more of the quota.
        raise BackendBusy(f"Alpha Vantage's day is used up: {text[:160]}", day_used_up=True)
    return text[:160]
