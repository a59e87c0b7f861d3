import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from vendors import HISTORY, Vendor, alpha_vantage, serving, yahoo

from quantrail.domain.market import Period
from quantrail.errors import BackendBusy, BackendError, DataInvalid, InvalidInput, NotFound
from quantrail.marketdata import MarketStore, StoredBasis
from quantrail.marketdata.providers import AlphaVantage, Fetcher, Quota, QuotaLedger, Transport, Yahoo
from quantrail.marketdata.providers.coverage import CoverageLedger
from quantrail.marketdata.quality import sessions_between


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: datetime = datetime(2025, 1, 15, 12, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def yahoo_server() -> Iterator[Vendor]:
    with serving(Vendor(), yahoo) as vendor:
        yield vendor


@pytest.fixture
def av_server() -> Iterator[Vendor]:
    with serving(Vendor(), alpha_vantage) as vendor:
        yield vendor


def coverage(folder: Path) -> CoverageLedger:
    return CoverageLedger(folder / "coverage", lambda a, b: sessions_between("XNYS", a, b))


def yahoo_fetcher(folder: Path, vendor: Vendor, clock: Time, patience: float = 20.0) -> Fetcher:
    provider = Yahoo(Transport(vendor.url, clock.sleep, Random(1), timeout_seconds=patience))
    return Fetcher(MarketStore(folder / "market", clock), provider, coverage(folder), clock)


def av_fetcher(folder: Path, vendor: Vendor, clock: Time, quota: Quota) -> Fetcher:
    ledger = QuotaLedger(folder / "quota.json", quota, clock, clock.sleep)
    transport = Transport(vendor.url, clock.sleep, Random(1), ledger)
    provider = AlphaVantage(transport, "key", clock().date(), quota=quota)
    return Fetcher(MarketStore(folder / "market", clock), provider, coverage(folder), clock, ledger=ledger)


def test_yahoo_bars_arrive_with_dividends(tmp_path: Path, yahoo_server: Vendor, clock: Time) -> None:
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    report = fetcher.fetch(["AAPL"], HISTORY.start, HISTORY.end)
    assert (report.requests, report.added, report.complete) == (1, 252, ("AAPL",))
    rows = fetcher.store.rows(["AAPL"])
    assert rows.filter(rows["dividend"] > 0).select("ts", "dividend").rows() == [(date(2024, 2, 9), 0.24)]
    bars = fetcher.store.bars(["AAPL"])
    assert bars.close[0, 0] == yahoo_server.price("AAPL", HISTORY.start)
    current = fetcher.store.current()
    assert current is not None
    assert (current.symbols[0].source, current.symbols[0].basis) == ("yahoo", StoredBasis.SPLIT)


def test_a_range_that_is_there_is_not_asked_for_again(
    tmp_path: Path, yahoo_server: Vendor, clock: Time
) -> None:
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    fetcher.fetch(["AAPL"], date(2024, 3, 1), date(2024, 4, 30))
    fetcher.fetch(["AAPL"], date(2024, 3, 15), date(2024, 4, 15))
    assert len(yahoo_server.requests) == 1
    fetcher.fetch(["AAPL"], date(2024, 2, 1), date(2024, 6, 28))
    assert len(yahoo_server.requests) == 3
    asked = [datetime.fromtimestamp(int(r["period1"]), UTC).date() for r in yahoo_server.requests[1:]]
    assert asked == [date(2024, 2, 1), date(2024, 5, 1)]
    fetcher.fetch(["AAPL"], date(2024, 2, 1), date(2024, 6, 28))
    assert len(yahoo_server.requests) == 3


def test_a_closed_market_is_not_asked(tmp_path: Path, yahoo_server: Vendor, clock: Time) -> None:
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    fetcher.fetch(["AAPL"], date(2024, 7, 4), date(2024, 7, 4))
    fetcher.fetch(["AAPL"], date(2024, 6, 8), date(2024, 6, 9))
    assert yahoo_server.requests == []


def test_fridays_bar_is_fresh_on_sunday_and_stale_on_monday_evening(
    tmp_path: Path, yahoo_server: Vendor
) -> None:
    clock = Time(datetime(2024, 6, 7, 21, tzinfo=UTC))  # Friday after the bell
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    yahoo_server.last_bar = date(2024, 6, 7)
    fetcher.fetch(["AAPL"], date(2024, 6, 3))
    for moment in (datetime(2024, 6, 9, 12, tzinfo=UTC), datetime(2024, 6, 10, 19, 59, tzinfo=UTC)):
        clock.now = moment
        fetcher.fetch(["AAPL"], date(2024, 6, 3))
    assert len(yahoo_server.requests) == 1
    clock.now, yahoo_server.last_bar = datetime(2024, 6, 10, 20, 1, tzinfo=UTC), date(2024, 6, 10)
    fetcher.fetch(["AAPL"], date(2024, 6, 3))
    assert len(yahoo_server.requests) == 2
    assert fetcher.store.bars(["AAPL"]).sessions[-1] == np.datetime64("2024-06-10")


def test_a_bar_the_vendor_still_owes_is_asked_for_again(tmp_path: Path, yahoo_server: Vendor) -> None:
    clock = Time(datetime(2024, 6, 7, 21, tzinfo=UTC))
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    yahoo_server.last_bar = date(2024, 6, 6)
    fetcher.fetch(["AAPL"], date(2024, 6, 3))
    yahoo_server.last_bar = date(2024, 6, 7)
    assert fetcher.fetch(["AAPL"], date(2024, 6, 3)).added == 1


def test_ten_threads_that_want_one_range_make_one_request(
    tmp_path: Path, yahoo_server: Vendor, clock: Time
) -> None:
    yahoo_server.delay_seconds = 0.1
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    threads = [
        threading.Thread(target=fetcher.fetch, args=(["AAPL"], HISTORY.start, HISTORY.end)) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(yahoo_server.requests) == 1


@pytest.mark.parametrize("fault", ["429", "500", "truncated", "slow"])
def test_a_passing_fault_is_survived(tmp_path: Path, yahoo_server: Vendor, clock: Time, fault: str) -> None:
    yahoo_server.days(HISTORY.start, HISTORY.end)  # the calendar is slow to load, and no part of the test
    yahoo_server.faults = [fault, fault]
    patience = 0.5 if fault == "slow" else 20.0
    report = yahoo_fetcher(tmp_path, yahoo_server, clock, patience).fetch(
        ["AAPL"], HISTORY.start, HISTORY.end
    )
    assert report.added == 252
    assert len(yahoo_server.requests) == 3
    assert clock.slept == [7.0, 7.0] if fault == "429" else 1.0 <= clock.slept[0] < clock.slept[1]


def test_a_lasting_throttle_is_said_and_the_next_fetch_goes_on(
    tmp_path: Path, yahoo_server: Vendor, clock: Time
) -> None:
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)
    yahoo_server.faults = ["429"] * 4
    first = fetcher.fetch(["AAPL", "MSFT"], HISTORY.start, HISTORY.end)
    assert list(first.waiting) == ["AAPL"]
    assert first.complete == ("MSFT",)
    second = fetcher.fetch(["AAPL", "MSFT"], HISTORY.start, HISTORY.end)
    assert (second.requests, second.complete) == (1, ("AAPL", "MSFT"))


def test_a_refusal_that_will_not_pass_is_not_tried_again(
    tmp_path: Path, yahoo_server: Vendor, clock: Time
) -> None:
    yahoo_server.faults = ["401"]
    with pytest.raises(BackendError, match="401"):
        yahoo_fetcher(tmp_path, yahoo_server, clock).fetch(["AAPL"], HISTORY.start, HISTORY.end)
    assert len(yahoo_server.requests) == 1


def test_a_changed_format_is_named(
    tmp_path: Path, yahoo_server: Vendor, av_server: Vendor, clock: Time
) -> None:
    yahoo_server.faults = ["columns"]
    with pytest.raises(DataInvalid, match="another format"):
        yahoo_fetcher(tmp_path, yahoo_server, clock).fetch(["AAPL"], HISTORY.start, HISTORY.end)
    av_server.faults = ["columns"]
    with pytest.raises(DataInvalid, match="another format"):
        av_fetcher(tmp_path, av_server, clock, Quota(5, 25)).fetch(["IBM"], HISTORY.start, HISTORY.end)


def test_an_unknown_symbol_does_not_stop_the_others(
    tmp_path: Path, yahoo_server: Vendor, av_server: Vendor, clock: Time
) -> None:
    for fetcher in (
        yahoo_fetcher(tmp_path / "y", yahoo_server, clock),
        av_fetcher(tmp_path / "a", av_server, clock, Quota(5, 25)),
    ):
        report = fetcher.fetch(["NONE", "IBM"], HISTORY.start, HISTORY.end)
        assert (report.unknown, report.complete) == (("NONE",), ("IBM",))


def test_alpha_vantages_full_answer_is_kept_and_remembered(
    tmp_path: Path, av_server: Vendor, clock: Time
) -> None:
    fetcher = av_fetcher(tmp_path, av_server, clock, Quota(5, 25))
    assert fetcher.fetch(["IBM"], date(2024, 6, 3), HISTORY.end).added == 252
    fetcher.fetch(["IBM"], HISTORY.start, HISTORY.end)
    assert len(av_server.requests) == 1
    assert fetcher.store.bars(["IBM"]).close[0, 0] == av_server.price("IBM", HISTORY.start)


def test_a_throttle_note_with_status_200_is_no_data(tmp_path: Path, av_server: Vendor, clock: Time) -> None:
    av_server.faults = ["note"]
    assert av_fetcher(tmp_path, av_server, clock, Quota(5, 25)).fetch(["IBM"], HISTORY.start).added == 252
    assert len(av_server.requests) == 2


def test_the_end_of_the_vendors_day_is_believed_at_once(
    tmp_path: Path, av_server: Vendor, clock: Time
) -> None:
    av_server.faults = ["day"]
    fetcher = av_fetcher(tmp_path, av_server, clock, Quota(5, 25))
    report = fetcher.fetch(["IBM", "GE", "F"], HISTORY.start)
    assert len(av_server.requests) == 1
    assert set(report.waiting) == {"IBM", "GE", "F"}


def test_the_quota_holds_over_a_simulated_week(tmp_path: Path, av_server: Vendor) -> None:
    clock = Time(datetime(2025, 1, 6, 9, tzinfo=UTC))
    quota = Quota(5, 25)
    symbols = [f"S{i:03d}" for i in range(60)]
    times: list[datetime] = []
    for _ in range(7 * 24):
        before = len(av_server.requests)
        fetcher = av_fetcher(tmp_path, av_server, clock, quota)
        hour = clock.now + timedelta(hours=1)
        report = fetcher.fetch(symbols, date(2024, 12, 2), HISTORY.end)
        times += [clock.now] * (len(av_server.requests) - before)
        clock.now = max(hour, clock.now)
        if len(report.complete) == len(symbols):
            break
    spent = [r["symbol"] for r in av_server.requests]
    assert sorted(spent) == symbols  # each once, none twice
    for i, moment in enumerate(times):
        assert sum(moment <= t < moment + timedelta(hours=23) for t in times[i:]) <= 25


def test_the_quota_waits_for_its_minute_and_refuses_beyond_its_day(tmp_path: Path, clock: Time) -> None:
    ledger = QuotaLedger(tmp_path / "q.json", Quota(2, 5), clock, clock.sleep)
    start = clock.now
    for _ in range(5):
        ledger.spend()
    assert clock.now - start == timedelta(minutes=2)
    with pytest.raises(BackendBusy, match="2025-01-16T12:00"):
        QuotaLedger(tmp_path / "q.json", Quota(2, 5), clock, clock.sleep).spend()
    clock.now = start + timedelta(days=1)
    ledger.spend()
    assert ledger.used() == 4


def test_an_interrupted_fetch_goes_on_where_it_stopped(
    tmp_path: Path, yahoo_server: Vendor, clock: Time
) -> None:
    fetcher = yahoo_fetcher(tmp_path, yahoo_server, clock)

    def stop(symbol: str, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetcher.fetch(["A", "B", "C", "D"], HISTORY.start, HISTORY.end, progress=stop)
    fetcher.fetch(["A", "B", "C", "D"], HISTORY.start, HISTORY.end)
    assert [r["path"][-1] for r in yahoo_server.requests] == ["A", "B", "C", "D"]


def test_an_address_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(InvalidInput, match="http"):
        Transport("file:///etc", lambda _: None, Random(1))


def test_the_key_stands_in_no_message(tmp_path: Path, av_server: Vendor, clock: Time) -> None:
    transport = Transport(av_server.url, clock.sleep, Random(1))
    with pytest.raises(NotFound) as caught:
        AlphaVantage(transport, "SECRETKEY", clock().date()).bars("NONE", Period(HISTORY.start, HISTORY.end))
    assert "SECRETKEY" not in str(caught.value)
