"""Technical indicators of stored bars, from the engines' own module, cached by content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from quantrail.domain.identity import content_hash
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import Bars
from quantrail.engine import ENGINE_A_VERSION, prepare
from quantrail.errors import InvalidInput
from quantrail.marketdata import durable
from quantrail.strategy import FEATURE_TYPES, NormalFeature, content_name


def technical(
    home: Path, snapshot: DataVersion, bars: Bars, kind: str, params: Mapping[str, float | str], now: datetime
) -> pl.DataFrame:
    """Rows of the technical_indicators table: id, symbol, indicator_type, date, values (JSON), created_at.

    ``indicator_type`` is the feature's content name, e.g. ``sma(close;period=20)``. Bars before an
    indicator's window is full have no row. Cached under the bars' data version, the feature and the
    engine's version. Raises InvalidInput for an unknown type or parameter.
    """
    feature = _feature(kind, params)
    name = content_name(feature)
    key = content_hash([bars.data_version, name, ENGINE_A_VERSION])
    target = folder_of(home, snapshot) / f"{key}.parquet"
    if not target.exists():
        temp = durable.temporary(home / "cache" / "indicators")
        _rows(bars, name, feature, now).write_parquet(temp, compression="zstd")
        durable.settle(temp, target)
    return pl.read_parquet(target, glob=False)


def folder_of(home: Path, snapshot: DataVersion) -> Path:
    """Where the indicators of one snapshot are kept."""
    return home / "cache" / "indicators" / snapshot


def _feature(kind: str, params: Mapping[str, float | str]) -> NormalFeature:
    known = FEATURE_TYPES.get(kind)
    if known is None:
        raise InvalidInput(f"no indicator {kind!r}; there are {', '.join(sorted(FEATURE_TYPES))}")
    if known.cross_section:
        raise InvalidInput(f"{kind} ranks symbols against each other; it is no value of one symbol")
    names = [param.name for param in known.params]
    for name in params:
        if name not in names:
            raise InvalidInput(f"{kind} has no parameter {name!r}; it has {', '.join(names) or 'none'}")
    filled = {param.name: params.get(param.name, param.default) for param in known.params}
    return {"type": kind, "inputs": list(known.inputs), "params": filled}


def _rows(bars: Bars, name: str, feature: NormalFeature, now: datetime) -> pl.DataFrame:
    everyone = np.arange(len(bars.symbols))
    values = prepare(bars, []).features.value(name, {name: feature}, everyone)
    which, when = np.nonzero(np.isfinite(values))
    symbols = np.array(bars.symbols)[which]
    table = pl.DataFrame({"symbol": symbols, "date": bars.sessions[when]}).with_columns(
        pl.lit(name).alias("indicator_type"),
        pl.Series("values", [json.dumps({"value": v}) for v in values[which, when].tolist()]),
        pl.lit(now).cast(pl.Datetime("us", "UTC")).alias("created_at"),
    )
    key = pl.concat_str(["symbol", "indicator_type", pl.col("date").cast(pl.String)], separator="|")
    return table.select(key.alias("id"), "symbol", "indicator_type", "date", "values", "created_at")
