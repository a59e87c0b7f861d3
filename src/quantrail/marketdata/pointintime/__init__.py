"""Companies, economic series and news, each row with the time from which it could be known.

Bars are complete at their close by nature; these are not, and a backtest that reads them by the date they are
about looks ahead. Every read here is as of a time.
"""

from quantrail.marketdata.pointintime.store import RecordReport, RecordStore
from quantrail.marketdata.pointintime.tables import TABLES

__all__ = ["TABLES", "RecordReport", "RecordStore"]
