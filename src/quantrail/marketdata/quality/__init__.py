"""The quality gate: what is wrong with bars that are well-formed one by one.

Rows that are impossible by themselves (a negative price, high below low) never get this far: the intake
refuses and keeps them. Here bars are judged by their neighbours, their calendar and their market.
"""

from quantrail.marketdata.quality.gate import check_rows
from quantrail.marketdata.quality.hours import hours_between
from quantrail.marketdata.quality.intraday import seconds_of
from quantrail.marketdata.quality.jumps import JumpRules
from quantrail.marketdata.quality.sessions import closes_of, last_session_closed, sessions_between

__all__ = [
    "JumpRules",
    "check_rows",
    "closes_of",
    "hours_between",
    "last_session_closed",
    "seconds_of",
    "sessions_between",
]
