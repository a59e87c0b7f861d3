"""Loopback servers that speak the vendors' formats, faults included. Not a test module."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from quantrail.domain.market import Period
from quantrail.marketdata.quality import sessions_between

HISTORY = Period(date(2024, 1, 2), date(2024, 12, 31))


@dataclass
class Vendor:
    """``faults`` are used up one per request, before any good answer: a name of ``Handler.fault``."""

    faults: list[str] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    last_bar: date = HISTORY.end
    delay_seconds: float = 0.0
    url: str = ""

    def price(self, symbol: str, day: date) -> float:
        return 50.0 + len(symbol) + (day - HISTORY.start).days / 10

    def days(self, first: date, last: date) -> list[date]:
        return [d.item() for d in sessions_between("XNYS", first, min(last, self.last_bar))]


def yahoo(vendor: Vendor, path: str, query: dict[str, str]) -> tuple[int, object]:
    symbol = path.rsplit("/", 1)[1]
    if symbol == "NONE":
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return 404, {"chart": {"result": None, "error": error}}
    first, last = (datetime.fromtimestamp(int(query[k]), UTC).date() for k in ("period1", "period2"))
    days = vendor.days(max(first, HISTORY.start), last - timedelta(days=1))
    stamps = [int(datetime(d.year, d.month, d.day, 14, 30, tzinfo=UTC).timestamp()) for d in days]
    close = [vendor.price(symbol, d) for d in days]
    quote = {
        "open": close,
        "high": [c + 1 for c in close],
        "low": [c - 1 for c in close],
        "close": close,
        "volume": [1000] * len(days),
    }
    events: dict[str, object] = {}
    if date(2024, 2, 9) in days:
        at = stamps[days.index(date(2024, 2, 9))]
        events = {"dividends": {str(at): {"amount": 0.24, "date": at}}}
    result = {
        "meta": {"symbol": symbol, "exchangeTimezoneName": "America/New_York"},
        "timestamp": stamps,
        "events": events,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": close}]},
    }
    return 200, {"chart": {"result": [result], "error": None}}


def alpha_vantage(vendor: Vendor, path: str, query: dict[str, str]) -> tuple[int, object]:
    symbol = query["symbol"]
    if symbol == "NONE":
        return 200, {"Error Message": "Invalid API call. Please retry or visit the documentation."}
    days = vendor.days(HISTORY.start, HISTORY.end)[-100 if query["outputsize"] == "compact" else 0 :]
    bars = {}
    for day in reversed(days):
        c = vendor.price(symbol, day)
        values = {"1. open": c, "2. high": c + 1, "3. low": c - 1, "4. close": c, "5. volume": 1000}
        bars[day.isoformat()] = {k: f"{v:.4f}" if k[0] != "5" else str(v) for k, v in values.items()}
    return 200, {"Meta Data": {"2. Symbol": symbol}, "Time Series (Daily)": bars}


def reference(vendor: Vendor, path: str, query: dict[str, str]) -> tuple[int, object]:
    answers: dict[str, object] = {
        "OVERVIEW": {
            "Symbol": "IBM",
            "Name": "IBM",
            "Sector": "TECHNOLOGY",
            "Industry": "IT",
            "PERatio": "22.1",
        },
        "REAL_GDP": {
            "name": "Real GDP",
            "unit": "billions of dollars",
            "data": [{"date": "2023-10-01", "value": "5600.1"}, {"date": "2023-07-01", "value": "."}],
        },
        "NEWS_SENTIMENT": {
            "items": "1",
            "feed": [
                {
                    "title": "IBM does well",
                    "url": "https://example.org/1",
                    "time_published": "20240301T143000",
                    "summary": "It does.",
                    "topics": [{"topic": "Technology", "relevance_score": "0.9"}],
                    "overall_sentiment_score": 0.1,
                    "ticker_sentiment": [{"ticker": "IBM", "ticker_sentiment_score": "0.31"}],
                }
            ],
        },
    }
    return 200, answers[query["function"]]


@contextmanager
def serving(vendor: Vendor, speak: object) -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlparse(self.path)
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            vendor.requests.append({"path": parts.path, **query})
            time.sleep(vendor.delay_seconds)
            fault = vendor.faults.pop(0) if vendor.faults else None
            status, answer = speak(vendor, parts.path, query)  # type: ignore[operator]
            self.reply(fault, status, json.dumps(answer).encode())

        def reply(self, fault: str | None, status: int, body: bytes) -> None:
            headers = {}
            if fault == "429":
                status, body, headers = 429, b"Too Many Requests", {"Retry-After": "7"}
            elif fault == "500":
                status, body = 500, b"oops"
            elif fault == "401":
                status, body = 401, b"no"
            elif fault == "note":
                body = json.dumps(
                    {"Note": "Thank you! Our standard API call frequency is 5 calls per minute."}
                ).encode()
            elif fault == "day":
                body = json.dumps({"Information": "Our standard rate limit is 25 requests per day."}).encode()
            elif fault == "truncated":
                body = body[: len(body) // 2]
            elif fault == "columns":
                body = body.replace(b"close", b"klose").replace(b"4. ", b"9. ")
            elif fault == "slow":
                time.sleep(1.5)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                return  # the client lost patience, as it should

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    vendor.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
