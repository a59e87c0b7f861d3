"""Market data that can be trusted and re-read.

Bars live in immutable Parquet files; an import writes new files for the years it changes and a manifest
that names them all, so any number of processes read without waiting. A ``data_version`` hashes rows, not
files: the same rows have the same version whoever imported them, in whatever order. Rows that cannot be
right are kept apart with the reason; nothing is silently dropped or filled.
"""

from quantrail.marketdata.adjusting import Adjust
from quantrail.marketdata.collecting import Collected
from quantrail.marketdata.intake import Reading
from quantrail.marketdata.pointintime import RecordReport, RecordStore
from quantrail.marketdata.records import (
    DAILY,
    Finding,
    ImportReport,
    Preview,
    Snapshot,
    StoredBasis,
    SymbolChange,
    SymbolInfo,
)
from quantrail.marketdata.sample import (
    SAMPLE_ETFS,
    SAMPLE_SHA256,
    SAMPLE_SOURCE,
    SAMPLE_STOCKS,
    SAMPLE_SURVIVORSHIP,
    sample_path,
)
from quantrail.marketdata.store import MarketStore
from quantrail.marketdata.universe_store import UniverseReport, UniverseStore
from quantrail.marketdata.universes import Membership, Universe

__all__ = [
    "DAILY",
    "SAMPLE_ETFS",
    "SAMPLE_SHA256",
    "SAMPLE_SOURCE",
    "SAMPLE_STOCKS",
    "SAMPLE_SURVIVORSHIP",
    "Adjust",
    "Collected",
    "Finding",
    "ImportReport",
    "MarketStore",
    "Membership",
    "Preview",
    "Reading",
    "RecordReport",
    "RecordStore",
    "Snapshot",
    "StoredBasis",
    "SymbolChange",
    "SymbolInfo",
    "Universe",
    "UniverseReport",
    "UniverseStore",
    "sample_path",
]
