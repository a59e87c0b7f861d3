"""quantrail: a research system for systematic trading strategies that keeps a trail.

    import quantrail as qt

    with qt.open("research") as lab:
        lab.data.import_sample()
        lab.backtest(qt.templates.sma_crossover(short_window=20, long_window=50))
        lab.leaderboard()

Names are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantrail.errors import QuantrailError
    from quantrail.lab import Lab, open_lab
    from quantrail.services.run_config import RunConfig
    from quantrail.strategy import spec, templates

    open = open_lab

__version__ = "0.1.0"

_WHERE = {
    "Lab": ("quantrail.lab", "Lab"),
    "QuantrailError": ("quantrail.errors", "QuantrailError"),
    "RunConfig": ("quantrail.services.run_config", "RunConfig"),
    "open": ("quantrail.lab", "open_lab"),
    "spec": ("quantrail.strategy", "spec"),
    "templates": ("quantrail.strategy", "templates"),
}

__all__ = ["Lab", "QuantrailError", "RunConfig", "__version__", "open", "spec", "templates"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'quantrail' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
