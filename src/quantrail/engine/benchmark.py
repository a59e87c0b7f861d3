"""Returns of the contract's benchmark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Bars
from quantrail.errors import DataInvalid


def benchmark_returns(bars: Bars, span: slice, contract: CalcContract) -> NDArray[np.float64] | None:
    """Close-to-close returns (n,) of ``contract.benchmark``, None when it names none.

    The first is 0, as equity's is, and so is one over a missing bar. NotFound when the bars lack the
    symbol, DataInvalid when it has no close at the start of the period.
    """
    if contract.benchmark is None:
        return None
    close = bars.close[bars.index_of(contract.benchmark), span].copy()
    if np.isnan(close[0]):
        raise DataInvalid(f"benchmark {contract.benchmark} has no close at the start of the period")
    last = np.maximum.accumulate(np.where(np.isnan(close), 0, np.arange(len(close))))
    known = close[last]
    return np.concatenate(([0.0], known[1:] / known[:-1] - 1.0))
