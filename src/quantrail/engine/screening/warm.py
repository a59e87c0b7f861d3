"""Compile the kernels once, or load them from the disk cache, before workers start."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from quantrail.domain.contract import CalcContract
from quantrail.domain.ids import DataVersion
from quantrail.domain.market import BAR_COLUMNS, Bars, Period
from quantrail.engine.screening.screen import screen
from quantrail.engine.signals.batch import prepare
from quantrail.strategy import TEMPLATES, canonicalise

_SYMBOLS = ("A", "B")
_TEMPLATES = ("SMA_CROSSOVER", "MOMENTUM", "ZSCORE_REVERSION", "RS_ROTATION", "RSI_MEAN_REVERSION")


def warm_up() -> None:
    """Run a few shipped templates over a handful of bars.

    Takes well under a minute the first time on a machine and under a second after that. Call it in the
    parent: workers that start together would each compile. The kernel of limit and other orders is left
    to the first spec that has some: it takes as long again, and most searches never meet one.
    """
    sessions = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-02-10"))
    rising = np.linspace(10.0, 11.0, 2 * len(sessions)).reshape(2, -1)
    columns: dict[str, Any] = {name: rising.copy() for name in BAR_COLUMNS}
    bars = Bars(_SYMBOLS, sessions, **columns, data_version=DataVersion("0" * 64))
    specs = []
    for name in _TEMPLATES:
        chosen = TEMPLATES[name]
        document = chosen.build({p.name: p.default for p in chosen.parameters}, list(_SYMBOLS))
        specs.append(canonicalise(document).spec)
    found = screen(prepare(bars, specs), Period(date(2020, 1, 1), date(2020, 2, 9)), CalcContract())
    found.result(0)
