"""Economic series and news for the specs that read them: fetched as of each close, and versioned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.identity import content_hash
from quantrail.domain.ids import ContentHash, DataVersion
from quantrail.domain.market import Bars, MarketReader
from quantrail.errors import NotFound
from quantrail.strategy import FEATURE_TYPES, NormalFeature, NormalSpec

Floats = NDArray[np.float64]
Records = Mapping[str, Floats]
Versions = Mapping[str, ContentHash]
TABLES = tuple(sorted({kind.records for kind in FEATURE_TYPES.values() if kind.records is not None}))


def current_versions(market: MarketReader) -> dict[str, ContentHash]:
    """The version of each table of records that holds anything: what a run freezes and reads from."""
    found = {table: market.records_version(table) for table in TABLES}
    return {table: version for table, version in found.items() if version is not None}


def record_features(spec: NormalSpec) -> dict[str, NormalFeature]:
    """The features of ``spec`` that read records, by content name."""
    return {n: f for n, f in spec["features"].items() if FEATURE_TYPES[f["type"]].records is not None}


def with_records(market: MarketReader, bars: Bars, specs: Iterable[NormalSpec], versions: Versions) -> Bars:
    """``bars`` with every record the specs read, under a data version that covers both.

    Without such a feature the very same bars. NotFound names the series there are.
    """
    wanted = {name: feature for spec in specs for name, feature in record_features(spec).items()}
    if not wanted:
        return bars
    records = {n: record_values(market, bars, f, versions) for n, f in sorted(wanted.items())}
    return replace(bars, records=records, data_version=version_with(bars.data_version, records))


def record_values(market: MarketReader, bars: Bars, feature: NormalFeature, versions: Versions) -> Floats:
    """(T,) or (S, T): what was known at the close of each session, from the given version of its table."""
    table = FEATURE_TYPES[feature["type"]].records
    version = versions.get(table or "")
    params = feature["params"]
    if version is None:
        raise NotFound(
            f"{feature['type']} reads {table}, which holds nothing here; "
            f"`quantrail data import FILE --as {'news' if table == 'news' else 'economic'}` fills it"
        )
    if feature["type"] == "econ":
        return market.econ(str(params["series"]), bars, version)
    values = market.news_sentiment(bars, timedelta(days=int(params["days"])), version)
    if np.isnan(values).all():
        raise NotFound(
            f"no judged news about {', '.join(bars.symbols[:5])} before {bars.sessions[-1]}; "
            "import some with `quantrail data import FILE --as news`"
        )
    return values


def version_with(bars: DataVersion, records: Records) -> DataVersion:
    """The version of a slice and of the records read beside it: of the values, so that other series of
    the same table, and releases after the slice, move nothing. Without records the slice's own.
    """
    if not records:
        return bars
    read = {name: _digest(values) for name, values in records.items()}
    return DataVersion(content_hash({"bars": bars, "records": read}))


def _digest(values: Floats) -> str:
    # One pattern of bits for every missing value.
    plain = np.where(np.isnan(values), np.nan, values).astype("<f8")
    return hashlib.sha256(plain.tobytes()).hexdigest()


class RecordDesk:
    """The records that one run reads, from the versions it froze; each series is fetched once per slice."""

    def __init__(self, market: MarketReader, versions: Versions) -> None:
        self._market = market
        self.versions = dict(versions)
        self._known: dict[tuple[DataVersion, str], Floats | None] = {}

    def records(self, bars: Bars, spec: NormalSpec) -> dict[str, Floats]:
        """What ``spec`` reads and the store has; what it lacks makes the strategy an error in the engine."""
        found = {name: self._values(bars, name, f) for name, f in sorted(record_features(spec).items())}
        return {name: values for name, values in found.items() if values is not None}

    def version(self, bars: Bars, spec: NormalSpec) -> DataVersion:
        """The version of all that ``spec`` can read of ``bars`` and beside them."""
        return version_with(bars.data_version, self.records(bars, spec))

    def _values(self, bars: Bars, name: str, feature: NormalFeature) -> Floats | None:
        key = (bars.data_version, name)
        if key not in self._known:
            try:
                self._known[key] = record_values(self._market, bars, feature, self.versions)
            except NotFound:
                self._known[key] = None
        return self._known[key]
