"""Vendors of market data behind one small port.

A vendor knows its URLs and its format; everything else is common: the quota ledger that survives restarts,
backoff, one request for one missing range however many ask, and the ledger of what was fetched already.
"""

from quantrail.marketdata.providers.alpha_vantage import AlphaVantage
from quantrail.marketdata.providers.fetching import Fetcher, FetchReport
from quantrail.marketdata.providers.opening import PROVIDERS, open_fetcher, open_reference
from quantrail.marketdata.providers.port import Batch, Provider
from quantrail.marketdata.providers.quota import Quota, QuotaLedger
from quantrail.marketdata.providers.reference import (
    fetch_company,
    fetch_economic,
    fetch_news,
    fetch_records,
)
from quantrail.marketdata.providers.transport import Transport
from quantrail.marketdata.providers.yahoo import Yahoo

__all__ = [
    "PROVIDERS",
    "AlphaVantage",
    "Batch",
    "FetchReport",
    "Fetcher",
    "Provider",
    "Quota",
    "QuotaLedger",
    "Transport",
    "Yahoo",
    "fetch_company",
    "fetch_economic",
    "fetch_news",
    "fetch_records",
    "open_fetcher",
    "open_reference",
]
