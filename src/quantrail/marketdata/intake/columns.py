"""Which column of a source means what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from quantrail.errors import DataInvalid

_ALIASES = {
    "symbol": "symbol ticker name code instrument asset permno",
    "ts": "date datetime timestamp time ts day session index",
    "open": "open openprice o adjopen",
    "high": "high highprice h adjhigh",
    "low": "low lowprice l adjlow",
    "close": "close closeprice c price last",
    "volume": "volume vol v",
    "dividend": "dividend dividends divcash dividendamount",
    "split": "split splits stocksplits stocksplit splitfactor splitcoefficient splitratio",
    "adj_close": "adjclose adjustedclose closeadj",
}
_MEANING = {alias: column for column, aliases in _ALIASES.items() for alias in aliases.split()}
# Accepted and shown, never stored: adjustment is worked out from the actions.
NOT_STORED = ("adj_close",)
PRICES = ("open", "high", "low", "close")
# How a mapping may name a meaning: as the pages write it, which is "date" for what rows call ts.
_STATED = {name: name for name in _ALIASES} | {"date": "ts"}


def meaning_of(name: str) -> str | None:
    """Our name of a source column, None if it is not known."""
    return _MEANING.get(_plain(name))


def propose(names: Sequence[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Mapping from source names to ours; ``overrides`` wins. Unknown names are left out.

    An override says ``date`` (or ``ts``), symbol, open … Raises DataInvalid when two columns claim one
    meaning, or an override names no column or no meaning.
    """
    chosen = {name: _stated(name, ours, names) for name, ours in (overrides or {}).items()}
    stated = set(chosen.values())
    if len(stated) < len(chosen):
        raise DataInvalid(f"two of the columns {', '.join(chosen)} are mapped to the same; leave one out")
    for name in names:
        meaning = meaning_of(name)
        if name not in chosen and meaning is not None and meaning not in chosen.values():
            chosen[name] = meaning
        elif name not in chosen and meaning is not None and meaning not in stated:
            other = next(key for key, value in chosen.items() if value == meaning)
            raise DataInvalid(
                f"columns {other!r} and {name!r} both look like {meaning}; say which with a column mapping"
            )
    return chosen


def _stated(name: str, ours: str, names: Sequence[str]) -> str:
    if name not in names:
        raise DataInvalid(f"column {name!r} is not in the source; it has {', '.join(names)}")
    if ours not in _STATED:
        known = ", ".join(dict.fromkeys("date" if word == "ts" else word for word in _STATED))
        raise DataInvalid(f"column {name!r} is mapped to {ours!r}, which is none of {known}")
    return _STATED[ours]


def require(mapping: Mapping[str, str], names: Sequence[str]) -> None:
    """DataInvalid naming every needed column that no source column was mapped to."""
    missing = [name for name in ("ts", *PRICES) if name not in mapping.values()]
    if missing:
        raise DataInvalid(
            f"no column for {', '.join('date' if m == 'ts' else m for m in missing)} "
            f"among {', '.join(map(repr, names)) or 'none'}; name them with a column mapping"
        )


def _plain(name: str) -> str:
    # Alpha Vantage numbers its columns ("1. open"), BOMs and quotes stick to the first one.
    return re.sub(r"^\d+\.", "", re.sub(r"[^a-z0-9.]", "", name.lower())).replace(".", "")
