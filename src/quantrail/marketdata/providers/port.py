"""What a vendor of bars must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from quantrail.domain.market import Period
from quantrail.marketdata.providers.quota import Quota
from quantrail.marketdata.records import StoredBasis


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one symbol: date, open, high, low, close, volume, and dividend and split where known.

    ``covered``: the sessions the answer speaks for, bars or not.
    """

    rows: pl.DataFrame
    covered: Period


class Provider(Protocol):
    """A vendor of daily bars. Implementations hold no state but their transport."""

    @property
    def name(self) -> str:
        """Short and stable: it names ledgers and the source of rows."""
        ...

    @property
    def basis(self) -> StoredBasis:
        """What the vendor has already done to its prices."""
        ...

    @property
    def quota(self) -> Quota | None:
        """How many requests the vendor allows; None: not limited by count."""
        ...

    def bars(self, symbol: str, period: Period) -> Batch:
        """Bars of ``symbol`` that cover ``period`` at least, with one request.

        Raises NotFound (the vendor knows no such symbol), BackendBusy (throttled or quota used up),
        BackendError (no usable answer after retries), DataInvalid (an answer in another format).
        """
        ...
