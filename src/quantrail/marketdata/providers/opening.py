"""A fetcher for real use: the system's clock and patience, ledgers under the market home."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

from quantrail.errors import ConfigInvalid, InvalidInput
from quantrail.marketdata.providers import alpha_vantage, yahoo
from quantrail.marketdata.providers.coverage import CoverageLedger
from quantrail.marketdata.providers.fetching import Fetcher
from quantrail.marketdata.providers.port import Provider
from quantrail.marketdata.providers.quota import QuotaLedger
from quantrail.marketdata.providers.transport import Transport
from quantrail.marketdata.quality import sessions_between
from quantrail.marketdata.store import MarketStore

PROVIDERS = ("yahoo", "alpha_vantage")


def open_fetcher(
    store: MarketStore, home: Path, name: str, api_key: str | None = None, base_url: str | None = None
) -> Fetcher:
    """A fetcher from vendor ``name``. ConfigInvalid when it needs a key and there is none."""
    folder = home / "providers" / name
    coverage = CoverageLedger(folder / "coverage", lambda a, b: sessions_between("XNYS", a, b))
    ledger = None
    provider: Provider
    if name == "yahoo":
        provider = yahoo.Yahoo(Transport(base_url or yahoo.BASE_URL, time.sleep, SystemRandom()))
    elif name == "alpha_vantage":
        ledger = _quota(home)
        provider = _alpha_vantage(ledger, api_key, base_url)
    else:
        raise InvalidInput(f"no provider {name!r}; there are {', '.join(PROVIDERS)}")
    return Fetcher(store, provider, coverage, _now, ledger=ledger)


def open_reference(
    home: Path, api_key: str | None = None, base_url: str | None = None
) -> alpha_vantage.AlphaVantage:
    """Alpha Vantage for companies, series and news, on the same quota as its bars. Raises ConfigInvalid."""
    return _alpha_vantage(_quota(home), api_key, base_url)


def _quota(home: Path) -> QuotaLedger:
    path = home / "providers" / "alpha_vantage" / "quota.json"
    return QuotaLedger(path, alpha_vantage.FREE, _now, time.sleep)


def _alpha_vantage(
    ledger: QuotaLedger, api_key: str | None, base_url: str | None
) -> alpha_vantage.AlphaVantage:
    if not api_key:
        raise ConfigInvalid("Alpha Vantage needs a key; set ALPHAVANTAGE_API_KEY in the environment")
    transport = Transport(base_url or alpha_vantage.BASE_URL, time.sleep, SystemRandom(), ledger)
    return alpha_vantage.AlphaVantage(transport, api_key, _now().date())


def _now() -> datetime:
    return datetime.now(UTC)
