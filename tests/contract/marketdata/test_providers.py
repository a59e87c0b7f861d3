"""What every vendor of bars must do. A new one joins ``VENDORS`` with a server that speaks its format."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "marketdata"))
from vendors import HISTORY, Vendor, alpha_vantage, serving, yahoo

from quantrail.domain.market import Period
from quantrail.errors import BackendBusy, BackendError, DataInvalid, NotFound
from quantrail.marketdata.providers import AlphaVantage, Provider, Transport, Yahoo

MARCH = Period(date(2024, 3, 1), date(2024, 3, 28))


@dataclass
class Case:
    vendor: Vendor
    provider: Provider


VENDORS: dict[str, tuple[object, Callable[[Transport], Provider]]] = {
    "yahoo": (yahoo, Yahoo),
    "alpha_vantage": (alpha_vantage, lambda transport: AlphaVantage(transport, "key", date(2025, 1, 15))),
}


@pytest.fixture(params=sorted(VENDORS))
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    speak, make = VENDORS[request.param]
    # Only the slow answer is meant to meet impatience; a busy machine is not.
    patience = 0.5 if "slow" in request.node.name else 20.0
    with serving(Vendor(), speak) as vendor:
        vendor.days(MARCH.start, MARCH.end)  # the calendar is slow to load, and no part of the test
        transport = Transport(vendor.url, lambda _: None, Random(1), attempts=2, timeout_seconds=patience)
        yield Case(vendor, make(transport))


def test_bars_cover_the_period_asked_for_with_one_request(case: Case) -> None:
    batch = case.provider.bars("IBM", MARCH)
    assert len(case.vendor.requests) == 1
    assert batch.covered.start <= MARCH.start
    assert batch.covered.end >= MARCH.end
    inside = batch.rows.filter(pl.col("date").is_between(MARCH.start, MARCH.end))
    assert inside["date"].to_list() == case.vendor.days(MARCH.start, MARCH.end)


def test_values_are_the_vendors(case: Case) -> None:
    rows = case.provider.bars("IBM", MARCH).rows
    found = dict(rows.select("date", pl.col("close").cast(pl.Float64)).iter_rows())
    assert found[MARCH.start] == pytest.approx(case.vendor.price("IBM", MARCH.start), abs=1e-4)
    assert {"date", "open", "high", "low", "close", "volume"} <= set(rows.columns)


def test_an_unknown_symbol_is_not_found(case: Case) -> None:
    with pytest.raises(NotFound):
        case.provider.bars("NONE", MARCH)


def test_a_span_without_bars_is_an_empty_batch_or_one_outside_it(case: Case) -> None:
    weekend = Period(date(2024, 6, 8), date(2024, 6, 9))
    rows = case.provider.bars("IBM", weekend).rows
    assert rows.filter(pl.col("date").is_between(weekend.start, weekend.end)).is_empty()


@pytest.mark.parametrize(
    ("fault", "error"),
    [("429", BackendBusy), ("500", BackendError), ("truncated", BackendError), ("slow", BackendError)],
)
def test_a_lasting_fault_is_named_after_every_try(case: Case, fault: str, error: type[Exception]) -> None:
    case.vendor.faults = [fault, fault]
    with pytest.raises(error):
        case.provider.bars("IBM", MARCH)
    assert len(case.vendor.requests) == 2


def test_another_format_is_invalid_data(case: Case) -> None:
    case.vendor.faults = ["columns"]
    with pytest.raises(DataInvalid, match="another format"):
        case.provider.bars("IBM", Period(HISTORY.start, HISTORY.end))


def test_a_vendor_names_itself_and_its_prices(case: Case) -> None:
    assert case.provider.name == case.provider.name.lower()
    assert case.provider.basis != "unknown"
