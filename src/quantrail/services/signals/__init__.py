"""Signals that somebody else computed: frames of target weights or of entries and exits.

They are checked, hashed, kept as a file, traded by the event engine under the same contract, and recorded
and judged like any strategy.
"""

from quantrail.services.signals.again import signals_again
from quantrail.services.signals.entries import signals_of_file, weights_of_entries
from quantrail.services.signals.frames import Missing, Signals, read_flags, read_weights
from quantrail.services.signals.request import SignalsRequest
from quantrail.services.signals.trade import backtest_signals

__all__ = [
    "Missing",
    "Signals",
    "SignalsRequest",
    "backtest_signals",
    "read_flags",
    "read_weights",
    "signals_again",
    "signals_of_file",
    "weights_of_entries",
]
