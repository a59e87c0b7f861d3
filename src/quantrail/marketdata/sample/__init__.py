"""The bundled bars: what they are, where they are, and why their results flatter."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

SAMPLE_SHA256 = "a2a7f93ed34577462f8f33187fd5c638ccdc68176b43b5bb5667e7690a80f16b"
SAMPLE_SOURCE = "sample_daily_2013_2018"
# fmt: off
SAMPLE_STOCKS = (
    "AAPL", "AMZN", "BA", "BAC", "C", "CAT", "CVX", "DIS", "DUK", "FB",
    "GE", "GOOGL", "GS", "HD", "INTC", "JNJ", "JPM", "KO", "MCD", "MRK",
    "MSFT", "NFLX", "PFE", "PG", "SLB", "T", "UNH", "WFC", "WMT", "XOM",
)
# fmt: on
SAMPLE_ETFS = ("EEM", "IWM", "QQQ", "SPY")
SAMPLE_SURVIVORSHIP = (
    "The 30 stocks are index members of February 2018 looking back: whatever failed or left the index "
    "before is missing, so results on them are flattered by survivorship."
)


def sample_path() -> Path:
    """The Parquet file inside the installed package."""
    return Path(str(files(__package__) / f"{SAMPLE_SOURCE}.parquet"))
