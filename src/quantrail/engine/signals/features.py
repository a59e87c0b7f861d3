"""Feature values by content name, each computed once and kept within a memory budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.market import BAR_COLUMNS, Bars
from quantrail.engine.signals.indicators import indicator, rolling_sum, volatility
from quantrail.engine.signals.regime import regime_score
from quantrail.errors import NotFound, SpecInvalid
from quantrail.strategy import FEATURE_TYPES

Floats = NDArray[np.float64]
Key = tuple[Any, ...]
SIZING_VOLATILITY_BARS = 20
RELATIVE_VOLUME_BARS = 20
RECORD_KINDS = frozenset(name for name, kind in FEATURE_TYPES.items() if kind.records is not None)


class FeatureStore:
    """Features over one set of bars, arrays (S, T), least recently used dropped beyond ``budget`` bytes."""

    def __init__(self, bars: Bars, budget: int = 512 * 1024 * 1024) -> None:
        self.bars = bars
        self._budget = budget
        self._kept: OrderedDict[Key, Floats] = OrderedDict()
        self._bytes = 0
        self._cross: dict[str, bool] = {}
        self._records: Mapping[str, Floats] = bars.records

    def value(self, name: str, features: Mapping[str, Any], members: NDArray[np.int64]) -> Floats:
        """The bar column or feature ``name``; ``features`` holds definitions by content name."""
        if name in BAR_COLUMNS:
            return self.column(name)
        if name == "rvol":
            return self._get(("rvol",), self._relative_volume)
        # Only a cross-section depends on the universe; everything else is shared between universes.
        key = (name, members.tobytes() if self.is_cross_section(name, features) else b"")
        return self._get(key, lambda: self._compute(name, features, members))

    def column(self, name: str) -> Floats:
        """A bar column. A copy: kernels are compiled once, for writable arrays, whatever the bars are."""
        return self._get(("column", name), lambda: np.array(getattr(self.bars, name), order="C"))

    def is_cross_section(self, name: str, features: Mapping[str, Any]) -> bool:
        """Whether a value depends on which other symbols there are."""
        known = self._cross.get(name)
        if known is None:
            known = self._cross[name] = self._ranks_symbols(name, features)
        return known

    def regime(self, settings: Mapping[str, Any], members: NDArray[np.int64]) -> Floats:
        """regime_score (T,): 0, 0.5 or 1, NaN until every window is full."""
        shared = settings["source"] == "symbol"
        key = ("regime", *sorted(map(str, settings.items())), b"" if shared else members.tobytes())
        return self._get(key, lambda: regime_score(self.bars, settings, members))

    def sizing_volatility(self) -> Floats:
        """20-bar volatility of close returns, per bar, (S, T)."""
        return self._get(("volatility",), lambda: volatility(self.column("close"), SIZING_VOLATILITY_BARS))

    def atr(self, period: int) -> Floats:
        """Average true range in price, (S, T)."""
        inputs = [self.column(name) for name in ("high", "low", "close")]
        nobody = np.empty(0, np.int64)
        return self._get(("atr", period), lambda: indicator("atr", inputs, {"period": period}, nobody))

    def mean_volume(self, bars: int) -> Floats:
        """Mean volume of the last ``bars`` bars, (S, T); NaN where one of them is missing."""
        return self._get(("mean_volume", bars), lambda: rolling_sum(self.column("volume"), bars) / bars)

    def dollar_volume(self, bars: int) -> Floats:
        """Close times volume, summed over the last ``bars`` bars, in currency, (S, T)."""
        value = lambda: rolling_sum(self.column("close") * self.column("volume"), bars)  # noqa: E731
        return self._get(("dollar_volume", bars), value)

    def _relative_volume(self) -> Floats:
        # Against the bars before, so that a busy bar does not dampen itself.
        before = np.full_like(self.column("volume"), np.nan)
        before[:, 1:] = self.mean_volume(RELATIVE_VOLUME_BARS)[:, :-1]
        out = np.full_like(before, np.nan)
        return np.divide(self.column("volume"), before, out=out, where=before > 0.0)

    def _compute(self, name: str, features: Mapping[str, Any], members: NDArray[np.int64]) -> Floats:
        feature = features.get(name)
        if feature is None:
            raise SpecInvalid(f"feature {name!r} is used but not defined; define it under features")
        if feature["type"] in RECORD_KINDS:
            return self._record(name)
        inputs = [self.value(source, features, members) for source in feature["inputs"]]
        return np.ascontiguousarray(indicator(feature["type"], inputs, feature["params"], members))

    def know(self, records: Mapping[str, Floats]) -> None:
        """More records over the same bars, by content name; one that is known already keeps its values."""
        self._records = {**records, **self._records}

    def _record(self, name: str) -> Floats:
        if name not in self._records:
            raise NotFound(f"no record of {name} came with the bars; import the series, or leave it out")
        return np.array(np.broadcast_to(self._records[name], self.bars.close.shape), order="C")

    def _ranks_symbols(self, name: str, features: Mapping[str, Any]) -> bool:
        feature = features.get(name)
        if feature is None:
            return False
        inner = [self._ranks_symbols(source, features) for source in feature["inputs"]]
        return feature["type"] == "rs_percentile" or any(inner)

    def _get(self, key: Key, make: Any) -> Floats:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        value: Floats = make()
        self._kept[key] = value
        self._bytes += value.nbytes
        while self._bytes > self._budget and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return value
